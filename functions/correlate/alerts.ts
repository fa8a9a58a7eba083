import type { Severity } from '../../config/contract.ts'
import type { AlertChange } from '../contract.ts'
import { keys } from '../contract.ts'
import type { Incident, IncidentAlert, Mute } from '../hub-state.ts'
import { jsonBytes } from '../json-bytes.ts'
import { hash } from '../shards.ts'
import { type Hub, type HubDecision, incidentNow, putIncident, putPage } from './hub.ts'
import { cut, isAudible, note, severityRank } from './incident.ts'

/** So many alerts, of so many bytes, lie in the incident's own item; it has room for the rest of what an incident is. */
export const alertsKept = 40
const alertsKeptBytes = 24_000
/** A page of alerts is one item of 64 KB: 256 of them hold ten thousand alerts, or four thousand with the longest labels. */
const alertPages = 256

const summaryLimit = 240
/** In a big incident nobody reads every sentence. */
const shortSummary = 80

/** Do some of its alerts lie in pages? */
export const isBig = ({ alerts, counts }: Pick<Incident, 'alerts' | 'counts'>): boolean =>
  counts.alerts > Object.keys(alerts).length

const hasRoom = (incident: Incident, alertId: string, alert: IncidentAlert): boolean => {
  const alerts = { ...incident.alerts, [alertId]: alert }
  if (Object.keys(alerts).length > alertsKept) return false
  return jsonBytes(alerts) <= alertsKeptBytes
}

export const alertPageKey = (incidentId: string, alertId: string): string =>
  keys.alertPage(incidentId, hash(alertId) & (alertPages - 1))

export const findAlert = (hub: Hub, incident: Incident, alertId: string): IncidentAlert | undefined =>
  incident.alerts[alertId] ?? hub.pages.get(alertPageKey(incident.id, alertId))?.[alertId]

/** All alerts that have been read: those of the incident's item, then those of its pages. */
export const knownAlerts = (hub: Hub, incident: Incident): [string, IncidentAlert][] => {
  const pages = isBig(incident) ? [...hub.pages] : []
  const mine = pages.flatMap(([key, page]) => (key.startsWith(`alerts/${incident.id}/`) ? Object.entries(page) : []))
  return [...Object.entries(incident.alerts), ...mine]
}

type HeardInPages = NonNullable<Incident['heardInPages']>

const counted = (alert: IncidentAlert | undefined) => ({
  alerts: alert ? 1 : 0,
  firing: alert?.firing ? 1 : 0,
  audible: isAudible(alert) ? 1 : 0,
  pages: isAudible(alert) && alert?.severity === 'page' ? 1 : 0,
  tickets: isAudible(alert) && alert?.severity === 'ticket' ? 1 : 0,
})

const audibleOf = ({ alerts }: Incident, severity: Severity): number =>
  Object.values(alerts).filter((alert) => isAudible(alert) && alert.severity === severity).length

const recount = (incident: Incident, before: IncidentAlert | undefined, after: IncidentAlert) => {
  const [was, is] = [counted(before), counted(after)]
  const { alerts, firing, audible } = incident.counts
  const { pages = audibleOf(incident, 'page'), tickets = audibleOf(incident, 'ticket') } = incident.counts
  return {
    alerts: alerts + is.alerts - was.alerts,
    firing: firing + is.firing - was.firing,
    audible: audible + is.audible - was.audible,
    pages: pages + is.pages - was.pages,
    tickets: tickets + is.tickets - was.tickets,
  }
}

/** What people hear of it; when all of it is over or quiet, what they heard last. */
const severityOf = (counts: ReturnType<typeof recount>, last: Severity): Severity => {
  if (counts.audible === 0) return last
  return counts.pages > 0 ? 'page' : counts.tickets > 0 ? 'ticket' : 'advisory'
}

/** Beyond these the severest are kept: whoever is woken by so many services' pages need not hear of each. */
const heardKept = 40

