import * as z from 'zod'
import { cause, certificate, timingsMs, verdict } from '../probes/contract.ts'
import { labels, ruleResult } from '../rules/contract.ts'

/** How many looks a location remembers of a monitor: more than any threshold, few enough for a 64 KB item. */
export const looksKept = 24

const look = z.strictObject({
  scheduledAtMs: z.number(),
  look: z.string(),
  verdict,
  /** Of a look that did not pass: the cause in one line. */
  detail: z.string().optional(),
})

/** The newest outcome without its bulk, for the status page and the questions. */
export const lastOutcome = z.strictObject({
  scheduledAtMs: z.number(),
  startedAtMs: z.number(),
  look: z.string(),
  verdict,
  cause: cause.optional(),
  timingsMs,
  statusCode: z.number().optional(),
  certificate: certificate.optional(),
})

/** Item `shard/<shard>/at/<location>`: one location's counters for the monitors of one shard. */
export const locationState = z.strictObject({
  monitors: z.record(z.string(), z.strictObject({ looks: z.array(look), last: lastOutcome })),
})
export type LocationState = z.infer<typeof locationState>

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

/** Item `shard/<shard>`: the alerts of one shard and what their rules last said. */
export const shardState = z.strictObject({
  knownSinceMs: z.record(z.string(), z.number()),
  alerts: z.record(z.string(), alert),
  results: z.record(z.string(), ruleResult),
  /** The last row that told `correlate` of alert changes: the next one goes behind it. */
  told: z.string().optional(),
  /** Halves that larger shard counts have taken over, as `index/count`; writing them here would be lost. */
  moved: z.array(z.string()),
})
export type ShardState = z.infer<typeof shardState>

export const emptyShard: ShardState = { knownSinceMs: {}, alerts: {}, results: {}, moved: [] }
export const emptyLocation: LocationState = { monitors: {} }
