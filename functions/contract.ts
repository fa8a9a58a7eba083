import * as z from 'zod'
import { severity } from '../config/contract.ts'
import { matcher } from '../config/matchers.ts'
import { probeOutcome } from '../probes/contract.ts'
import { labels, ruleResult, sliCount } from '../rules/contract.ts'
import { brief } from '../triage/contract.ts'

/** The FIFO group of pulses, a name no shard has. */
export const pulseGroup = 'pulse'

/** A message to `evaluate`. `id` is its FIFO deduplication id; `shard` its FIFO group. */
export const observation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('outcomes'), id: z.string(), shard: z.string(), outcomes: z.array(probeOutcome) }),
  z.strictObject({ kind: z.literal('rule-results'), id: z.string(), shard: z.string(), results: z.array(ruleResult) }),
  z.strictObject({ kind: z.literal('sli-counts'), id: z.string(), shard: z.string(), counts: z.array(sliCount) }),
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
  'severity-changed',
  'service-changed',
  'burn-rate-met',
  'burn-rate-gone',
  'budget-spent',
  'budget-back',
  /** The availability rule of its monitor sees it too, and pages for both. */
  'another-pages',
  /** Something of our own could not be done and was put by. */
  'set-aside',
  /** Alerts that somebody's Prometheus posts. */
  'reported',
  'reported-over',
  'not-repeated',
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
  /** It tells of something that happened, not of a state, and ends by itself then. */
  endsAtMs: z.number().optional(),
  /** How often it came back within the last hour: `firing → inactive → firing`. Absent when it did not. */
  flaps: z.int().min(1).optional(),
})
export type AlertChange = z.infer<typeof alertChange>

/**
 * What a message to a channel says. `reopened`: what was over is back; `reminder`: nobody has taken it on;
 * `silence-ended`: what a silence or a maintenance window kept quiet.
 */
export const deliveryEvent = z.enum([
  'opened',
  'updated',
  'reopened',
  'reminder',
  'resolved',
  'component-changed',
  'silence-ended',
])
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
  /** When it was decided to tell this. */
  atMs: z.number().optional(),
  summaries: z.array(z.string()),
  /** Other services that fail because of this one, or with it. */
  affects: z.array(z.string()).optional(),
  /** How often it came back within the last hour, when that is often. */
  flaps: z.int().optional(),
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
  /** It was refused in the end, but an attempt before may have arrived: its answer never came, or left that open. */
  mayHaveArrived: z.boolean().optional(),
})
export type Receipt = z.infer<typeof receipt>

/** A silence as somebody asks for it; `id` makes asking twice harmless. */
export const silenceRequest = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]{1,63}$/),
  matchers: z.array(matcher).min(1).max(20),
  author: z.string().min(1).max(100),
  reason: z.string().min(1).max(200),
  startsAtMs: z.number(),
  endsAtMs: z.number(),
  /** It ends with this incident, if that comes first. */
  incidentId: z.string().optional(),
})
export type SilenceRequest = z.infer<typeof silenceRequest>

export const correlateBody = z.discriminatedUnion('kind', [
  /** `after`: the row with the changes before these; while it is there it goes first, or an end overtakes its beginning. */
  z.strictObject({ kind: z.literal('alert-changes'), changes: z.array(alertChange), after: z.string().optional() }),
  z.strictObject({ kind: z.literal('receipt'), receipt }),
  z.strictObject({ kind: z.literal('case-file'), incidentId: z.string() }),
  /** Somebody took the incident on; `by` says who in words a timeline can show. */
  z.strictObject({ kind: z.literal('acknowledge'), incidentId: z.string(), by: z.string(), atMs: z.number() }),
  /** An incident's earliest deadline: to remind, escalate, look again at what keeps it quiet, tell news, end. */
  z.strictObject({ kind: z.literal('incident-timer'), incidentId: z.string() }),
  /** The earliest end of a silence. */
  z.strictObject({ kind: z.literal('silence-timer') }),
  z.strictObject({ kind: z.literal('silence'), silence: silenceRequest }),
  z.strictObject({ kind: z.literal('end-silence'), silenceId: z.string(), by: z.string(), atMs: z.number() }),
])
export type CorrelateBody = z.infer<typeof correlateBody>

/** A message frozen by its first claim, so that every repeat is byte for byte the same. */
export const frozen = z.strictObject({
  body: z.string(),
  contentType: z.string(),
  withCaseFile: z.boolean(),
  /** What its channel was then; absent in what an earlier version wrote. */
  kind: z.string().optional(),
})

export const deliverBody = z.strictObject({
  order: deliveryOrder,
  /** Go earlier than due when this incident's case file is there. */
  waitsForCaseFile: z.boolean(),
  attempts: z.int().default(0),
  leaseUntilMs: z.number().default(0),
  /** When it was first tried, or first held back: a page does not wait for one channel for ever. */
  startedAtMs: z.number().optional(),
  /** An attempt may have arrived: its answer never came, left that open, or has not come yet. */
  mayHaveArrived: z.boolean().optional(),
  frozen: frozen.optional(),
  lastCause: z.string().optional(),
})
export type DeliverBody = z.infer<typeof deliverBody>

/** Attempts of the last minute through one channel, and until when its provider asked to be left alone. */
export const channelRate = z.object({ sentAtMs: z.array(z.number()), heldUntilMs: z.number() })
export type ChannelRate = z.infer<typeof channelRate>

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

export const keys = {
  shard: (shard: string) => `shard/${shard}`,
  location: (shard: string, location: string) => `shard/${shard}/at/${location}`,
  /** The events of an objective; of no shard, so that it stays where it is when shards are split. */
  slo: (ruleId: string) => `slo/${ruleId}`,
  /** What a shard counted for its objectives: an index, and rings of blocks of minutes and of hours. */
  slis: (shard: string) => `shard/${shard}/slis`,
  sliBlock: (shard: string, kind: 'minutes' | 'hours', place: number) => `shard/${shard}/slis/${kind}/${place}`,
  hub: 'hub/index',
  silences: 'hub/silences',
  group: (group: string) => `group/${group}`,
  component: (service: string) => `component/${service}`,
  /** Page `nth` of a big incident's alerts. */
  alertPage: (incidentId: string, nth: number) => `alerts/${incidentId}/${nth}`,
  inhibitor: (rule: string, values: string) => `inhibitor/${rule}/${values}`,
  incident: (incidentId: string) => `incident/${incidentId}`,
  caseFile: (incidentId: string) => `casefile/${incidentId}`,
  lease: (name: string) => `lease/${name}`,
  /** What a channel was sent lately; written with every claim of a delivery. */
  rate: (channel: string) => `rate/${channel}`,
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
/** A cluster's window is a ring of so many chunks, each of a span of time: an old one makes room for a new one. */
export const windowSlots = 13
export const windowKey = (cluster: string, slot: number | '*') => `windows/${cluster}/${slot}`
