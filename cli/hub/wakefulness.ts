/** How often it is to be asked, whoever else asks. */
export const turnMs = 1000

/** Nobody asked for so long: this process was suspended, or frozen. */
export const asleepMs = 10_000

/**
 * Tells since when this process looks, by what the clock on the wall shows whenever it is asked: a laptop that was
 * closed and a virtual machine that was paused begin to look when they wake, as after a start.
 */
export const wakefulness = (nowMs: () => number): (() => number) => {
  let askedMs = nowMs()
  let sinceMs = askedMs
  return () => {
    const atMs = nowMs()
    if (atMs - askedMs > asleepMs) sinceMs = atMs
    askedMs = atMs
    return sinceMs
  }
}
