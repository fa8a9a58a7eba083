import type { Severity } from '../../config/contract.ts'
import type { AlertChange } from '../contract.ts'
import { ownService } from '../dead-letter.ts'
import type { Incident, IncidentAlert, Mute } from '../hub-state.ts'
import { endAlert, findAlert, fireAlert, isBig } from './alerts.ts'
import { updateComponent } from './components.ts'
import { groupOf, stormGroup } from './groups.ts'
import { type Context, type Hub, type HubDecision, incidentNow, incidentOf, putGroup, putIncident } from './hub.ts'
import {
  cameBack,
  flapsOf,
  flapsToHold,
  isFlapping,
  isSeverer,
  isSevererThan,
  note,
  openAgain,
  reopenIncident,
  severityRank,
} from './incident.ts'
import { isLeftOut, leaveSources, muteOf, noteSource, withAffected } from './mutes.ts'
import { noteHidden } from './silences.ts'
import { begin, isStorm, stormNow } from './storm.ts'
import { page, pageAgain, tellEnd, tellNews } from './telling.ts'

/** What keeps alerts quiet is looked at again at least this often: nobody tells us when it is over. */
const checkEveryMs = 60_000

type Firing = { change: AlertChange; labels: IncidentAlert['labels']; group: string }

/** When to look again at a mute that holds. */
export const checkAtMs = (mutes: readonly Mute[], nowMs: number): number =>
  mutes.reduce((first, { untilMs = first }) => Math.min(first, Math.max(untilMs, nowMs + 1000)), nowMs + checkEveryMs)

/** What an incident whose alerts are all kept quiet is told of, in whatever keeps it quiet. */
export const noteRoot = (
  hub: HubDecision,
  incident: Incident,
  hidden: { mute: Mute; severity: Severity },
  context: Context,
): HubDecision => {
  const { mute } = hidden
  if (mute.kind === 'silence' || mute.kind === 'maintenance') return noteHidden(hub, incident, hidden, context)
  const root = mute.kind === 'dependency' ? hub.incidents.get(mute.ref) : undefined
  if (!root) return hub
  const told = withAffected(root, incident.service)
  if (told === root) return hub
  const owed = told.news ? { ...told, news: { ...told.news, owed: true } } : told
  const what = `${incident.service} fails because of it and pages nobody`
  return putIncident(hub, note(owed, context.nowMs, { what, reason: 'inhibits-dependent' }))
}

/** An incident that the last alert of its service has left for another is that one's, along whose routes it goes on. */
const followed = (incident: Incident, former: string | undefined, service: string): Incident => {
  const { alerts, affects, heardInPages = [] } = incident
  const firing = Object.values(alerts).filter((alert) => alert.firing)
  const isLeft = former === incident.service && ![...firing, ...heardInPages].some((one) => one.service === former)
  return isLeft ? { ...incident, service, affects: affects.filter((one) => one !== service) } : incident
}

/** One alert fires in an incident; answers the hub and what keeps the alert quiet. */
const fireIn = (
  hub: HubDecision,
  incident: Incident,
  { change, labels }: Firing,
  context: Context,
): { hub: HubDecision; mute: Mute | undefined } => {
  const { alertId, service, sinceMs } = change
  const before = findAlert(hub, incident, alertId)
  const mute = muteOf(hub, { alertId, service, labels, sinceMs }, incident.id, context)
  const grown = withAffected(incident, service)
  const told = fireAlert(hub, grown, change, { labels, mute, shard: context.shard })
  const fired = putIncident(told, followed(incidentNow(told, incident, grown), before?.service, service))
  const after = findAlert(fired, incidentNow(fired, incident, grown), alertId)
  const known = after ? updateComponent(fired, incidentNow(fired, incident, grown), { before, after }, context) : fired
  const moved = before?.firing ? leaveSources(known, { alertId, labels, former: before.labels }, context.view) : known
  const sourced = noteSource(moved, { alertId, labels }, { context, firing: true })
  const fires = incidentNow(sourced, incident, grown)
  const what = `alert ${alertId} keeps nobody quiet: enough others do, and what needs it pages when they are over`
  const isLeft = before?.firing !== true && isLeftOut(sourced, { alertId, labels }, context.view)
  const now = isLeft ? note(fires, context.nowMs, { what, reason: 'too-many-sources' }) : fires
  const times = [now.checkAtMs, change.endsAtMs, mute && checkAtMs([mute], context.nowMs)].filter(
    (atMs) => atMs !== undefined,
  )
  const checked = putIncident(sourced, times.length === 0 ? now : { ...now, checkAtMs: Math.min(...times) })
  return { hub: mute ? noteRoot(checked, now, { mute, severity: change.severity }, context) : checked, mute }
}

