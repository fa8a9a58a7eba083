import * as z from 'zod'
import { severity } from '../config/contract.ts'
import { probeOutcome } from '../probes/contract.ts'
import { labels, ruleResult } from '../rules/contract.ts'
import { brief } from '../triage/contract.ts'

/** The FIFO group of pulses, a name no shard has. */
export const pulseGroup = 'pulse'

/** A message to `evaluate`. `id` is its FIFO deduplication id; `shard` its FIFO group. */
export const observation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('outcomes'), id: z.string(), shard: z.string(), outcomes: z.array(probeOutcome) }),
  z.strictObject({ kind: z.literal('rule-results'), id: z.string(), shard: z.string(), results: z.array(ruleResult) }),
  z.strictObject({ kind: z.literal('timer'), id: z.string(), shard: z.string(), rowId: z.string() }),
  /** The hub's pulse, on its way through `evaluate`, `correlate` and `deliver`; it belongs to no shard's state. */
  z.strictObject({ kind: z.literal('pulse'), id: z.string(), shard: z.literal(pulseGroup), atMs: z.number() }),
])
export type Observation = z.infer<typeof observation>

/** Why an alert changed or stayed as it is; the closed list that `explain` puts into words. */
export const alertReason = z.enum([
  'first-failure',
  'threshold-met',
  'for-elapsed',
  'success-threshold-met',
  'condition-gone',
  'quorum-not-met',
  'quorum-met',
  'silence-too-long',
  'heard-again',
  'input-unknown',
  'input-known',
  'rule-removed',
])
export type AlertReason = z.infer<typeof alertReason>

export const alertState = z.enum(['inactive', 'pending', 'firing'])

/** What an alert is in, "held" included: its input is unknown, so it neither advances nor resolves. */
export const alertStanding = z.enum([...alertState.options, 'held'])

/** One step of the state machine. All are kept in the history; what `correlate` is told are {@link AlertChange}s. */
export const alertTransition = z.strictObject({
  alertId: z.string(),
  from: alertStanding,
  to: alertStanding,
  reason: alertReason,
  atMs: z.number(),
})
export type AlertTransition = z.infer<typeof alertTransition>

/** One alert's step from one state to another, as `evaluate` tells `correlate`. Only firing and its end are told. */
export const alertChange = z.strictObject({
  alertId: z.string(),
  ruleId: z.string(),
  service: z.string(),
  severity,
  labels,
  from: alertState,
  to: alertState,
  reason: alertReason,
  atMs: z.number(),
  /** Scheduled time of the first failing look: what the incident's id is made of. */
  sinceMs: z.number(),
  summary: z.string(),
  /** How often it came back within the last hour: `firing → inactive → firing`. Absent when it did not. */
  flaps: z.int().min(1).optional(),
})
export type AlertChange = z.infer<typeof alertChange>

export const deliveryEvent = z.enum(['opened', 'updated', 'resolved', 'component-changed'])
export type DeliveryEvent = z.infer<typeof deliveryEvent>

export const componentStatus = z.enum([
  'operational',
  'degraded_performance',
  'partial_outage',
  'major_outage',
  'under_maintenance',
])
export type ComponentStatus = z.infer<typeof componentStatus>

/** What a delivery is about, frozen by `correlate` when it decided to send it. */
export const deliveryOrder = z.strictObject({
  /** `${incidentId}:${channel}:${sequence}`: the idempotency key everywhere. */
  id: z.string(),
  incidentId: z.string(),
  channel: z.string(),
  sequence: z.int().min(1),
  event: deliveryEvent,
  /** With `component-changed` only. */
  component: z.strictObject({ id: z.string(), from: componentStatus, to: componentStatus }).optional(),
  service: z.string(),
  severity,
  sinceMs: z.number(),
  openedAtMs: z.number(),
  resolvedAtMs: z.number().optional(),
  summaries: z.array(z.string()),
  /** The channels that refused this very message before, when this is a fallback. */
  fallbackFor: z.array(z.string()),
})
export type DeliveryOrder = z.infer<typeof deliveryOrder>

export const receipt = z.strictObject({
  order: deliveryOrder,
  status: z.enum(['delivered', 'rejected']),
  cause: z.string().optional(),
  atMs: z.number(),
  attempts: z.int(),
  /** Did the frozen body carry the answered checklist? */
  withCaseFile: z.boolean(),
})
export type Receipt = z.infer<typeof receipt>

export const correlateBody = z.discriminatedUnion('kind', [
  /** `after`: the row with the changes before these; while it is there it goes first, or an end overtakes its beginning. */
  z.strictObject({ kind: z.literal('alert-changes'), changes: z.array(alertChange), after: z.string().optional() }),
  z.strictObject({ kind: z.literal('receipt'), receipt }),
  z.strictObject({ kind: z.literal('case-file'), incidentId: z.string() }),
  /** Somebody took the incident on; `by` says who in words a timeline can show. */
  z.strictObject({ kind: z.literal('acknowledge'), incidentId: z.string(), by: z.string(), atMs: z.number() }),
])

/** A message frozen by its first claim, so that every repeat is byte for byte the same. */
export const frozen = z.strictObject({ body: z.string(), contentType: z.string(), withCaseFile: z.boolean() })

export const deliverBody = z.strictObject({
  order: deliveryOrder,
  /** Go earlier than due when this incident's case file is there. */
  waitsForCaseFile: z.boolean(),
  attempts: z.int().default(0),
  leaseUntilMs: z.number().default(0),
  frozen: frozen.optional(),
  lastCause: z.string().optional(),
})
export type DeliverBody = z.infer<typeof deliverBody>

