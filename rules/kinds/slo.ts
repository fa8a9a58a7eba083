import * as z from 'zod'
import { id, severity, timeZone } from '../../config/contract.ts'
import { createdName } from '../../sources/contract.ts'
import { blindAfterMs, blindAlert } from '../blindness.ts'
import {
  defineRule,
  type Facts,
  type Judgement,
  type RuleCounters,
  type RuleSeries,
  ruleFields,
  type Sli,
  type SliVerdict,
} from '../contract.ts'
import { parseSelector } from '../selector.ts'
import { type Budget, budgetAt, type Period } from '../slo/budget.ts'
import { type BurnRate, budgetRatioOf, burns, eventsSince, usualBurnRates } from '../slo/burn-rate.ts'
import { judgeInARow } from '../slo/in-a-row.ts'
import { burnWords, percentWords, periodWords } from '../slo/words.ts'

const hour = 3600

const burnRate = z
  .strictObject({
    severity: z.enum(['page', 'ticket']),
    longSeconds: z
      .int()
      .min(300)
      .max(7 * 24 * hour),
    /** At most six hours: so far back every minute is known. */
    shortSeconds: z
      .int()
      .min(60)
      .max(6 * hour),
    factor: z.number().min(0.1).max(10_000),
  })
  .refine(({ longSeconds, shortSeconds }) => shortSeconds < longSeconds, 'shortSeconds must be less than longSeconds')

const policy = z.strictObject({ spentPercent: z.number().min(1).max(1000), severity })

const usualPolicy = [
  { spentPercent: 50, severity: 'advisory' as const },
  { spentPercent: 75, severity: 'ticket' as const },
  { spentPercent: 100, severity: 'ticket' as const },
]

const { service, summary } = ruleFields

const seriesSelector = z
  .string()
  .refine(
    (text) => parseSelector(text) !== undefined,
    'a series selector like response_total{classification="success"}',
  )

const schema = z
  .strictObject({
    kind: z.literal('slo'),
    service,
    summary,
    /** Its ticks are the events: one that passed is good. What we could not look at is no event. */
    monitor: id.optional(),
    /** Or counters are: what they grow by. Two of the three are named; what is neither counted nor read is no event. */
    series: z
      .strictObject({
        cluster: id,
        total: seriesSelector,
        good: seriesSelector.optional(),
        bad: seriesSelector.optional(),
      })
      .refine(({ good, bad }) => (good === undefined) !== (bad === undefined), 'exactly one of good and bad')
      .optional(),
    /** Good is passed within this long; without it, passed. */
    latencyMs: z.int().min(1).max(60_000).optional(),
    /** So many of a hundred events are good. */
    objectivePercent: z.number().min(50).max(99.9999),
    /** How far back the budget reaches; 30 days when absent. */
    windowDays: z.union([z.literal(7), z.literal(28), z.literal(30), z.literal(90)]).optional(),
    /** The budget begins anew with every month on the clocks of `timeZone`. */
    calendarMonth: z.boolean().default(false),
    timeZone: timeZone.default('UTC'),
    /** Instead of the four usual pairs of windows. */
    burnRates: z.array(burnRate).min(1).max(10).optional(),
    /** Fewer events than this in the long window alert nobody. */
    minEvents: z.int().min(1).max(1_000_000).default(10),
    /** Fewer bad ones than this neither. */
    minBadEvents: z.int().min(1).max(1_000_000).default(3),
    /**
     * So many minutes in a row that held events and not one good one page by themselves: at a very low rate no window is
     * ever over. When absent 3 where no availability rule sees what is bad, as with `latencyMs`; `false` for none.
     */
    badInARow: z.union([z.int().min(1).max(10), z.literal(false)]).optional(),
    /** What happens when so much of the budget is spent. */
    budgetPolicy: z.array(policy).max(10).default(usualPolicy),
  })
  .refine(
    ({ monitor, series }) => (monitor === undefined) !== (series === undefined),
    'exactly one of monitor and series',
  )
  .refine(({ series, latencyMs }) => series === undefined || latencyMs === undefined, {
    message: 'series have no latencyMs: good is a bucket of a histogram like request_duration_seconds_bucket{le="0.3"}',
    path: ['latencyMs'],
  })
  .refine(({ windowDays, calendarMonth }) => !calendarMonth || windowDays === undefined, {
    message: 'a calendar month has no windowDays',
    path: ['windowDays'],
  })
  .refine(
    ({ budgetPolicy }) => new Set(budgetPolicy.map(({ spentPercent }) => spentPercent)).size === budgetPolicy.length,
    { message: 'two steps of the budget policy are at the same spentPercent', path: ['budgetPolicy'] },
  )
