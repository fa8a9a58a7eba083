/** The scheduled time a moment belongs to: the period's start, which lies `phaseMs` after a multiple of it, in UTC. */
export const slotOf = (nowMs: number, periodMs: number, phaseMs = 0): number =>
  Math.floor((nowMs - phaseMs) / periodMs) * periodMs + phaseMs

/** Timers may come a little before their time by the wall clock: then it is the slot that begins they mean. */
const earlyMs = 20

/** A timer stands still while the machine sleeps, and the clock may be set: none waits for longer without a look at it. */
const lookAtClockMs = 1000

/**
 * Calls `tick` once for every period with its scheduled time, first for the period that has begun already. A tick that
 * outlasts its period delays nothing but itself: periods that began meanwhile are skipped, not queued, unless it may be
 * `overlaps`-ed by the next. One that throws is told to `failed`; the next comes at its time.
 */
export const startTicker = (options: {
  periodMs: number
  phaseMs?: number
  overlaps?: boolean
  nowMs: () => number
  tick: (scheduledAtMs: number) => Promise<void>
  failed: (error: unknown) => void
}): { stop: () => Promise<void> } => {
  const { periodMs, phaseMs, overlaps = false, nowMs, tick, failed } = options
  const running = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const slot = () => slotOf(nowMs() + Math.min(earlyMs, periodMs / 2), periodMs, phaseMs)
  const run = async (): Promise<void> => {
    try {
      await tick(slot())
    } catch (error) {
      failed(error)
    }
    if (!overlaps) schedule()
  }
  const begin = () => {
    const one = run()
    running.add(one)
    void one.finally(() => running.delete(one))
    if (overlaps) schedule()
  }
  const schedule = () => {
    const begun = slot()
    const wait = () => {
      if (stopped) return
      const leftMs = begun + periodMs - nowMs()
      timer = setTimeout(() => (slot() === begun ? wait() : begin()), Math.min(leftMs, lookAtClockMs))
    }
    wait()
  }
  begin()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await Promise.all(running)
    },
  }
}
