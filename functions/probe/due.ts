/** What a schedule says: every `everySeconds` it asks for the monitors of one period in one shard. */
export type ScheduleMessage = {
  shard: string
  periodSeconds: number
  /** How often the schedule itself fires; a period that fits no schedule is looked for within it. */
  everySeconds: number
  /** ISO 8601, as EventBridge Scheduler fills it in; anything else is no time. */
  scheduledAt?: string | undefined
}

export type Due = {
  /** Scheduled times to run, in order; some may lie ahead, all within the schedule's own interval. */
  ticksMs: number[]
  /** Whose time it was: `own` when the schedule brought none that can be right. */
  clock: 'scheduler' | 'own'
  /** Ticks left out because a later one of the same message had begun when we did. */
  skipped: number
  /** How late we started after the scheduled time; not known by our own clock. */
  lagMs?: number
}

/** A schedule's start may be late by a minute; what is far older or ahead was not sent by one. */
const latestStartMs = 10 * 60_000
const aheadMs = 60_000

const scheduledMs = (scheduledAt: string | undefined, nowMs: number): number | undefined => {
  const atMs = Date.parse(scheduledAt ?? '')
  return nowMs - atMs <= latestStartMs && atMs - nowMs <= aheadMs ? atMs : undefined
}

/**
 * Which ticks a schedule's message asks for: the multiples of the period within the schedule's interval that holds the
 * scheduled time. The same message gives the same times whenever and however often it comes.
 */
export const dueTicks = (
  message: Pick<ScheduleMessage, 'periodSeconds' | 'everySeconds' | 'scheduledAt'> & { shard?: string },
  nowMs: number,
): Due => {
  const givenMs = scheduledMs(message.scheduledAt, nowMs)
  const everyMs = message.everySeconds * 1000
  const periodMs = message.periodSeconds * 1000
  const startMs = Math.floor((givenMs ?? nowMs) / everyMs) * everyMs
  const all: number[] = []
  for (let atMs = Math.ceil(startMs / periodMs) * periodMs; atMs < startMs + everyMs; atMs += periodMs) all.push(atMs)
  const skipped = Math.max(0, all.filter((atMs) => atMs <= nowMs).length - 1)
  const ticksMs = all.slice(skipped)
  if (givenMs === undefined) return { ticksMs, clock: 'own', skipped }
  return { ticksMs, clock: 'scheduler', skipped, lagMs: Math.max(0, nowMs - givenMs) }
}
