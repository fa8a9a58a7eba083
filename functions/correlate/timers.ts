import { apartMs } from '../freshness.ts'
import type { Incident, IncidentAlert, Mute } from '../hub-state.ts'
import { isBig, knownAlerts, putAlert } from './alerts.ts'
import { escalate, remind } from './escalation.ts'
import { escalationAtMs, reminderAtMs } from './escalation-paths.ts'
import { type Context, type HubDecision, incidentNow, putIncident } from './hub.ts'
import { isSeverer, isTaken, note, openAgain } from './incident.ts'
import { checkAtMs, close, end, noteRoot } from './lifecycle.ts'
import { muteOf, sameMute } from './mutes.ts'
import { isStorm, joinStorm } from './storm.ts'
import { page, pageAgain, tellNews, tellOwed } from './telling.ts'

/** What flaps counts as over when it was quiet for so long, or for twice the time in which it would be reopened. */
const quietMs = ({ view }: Pick<Context, 'view'>): number => Math.max(300_000, 2 * view.grouping.reopenMs)

/** Is there somebody to wake, and nobody awake? */
const waitsForSomebody = ({ status, counts, toldAtMs, quietSinceMs }: Incident): boolean =>
  status === 'open' && counts.audible > 0 && toldAtMs !== undefined && quietSinceMs === undefined

/** When something must be done about an incident though nothing arrives; undefined for one that can rest. */
export const deadlineMs = (incident: Incident, context: Omit<Context, 'atOnce'>): number | undefined => {
  const { status, checkAtMs: checkMs, quietSinceMs, news } = incident
  if (status === 'resolved') return undefined
  const times = [
    checkMs,
    quietSinceMs === undefined ? undefined : quietSinceMs + quietMs(context),
    news?.owed ? news.toldAtMs + context.view.grouping.updateEveryMs : undefined,
    ...(waitsForSomebody(incident) ? [escalationAtMs(incident, context), reminderAtMs(incident, context)] : []),
  ].filter((atMs) => atMs !== undefined)
  return times.length === 0 ? undefined : Math.min(...times)
}

type Step = (hub: HubDecision, incident: Incident, context: Context) => HubDecision

/** What a transaction has no room for is done so much later. */
const goOnMs = 1000

const hasEnded = ({ firing, endsAtMs }: IncidentAlert, nowMs: number): boolean =>
  firing && endsAtMs !== undefined && endsAtMs <= nowMs

const endEvents: Step = (hub, incident, context) => {
  const { nowMs } = context
  const over = knownAlerts(hub, incident).filter(([, alert]) => hasEnded(alert, nowMs))
  return over
    .slice(0, context.atOnce)
    .reduce(
      (so, [alertId]) =>
        end(so, incidentNow(so, incident, incident), { alertId, reason: 'event-over', atMs: nowMs }, context),
      hub,
    )
}

/** A while longer than any was counted by a clock that has been set back since: it is over. */
const lasts = ({ untilMs = 0 }: Mute, settleMs: number, nowMs: number): boolean =>
  nowMs < untilMs && untilMs <= nowMs + settleMs + apartMs

/** What kept it quiet for reasons nobody asked for is over: it has a while to recover as well. */
const settling = (before: Mute, heard: IncidentAlert, { view, nowMs }: Context): Mute | undefined =>
  before.kind === 'dependency' || before.kind === 'inhibit-rule'
    ? { kind: 'settling', ref: before.ref, untilMs: nowMs + view.settleMs(heard.service) }
    : before.kind === 'settling' && lasts(before, view.settleMs(heard.service), nowMs)
      ? before
      : undefined

/** `heard`: of so many alerts nothing keeps quiet any more. */
type Checked = { hub: HubDecision; next: number[]; changed: number; heard: number }