export const triageBody = z.strictObject({
  brief,
  /** Rows of `deliver` that wait for the case file. */
  nudge: z.array(z.string()),
  answerByMs: z.number(),
})
export type TriageBody = z.infer<typeof triageBody>

/** A second opinion: one location is to look at one monitor now, because another saw it fail. */
export const probeBody = z.strictObject({
  shard: z.string(),
  monitorId: z.string(),
  location: z.string(),
  askedAtMs: z.number(),
})
export type ProbeBody = z.infer<typeof probeBody>

const rowFields = {
  id: z.string(),
  dueAtMs: z.number(),
  nudges: z.int().default(0),
  /** When the sweep nudged it last; patience is counted from here, since we may have been off in between. */
  nudgedAtMs: z.number().optional(),
}

/** Something that must happen, now or at `dueAtMs`, written in the transaction that decided it. */
export const outboxRow = z.discriminatedUnion('to', [
  z.strictObject({ ...rowFields, to: z.literal('correlate'), body: correlateBody }),
  z.strictObject({ ...rowFields, to: z.literal('evaluate'), body: z.strictObject({ shard: z.string() }) }),
  z.strictObject({ ...rowFields, to: z.literal('probe'), body: probeBody }),
  z.strictObject({ ...rowFields, to: z.literal('triage'), body: triageBody }),
  z.strictObject({ ...rowFields, to: z.literal('deliver'), body: deliverBody }),
  z.strictObject({ ...rowFields, to: z.literal('publish'), body: z.strictObject({}) }),
])
export type OutboxRow = z.infer<typeof outboxRow>

/**
 * The quick half of the outbox: sent after the commit, lost without harm. `afterMs` is a delivery delay. `nudge` is the
 * row's count of nudges where the sweep sends it, so that a FIFO queue takes no later one for a repeat.
 */
export type Nudge = { to: OutboxRow['to']; rowId: string; afterMs: number; nudge?: number }

/** A row to look at. */
export const rowMessage = z.strictObject({ rowId: z.string() })

/** What a queue of rows carries: the row to look at, or the hub's pulse passing through. */
export const queueMessage = z.union([rowMessage, z.strictObject({ pulseAtMs: z.number() })])
export type QueueMessage = z.infer<typeof queueMessage>

/** An incident as `correlate` keeps it, in its own item. */
export const incident = z.strictObject({
  id: z.string(),
  service: z.string(),
  severity,
  status: z.enum(['open', 'acknowledged', 'resolved']),
  sinceMs: z.number(),
  openedAtMs: z.number(),
  resolvedAtMs: z.number().optional(),
  acknowledged: z.strictObject({ by: z.string(), atMs: z.number() }).optional(),
  alerts: z.record(
    z.string(),
    z.strictObject({ ruleId: z.string(), severity, summary: z.string(), sinceMs: z.number(), firing: z.boolean() }),
  ),
  /** Per channel: the last sequence written, whether it is still on its way, what waits behind it. */
  channels: z.record(
    z.string(),
    z.strictObject({
      sequence: z.int(),
      inFlight: z.boolean(),
      /** Something reached this channel, so a resolve is owed to it. */
      reached: z.boolean(),
      /** The page that reached it carried no case file. */
      blind: z.boolean(),
      waiting: z.array(deliveryEvent),
    }),
  ),
  caseFile: z.boolean(),
  timeline: z.array(z.strictObject({ atMs: z.number(), what: z.string(), reason: z.string().optional() })),
})
export type Incident = z.infer<typeof incident>

/** A component's changes on their way to one status channel: one at a time, only the latest waits. */
export const componentStream = z.strictObject({
  incidentId: z.string(),
  sequence: z.int(),
  inFlight: z.boolean(),
  sent: componentStatus,
  waiting: z.strictObject({ incidentId: z.string(), to: componentStatus }).optional(),
})
export type ComponentStream = z.infer<typeof componentStream>

/** `correlate`'s own index: which incident is open for which service, and each component's published status. */
export const hubIndex = z.strictObject({
  open: z.record(z.string(), z.string()),
  components: z.record(
    z.string(),
    z.strictObject({ status: componentStatus, streams: z.record(z.string(), componentStream) }),
  ),
  /** Incident ids, the newest first, open or not. */
  recent: z.array(z.string()),
})
export type HubIndex = z.infer<typeof hubIndex>
/** The index of a hub where nothing has happened yet. */
export const emptyIndex: HubIndex = { open: {}, components: {}, recent: [] }

export const keys = {
  shard: (shard: string) => `shard/${shard}`,
  location: (shard: string, location: string) => `shard/${shard}/at/${location}`,
  hub: 'hub/index',
  incident: (incidentId: string) => `incident/${incidentId}`,
  caseFile: (incidentId: string) => `casefile/${incidentId}`,
  lease: (name: string) => `lease/${name}`,
  /** What this hub signs the links in its pages with. */
  linkKey: 'hub/link-key',
  /** How many shards this hub is split into. */
  shards: 'hub/shards',
  /** When a pulse last passed one of the functions. */
  pulse: (name: string) => `pulse/${name}`,
}

/** Where the blobs of the pipeline are. */
export const historyPrefix = 'history/'
export const statusPageKey = 'status/index.html'
export const windowKey = (cluster: string) => `windows/${cluster}.json.gz`
