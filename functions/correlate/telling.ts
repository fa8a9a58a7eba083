import type { DeliveryEvent, OutboxRow } from '../contract.ts'
import type { Incident, ToldRoute } from '../hub-state.ts'
import { pageDeadlineMs } from '../page-event.ts'
import { addRows, type Context, type HubDecision, putIncident } from './hub.ts'
import { note, severityRank, summariesOf } from './incident.ts'
import { forEachChannel, owedEnd, paged, tell, toldEnd, type Written } from './orders.ts'
import {
  beginRoutes,
  channelsFor,
  goOn,
  type NextRoute,
  nextRoute,
  placeOf,
  type Routed,
  remindEveryMs,
  routesFor,
} from './routing.ts'

type Told = Omit<Context, 'atOnce'>

/** Questions must answer this much before the page leaves. */
const renderMarginMs = 400

export const put = (hub: HubDecision, written: Written): HubDecision =>
  addRows(putIncident(hub, written.incident), written.rows)

/** Asks the questions, of a page that waits for their answers or of one that comes again: once each time. */
const triageRow = (
  incident: Incident,
  rows: readonly OutboxRow[],
  at: { nowMs: number; againMs?: number },
): OutboxRow => ({
  id: at.againMs === undefined ? `triage:${incident.id}` : `triage:${incident.id}:${at.againMs}`,
  to: 'triage',
  dueAtMs: at.nowMs,
  nudges: 0,
  body: {
    brief: {
      incidentId: incident.id,
      service: incident.service,
      severity: incident.severity,
      sinceMs: incident.sinceMs,
      summaries: summariesOf(incident),
    },
    nudge: rows.filter(({ to }) => to === 'deliver').map(({ id }) => id),
    answerByMs: at.nowMs + pageDeadlineMs - renderMarginMs,
  },
})

type Heard = Pick<Routed, 'service' | 'severity'>

/** What people hear of in an incident, each service and severity once: every one of them has its own routes. */
export const heardOf = (incident: Incident): Heard[] => {
  const heard = Object.values(incident.alerts).filter(({ firing, mute }) => firing && !mute)
  const all: readonly Heard[] = heard.length === 0 ? [incident] : heard
  return [...new Map(all.map((one) => [`${one.severity} ${one.service}`, one])).values()]
}

const routedTo = (heard: readonly Heard[], { view, nowMs }: Told): string[] => {
  const channels = heard.flatMap(({ service, severity }) => channelsFor(view.routing, { service, severity, nowMs }))
  return [...new Set(channels)]
}

/** Whom it is routed to: everybody who is told of an alert of it that nothing keeps quiet. */
const channelsOf = (incident: Incident, at: Told): string[] => routedTo(heardOf(incident), at)

const ladder = ({ severity, service }: Heard): string => `${severity} ${service}`

/**
 * With the first route of everything people hear of by now. What has the same first route as something else goes on
 * with that, so that nobody hears of each by itself.
 */
const withRoutes = (incident: Incident, { view, nowMs }: Told): Incident => {
  const { escalation } = incident
  const told = { ...escalation?.told }
  for (const heard of heardOf(incident)) {
    const { service, severity } = heard
    const routed = { service, severity, nowMs }
    const [first] = routesFor(view.routing, routed)
    if (!first) continue
    const fresh = beginRoutes(first, nowMs)
    const isPeer = ([key, one]: [string, ToldRoute]) =>
      key.startsWith(`${severity} `) && one.first === fresh.first && placeOf(view.routing, one, routed) !== -1
    told[ladder(heard)] ??= Object.entries(told).find(isPeer)?.[1] ?? fresh
  }
  return { ...incident, escalation: { ...escalation, told } }
}

/** Pages that wait for the answers are counted: too many of them at once are a storm. */
const notePage = (hub: HubDecision, nowMs: number): HubDecision => {
  const openedAtMs = [...hub.index.openedAtMs.filter((atMs) => Math.abs(nowMs - atMs) < 60_000), nowMs].slice(-50)
  return { ...hub, index: { ...hub.index, openedAtMs } }
}

/**
 * Whoever was told of its end hears that it is back, unless it is back as something less severe, which has routes of
 * its own.
 */
const hearsOfReturn = (incident: Incident, routed: readonly string[]): string[] => {
  const rank = severityRank[incident.severity]
  const wasSeverer = Object.values(incident.alerts).some(({ severity }) => severityRank[severity] > rank)
  return toldEnd(incident).filter((channel) => !wasSeverer || routed.includes(channel))
}

