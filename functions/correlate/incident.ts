import type { AlertChange, ComponentStatus, Incident } from '../contract.ts'

/** Longest timeline kept; the beginning and the newest entries matter. */
const timelineLimit = 200

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

/** Notes something in the timeline; beyond the limit the middle is dropped. */
export const note = (incident: Incident, atMs: number, entry: { what: string; reason?: string }): Incident => {
  const timeline = [...incident.timeline, { atMs, ...entry }]
  const kept = timeline.length > timelineLimit ? [...timeline.slice(0, 20), ...timeline.slice(21)] : timeline
  return { ...incident, timeline: kept }
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
  const { ruleId, severity, summary, sinceMs } = change
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
