import * as z from 'zod'
import { type Severity, severity } from '../config/contract.ts'
import { cause, timingsMs, verdict } from '../probes/contract.ts'
import { labels, ruleResult, sliVerdict } from '../rules/contract.ts'

/** How many looks a location remembers of a monitor: more than any threshold, few enough for a 64 KB item. */
export const looksKept = 24

export const lookKind = z.enum(['tick', 'recheck', 'recheck-2', 'second-opinion'])
export type LookKind = z.infer<typeof lookKind>

/**
 * What is kept of an outcome's `look`. The id of the row that asked says nothing more: its monitor and location are
 * this item's, and the time it asked is the look's scheduled time.
 */
export const kindOfLook = (look: string): LookKind => lookKind.safeParse(look).data ?? 'second-opinion'

/** How much of a cause a look remembers, for the sentence of an alert. */
export const quoted = (detail: string): string => detail.slice(0, 160).toWellFormed()

const kind = z.string().transform(kindOfLook)

const look = z.strictObject({
  scheduledAtMs: z.number(),
  look: kind,
  verdict,
  /** Of a look that did not pass: the cause in one line. */
  detail: z.string().optional(),
})

/** The newest outcome without its bulk, for the status page and the questions. */
export const lastOutcome = z.strictObject({
  scheduledAtMs: z.number(),
  startedAtMs: z.number(),
  look: kind,
  verdict,
  cause: cause.optional(),
  timingsMs,
  statusCode: z.number().optional(),
  /** Whoever reads it asks for nothing else. */
  certificate: z.object({ notAfterMs: z.number() }).optional(),
})

/** One location's counters for the monitors of one shard, as decisions see them; `location-packing.ts` is how they are kept. */
export const locationState = z.strictObject({
  monitors: z.record(z.string(), z.strictObject({ looks: z.array(look), last: lastOutcome })),
  /** What objectives' own items do not hold yet, by `shortId` of its rule and sorted; see `sli-state.ts`. */
  ticks: z.record(z.string(), z.array(z.strictObject({ atMs: z.number(), was: sliVerdict })).readonly()).optional(),
})
export type LocationState = z.infer<typeof locationState>
export type MonitorState = LocationState['monitors'][string]

const alert = z.strictObject({
  ruleId: z.string(),
  service: z.string(),
  labels,
  state: z.enum(['pending', 'firing']),
  activeAtMs: z.number(),
  sinceMs: z.number(),
  firedAtMs: z.number().optional(),
  /** Its input is unknown since then: it neither advances nor resolves. */
  heldSinceMs: z.number().optional(),
  reason: z.string(),
  summary: z.string(),
})
export type Alert = z.infer<typeof alert>

/** What an alert was told as, whatever its rule is called by now. */
export const severityOf = ({ labels: { severity: told } }: Alert): Severity | undefined => severity.safeParse(told).data

/** The alerts of one shard and what their rules last said, as decisions see them; `shard-packing.ts` is how they are kept. */
export const shardState = z.strictObject({
  /** When a rule was first heard of, as long as no look at its monitor is known that says more. */
  knownSinceMs: z.record(z.string(), z.number()),
  alerts: z.record(z.string(), alert),
  results: z.record(z.string(), ruleResult),
  /** When alerts that are over fired within the last hour, by alert: those that come back are flapping. */
  fired: z.record(z.string(), z.array(z.number())).default({}),
  /** The last row that told `correlate` of alert changes: the next one goes behind it. */
  told: z.string().optional(),
  /** Parts that larger shard counts have taken over, as `index/count`; writing them here would be lost. */
  moved: z.array(z.string()),
})
export type ShardState = z.infer<typeof shardState>

export const emptyShard: ShardState = { knownSinceMs: {}, alerts: {}, results: {}, fired: {}, moved: [] }
export const emptyLocation: LocationState = { monitors: {} }