/**
 * People are to hear of an incident: for the first time, or again since it is back; an advisory that no route asks for
 * stays on the board. The questions are asked again as well.
 */
export const page = (hub: HubDecision, before: Incident, context: Context): HubDecision => {
  const { nowMs } = context
  const routed = channelsOf(before, context)
  const over = hearsOfReturn(before, routed)
  const channels = [...new Set([...over, ...routed])]
  if (channels.length === 0) return hub
  const reason = over.length > 0 ? 'back-again' : 'first-alert'
  const news = { toldAtMs: nowMs, owed: false }
  const known = withRoutes({ ...before, toldAtMs: nowMs, caseFile: false, news }, context)
  const told = note(known, nowMs, { what: `pages ${channels.join(', ')}`, reason })
  const written = forEachChannel(told, channels, (so, channel) =>
    tell(so, { channel, event: over.includes(channel) ? 'reopened' : 'opened', nowMs }),
  )
  const next = put(over.length > 0 ? hub : notePage(hub, nowMs), written)
  const againMs = before.reopenedAtMs.at(-1)
  const asked = triageRow(written.incident, written.rows, { nowMs, ...(againMs === undefined ? {} : { againMs }) })
  return addRows(next, [asked])
}

/**
 * What people were told of and is open still must wake them once more: it became severer, or it fires anew after all
 * that fired was over or quiet. Others who know of it hear of that as news.
 */
export const pageAgain = (
  hub: HubDecision,
  before: Incident,
  at: { context: Context; reason: 'severity-rose' | 'back-again' | 'no-longer-muted' },
): HubDecision => {
  const { nowMs } = at.context
  const severest = heardOf(before).filter(({ severity }) => severity === before.severity)
  const known = paged(before)
  const fresh = channelsOf(before, at.context).filter((channel) => !known.includes(channel))
  const channels = [...new Set([...routedTo(severest, at.context), ...fresh])]
  if (channels.length === 0) return tellNews(hub, before, { context: at.context })
  const { escalation: _, remindedAtMs: __, ...rest } = before
  const news = { toldAtMs: nowMs, owed: false }
  const routed = withRoutes({ ...rest, toldAtMs: nowMs, caseFile: false, news }, at.context)
  const told = note(routed, nowMs, { what: `pages ${channels.join(', ')}`, reason: at.reason })
  const others = known.filter((channel) => !channels.includes(channel))
  const written = forEachChannel(told, [...channels, ...others], (so, channel) =>
    tell(so, { channel, event: others.includes(channel) ? 'updated' : 'opened', nowMs }),
  )
  const next = put(notePage(hub, nowMs), written)
  return addRows(next, [triageRow(written.incident, written.rows, { nowMs, againMs: nowMs })])
}

/**
 * More of what people know already. Channels whose route only this brings in are paged at once; everybody else hears of
 * it at most every so often: the deadline tells what has gathered.
 */
export const tellNews = (
  hub: HubDecision,
  before: Incident,
  at: { heard?: readonly Heard[]; context: Context; atOnce?: boolean },
): HubDecision => {
  const { view, nowMs } = at.context
  const heard = at.heard ?? heardOf(before)
  const incident = withRoutes(before, at.context)
  // Who refused the page before is asked again: an update would be news of something it never heard of.
  const known = paged(incident)
  const fresh = routedTo(heard, at.context).filter((channel) => !known.includes(channel))
  const asked = forEachChannel(incident, fresh, (so, channel) => tell(so, { channel, event: 'opened', nowMs }))
  const quietUntilMs = (incident.news?.toldAtMs ?? Number.NEGATIVE_INFINITY) + view.grouping.updateEveryMs
  if (nowMs < quietUntilMs && !at.atOnce) {
    const owed = { ...asked.incident, news: { toldAtMs: incident.news?.toldAtMs ?? nowMs, owed: known.length > 0 } }
    return put(hub, { incident: owed, rows: asked.rows })
  }
  return tellKnown(put(hub, asked), asked.incident, { channels: known, event: 'updated', nowMs })
}

const tellKnown = (
  hub: HubDecision,
  incident: Incident,
  at: { channels: readonly string[]; event: DeliveryEvent; nowMs: number },
): HubDecision => {
  const { channels, event, nowMs } = at
  const written = forEachChannel({ ...incident, news: { toldAtMs: nowMs, owed: false } }, channels, (so, channel) =>
    tell(so, { channel, event, nowMs }),
  )
  return put(hub, written)
}

/** What has gathered since news were told last. */
export const tellOwed = (hub: HubDecision, incident: Incident, nowMs: number): HubDecision =>
  tellKnown(hub, incident, { channels: paged(incident), event: 'updated', nowMs })

