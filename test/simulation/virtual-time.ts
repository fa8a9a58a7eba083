/** A clock that stands still until somebody's wait is over: hours pass in the time their events take. */
export type VirtualTime = {
  nowMs: () => number
  sleep: (ms: number) => Promise<void>
  /** Runs what is waited for, in order, until `untilMs` or until `done` says so. */
  run: (untilMs: number, done?: () => boolean) => Promise<void>
}

/** Lets everything that can go on do so. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

export const virtualTime = (startMs: number): VirtualTime => {
  let now = startMs
  let count = 0
  let waiting: { atMs: number; nth: number; wake: () => void }[] = []
  const next = () =>
    waiting.reduce((first, one) =>
      one.atMs < first.atMs || (one.atMs === first.atMs && one.nth < first.nth) ? one : first,
    )
  return {
    nowMs: () => now,
    sleep: (ms) =>
      new Promise((wake) => {
        waiting.push({ atMs: now + ms, nth: count++, wake })
      }),
    run: async (untilMs, done = () => false) => {
      await settle()
      while (waiting.length > 0 && !done()) {
        const first = next()
        if (first.atMs > untilMs) break
        waiting = waiting.filter((one) => one !== first)
        now = Math.max(now, first.atMs)
        first.wake()
        await settle()
      }
      now = Math.max(now, done() ? now : untilMs)
    },
  }
}
