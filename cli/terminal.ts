/** What is thrown when a text can reach nobody, so that a page is kept rather than counted as delivered. */
export class OutputLost extends Error {
  override name = 'OutputLost'
}

/** Writes whole lines. Throws {@link OutputLost} when whoever read them has gone, as in `whodunit serve | head`. */
export const writeLines = (out: NodeJS.WriteStream, text: string): void => {
  out.write(text.endsWith('\n') ? text : `${text}\n`)
  if (out.errored) throw new OutputLost('nobody reads the output any more')
}

/** Resolves when nobody reads `out` any more: a reader that left is the end of the work, never a stack on the screen. */
export const whenUnread = (out: NodeJS.WriteStream): Promise<'unread'> =>
  new Promise((resolve) => {
    out.on('error', () => resolve('unread'))
    if (out.errored) resolve('unread')
  })