/** The end goes to all who got the page, or may have got it, and to nobody else. */
export const tellEnd = (hub: HubDecision, incident: Incident, nowMs: number): HubDecision =>
  put(
    hub,
    forEachChannel(incident, owedEnd(incident), (so, channel) => tell(so, { channel, event: 'resolved', nowMs })),
  )

const minutes = (ms: number) => `${Math.round(ms / 60_000)} min`

/** What an earlier version told is not noted by route: it counts as the first that matched then. */
const toldOf = ({ escalation, toldAtMs }: Incident, heard: Heard, { view }: Told): ToldRoute | undefined => {
  const known = escalation?.told[ladder(heard)]
  if (known || toldAtMs === undefined) return known
  const { service, severity } = heard
  const [first] = routesFor(view.routing, { service, severity, nowMs: toldAtMs })
  return first && beginRoutes(first, escalation?.atMs ?? toldAtMs)
}

type Step = NextRoute & { heard: Heard; told: ToldRoute }

/** The routes that are to hear of it because nobody takes it on, the first to do so first. */
const nextOf = (incident: Incident, context: Told): Step[] => {
  const { view, nowMs } = context
  const known = paged(incident)
  const all = heardOf(incident).flatMap((heard): Step[] => {
    const { service, severity } = heard
    const told = toldOf(incident, heard, context)
    const next = told && nextRoute(view.routing, { service, severity, nowMs, told, known })
    return next ? [{ ...next, heard, told }] : []
  })
  return all.sort((a, b) => a.dueAtMs - b.dueAtMs)
}

/** When the next route is to hear of it, because nobody has taken it on. */
export const escalationAtMs = (incident: Incident, context: Told): number | undefined =>
  nextOf(incident, context)[0]?.dueAtMs

/** Nobody took it on: the next routes are paged, and those of them who know already are reminded. */
export const escalate = (hub: HubDecision, incident: Incident, context: Context): HubDecision => {
  const { nowMs } = context
  const due = nextOf(incident, context).filter(({ dueAtMs }) => dueAtMs <= nowMs)
  const [first] = due
  if (!first) return hub
  const channels = [...new Set(due.flatMap(({ route }) => route.channels))]
  const what = `nobody took it on for ${minutes(nowMs - first.sinceMs)}, pages ${channels.join(', ')}`
  const steps = due.map(({ heard, told, route }) => [ladder(heard), goOn(told, route, nowMs)] as const)
  const told = { ...incident.escalation?.told, ...Object.fromEntries(steps) }
  const risen = note({ ...incident, escalation: { atMs: nowMs, told } }, nowMs, { what, reason: 'unacknowledged' })
  const known = paged(risen)
  const written = forEachChannel(risen, channels, (so, channel) =>
    tell(so, { channel, event: known.includes(channel) ? 'reminder' : 'opened', nowMs }),
  )
  return put(hub, written)
}

export const reminderAtMs = (incident: Incident, { view, nowMs }: Told): number | undefined => {
  const sinceMs = incident.remindedAtMs ?? incident.toldAtMs
  const every = heardOf(incident).map(({ service, severity }) =>
    remindEveryMs(view.routing, { service, severity, nowMs }),
  )
  return sinceMs === undefined ? undefined : sinceMs + Math.min(...every)
}

/**
 * Whoever knows of it hears that nobody has taken it on, unless that is left to others by now: what still fires is less
 * severe, or other hours have begun. Those of its routes who never heard of it are paged.
 */
export const remind = (hub: HubDecision, incident: Incident, context: Context): HubDecision => {
  const { view, nowMs } = context
  const routes = heardOf(incident).flatMap(({ service, severity }) =>
    routesFor(view.routing, { service, severity, nowMs }),
  )
  const known = paged(incident).filter((channel) => view.routing.people.includes(channel))
  const theirs = known.filter((channel) => routes.some(({ channels }) => channels.includes(channel)))
  const reminded = theirs.length > 0 ? theirs : known
  const fresh = channelsOf(incident, context).filter((channel) => !known.includes(channel))
  const all = [...reminded, ...fresh]
  const told = note(withRoutes({ ...incident, remindedAtMs: nowMs }, context), nowMs, {
    what: `reminded ${all.join(', ')}`,
    reason: 'reminder-due',
  })
  return put(
    hub,
    forEachChannel(told, all, (so, channel) =>
      tell(so, { channel, event: fresh.includes(channel) ? 'opened' : 'reminder', nowMs }),
    ),
  )
}
