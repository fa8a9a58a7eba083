/** The scheduled time a moment belongs to: the period's start, in UTC. */
export const slotOf = (nowMs: number, periodMs: number): number => Math.floor(nowMs / periodMs) * periodMs

/**
 * Calls `tick` once for every period with its scheduled time, first for the period that has begun already. A tick that
 * outlasts its period delays nothing but itself: periods that began meanwhile are skipped, not queued. One that throws
 * is told to `failed`; the next comes at its time.
 */
export const startTicker = (options: {
  periodMs: number
  nowMs: () => number
  tick: (scheduledAtMs: number) => Promise<void>
  failed: (error: unknown) => void
}): { stop: () => Promise<void> } => {
  const { periodMs, nowMs, tick, failed } = options
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const run = async (): Promise<void> => {
    try {
      await tick(slotOf(nowMs(), periodMs))
    } catch (error) {
      failed(error)
    }
    if (!stopped) schedule()
  }
  let running: Promise<void> = Promise.resolve()
  const schedule = () => {
    const waitMs = slotOf(nowMs(), periodMs) + periodMs - nowMs()
    timer = setTimeout(() => {
      running = run()
    }, waitMs)
  }
  running = run()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
