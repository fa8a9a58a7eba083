import type { Severity } from '../../config/contract.ts'
import type { AlertChange } from '../contract.ts'
import type { Incident } from '../hub-state.ts'
import { knownAlerts, putAlert } from './alerts.ts'
import { heardOf } from './escalation-paths.ts'
import { idPrefix, stormGroup } from './groups.ts'
import {
  type Context,
  type Hub,
  type HubDecision,
  type HubView,
  incidentNow,
  incidentOf,
  putGroup,
  putIncident,
} from './hub.ts'
import { incidentId, isSeverer, note, openAgain, openIncident, reopenIncident } from './incident.ts'
import { withAffected } from './mutes.ts'
import { page, pageAgain, tellNews } from './telling.ts'

/** How many incidents the index lists for the status page. */
const recentKept = 50

const stormMs = 60_000

/** Too many incidents at once: further ones are one, so that nobody drowns in pages. */
export const isStorm = (hub: Hub, severity: Severity, { view, nowMs }: Context): boolean => {
  const { stormIncidents } = view.grouping
  const lately = hub.index.openedAtMs.filter((atMs) => Math.abs(nowMs - atMs) < stormMs).length
  return severity !== 'advisory' && stormIncidents > 0 && lately >= stormIncidents
}

/** While it is a storm nobody hears of a second one, however short the time to reopen is. */
export const stormBackMs = ({ grouping }: Pick<HubView, 'grouping'>): number => Math.max(stormMs, grouping.reopenMs)

/** The storm that what fires now is part of: the one that is open, or was over a moment ago. */
export const stormNow = (hub: Hub, { view, nowMs }: Context): Incident | undefined => {
  const storm = incidentOf(hub, stormGroup)
  if (storm?.status !== 'resolved' || storm.resolvedAtMs === undefined) return storm
  return nowMs < storm.resolvedAtMs + stormBackMs(view) ? storm : undefined
}

const freeId = (hub: Hub, prefix: string, at: { sinceMs: number; nowMs: number }): string => {
  const plain = incidentId(prefix, at.sinceMs)
  return hub.incidents.has(plain) || hub.unreadable.has(plain) ? `${plain}-${Math.floor(at.nowMs / 1000)}` : plain
}

/** A new incident of a group, with nothing in it yet. */
export const begin = (
  hub: HubDecision,
  group: string,
  change: Pick<AlertChange, 'service' | 'severity' | 'sinceMs'>,
  nowMs: number,
): { hub: HubDecision; incident: Incident } => {
  const id = freeId(hub, idPrefix(group), { sinceMs: change.sinceMs, nowMs })
  const incident = openIncident(id, group, change, nowMs)
  const index = { ...hub.index, recent: [id, ...hub.index.recent].slice(0, recentKept) }
  return { hub: putGroup(putIncident({ ...hub, index }, incident), group, { incidentId: id }), incident }
}

/** What it holds fires elsewhere from now on. Of one that is not big all alerts are in its own item. */
const goneOn = ({ checkAtMs: _, ...incident }: Incident, stormId: string, nowMs: number): Incident => {
  const alerts = Object.entries(incident.alerts).map(([id, { mute, ...alert }]) => [id, { ...alert, firing: false }])
  const counts = { ...incident.counts, firing: 0, audible: 0 }
  const over: Incident = {
    ...incident,
    status: 'resolved',
    resolvedAtMs: nowMs,
    counts,
    alerts: Object.fromEntries(alerts),
  }
  return note(over, nowMs, { what: `goes on in ${stormId}`, reason: 'joined-storm' })
}

/** An incident that was kept quiet and would now page in the middle of a storm goes on as a part of it. */
export const joinStorm = (hub: HubDecision, incident: Incident, context: Context): HubDecision => {
  const { nowMs } = context
  const known = stormNow(hub, context)
  const { hub: begun, incident: quiet } = known
    ? { hub, incident: known.status === 'resolved' ? reopenIncident(known, nowMs) : known }
    : begin(hub, stormGroup, incident, nowMs)
  const { quietSinceMs: _, ...storm } = quiet
  const firing = knownAlerts(hub, incident).filter(([, alert]) => alert.firing)
  // What keeps the others of it quiet is looked at again when it would have been there.
  const times = [storm.checkAtMs, incident.checkAtMs].filter((atMs) => atMs !== undefined)
  const grown: Incident = {
    ...withAffected(storm, incident.service),
    sinceMs: Math.min(storm.sinceMs, incident.sinceMs),
    ...(times.length === 0 ? {} : { checkAtMs: Math.min(...times) }),
  }
  const moved = firing.reduce(
    (so, [alertId, alert]) => putAlert(so, incidentNow(so, storm, grown), alertId, alert),
    putIncident(begun, grown),
  )
  const over = goneOn(incident, storm.id, nowMs)
  const next = putGroup(putIncident(moved, over), incident.group, { incidentId: storm.id })
  const joined = incidentNow(next, storm, grown)
  if (joined.toldAtMs === undefined) return page(next, joined, context)
  if (!isSeverer(joined, storm)) return tellNews(next, joined, { heard: heardOf(incident), context })
  const again = openAgain(storm, joined, nowMs)
  return pageAgain(putIncident(next, again), again, { context, reason: 'severity-rose', inStorm: false })
}