const counting = (heard: HeardInPages, alert: IncidentAlert | undefined, by: 1 | -1): HeardInPages => {
  if (!alert || !isAudible(alert)) return heard
  const { service, severity } = alert
  const isIts = (one: HeardInPages[number]) => one.service === service && one.severity === severity
  const known = heard.some(isIts) ? heard : [...heard, { service, severity, alerts: 0 }]
  return known
    .map((one) => (isIts(one) ? { ...one, alerts: one.alerts + by } : one))
    .filter(({ alerts }) => alerts > 0)
    .sort((a, b) => severityRank[b.severity] - severityRank[a.severity])
    .slice(0, heardKept)
}

/** Writes one alert of an incident, where it lies or in the first place with room. */
export const putAlert = (hub: HubDecision, incident: Incident, alertId: string, alert: IncidentAlert): HubDecision => {
  const before = findAlert(hub, incident, alertId)
  const counts = recount(incident, before, alert)
  const severity = severityOf(counts, incident.severity)
  const fits = hasRoom(incident, alertId, alert)
  const short = { ...alert, summary: cut(alert.summary, shortSummary) }
  if (incident.alerts[alertId] !== undefined || (!before && fits)) {
    const alerts = { ...incident.alerts, [alertId]: fits ? alert : short }
    return putIncident(hub, { ...incident, severity, counts, alerts })
  }
  const key = alertPageKey(incident.id, alertId)
  const heardInPages = counting(counting(incident.heardInPages ?? [], before, -1), alert, 1)
  return putPage(putIncident(hub, { ...incident, severity, counts, heardInPages }), key, {
    ...hub.pages.get(key),
    [alertId]: short,
  })
}

/** How an alert fires: what keeps it quiet, and the shard that says so, if there are. */
type Firing = { labels: IncidentAlert['labels']; mute: Mute | undefined; shard: string | undefined }

const alertOf = (change: AlertChange, { labels, mute, shard }: Firing): IncidentAlert => ({
  ruleId: change.ruleId,
  service: change.service,
  severity: change.severity,
  summary: cut(change.summary, summaryLimit),
  labels,
  sinceMs: change.sinceMs,
  firing: change.to === 'firing',
  ...(mute ? { mute } : {}),
  ...(change.endsAtMs === undefined ? {} : { endsAtMs: change.endsAtMs }),
  ...(shard === undefined ? {} : { shard }),
})

const severer = (incident: Incident, { severity }: AlertChange): Incident['severity'] =>
  severityRank[severity] > severityRank[incident.severity] ? severity : incident.severity

/** Each of the first alerts is in the timeline; of a big incident every hundredth, so that its size can be followed. */
const noteChange = (incident: Incident, change: AlertChange, mute: Mute | undefined): Incident => {
  const { alerts } = incident.counts
  const { alertId, atMs, reason, summary, to } = change
  const quiet = mute ? `, quiet: ${mute.kind} ${mute.ref}` : ''
  if (!isBig(incident)) return note(incident, atMs, { what: `alert ${alertId} is ${to}: ${summary}${quiet}`, reason })
  return alerts % 100 === 0 && to === 'firing' ? note(incident, atMs, { what: `${alerts} alerts so far` }) : incident
}

/** An alert fires in an incident, which is as old as its oldest. */
export const fireAlert = (hub: HubDecision, incident: Incident, change: AlertChange, at: Firing): HubDecision => {
  const grown: Incident = {
    ...incident,
    severity: severer(incident, change),
    sinceMs: Math.min(incident.sinceMs, change.sinceMs),
  }
  const next = putAlert(hub, grown, change.alertId, alertOf(change, at))
  return putIncident(next, noteChange(incidentNow(next, incident, grown), change, at.mute))
}

/** An alert of an incident is over. */
export const endAlert = (
  hub: HubDecision,
  incident: Incident,
  ended: { alertId: string; alert: IncidentAlert; reason: string; atMs: number },
): HubDecision => {
  const { alertId, alert, reason, atMs } = ended
  const { mute: _, ...over } = { ...alert, firing: false }
  const next = putAlert(hub, incident, alertId, over)
  const now = incidentNow(next, incident, incident)
  if (isBig(now)) return next
  return putIncident(next, note(now, atMs, { what: `alert ${alertId} is inactive: ${alert.summary}`, reason }))
}
