/** The items that `correlate` keeps, of which it is the sole writer. */
import * as z from 'zod'
import { severity } from '../config/contract.ts'
import { labels } from '../rules/contract.ts'
import { componentStatus, deliveryEvent } from './contract.ts'

/** Why an alert tells nobody. `settling`: what kept it quiet is over, and it is given time to recover as well. */
export const mute = z.strictObject({
  kind: z.enum(['silence', 'maintenance', 'dependency', 'inhibit-rule', 'settling']),
  /** The silence, the window's silence, the incident of the dependency, the alert of the rule's source. */
  ref: z.string(),
  /** When it certainly ends; unknown when absent. */
  untilMs: z.number().optional(),
})
export type Mute = z.infer<typeof mute>

export const incidentAlert = z.strictObject({
  ruleId: z.string(),
  service: z.string(),
  severity,
  summary: z.string(),
  labels,
  sinceMs: z.number(),
  firing: z.boolean(),
  mute: mute.optional(),
  /** An alert about something that happened, not about a state, ends by itself. */
  endsAtMs: z.number().optional(),
  /** The shard that said last that it fires; absent where none did, and in what an earlier version wrote. */
  shard: z.string().optional(),
})
export type IncidentAlert = z.infer<typeof incidentAlert>

/** Per channel: the last sequence written, whether it is still on its way, what waits behind it. */
export const channelState = z.strictObject({
  sequence: z.int(),
  inFlight: z.boolean(),
  /** Something reached this channel, so a resolve is owed to it. */
  reached: z.boolean(),
  /** A page was refused there that may have arrived: it counts as refused, and its end goes there as well. */
  doubtful: z.boolean(),
  /** The page that reached it carried no case file. */
  blind: z.boolean(),
  waiting: z.array(deliveryEvent),
  /** What was written last. */
  event: deliveryEvent,
  /** How severe it was when this channel was woken last; absent in what an earlier version wrote. */
  wokenFor: severity.optional(),
})

/** How far a service's alerts of one severity have come on their routes, each known by what it says. */
export const toldRoute = z.strictObject({
  first: z.string(),
  /** Told last, and when; how long it has before the next, if there is to be one. */
  route: z.string(),
  atMs: z.number(),
  afterMs: z.number().optional(),
})
export type ToldRoute = z.infer<typeof toldRoute>

/** An incident as `correlate` keeps it, in its own item. */
export const incident = z.strictObject({
  id: z.string(),
  /** What its alerts have in common; the key of its group. */
  group: z.string(),
  service: z.string(),
  /** Of what people hear of it: the most severe of its alerts that fire and are not kept quiet; else as it was last. */
  severity,
  status: z.enum(['open', 'acknowledged', 'resolved']),
  sinceMs: z.number(),
  openedAtMs: z.number(),
  /** When people were to be told first; absent while everything about it is muted or only shown. */
  toldAtMs: z.number().optional(),
  resolvedAtMs: z.number().optional(),
  /** `severity`: what was accepted; absent in what an earlier version wrote. */
  acknowledged: z.strictObject({ by: z.string(), atMs: z.number(), severity: severity.optional() }).optional(),
  /** The first alerts, by id; of a big incident the others lie in pages of alerts. */
  alerts: z.record(z.string(), incidentAlert),
  /** How many alerts it ever had, how many fire, and how many of those are kept quiet by nothing. */
  counts: z.strictObject({
    alerts: z.int(),
    firing: z.int(),
    audible: z.int(),
    /** The audible ones by severity; what is left are advisories. Absent in what an earlier version wrote. */
    pages: z.int().optional(),
    tickets: z.int().optional(),
  }),
  /** How many of the alerts in pages people hear of, by service and severity: each of those has its routes. */
  heardInPages: z.array(z.strictObject({ service: z.string(), severity, alerts: z.int() })).optional(),
  /** By severity and service; `atMs`: when a route was told last because nobody took it on. */
  escalation: z.object({ atMs: z.number().optional(), told: z.record(z.string(), toldRoute).default({}) }).optional(),
  remindedAtMs: z.number().optional(),
  /** When news were last told, and whether there are some that nobody was told yet. */
  news: z.strictObject({ toldAtMs: z.number(), owed: z.boolean() }).optional(),
  /** When it was opened again, the latest last: what comes again and again is flapping. */
  reopenedAtMs: z.array(z.number()),
  /** When to look again at its alerts: at what keeps them quiet, and whether they end by themselves. */
  checkAtMs: z.number().optional(),
  /** It is flapping and quiet since then: resolved only when it stays so. */
  quietSinceMs: z.number().optional(),
  /** Other services that fail because of this, as far as the dependencies tell, or that are in it as well. */
  affects: z.array(z.string()),
  channels: z.record(z.string(), channelState),
  caseFile: z.boolean(),
  timeline: z.array(z.strictObject({ atMs: z.number(), what: z.string(), reason: z.string().optional() })),
})
export type Incident = z.infer<typeof incident>

