import { accessSync, constants, writeSync } from 'node:fs'
import { Socket } from 'node:net'

/** What is thrown when a text can reach nobody, so that a page is kept rather than counted as delivered. */
export class OutputLost extends Error {
  override name = 'OutputLost'
}

/** More is not kept for a reader that takes nothing. */
const unreadLimitBytes = 64 * 1024

/** Standard output or error. */
export type Output = NodeJS.WriteStream & { fd: number }

/** Is there something that nobody has read yet? */
export const isUnread = (out: NodeJS.WriteStream): boolean => out.writableLength > 0

/** Node writes to a file by a stream that neither looks whether all was taken nor goes on after a failure. */
const isFile = (out: Output): boolean => !(out instanceof Socket)

/** A disk that is full takes the first part and says nothing of the rest until it is asked to take that as well. */
const writeWhole = (fd: number, text: string): void => {
  for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest))
}

const sendWhole = (out: Output, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const lost = (why: string, cause?: unknown) => reject(new OutputLost(why, { cause }))
    if (out.writableLength > unreadLimitBytes) lost('nobody reads the output')
    else out.write(text, (error) => (error ? lost('nobody reads the output any more', error) : resolve()))
  })

/**
 * Writes whole lines; resolves when the system has taken all of them. Throws {@link OutputLost} when whoever read them
 * has gone, as in `whodunit serve | head`, when too much waits to be read, and when a file has no room for all of it.
 */
export const writeLines = async (out: Output, text: string): Promise<void> => {
  const lines = text.endsWith('\n') ? text : `${text}\n`
  if (!isFile(out)) return sendWhole(out, lines)
  try {
    writeWhole(out.fd, lines)
  } catch (error) {
    throw new OutputLost(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/**
 * Node waits for a terminal with every write, and with it everything else: until somebody leaves tmux's copy mode or
 * presses Ctrl-Q. This makes such writes wait aside, where the terminal may be opened anew; if not, another process
 * shares it, and it stays as it is.
 */
export const waitAside = (out: Output): void => {
  if (!out.isTTY) return
  try {
    accessSync(`/dev/fd/${out.fd}`, constants.W_OK)
  } catch {
    return
  }
  // Node has no public way to say this of a stream it made.
  const { _handle } = out as unknown as { _handle?: { setBlocking?: (blocking: boolean) => unknown } }
  _handle?.setBlocking?.(false)
}

/** Resolves when nobody reads `out` any more: a reader that left is the end of the work, never a stack on the screen. */
export const whenUnread = (out: NodeJS.WriteStream): Promise<'unread'> =>
  new Promise((resolve) => {
    out.on('error', () => resolve('unread'))
    if (out.errored) resolve('unread')
  })

/** Ends the process a moment after its work, whether or not somebody has read what it had to say. */
export const leaveUnread = (code: number): void => {
  if ([process.stdout, process.stderr].some(isUnread)) setTimeout(() => process.exit(code), 1000).unref()
}
