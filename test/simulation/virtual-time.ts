/** A clock that stands still until somebody's wait is over: hours pass in the time their events take. */
export type VirtualTime = {
  nowMs: () => number
  at: (atMs: number, wake: () => void) => void
  sleep: (ms: number) => Promise<void>
  /** Does what is waited for, in order, until `untilMs`. */
  run: (untilMs: number) => Promise<void>
}

type Wait = { atMs: number; nth: number; wake: () => void }

const isBefore = (one: Wait, other: Wait) => one.atMs < other.atMs || (one.atMs === other.atMs && one.nth < other.nth)

/** A binary heap: the earliest wait is at index 0; what was asked for first goes first. */
const push = (heap: Wait[], wait: Wait): void => {
  let at = heap.length
  heap.push(wait)
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = heap[above]
    if (!parent || isBefore(parent, wait)) break
    heap[at] = parent
    at = above
  }
  heap[at] = wait
}

const pop = (heap: Wait[]): Wait | undefined => {
  const first = heap[0]
  const last = heap.pop()
  if (!last || heap.length === 0) return first
  let at = 0
  for (;;) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
    const child = right && left && isBefore(right, left) ? right : left
    if (!child || isBefore(last, child)) break
    heap[at] = child
    at = child === left ? 2 * at + 1 : 2 * at + 2
  }
  heap[at] = last
  return first
}

/**
 * Node runs a tick that was asked for in a microtask when no microtask is left: by then all that could go on has gone
 * on. It costs a tenth of a turn of the event loop.
 */
const whenIdle = (next: () => void) => queueMicrotask(() => process.nextTick(next))

export const virtualTime = (startMs: number): VirtualTime => {
  const heap: Wait[] = []
  let now = startMs
  let count = 0
  const at = (atMs: number, wake: () => void) => push(heap, { atMs: Math.max(atMs, now), nth: count++, wake })
  return {
    nowMs: () => now,
    at,
    sleep: (ms) => new Promise((wake) => at(now + ms, wake)),
    run: (untilMs) =>
      new Promise((done) => {
        const next = () => {
          const first = heap[0]
          if (!first || first.atMs > untilMs) {
            now = Math.max(now, untilMs)
            return done()
          }
          pop(heap)
          now = first.atMs
          first.wake()
          whenIdle(next)
        }
        whenIdle(next)
      }),
  }
}
