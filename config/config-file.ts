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
