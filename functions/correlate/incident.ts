import type { Severity } from '../../config/contract.ts'
import type { AlertChange } from '../contract.ts'
import type { Incident, IncidentAlert } from '../hub-state.ts'
import { jsonBytes } from '../json-bytes.ts'
import { stormGroup } from './groups.ts'

/** Longest timeline kept; the beginning and the newest entries matter. An incident is one item of 64 KB. */
const timelineLimit = 200
const timelineLimitBytes = 16_000
const headKept = 20
const entryLimit = 300

export const severityRank = { page: 2, ticket: 1, advisory: 0 } as const

const two = (value: number) => String(value).padStart(2, '0')

/** `20261123-063205`, UTC: short enough to say on the phone. */
export const stamp = (ms: number): string => {
  const at = new Date(ms)
  const date = `${at.getUTCFullYear()}${two(at.getUTCMonth() + 1)}${two(at.getUTCDate())}`
  return `${date}-${two(at.getUTCHours())}${two(at.getUTCMinutes())}${two(at.getUTCSeconds())}`
}

/** An incident's id says whose it is and when its first failing look was scheduled, so a replay opens the same one. */
export const incidentId = (prefix: string, sinceMs: number): string => `${prefix}-${stamp(sinceMs)}`

export const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`

/** Notes something in the timeline; beyond the limits the middle is dropped. */
export const note = (incident: Incident, atMs: number, entry: { what: string; reason?: string }): Incident => {
  const timeline = [...incident.timeline, { atMs, ...entry, what: cut(entry.what, entryLimit) }]
  let bytes = timeline.length > headKept ? jsonBytes(timeline) : 0
  while (timeline.length > timelineLimit || (bytes > timelineLimitBytes && timeline.length > headKept + 1)) {
    bytes -= jsonBytes(timeline.splice(headKept, 1)[0])
  }
  return { ...incident, timeline }
}

/** The incident a firing alert opens. */
export const openIncident = (
  id: string,
  group: string,
  change: Pick<AlertChange, 'service' | 'severity' | 'sinceMs'>,
  nowMs: number,
): Incident => ({
  id,
  group,
  service: change.service,
  severity: change.severity,
  status: 'open',
  sinceMs: change.sinceMs,
  openedAtMs: nowMs,
  alerts: {},
  counts: { alerts: 0, firing: 0, audible: 0 },
  reopenedAtMs: [],
  affects: [],
  channels: {},
  caseFile: false,
  timeline: [],
})

/** Somebody takes an open incident on. The first to do so has it; once it is over there is nothing to take on. */
export const acknowledge = (incident: Incident, at: { by: string; atMs: number }): Incident => {
  if (incident.status !== 'open') return incident
  const { by, atMs } = at
  const acknowledged = { by, atMs, severity: incident.severity }
  const taken: Incident = { ...incident, status: 'acknowledged', acknowledged }
  return note(taken, atMs, { what: `acknowledged by ${by}`, reason: 'taken-on' })
}

/** Do people hear of it: does it fire, and nothing keeps it quiet? */
export const isAudible = (alert: IncidentAlert | undefined): boolean => alert?.firing === true && !alert.mute

/** Has somebody taken on what is as severe as this by now? What an earlier version noted says nothing of that. */
export const isTaken = ({ status, severity, acknowledged }: Incident): boolean =>
  status === 'acknowledged' && severityRank[acknowledged?.severity ?? severity] >= severityRank[severity]

/** How severe what people hear of it is: less than anything when all of it is over or kept quiet. */
const heardRank = ({ counts, severity }: Incident): number => (counts.audible > 0 ? severityRank[severity] : -1)

/** Is it severer than all that people hear of an incident? */
export const isSevererThan = (severity: Severity, incident: Incident): boolean =>
  severityRank[severity] > heardRank(incident)

/** Do people hear of something severer than before? */
export const isSeverer = (now: Incident, before: Incident): boolean => heardRank(now) > heardRank(before)

/**
 * An incident that became severer since somebody took it on is open again: who accepted a ticket for the morning has
 * not accepted a page in the night, nor what fires anew. More alerts of what was accepted change nothing.
 */
export const openAgain = (before: Incident, now: Incident, atMs: number): Incident => {
  if (now.status !== 'acknowledged') return now
  const { acknowledged, ...rest } = now
  const { severity } = before.counts.audible > 0 ? before : (acknowledged ?? {})
  const hasRisen = severity !== undefined && severityRank[severity] < severityRank[now.severity]
  const known = hasRisen ? `acknowledged as ${severity}` : 'acknowledged before it was quiet'
  return note({ ...rest, status: 'open' }, atMs, {
    what: `open again: ${known}, now ${now.severity}`,
    reason: 'severity-rose',
  })
}

const summarised = 20

/** What people are told is failing: the alerts that fire and are not kept quiet, or all of them once it is over. */
export const summariesOf = (incident: Incident): string[] => {
  const alerts = Object.values(incident.alerts)
  const firing = alerts.filter(isAudible)
  const shown = (firing.length > 0 ? firing : alerts).map(({ summary }) => summary).slice(0, summarised)
  const { affects, counts } = incident
  if (incident.group !== stormGroup) return shown
  return [`storm: ${counts.firing} alerts of ${affects.length + 1} services fire at once`, ...shown]
}

const flapWindowMs = 3_600_000
/** Back for the third time within an hour: from then on it must stay well for a while before it counts as over. */
export const flapsToHold = 3

/** How often it came back within the last hour. */
export const flapsOf = ({ reopenedAtMs }: Pick<Incident, 'reopenedAtMs'>, nowMs: number): number =>
  reopenedAtMs.filter((atMs) => atMs > nowMs - flapWindowMs).length

export const isFlapping = (incident: Incident, nowMs: number): boolean => flapsOf(incident, nowMs) >= flapsToHold

/** What was over is back once more. */
export const cameBack = (incident: Incident, nowMs: number): Incident => {
  const recent = incident.reopenedAtMs.filter((atMs) => atMs > nowMs - flapWindowMs).slice(-20)
  return { ...incident, reopenedAtMs: [...recent, nowMs] }
}

/** It was over and is back. Whoever had taken it on had taken on the time before. */
export const reopenIncident = (before: Incident, nowMs: number): Incident => {
  const { id, group, service, severity, sinceMs, openedAtMs, alerts, counts, affects, channels, timeline } = before
  const { reopenedAtMs } = cameBack(before, nowMs)
  const kept = { id, group, service, severity, sinceMs, openedAtMs, alerts, counts, affects, channels, timeline }
  const open: Incident = { ...kept, status: 'open', caseFile: false, reopenedAtMs }
  const times = flapsOf(open, nowMs)
  const what = times > 1 ? `reopened, ${times} times within the hour` : 'reopened'
  return note(open, nowMs, { what, reason: times >= flapsToHold ? 'flapping' : 'fired-again-soon' })
}
