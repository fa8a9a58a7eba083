import type { Sample } from '../sources/contract.ts'
import { stepsOf } from './counter-steps.ts'
import type { Series } from './past.ts'

/** The window cut in two: the incident, from shortly before it was noticed, and what was normal until then. */
export type Periods = {
  /** Between probes and scrapes, what the outside notices at `sinceMs` was counted up to a minute earlier. */
  cutMs: number
  nowMs: number
  windowFromMs?: number
}

const noticedLateMs = 60_000

export const periodsOf = (series: Series, sinceMs: number): Periods => ({
  cutMs: Math.min(sinceMs - noticedLateMs, series.atMs - noticedLateMs),
  nowMs: series.atMs,
  ...(series.windowFromMs !== undefined && { windowFromMs: series.windowFromMs }),
})

/** Does the window reach back to before the incident, so that there is something to compare with? */
export const knowsBefore = ({ windowFromMs, cutMs }: Periods): boolean =>
  windowFromMs !== undefined && windowFromMs < cutMs

/** Growth of one counter in both periods, that of the incident scrape by scrape as well. */
export type Growth = { now: number; before: number; steps: { atMs: number; by: number }[] }

/** When the thing that counts (a pod's proxy) was read, oldest first, and when it says it was started. */
export type Counted = { readsAtMs: readonly number[]; startedAtMs?: number }

/**
 * Does the first value of a series count in full? It does when its counter began at 0 after the scrape before: the proxy
 * was read then and did not have it, or the proxy itself is new. A proxy that was only out of reach counted unseen.
 */
const beganAtZero = (firstAtMs: number, { readsAtMs, startedAtMs }: Counted, windowFromMs: number): boolean => {
  const [firstReadAtMs = firstAtMs] = readsAtMs
  if (firstAtMs > firstReadAtMs) return true
  return firstReadAtMs > windowFromMs && (startedAtMs ?? Infinity) > windowFromMs
}

/**
 * Growth of a counter; a fall is a restart from 0, and so is a return after a reading of its proxy without it. Without a
 * window the count since the process began stands in, as `now`.
 */
export const growthOf = (
  series: Series,
  sample: Sample,
  context: { periods: Periods; counted: (sample: Sample) => Counted },
): Growth => {
  const { windowFromMs, cutMs } = context.periods
  if (windowFromMs === undefined) return { now: sample.value, before: 0, steps: [] }
  const points = series.points(sample)
  const counted = context.counted(sample)
  const [first] = points
  const began = first && beganAtZero(first.atMs, counted, windowFromMs)
  const beginning = began ? [{ atMs: first.atMs, by: first.value }] : []
  const growth: Growth = { now: 0, before: 0, steps: [] }
  for (const { atMs, by } of [...beginning, ...stepsOf({ points, readsAtMs: counted.readsAtMs })]) {
    if (!(by > 0)) continue
    if (atMs <= cutMs) growth.before += by
    else {
      growth.now += by
      growth.steps.push({ atMs, by })
    }
  }
  return growth
}

/** Requests and the failed among them, in both periods. */
export type Tally = {
  now: number
  nowFailed: number
  before: number
  beforeFailed: number
  /** The incident scrape by scrape: requests counted up to then since the scrape before. */
  steps: Map<number, { requests: number; failed: number }>
  /** What the failures of the incident said, `grpc_status 2` and the like, with their number. */
  failures: Map<string, number>
}

export const newTally = (): Tally => ({
  now: 0,
  nowFailed: 0,
  before: 0,
  beforeFailed: 0,
  steps: new Map(),
  failures: new Map(),
})

export const addTo = (tally: Tally, growth: Growth, failure: string | undefined): void => {
  tally.now += growth.now
  tally.before += growth.before
  for (const { atMs, by } of growth.steps) {
    const step = tally.steps.get(atMs) ?? { requests: 0, failed: 0 }
    tally.steps.set(atMs, {
      requests: step.requests + by,
      failed: step.failed + (failure === undefined ? 0 : by),
    })
  }
  if (failure === undefined) return
  tally.nowFailed += growth.now
  tally.beforeFailed += growth.before
  if (growth.now > 0) tally.failures.set(failure, (tally.failures.get(failure) ?? 0) + growth.now)
}

export const failedShare = ({ now, nowFailed }: Tally): number => (now > 0 ? nowFailed / now : 0)

/** `as-before`: it fails, and did so before the incident. `few`: too little traffic to say. */
export type Health = 'failing' | 'as-before' | 'few' | 'fine'

const fewestFailures = 3
const notableShare = 0.05

type Split = { requests: number; failed: number; fromMs?: number; earlier: number; earlierFailed: number }

/** The tally cut at the scrape in which the incident's first failure was counted: what came before it was well. */
const atOnset = ({ now, nowFailed, before, beforeFailed, steps }: Tally): Split => {
  const sorted = [...steps].sort((a, b) => a[0] - b[0])
  const onset = sorted.findIndex(([, { failed }]) => failed > 0)
  const whole = { requests: now, failed: nowFailed, earlier: before, earlierFailed: beforeFailed }
  const fromMs = sorted[onset]?.[0]
  if (fromMs === undefined) return whole
  const well = sorted.slice(0, onset).reduce((sum, [, { requests }]) => sum + requests, 0)
  return { ...whole, requests: now - well, earlier: before + well, fromMs }
}

/**
 * Failing is a share worth a page that is new. What was normal is a Poisson expectation (one failure is added, so that
 * a clean past expects something): more than three of its standard deviations above is no chance.
 */
export const healthOf = (tally: Tally, periods: Periods): Health => {
  const { requests, failed, earlier, earlierFailed } = atOnset(tally)
  if (tally.now < fewestFailures) return failed > 0 || tally.now === 0 ? 'few' : 'fine'
  const share = failedShare(tally)
  if (failed < fewestFailures) return failed * 2 >= requests && failed > 0 ? 'few' : 'fine'
  const hasPast = periods.windowFromMs !== undefined && earlier >= 10
  if (!hasPast) return share >= notableShare ? 'failing' : 'fine'
  const expected = requests * ((earlierFailed + 1) / (earlier + 1))
  const isNew = failed > expected + 3 * Math.sqrt(expected) && failed / requests > (earlierFailed / earlier) * 1.5
  if (isNew && failed / requests >= 0.01) return 'failing'
  return share >= notableShare ? 'as-before' : 'fine'
}

/**
 * What to tell of a failing tally: its requests since the failures began. The scrape in which they began also counted
 * requests from before, so it is left out when later ones say enough.
 */
export const sinceOnset = (tally: Tally): { requests: number; failed: number; fromMs?: number } => {
  const { requests, failed, fromMs } = atOnset(tally)
  if (fromMs === undefined) return { requests, failed }
  const first = tally.steps.get(fromMs) ?? { requests: 0, failed: 0 }
  const later = { requests: requests - first.requests, failed: failed - first.failed }
  return { ...(later.failed >= fewestFailures ? later : { requests, failed }), fromMs }
}

/** The commonest thing the failures said. */
export const commonestFailure = ({ failures }: Tally): string | undefined =>
  [...failures].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0]