export type SloSpec = z.output<typeof schema>
type Spec = SloSpec

/** The span of the objective's budget. */
export const periodOf = ({ calendarMonth, windowDays = 30, timeZone: zone }: Spec): Period =>
  calendarMonth ? { calendarMonth: { timeZone: zone } } : { windowDays }

/** The pairs of windows it alerts by; those of a calendar month are those of 30 days. */
export const burnRatesOf = ({ burnRates, windowDays = 30 }: Spec): readonly BurnRate[] =>
  burnRates ?? usualBurnRates(windowDays)

/** What an outcome is to the objective: nobody's `unknown` is a failure, and a degraded look served its user. */
export const sliVerdictOf = (
  { latencyMs = Number.POSITIVE_INFINITY }: Spec,
  seen: { verdict: 'pass' | 'degraded' | 'fail' | 'unknown'; tookMs: number },
): SliVerdict => {
  if (seen.verdict === 'unknown') return 'unknown'
  return seen.verdict !== 'fail' && seen.tookMs <= latencyMs ? 'good' : 'bad'
}

const nothing: Sli = { minutes: [], hours: [] }

/** How far back an objective over counters reads them. */
const countersSeconds = 1200

/** The counters an objective is over, if it is. */
export const sloCounters = ({ series }: Spec): RuleCounters | undefined => {
  const total = series && parseSelector(series.total)
  const part = series && parseSelector(series.good ?? series.bad ?? '')
  if (!total || !part) return undefined
  return { cluster: series.cluster, total, part, partIs: series.good === undefined ? 'bad' : 'good' }
}

/** Besides the counters: what tells when they began at 0. */
const countersRead = ({ cluster, total, part }: RuleCounters): RuleSeries => {
  const created = [total, part].map(({ name, matchers = [] }) => ({
    name: createdName(name),
    matchers: matchers.filter(({ label }) => label !== 'le'),
  }))
  const selectors = [total, part, ...created, { name: 'process_start_time_seconds' }]
  return { cluster, selectors, rangeSeconds: countersSeconds }
}

/**
 * Did nobody see anything lately? A window full of `unknown` is no good news, and neither is one without a reading; one
 * that is known to hold no events is.
 */
const isBlind = (sli: Sli, nowMs: number, seconds: number): boolean => {
  const fromMs = nowMs - seconds * 1000
  const { good, bad, unknown } = eventsSince(sli, fromMs)
  if (good + bad > 0) return false
  return unknown > 0 || !sli.minutes.some(({ atMs }) => atMs > fromMs)
}

/** The end of the last minute of which anything is known, or now. */
const lastKnownMs = ({ minutes }: Sli, nowMs: number): number => {
  const last = minutes.findLast(({ good, bad, unknown }) => good + bad > 0 || unknown === 0)
  return last ? Math.min(nowMs, last.atMs + 59_999) : nowMs
}

/** An objective's alerts ask for the same budget one after the other. */
const budgets = new WeakMap<Sli, { spec: Spec; nowMs: number; budget: Budget }>()

/** The state of the budget at a time. */
export const sloBudget = (spec: Spec, sli: Sli, nowMs: number): Budget => {
  const known = budgets.get(sli)
  if (known?.spec === spec && known.nowMs === nowMs) return known.budget
  const budget = budgetAt(sli, { nowMs, period: periodOf(spec), budgetRatio: budgetRatioOf(spec.objectivePercent) })
  budgets.set(sli, { spec, nowMs, budget })
  return budget
}

const subject = ({ summary: said, monitor, series, objectivePercent }: Spec) =>
  said ?? `${monitor ?? series?.total} (${objectivePercent} %)`

/** What is said of an objective nobody can see, with the reason where there is one. */
const unseen = (said: string, { unknownWhy }: Sli) =>
  unknownWhy === undefined ? said : `${said}; unknown: ${unknownWhy}`

