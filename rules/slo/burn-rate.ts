import type { Sli, SliBucket } from '../contract.ts'

/** Fires while both windows lose events `factor` times faster than the objective's budget lasts. */
export type BurnRate = { severity: 'page' | 'ticket'; longSeconds: number; shortSeconds: number; factor: number }

const hour = 3600
const day = 24 * hour
const hourMs = hour * 1000

/**
 * The four pairs of the SRE workbook (chapter 5, table 5-8) by the share of the budget that is gone when they fire:
 * over 30 days these are 14.4, 6, 3 and 1 times the rate at which the budget just lasts.
 */
const pairs = [
  { severity: 'page', longSeconds: hour, shortSeconds: 300, budgetShare: 0.02 },
  { severity: 'page', longSeconds: 6 * hour, shortSeconds: 1800, budgetShare: 0.05 },
  { severity: 'ticket', longSeconds: day, shortSeconds: 2 * hour, budgetShare: 0.1 },
  { severity: 'ticket', longSeconds: 3 * day, shortSeconds: 6 * hour, budgetShare: 0.1 },
] as const

const rounded = (value: number) => Math.round(value * 1e9) / 1e9

/** The four pairs for a window of so many days. None is below 1: at that rate the budget lasts. */
export const usualBurnRates = (windowDays: number): BurnRate[] =>
  pairs.map(({ budgetShare, ...pair }) => ({
    ...pair,
    factor: Math.max(1, rounded((budgetShare * windowDays * day) / pair.longSeconds)),
  }))

/** `99.9` → `0.001`, without the noise of floating point. */
export const budgetRatioOf = (objectivePercent: number): number => rounded((100 - objectivePercent) / 100)

/** No more than all events can fail: is that too few for it to fire? */
export const neverFires = ({ factor }: Pick<BurnRate, 'factor'>, budgetRatio: number): boolean =>
  rounded(factor * budgetRatio) >= 1

export type Count = Omit<SliBucket, 'atMs'>

/**
 * Events since a moment, itself left out: by the minute as far as minutes are kept, before them by the hour. Of an hour
 * that began before that moment as large a part counts as lies behind it.
 */
export const eventsSince = ({ minutes, hours }: Sli, fromMs: number): Count => {
  let [good, bad, unknown] = [0, 0, 0]
  for (let at = minutes.length - 1; at >= 0; at--) {
    const bucket = minutes[at]
    if (!bucket || bucket.atMs <= fromMs) return { good, bad, unknown }
    good += bucket.good
    bad += bucket.bad
    unknown += bucket.unknown
  }
  for (let at = hours.length - 1; at >= 0; at--) {
    const bucket = hours[at]
    if (!bucket || bucket.atMs + hourMs <= fromMs) break
    const share = bucket.atMs >= fromMs ? 1 : (bucket.atMs + hourMs - fromMs) / hourMs
    good += bucket.good * share
    bad += bucket.bad * share
    unknown += bucket.unknown * share
  }
  return { good, bad, unknown }
}

/** Fewer events than these say nothing about a rate. */
export type Guard = { minEvents: number; minBadEvents: number }

const minuteMs = 60_000

/**
 * Since when a span that begins at `fromMs` is known: from its beginning, or from its first event when there was none for a day
 * before it: no monitor looks less often, and an objective that comes back knows no more than a new one. Undefined when
 * there was no event.
 */
export const knownSinceMs = ({ minutes, hours }: Sli, fromMs: number): number | undefined => {
  let first: number | undefined
  for (const [buckets, lengthMs] of [[minutes, minuteMs] as const, [hours, hourMs] as const]) {
    for (let at = buckets.length - 1; at >= 0; at--) {
      const atMs = buckets[at]?.atMs ?? 0
      if (atMs <= fromMs) return fromMs - (atMs + lengthMs) < day * 1000 ? fromMs : first
      first = atMs
    }
  }
  return first
}

/**
 * Is a window over the limit? One that is longer than what is known of it is taken to hold as many events all along, or an
 * hour of an objective's life would speak for three days.
 */
const isOver = ({ good, bad }: Count, limit: number, share: number) => bad - (limit * (good + bad)) / share > 1e-9

/** Does this pair fire? Both windows must be over; the long one must hold enough events to say so. */
export const burns = (
  sli: Sli,
  rate: BurnRate,
  at: { nowMs: number; budgetRatio: number; guard: Guard },
): Count | undefined => {
  const limit = rate.factor * at.budgetRatio
  const shareOf = (seconds: number) => {
    const sinceMs = knownSinceMs(sli, at.nowMs - seconds * 1000) ?? at.nowMs
    return Math.min(1, Math.max(minuteMs, at.nowMs + minuteMs - sinceMs) / (seconds * 1000))
  }
  const short = eventsSince(sli, at.nowMs - rate.shortSeconds * 1000)
  if (!isOver(short, limit, shareOf(rate.shortSeconds))) return undefined
  const long = eventsSince(sli, at.nowMs - rate.longSeconds * 1000)
  const enough = long.good + long.bad >= at.guard.minEvents && long.bad >= at.guard.minBadEvents
  return enough && isOver(long, limit, shareOf(rate.longSeconds)) ? long : undefined
}