const pageUnlessMuted = ({ hub, mute }: ReturnType<typeof fireIn>, opened: Incident, context: Context): HubDecision => {
  const incident = incidentNow(hub, opened, opened)
  if (!mute) return page(hub, incident, context)
  const reason = mute.kind === 'dependency' ? 'inhibited-by-dependency' : `muted-by-${mute.kind}`
  return putIncident(hub, note(incident, context.nowMs, { what: `pages nobody: ${mute.ref}`, reason }))
}

const open = (hub: HubDecision, firing: Firing, context: Context, group = firing.group): HubDecision => {
  const { change } = firing
  const { nowMs } = context
  const { hub: begun, incident: opened } = begin(hub, group, change, nowMs)
  const fired = fireIn(putGroup(begun, firing.group, { incidentId: opened.id }), opened, firing, context)
  return pageUnlessMuted(fired, opened, context)
}

/**
 * Would an alert wake people in an open incident: do they hear of nothing as severe in it? What flaps was told of by
 * then; whoever took that on need not hear of each time. Others of its incident may flap: its own times count, if known.
 */
const wakesIn = (hub: Hub, incident: Incident, change: AlertChange, nowMs: number): boolean => {
  const { alertId, severity, flaps = flapsToHold } = change
  const isBack = findAlert(hub, incident, alertId)?.firing === false
  const hasTold = isBack && isFlapping(incident, nowMs) && flaps >= flapsToHold
  return isSevererThan(severity, incident) && !hasTold
}

/** Another alert of the same cause, or the same again: news, or a page when people hear of nothing as severe by now. */
const join = (hub: HubDecision, before: Incident, firing: Firing, context: Context): HubDecision => {
  const { nowMs } = context
  const { change } = firing
  const known = findAlert(hub, before, change.alertId)
  const wasHeard = known?.firing === true && !known.mute
  const isMoved = known?.firing === true && known.service !== change.service
  const isNew = !wasHeard || isMoved || severityRank[change.severity] > severityRank[known.severity]
  const { quietSinceMs: _, ...loud } = before
  const fired = fireIn(putIncident(hub, loud), loud, firing, context)
  const now = incidentNow(fired.hub, before, before)
  if (!isNew || fired.mute) return fired.hub
  const isBack = known?.firing === false
  const wakes = wakesIn(hub, before, change, nowMs)
  if (!wakes && now.toldAtMs !== undefined) return tellNews(fired.hub, now, { heard: [change], context })
  const again = openAgain(before, isBack ? cameBack(now, nowMs) : now, nowMs)
  const next = putIncident(fired.hub, again)
  if (again.toldAtMs === undefined) return page(next, again, context)
  const inStorm = change.service !== ownService && isStorm(hub, change.severity, context)
  return pageAgain(next, again, { context, reason: isBack ? 'back-again' : 'severity-rose', inStorm })
}

/** What was over a moment ago is back: the same incident goes on. */
const reopen = (hub: HubDecision, before: Incident, firing: Firing, context: Context): HubDecision => {
  const { nowMs } = context
  const opened = reopenIncident(before, nowMs)
  const fired = fireIn(
    putGroup(putIncident(hub, opened), opened.group, { incidentId: opened.id }),
    opened,
    firing,
    context,
  )
  return pageUnlessMuted(fired, opened, context)
}

const mayReopen = ({ group, resolvedAtMs }: Incident, { view, nowMs }: Context): boolean =>
  group !== stormGroup && resolvedAtMs !== undefined && nowMs < resolvedAtMs + view.grouping.reopenMs

/** It was quiet to its end: whoever hears of it when it is back hears of a new one. */
const neverTold = ({ channels }: Incident): boolean => Object.keys(channels).length === 0

/** In a storm what would wake people again is a part of it, whatever less severe of its group is open. */
const goesOnAlone = (hub: Hub, incident: Incident, change: AlertChange, nowMs: number): boolean =>
  incident.group !== stormGroup && wakesIn(hub, incident, change, nowMs)

/** The incident that an alert fires in, of those that were read: its group's, the storm's, or that of a former grouping. */
export const holderOf = (hub: Hub, alertId: string): Incident | undefined =>
  [...hub.incidents.values()].find(
    (one) => (alertId in one.alerts || isBig(one)) && findAlert(hub, one, alertId)?.firing === true,
  )