/** What keeps one alert quiet now, and when that must be looked at again. */
const checkAlert = (
  so: Checked,
  { incident, alertId, alert }: { incident: Incident; alertId: string; alert: IncidentAlert },
  context: Context,
): Checked => {
  const { service, labels, sinceMs, mute: before, endsAtMs } = alert
  const found = muteOf(so.hub, { alertId, service, labels, sinceMs }, incident.id, context)
  const now = found ?? (before && settling(before, alert, context))
  const next = [
    ...so.next,
    ...(now ? [checkAtMs([now], context.nowMs)] : []),
    ...(endsAtMs === undefined ? [] : [Math.max(endsAtMs, context.nowMs + goOnMs)]),
  ]
  if (sameMute(before, now)) return { ...so, next }
  if (so.changed >= context.atOnce) return { ...so, next: [...next, context.nowMs + goOnMs] }
  const { mute: _, ...rest } = alert
  const written = { ...rest, ...(now ? { mute: now } : {}) }
  const put = putAlert(so.hub, incidentNow(so.hub, incident, incident), alertId, written)
  const hub = found
    ? noteRoot(put, incidentNow(put, incident, incident), { mute: found, severity: alert.severity }, context)
    : put
  return { hub, next, changed: so.changed + 1, heard: so.heard + (now ? 0 : 1) }
}

/** Looks again at what keeps each alert quiet, and pages what still fails when nothing does any more. */
const checkMutes: Step = (hub, incident, context) => {
  const firing = knownAlerts(hub, incident).filter(([, alert]) => alert.firing)
  const all = firing.reduce<Checked>((so, [alertId, alert]) => checkAlert(so, { incident, alertId, alert }, context), {
    hub,
    next: [],
    changed: 0,
    heard: 0,
  })
  const { checkAtMs: _, ...rest } = incidentNow(all.hub, incident, incident)
  const earliestMs = all.next.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const checked = Number.isFinite(earliestMs) ? { ...rest, checkAtMs: earliestMs } : rest
  const next = putIncident(all.hub, checked)
  // Counted by alert: another one may have become quiet at the same time.
  return all.heard > 0 ? unmute(next, checked, { before: incident, context }) : next
}

/** People are to hear again of what they were told before: it has gone on, or become severer meanwhile. */
const goesOn = (hub: HubDecision, now: Incident, { before, context }: Unmuted): HubDecision => {
  // Whoever took on what was quiet afterwards has it still.
  if (!isSeverer(now, before) || (isTaken(now) && before.counts.audible === 0)) return tellNews(hub, now, { context })
  const incident = openAgain(before, now, context.nowMs)
  const inStorm = isStorm(hub, now.severity, context)
  return pageAgain(putIncident(hub, incident), incident, { context, reason: 'no-longer-muted', inStorm })
}

type Unmuted = { before: Incident; context: Context }

const unmute = (hub: HubDecision, incident: Incident, { before, context }: Unmuted): HubDecision => {
  if (incident.toldAtMs !== undefined) return goesOn(hub, incident, { before, context })
  const what = 'still failing, and nothing keeps it quiet any more'
  const known = note(incident, context.nowMs, { what, reason: 'no-longer-muted' })
  // A big one is a storm of its own.
  return isStorm(hub, known.severity, context) && !isBig(known)
    ? joinStorm(putIncident(hub, known), known, context)
    : page(hub, known, context)
}

const isDue = (atMs: number | undefined, nowMs: number): boolean => atMs !== undefined && atMs <= nowMs

const quietEnough: Step = (hub, incident, context) => {
  const sinceMs = incident.quietSinceMs
  return sinceMs !== undefined && isDue(sinceMs + quietMs(context), context.nowMs) ? close(hub, incident, context) : hub
}

const gatheredNews: Step = (hub, incident, context) => {
  const { news } = incident
  const due = news?.owed === true && isDue(news.toldAtMs + context.view.grouping.updateEveryMs, context.nowMs)
  return due ? tellOwed(hub, incident, context.nowMs) : hub
}

const wakeOthers: Step = (hub, incident, context) =>
  waitsForSomebody(incident) && isDue(escalationAtMs(incident, context), context.nowMs)
    ? escalate(hub, incident, context)
    : hub

const remindAll: Step = (hub, incident, context) =>
  waitsForSomebody(incident) && isDue(reminderAtMs(incident, context), context.nowMs)
    ? remind(hub, incident, context)
    : hub

const steps: readonly Step[] = [endEvents, checkMutes, quietEnough, gatheredNews, wakeOthers, remindAll]

/** Does whatever an incident's deadline asks for. */
export const onTimer = (hub: HubDecision, incidentId: string, context: Context): HubDecision =>
  steps.reduce((so, step) => {
    const incident = so.incidents.get(incidentId)
    return incident && incident.status !== 'resolved' ? step(so, incident, context) : so
  }, hub)
