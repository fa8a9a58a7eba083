import * as z from 'zod'
import { id, severity } from '../config/contract.ts'
import type { AlertReason } from '../functions/contract.ts'
import type { Verdict } from '../probes/contract.ts'
import type { Selector } from '../sources/contract.ts'

export const labels = z.record(z.string(), z.string())
export type Labels = z.infer<typeof labels>

/** What a rule kind that reads series answers at one time. `unknown`: its source could not be read. */
export const ruleResult = z.strictObject({
  ruleId: z.string(),
  atMs: z.number(),
  status: z.enum(['ok', 'unknown']),
  active: z.array(z.strictObject({ labels, value: z.number() })),
})
export type RuleResult = z.infer<typeof ruleResult>

/** What every rule has, whatever its kind. */
export const ruleFields = {
  severity: severity.default('page'),
  /** Whose alert it is; a rule about a monitor takes the monitor's service. */
  service: id.optional(),
  /** One sentence for the page; the rule makes its own when this is absent. */
  summary: z.string().min(1).max(200).optional(),
}

/** One look at a monitor from one location, as the rule sees it, oldest first. */
export type Look = { scheduledAtMs: number; look: string; verdict: Verdict; detail?: string | undefined }
export type LocationHistory = {
  location: string
  looks: readonly Look[]
  fresh: boolean
  /** How long one of its looks says something. */
  freshForMs: number
}

/** Events of an SLI in a minute or an hour that begins at `atMs`. `unknown`: nobody could say; they count in no ratio. */
export type SliBucket = { atMs: number; good: number; bad: number; unknown: number }

/** An SLI's past, oldest first: the last six hours by the minute, what is before them by the hour. Nothing is in both. */
export type Sli = {
  minutes: readonly SliBucket[]
  hours: readonly SliBucket[]
  /** Why something of the last minutes could not be told. */
  unknownWhy?: string
}

const events = z.int().min(0)

/** What a cluster's series said of an objective: its events by the minute, each minute once, and why some are unknown. */
export const sliCount = z.strictObject({
  ruleId: z.string(),
  minutes: z.array(z.strictObject({ atMs: z.number().multipleOf(60_000), good: events, bad: events, unknown: events })),
  unknownWhy: z.string().optional(),
})
export type SliCount = z.infer<typeof sliCount>

/** What one event was to an objective. */
export const sliVerdict = z.enum(['good', 'bad', 'unknown'])
export type SliVerdict = z.infer<typeof sliVerdict>

/** What a rule may know when it judges. Pure data: no clock, no network. */
export type Facts = {
  nowMs: number
  /** Every location the rule's monitor runs from; one that never reported has no looks. */
  locations: readonly LocationHistory[]
  /** The rule's last series result, for kinds that read series. */
  result?: RuleResult
  /** How long what was read of the rule's cluster says something, for kinds that read series. */
  sourceFreshMs?: number
  /** The events of the rule's SLI, for kinds that have one. */
  sli?: Sli
  /** When this hub first heard of the rule: silence is counted from here, not from the beginning of time. */
  knownSinceMs: number
  firing: boolean
  /** When the rule's alert became pending or firing, if it is. */
  activeSinceMs?: number
}

/** How many locations said what, for rules that count them. */
export type Tally = {
  /** At their threshold, or not yet recovered from it. */
  down: number
  /** Whose last look failed. */
  failing: number
  /** Fresh, and could look. */
  heard: number
  /** As many as there are. */
  of: number
  /** How many of those heard must be down. */
  need: number
}

/**
 * A rule's judgement. `active` with `met: false` is Prometheus' pending; `held`: the input is unknown, so an alert
 * neither advances nor resolves.
 */
export type Judgement = {
  status: 'active' | 'inactive' | 'held'
  met: boolean
  reason: AlertReason
  summary: string
  /** When what it judges began: the scheduled time of the first failing look. */
  sinceMs?: number
  /** Judge again at this time even when nothing arrives. */
  againAtMs?: number
  tally?: Tally
}

/** Series a rule reads. `rangeSeconds`: how far back; only what is there now when absent. */
export type RuleSeries = { cluster: string; selectors: readonly Selector[]; rangeSeconds?: number }

/** Counters whose growth is events of an objective: all of them, and those among them that are good, or those that are bad. */
export type RuleCounters = { cluster: string; total: Selector; part: Selector; partIs: 'good' | 'bad' }

/** One kind of rule: its schema and its pure judgement. */
export type RuleKind<S extends z.ZodType = z.ZodType> = {
  kind: string
  schema: S
  /** Which monitor's outcomes it judges, if any. */
  monitor: (spec: z.output<S>) => string | undefined
  /** Which series of which cluster `scrape` must evaluate for it, if any. */
  series: (spec: z.output<S>) => RuleSeries | undefined
  judge: (spec: z.output<S>, facts: Facts) => Judgement
}

export const defineRule = <S extends z.ZodType>(rule: RuleKind<S>): RuleKind<S> => rule