/** Some of a big incident's alerts. */
export const alertPage = z.record(z.string(), incidentAlert)
export type AlertPage = z.infer<typeof alertPage>

/** Which incident a group's alerts belong to; after its end for as long as it may be opened again. */
export const group = z.strictObject({ incidentId: z.string() })
export type Group = z.infer<typeof group>

/** A component's changes on their way to one status channel: one at a time, only the latest waits. */
export const componentStream = z.object({
  incidentId: z.string(),
  sequence: z.int(),
  inFlight: z.boolean(),
  sent: componentStatus,
  waiting: z.strictObject({ incidentId: z.string(), to: componentStatus }).optional(),
})
export type ComponentStream = z.infer<typeof componentStream>

/**
 * A service as the status page shows it, and as its dependents see it. No page may wait for it: what a newer version
 * added is passed over, as in an inhibitor and in {@link silences}.
 */
export const component = z.object({
  status: componentStatus,
  /** How many of its alerts fire, by what they mean for users. */
  firing: z.strictObject({ availability: z.int(), page: z.int(), ticket: z.int() }),
  /** The incident its last failure belongs to. */
  incidentId: z.string().optional(),
  /** When the last alert that pages was over. */
  upAtMs: z.number().optional(),
  streams: z.record(z.string(), componentStream),
})
export type Component = z.infer<typeof component>
export const quietComponent: Component = {
  status: 'operational',
  firing: { availability: 0, page: 0, ticket: 0 },
  streams: {},
}

/** A person's, or a maintenance window's, wish not to be told of what matches. */
export const silence = z.strictObject({
  id: z.string(),
  matchers: z.array(z.string()),
  author: z.string(),
  reason: z.string(),
  startsAtMs: z.number(),
  endsAtMs: z.number(),
  /** It ends with this incident, if that comes first. */
  incidentId: z.string().optional(),
  /** What it kept quiet, for the message at its end: the severest incidents, and how many there were. */
  hid: z.array(
    z.object({
      incidentId: z.string(),
      service: z.string(),
      sinceMs: z.number(),
      /** Of the severest of its alerts that were hidden; a page when absent, as it was not always kept. */
      severity: severity.optional(),
    }),
  ),
  hidCount: z.int(),
})
export type Silence = z.infer<typeof silence>

/** Silences that stand for windows have ids that begin so; those of people begin with `s-`. */
export const windowPrefix = 'maintenance-'

/** Does a silence only stand for a window, for the message at its end? */
export const isOfWindow = ({ id }: { id: string }): boolean => id.startsWith(windowPrefix)

/** All silences that have not ended, in one item. Every message needs it: what a newer version added is passed over. */
export const silences = z.object({ silences: z.array(z.object(silence.shape)) })
export type Silences = z.infer<typeof silences>

/** The firing alerts that one inhibit rule's source matches, for one set of values of its equal labels. */
export const inhibitor = z.object({
  /** By alert: does the rule's target match it as well? Such a one inhibits nothing that also matches both. */
  sources: z.record(z.string(), z.boolean()),
  upAtMs: z.number().optional(),
  /** The rule's time in the index when this was written: while a rule is not in the config nobody notes what is over. */
  ruleSinceMs: z.number().optional(),
})
export type Inhibitor = z.infer<typeof inhibitor>

/** `correlate`'s own index, written by every one of its commits, so that no two decide side by side; see {@link silences}. */
export const hubIndex = z.object({
  /** Incident ids, the newest first, open or not. */
  recent: z.array(z.string()),
  /** When people were last told of new incidents, within the last minute. */
  openedAtMs: z.array(z.number()).default([]),
  /** Since when each inhibit rule has been in the config without a break; 0 where that was not counted yet. */
  inhibitSinceMs: z.record(z.string(), z.number()).optional(),
})
export type HubIndex = z.infer<typeof hubIndex>
/** The index of a hub where nothing has happened yet. */
export const emptyIndex: HubIndex = { recent: [], openedAtMs: [] }