/** Where an alert goes on that is of another group by now, what else fires of that group joins it: unless it has its own. */
const holding = (hub: HubDecision, group: string, holder: Incident): HubDecision => {
  const { status = 'resolved' } = incidentOf(hub, group) ?? {}
  return status === 'resolved' ? putGroup(hub, group, { incidentId: holder.id }) : hub
}

/** An alert fires: where it does already, in the incident of its group, in the one it opens, or in the storm's. */
export const fire = (hub: HubDecision, change: AlertChange, context: Context): HubDecision => {
  const { view, nowMs } = context
  const labels = view.labelsOf(change)
  const firing = { change, labels, group: groupOf(view.grouping.by, labels, change.severity) }
  const holder = holderOf(hub, change.alertId)
  if (holder) {
    const former = findAlert(hub, holder, change.alertId)?.service
    const joined = join(hub, holder, firing, context)
    const now = incidentNow(joined, holder, holder)
    return former !== change.service && now.service === change.service ? holding(joined, firing.group, now) : joined
  }
  const storm = stormNow(hub, context)
  const known = incidentOf(hub, firing.group)
  const isOpen = known !== undefined && known.status !== 'resolved'
  const muted = muteOf(hub, { ...change, labels }, isOpen ? known.id : '', context) !== undefined
  const joinsStorm = change.service !== ownService && !muted && isStorm(hub, change.severity, context)
  if (isOpen && !(joinsStorm && goesOnAlone(hub, known, change, nowMs))) return join(hub, known, firing, context)
  if (known && !isOpen && mayReopen(known, context) && !(joinsStorm && neverTold(known))) {
    return reopen(hub, known, firing, context)
  }
  if (!joinsStorm) return open(hub, firing, context)
  // What is open already keeps its group.
  const part = isOpen ? { ...firing, group: stormGroup } : firing
  if (!storm) return open(hub, part, context, stormGroup)
  const goOn = storm.status === 'resolved' ? reopen : join
  return goOn(putGroup(hub, part.group, { incidentId: storm.id }), storm, part, context)
}

/** Everything of it is over. What flaps must stay well for a while first: its end would be news of nothing. */
export const close = (hub: HubDecision, incident: Incident, context: Context): HubDecision => {
  const { nowMs } = context
  if (incident.quietSinceMs === undefined && isFlapping(incident, nowMs)) {
    const what = `quiet; over if it stays so, since it came back ${flapsOf(incident, nowMs)} times within the hour`
    return putIncident(hub, note({ ...incident, quietSinceMs: nowMs }, nowMs, { what, reason: 'flapping' }))
  }
  const { quietSinceMs: _, checkAtMs: __, ...rest } = incident
  const over: Incident = { ...rest, status: 'resolved', resolvedAtMs: nowMs }
  const reason = incident.toldAtMs === undefined ? 'nobody-was-paged' : 'all-alerts-gone'
  const resolved = note(over, nowMs, { what: 'resolved', reason })
  const silences = hub.silences.map((one) =>
    one.incidentId === incident.id && one.endsAtMs > nowMs ? { ...one, endsAtMs: nowMs } : one,
  )
  const ended = silences.some((one, index) => one !== hub.silences[index]) ? { ...hub, silences } : hub
  return tellEnd(putGroup(ended, incident.group, { incidentId: incident.id }), resolved, nowMs)
}

/** An alert of an incident is over, and with the last that fires the incident is; what is left may be less severe. */
export const end = (
  hub: HubDecision,
  incident: Incident,
  ended: { alertId: string; reason: string; atMs: number },
  context: Context,
): HubDecision => {
  const alert = findAlert(hub, incident, ended.alertId)
  if (!alert?.firing) return hub
  const next = endAlert(hub, incident, { ...ended, alert })
  const now = incidentNow(next, incident, incident)
  const after = { ...alert, firing: false }
  const known = updateComponent(next, now, { before: alert, after }, context)
  const sourced = noteSource(known, { alertId: ended.alertId, labels: alert.labels }, { context, firing: false })
  const over = incidentNow(sourced, incident, now)
  if (over.counts.firing === 0 && over.status !== 'resolved') return close(sourced, over, context)
  const hasFallen = isSeverer(incident, over) && over.counts.audible > 0 && over.toldAtMs !== undefined
  // Not at once: the rest may be over with the next alert of the same row.
  const news = { toldAtMs: over.news?.toldAtMs ?? context.nowMs, owed: true }
  return hasFallen ? putIncident(sourced, { ...over, news }) : sourced
}
