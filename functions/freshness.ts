/** A look from further ahead than this was dated by a wrong clock, ours or the prober's; it must not outlive the mistake. */
export const aheadMs = 10 * 60_000

/** The clocks of those who write a time and of those who read it are no further apart, unless one of them is wrong. */
export const apartMs = 5000

/** A location is fresh for two periods and a minute (EventBridge Scheduler may start a tick 60 s late). */
export const freshForMs = (periodSeconds: number): number => (2 * periodSeconds + 60) * 1000

/** Does a look scheduled then still say how things are now? */
export const isFresh = (look: { scheduledAtMs: number; periodSeconds: number }, nowMs: number): boolean =>
  look.scheduledAtMs <= nowMs + aheadMs && nowMs - look.scheduledAtMs <= freshForMs(look.periodSeconds)
