import type { Route } from '../../config/contract.ts'
import type { AlertChange, Observation } from '../../functions/contract.ts'
import type { HubView } from '../../functions/correlate/hub.ts'
import type { RuleView } from '../../functions/evaluate/decide.ts'
import type { Incident, IncidentAlert } from '../../functions/hub-state.ts'
import type { ProbeOutcome, Verdict } from '../../probes/contract.ts'
import { judge, type RuleSpec, ruleSeverity } from '../../rules/registry.ts'

export const start = Date.UTC(2026, 10, 23, 6, 0, 0)
export const period = 60_000

export const outcome = (at: Partial<ProbeOutcome> & { verdict: Verdict }): ProbeOutcome => ({
  monitorId: 'front',
  location: 'local',
  scheduledAtMs: start,
  startedAtMs: start,
  look: 'tick',
  timingsMs: { total: 12 },
  ...(at.verdict === 'fail'
    ? { cause: { phase: 'assert', code: 'assert-status', detail: 'expected 2xx, saw 500' } }
    : {}),
  ...at,
})

export const seen = (outcomes: readonly ProbeOutcome[], shard = '0/1'): Observation => ({
  kind: 'outcomes',
  id: outcomes.map(({ monitorId, scheduledAtMs, look }) => `${monitorId}:${scheduledAtMs}:${look}`).join(','),
  shard,
  outcomes: [...outcomes],
})

export const ruleView = (
  rule: RuleSpec,
  at: { ruleId?: string; monitorId?: string; service?: string; locations?: readonly string[] } = {},
): RuleView => ({
  ruleId: at.ruleId ?? 'front-down',
  alertId: at.ruleId ?? 'front-down',
  service: at.service ?? 'shop',
  severity: ruleSeverity(rule),
  monitor: { monitorId: at.monitorId ?? 'front', locations: at.locations ?? ['local'], periodSeconds: period / 1000 },
  judge: (facts) => judge(rule, facts),
})

export const availability = (
  thresholds: { failureThreshold?: number; successThreshold?: number; quorum?: number } = {},
): RuleSpec => ({
  kind: 'availability',
  monitor: 'front',
  severity: 'page',
  failureThreshold: 2,
  successThreshold: 1,
  ...thresholds,
})

export const change = (at: Partial<AlertChange> & { to: AlertChange['to'] }): AlertChange => ({
  alertId: 'front-down',
  ruleId: 'front-down',
  service: 'shop',
  severity: 'page',
  labels: {},
  from: at.to === 'firing' ? 'pending' : 'firing',
  reason: at.to === 'firing' ? 'threshold-met' : 'success-threshold-met',
  atMs: start,
  sinceMs: start,
  summary: 'front fails from local',
  ...at,
})

/** A hub without dependencies, silences or storms, where what is over is over. */
export const hubView = (routes: readonly Route[], people = ['pager', 'chat']): HubView => ({
  routing: { routes, people, teamOf: () => undefined, isWithin: () => true },
  statusChannels: [],
  isChannel: () => true,
  isService: () => true,
  availabilityRules: () => ['front-down'],
  labelsOf: ({ ruleId, service, severity, labels }) => ({ ...labels, alertname: ruleId, service, severity }),
  dependenciesOf: () => [],
  settleMs: () => 120_000,
  inhibit: [],
  maintenanceAt: () => [],
  grouping: { by: ['service'], reopenMs: 0, stormIncidents: 0, updateEveryMs: 60_000 },
})

/** An alert as an incident keeps it. */
export const firingAlert = (at: Partial<IncidentAlert> = {}): IncidentAlert => ({
  ruleId: 'front-down',
  service: 'shop',
  severity: 'page',
  summary: 'front fails',
  labels: {},
  sinceMs: start,
  firing: true,
  ...at,
})

/** An open incident of which nothing is known but that it is. */
export const openIncident = (at: Partial<Incident> = {}): Incident => ({
  id: 'shop-20261123-060000',
  service: 'shop',
  severity: 'page',
  status: 'open',
  sinceMs: start,
  openedAtMs: start,
  toldAtMs: start,
  group: 'shop',
  alerts: {},
  counts: { alerts: 0, firing: 0, audible: 0 },
  reopenedAtMs: [],
  affects: [],
  channels: {},
  caseFile: false,
  timeline: [],
  ...at,
})