/** Does a pair of windows of this severity fire? The first that does is the quickest, and is the one that is named. */
const judgeBurn = (spec: Spec, facts: Facts, wanted: BurnRate['severity']): Judgement => {
  const { nowMs, sli = nothing } = facts
  const rates = burnRatesOf(spec).filter((rate) => rate.severity === wanted)
  const budgetRatio = budgetRatioOf(spec.objectivePercent)
  const guard = { minEvents: spec.minEvents, minBadEvents: spec.minBadEvents }
  const burning = (atMs: number) =>
    rates.find((rate) => burns(sli, rate, { nowMs: atMs, budgetRatio, guard }) !== undefined)
  const fired = burning(nowMs)
  const budget = sloBudget(spec, sli, nowMs)
  if (fired) {
    const words = burnWords(sli, { nowMs, period: periodOf(spec), timeZone: spec.timeZone, budget, fired })
    return { status: 'active', met: true, reason: 'burn-rate-met', summary: `${subject(spec)}: ${words}` }
  }
  const longest = Math.max(...rates.map(({ shortSeconds }) => shortSeconds))
  const said = `${subject(spec)}: ${percentWords(budget.spentRatio)} of ${periodWords(periodOf(spec))}'s budget is spent`
  const knownMs = lastKnownMs(sli, nowMs)
  // Minutes that nobody could see push nothing out of a window: what burnt when last seen may still.
  // The config may have no pair of that severity any more: then there is nothing to see.
  if (rates.length > 0 && (isBlind(sli, nowMs, longest) || (knownMs < nowMs && burning(knownMs))))
    return { status: 'held', met: false, reason: 'input-unknown', summary: unseen(said, sli) }
  return { status: 'inactive', met: false, reason: 'burn-rate-gone', summary: said }
}

const judgePolicy = (spec: Spec, facts: Facts, spentPercent: number): Judgement => {
  const { nowMs, sli = nothing } = facts
  const { spentRatio, good, bad } = sloBudget(spec, sli, nowMs)
  const spent = percentWords(spentRatio)
  const said = `${subject(spec)}: ${spent} of ${periodWords(periodOf(spec))}'s budget is spent (policy: ${spentPercent} %)`
  if (good + bad === 0 && isBlind(sli, nowMs, 6 * hour))
    return { status: 'held', met: false, reason: 'input-unknown', summary: said }
  const enough = bad >= spec.minBadEvents && good + bad >= spec.minEvents
  return enough && spentRatio * 100 >= spentPercent
    ? { status: 'active', met: true, reason: 'budget-spent', summary: said }
    : { status: 'inactive', met: false, reason: 'budget-back', summary: said }
}

/** The availability rule that every monitor has goes with an objective, unless it sees nothing of what is bad. */
const inARowOf = ({ badInARow, latencyMs, monitor }: Spec): number | false =>
  badInARow ?? (latencyMs !== undefined || monitor === undefined ? 3 : false)

const inARow = (spec: Spec) => {
  const minutes = inARowOf(spec)
  if (minutes === false) return []
  const isCounted = spec.series !== undefined
  const judged = (facts: Facts) => judgeInARow(facts, { subject: subject(spec), minutes, isCounted })
  return [{ part: 'in-a-row', severity: 'page' as const, behindAvailability: true, judge: judged }]
}

/**
 * A monitor has a rule that says when nobody can look; counters have this. It needs no counts to come: of
 * counters `knownSinceMs` is when the last said something, or where none did when the rule was first known.
 */
const judgeBlindness = (spec: Spec, facts: Facts): Judgement => {
  const { nowMs, knownSinceMs, sli = nothing } = facts
  const afterMs = blindAfterMs(facts)
  const deadlineMs = knownSinceMs + afterMs
  const said = `we are blind: nobody can tell the good events of ${subject(spec)} for ${Math.round(afterMs / 60_000)} min`
  return nowMs >= deadlineMs
    ? { status: 'active', met: true, reason: 'silence-too-long', summary: unseen(said, sli), sinceMs: knownSinceMs }
    : { status: 'inactive', met: false, reason: 'heard-again', summary: said, againAtMs: deadlineMs }
}

const blindness = (spec: Spec) =>
  spec.series === undefined ? [] : [blindAlert((facts) => judgeBlindness(spec, facts))]

/**
 * The alerts of an objective besides its page: the ticket, bad events in a row, the steps of its budget policy, and one that nobody can see
 * the events of its counters.
 */
export const sloAlerts = (spec: Spec) => [
  ...blindness(spec),
  { part: 'ticket', severity: 'ticket' as const, judge: (facts: Facts) => judgeBurn(spec, facts, 'ticket') },
  ...inARow(spec),
  ...spec.budgetPolicy.map(({ spentPercent, severity: wanted }) => ({
    part: `budget-${spentPercent}`,
    severity: wanted,
    judge: (facts: Facts) => judgePolicy(spec, facts, spentPercent),
  })),
]

/**
 * An objective over a span. The rule's own alert is the page; it fires while a pair of windows burns the budget too fast.
 */
export const sloRule = defineRule({
  kind: 'slo',
  schema,
  monitor: ({ monitor }) => monitor,
  series: (spec) => {
    const counters = sloCounters(spec)
    return counters && countersRead(counters)
  },
  judge: (spec, facts) => judgeBurn(spec, facts, 'page'),
})
