import type { AlertChange, ComponentStatus, Incident } from '../contract.ts'

/** Longest timeline kept; the beginning and the newest entries matter. An incident is one item of 64 KB. */
const timelineLimit = 200
const timelineLimitBytes = 16_000
const headKept = 20
const entryLimit = 300
const summaryLimit = 240
/** Beyond as many alerts as people are told of, a hint must do. */
const summarised = 20

const severityRank = { page: 2, ticket: 1, advisory: 0 } as const

const two = (value: number) => String(value).padStart(2, '0')

/** `20261123-063205`, UTC: short enough to say on the phone. */
const stamp = (ms: number) => {
  const at = new Date(ms)
  const date = `${at.getUTCFullYear()}${two(at.getUTCMonth() + 1)}${two(at.getUTCDate())}`
  return `${date}-${two(at.getUTCHours())}${two(at.getUTCMinutes())}${two(at.getUTCSeconds())}`
}

/** An incident's id says whose it is and when its first failing look was scheduled, so a replay opens the same one. */
export const incidentId = (service: string, sinceMs: number): string => `${service}-${stamp(sinceMs)}`

const cut = (text: string, limit: number) =>
  text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`

const encoder = new TextEncoder()
const bytesOf = (value: unknown) => encoder.encode(JSON.stringify(value)).byteLength

/** Notes something in the timeline; beyond the limits the middle is dropped. */
export const note = (incident: Incident, atMs: number, entry: { what: string; reason?: string }): Incident => {
  const timeline = [...incident.timeline, { atMs, ...entry, what: cut(entry.what, entryLimit) }]
  let bytes = timeline.length > headKept ? bytesOf(timeline) : 0
  while (timeline.length > timelineLimit || (bytes > timelineLimitBytes && timeline.length > headKept + 1)) {
    bytes -= bytesOf(timeline.splice(headKept, 1)[0])
  }
  return { ...incident, timeline }
}

/** The incident a firing alert opens. */
export const openIncident = (id: string, change: AlertChange, nowMs: number): Incident => ({
  id,
  service: change.service,
  severity: change.severity,
  status: 'open',
  sinceMs: change.sinceMs,
  openedAtMs: nowMs,
  alerts: {},
  channels: {},
  caseFile: false,
  timeline: [],
})

/** Adds or ends an alert; the incident is as severe as its most severe alert ever was. */
export const withAlert = (incident: Incident, change: AlertChange): Incident => {
  const firing = change.to === 'firing'
  const { ruleId, severity, sinceMs } = change
  const many = Object.keys(incident.alerts).length >= summarised
  const summary = cut(change.summary, many ? 40 : summaryLimit)
  const severer = firing && severityRank[severity] > severityRank[incident.severity]
  return note(
    {
      ...incident,
      severity: severer ? severity : incident.severity,
      sinceMs: firing ? Math.min(incident.sinceMs, sinceMs) : incident.sinceMs,
      alerts: { ...incident.alerts, [change.alertId]: { ruleId, severity, summary, sinceMs, firing } },
    },
    change.atMs,
    { what: `alert ${change.alertId} is ${change.to}: ${summary}`, reason: change.reason },
  )
}

/** Somebody takes an open incident on. The first to do so has it; once it is over there is nothing to take on. */
export const acknowledge = (incident: Incident, at: { by: string; atMs: number }): Incident => {
  if (incident.status !== 'open') return incident
  const { by, atMs } = at
  const taken: Incident = { ...incident, status: 'acknowledged', acknowledged: { by, atMs } }
  return note(taken, atMs, { what: `acknowledged by ${by}`, reason: 'taken-on' })
}

/**
 * An incident that became severer since somebody took it on is open again: who accepted a ticket for the morning has
 * not accepted a page in the night. More alerts of what was accepted change nothing.
 */
export const openAgainIfSeverer = (before: Incident, now: Incident, atMs: number): Incident => {
  if (now.status !== 'acknowledged' || severityRank[now.severity] <= severityRank[before.severity]) return now
  const { acknowledged: _, ...rest } = now
  const what = `open again: acknowledged as ${before.severity}, now ${now.severity}`
  return note({ ...rest, status: 'open' }, atMs, { what, reason: 'severity-rose' })
}

/** What people are told is failing: the firing alerts, or all of them once it is over. */
export const summariesOf = (incident: Incident): string[] => {
  const alerts = Object.values(incident.alerts)
  const firing = alerts.filter((alert) => alert.firing)
  return (firing.length > 0 ? firing : alerts).map(({ summary }) => summary).slice(0, 20)
}

export const anyFiring = (incident: Incident): boolean => Object.values(incident.alerts).some(({ firing }) => firing)

/**
 * What the status page may honestly say: everything that is watched fails (major), some of it (partial), or only what
 * can wait (degraded). An advisory is not worth telling users about.
 */
export const componentStatusOf = (
  incident: Incident | undefined,
  availabilityRules: readonly string[],
): ComponentStatus => {
  const firing = Object.values(incident?.alerts ?? {}).filter((alert) => alert.firing)
  const paging = new Set(firing.filter(({ severity }) => severity === 'page').map(({ ruleId }) => ruleId))
  if (paging.size > 0) {
    const all = availabilityRules.length > 0 && availabilityRules.every((ruleId) => paging.has(ruleId))
    return all ? 'major_outage' : 'partial_outage'
  }
  return firing.some(({ severity }) => severity === 'ticket') ? 'degraded_performance' : 'operational'
}
