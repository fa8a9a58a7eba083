import { open } from 'node:fs/promises'

/** A config of ten thousand monitors is about 3 MB. */
export const configLimitBytes = 5 * 1024 * 1024

/**
 * Reads a config's file, or a pipe, up to one byte more than a config may have: enough to know that it is too large,
 * whatever `path` turns out to be. Rejects with the errors of `node:fs`.
 */
export const readConfigFile = async (path: string): Promise<Uint8Array> => {
  const file = await open(path, 'r')
  try {
    const chunks: Uint8Array[] = []
    let size = 0
    while (size <= configLimitBytes) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024)
      if (bytesRead === 0) break
      chunks.push(buffer.subarray(0, bytesRead))
      size += bytesRead
    }
    return Buffer.concat(chunks)
  } finally {
    await file.close()
  }
}

const utf8 = 'save the file as UTF-8'

/**
 * UTF-8 with or without a byte order mark; line ends of any system. Offsets into the result are those of the file's
 * text. Or what the bytes are instead.
 */
export const textOf = (bytes: Uint8Array): string | { message: string; hint?: string } => {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { message: 'this is UTF-16, expected UTF-8', hint: utf8 }
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (text.includes('\0')) return { message: 'this is not a text file' }
    return text.replace(/\r(?!\n)/g, '\n')
  } catch {
    return { message: 'this is not UTF-8 text', hint: utf8 }
  }
}
