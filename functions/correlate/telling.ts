import type { DeliveryEvent, OutboxRow } from '../contract.ts'
import type { Incident } from '../hub-state.ts'
import { pageDeadlineMs } from '../page-event.ts'
import { addRows, type Context, type HubDecision, putIncident } from './hub.ts'
import { note, summariesOf } from './incident.ts'
import { forEachChannel, owedEnd, paged, tell, toldEnd, type Written } from './orders.ts'
import { channelsFor, nextRoute, type Routed, remindEveryMs } from './routing.ts'

/** Questions must answer this much before the page leaves. */
const renderMarginMs = 400

export const put = (hub: HubDecision, written: Written): HubDecision =>
  addRows(putIncident(hub, written.incident), written.rows)

/** Asks the questions, of a page that waits for their answers or of one that comes back: once each time. */
const triageRow = (incident: Incident, rows: readonly OutboxRow[], nowMs: number): OutboxRow => {
  const lastMs = incident.reopenedAtMs.at(-1)
  return {
    id: lastMs === undefined ? `triage:${incident.id}` : `triage:${incident.id}:${lastMs}`,
    to: 'triage',
    dueAtMs: nowMs,
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
      answerByMs: nowMs + pageDeadlineMs - renderMarginMs,
    },
  }
}

export const routedOf = ({ service, severity }: Pick<Incident, 'service' | 'severity'>, nowMs: number): Routed => ({
  service,
  severity,
  nowMs,
})

/** Whom it is routed to: everybody who is told of a service of which it has an alert that nothing keeps quiet. */
export const channelsOf = (incident: Incident, { view, nowMs }: Context): string[] => {
  const heard = Object.values(incident.alerts).filter(({ firing, mute }) => firing && !mute)
  const services = heard.length === 0 ? [incident.service] : heard.map(({ service }) => service)
  const { severity } = incident
  const channels = [...new Set(services)].flatMap((one) => channelsFor(view.routing, { service: one, severity, nowMs }))
  return [...new Set(channels)]
}

/** Pages that wait for the answers are counted: too many of them at once are a storm. */
const notePage = (hub: HubDecision, nowMs: number): HubDecision => {
  const openedAtMs = [...hub.index.openedAtMs.filter((atMs) => Math.abs(nowMs - atMs) < 60_000), nowMs].slice(-50)
  return { ...hub, index: { ...hub.index, openedAtMs } }
}

/**
 * People are to hear of an incident: for the first time, or again since it is back; an advisory that no route asks for
 * stays on the board. Whoever was told of its end hears that it is back; the questions are asked again as well.
 */
export const page = (hub: HubDecision, before: Incident, context: Context): HubDecision => {
  const { nowMs } = context
  const over = toldEnd(before)
  const channels = [...new Set([...over, ...channelsOf(before, context)])]
  if (channels.length === 0) return hub
  const reason = over.length > 0 ? 'back-again' : 'first-alert'
  const told = note({ ...before, toldAtMs: nowMs, caseFile: false, news: { toldAtMs: nowMs, owed: false } }, nowMs, {
    what: `pages ${channels.join(', ')}`,
    reason,
  })
  const written = forEachChannel(told, channels, (so, channel) =>
    tell(so, { channel, event: over.includes(channel) ? 'reopened' : 'opened', nowMs }),
  )
  const next = put(over.length > 0 ? hub : notePage(hub, nowMs), written)
  return addRows(next, [triageRow(written.incident, written.rows, nowMs)])
}

/**
 * More of what people know already. Channels whose route only this brings in are paged at once; everybody else hears of
 * it at most every so often: the deadline tells what has gathered.
 */
export const tellNews = (
  hub: HubDecision,
  incident: Incident,
  at: { routed: readonly string[]; context: Context; atOnce?: boolean },
): HubDecision => {
  const { view, nowMs } = at.context
  // Who refused the page before is asked again: an update would be news of something it never heard of.
  const known = paged(incident)
  const fresh = at.routed.filter((channel) => !known.includes(channel))
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

const lastTold = ({ escalation, toldAtMs }: Incident): Incident['escalation'] =>
  escalation ?? (toldAtMs === undefined ? undefined : { level: 0, atMs: toldAtMs })

/** When the next route is to hear of it, because nobody has taken it on. */
export const escalationAtMs = (incident: Incident, { view, nowMs }: Omit<Context, 'atOnce'>): number | undefined => {
  const told = lastTold(incident)
  const next = told && nextRoute(view.routing, { ...routedOf(incident, nowMs), told })
  return next && told.atMs + next.afterMs
}

/** Nobody took it on: the next route is paged, and those of it who know already are reminded. */
export const escalate = (hub: HubDecision, incident: Incident, { view, nowMs }: Context): HubDecision => {
  const told = lastTold(incident)
  const next = told && nextRoute(view.routing, { ...routedOf(incident, nowMs), told })
  if (!next) return hub
  const { level, channels } = next
  const what = `nobody took it on for ${minutes(nowMs - told.atMs)}, pages ${channels.join(', ')}`
  const risen = note({ ...incident, escalation: { level, atMs: nowMs } }, nowMs, { what, reason: 'unacknowledged' })
  const known = paged(risen)
  const written = forEachChannel(risen, channels, (so, channel) =>
    tell(so, { channel, event: known.includes(channel) ? 'reminder' : 'opened', nowMs }),
  )
  return put(hub, written)
}

export const reminderAtMs = (incident: Incident, { view, nowMs }: Omit<Context, 'atOnce'>): number | undefined => {
  const sinceMs = incident.remindedAtMs ?? incident.toldAtMs
  return sinceMs === undefined ? undefined : sinceMs + remindEveryMs(view.routing, routedOf(incident, nowMs))
}

export const remind = (hub: HubDecision, incident: Incident, nowMs: number): HubDecision => {
  const told = note({ ...incident, remindedAtMs: nowMs }, nowMs, {
    what: `reminded ${paged(incident).join(', ')}`,
    reason: 'reminder-due',
  })
  return put(
    hub,
    forEachChannel(told, paged(told), (so, channel) => tell(so, { channel, event: 'reminder', nowMs })),
  )
}
