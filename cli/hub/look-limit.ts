import pLimit from 'p-limit'

const quiet = () => undefined

/**
 * Bounds looks that run side by side. A look keeps this process busy while it begins, later it mostly waits for its
 * target: after `beginsMs` it makes room for the next one to begin, so that targets which hang hold up no others.
 */
export const lookLimit = (options: { beginAtOnce: number; beginsMs: number; atOnce: number }) => {
  const { beginAtOnce, beginsMs, atOnce } = options
  const all = pLimit(atOnce)
  const beginning = pLimit(beginAtOnce)
  const begun = async (work: Promise<unknown>) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, beginsMs)
    await Promise.race([work.catch(quiet), promise])
    clearTimeout(timer)
  }
  return <T>(work: () => Promise<T>): Promise<T> =>
    all(async () => {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      void beginning(() => {
        const running = work()
        running.then(resolve, reject)
        return begun(running)
      })
      return promise
    })
}
