import type { DeliveryEvent, OutboxRow } from '../contract.ts'
import type { Incident } from '../hub-state.ts'
import { pageDeadlineMs } from '../page-event.ts'
import { channelsOf, type Heard, heardOf, routedTo, withRoutes } from './escalation-paths.ts'
import { addRows, type Context, type HubDecision, putIncident } from './hub.ts'
import { note, severityRank, summariesOf } from './incident.ts'
import { forEachChannel, owedEnd, paged, tell, toldEnd, type Written } from './orders.ts'

/** Questions must answer this much before the page leaves. */
const renderMarginMs = 400

export const put = (hub: HubDecision, written: Written): HubDecision =>
  addRows(putIncident(hub, written.incident), written.rows)

type TriageRow = Extract<OutboxRow, { to: 'triage' }>

/** Asks the questions, of a page that waits for their answers or of one that comes again: once each time. */
const triageRow = (
  incident: Incident,
  rows: readonly OutboxRow[],
  at: { nowMs: number; againMs?: number },
): TriageRow => ({
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

/** What one decision asks twice, as of a ticket and then of the page it became, is asked once for all that waits. */
const ask = (hub: HubDecision, asked: TriageRow): HubDecision => {
  const same = hub.rows.find((row): row is TriageRow => row.to === 'triage' && row.id === asked.id)
  const nudge = [...(same?.body.nudge ?? []), ...asked.body.nudge]
  const rows = hub.rows.filter((row) => row !== same)
  return addRows({ ...hub, rows }, [{ ...asked, body: { ...asked.body, nudge } }])
}

/** Pages that wait for the answers are counted, of one incident at one time once: too many of them are a storm. */
const notePage = (hub: HubDecision, { toldAtMs }: Incident, { view, nowMs }: Context): HubDecision => {
  if (toldAtMs === nowMs) return hub
  const kept = Math.max(50, view.grouping.stormIncidents)
  const openedAtMs = [...hub.index.openedAtMs.filter((atMs) => Math.abs(nowMs - atMs) < 60_000), nowMs].slice(-kept)
  return { ...hub, index: { ...hub.index, openedAtMs } }
}

/**
 * Whoever was told of its end hears that it is back, unless the channel left the config, or it is back as something less
 * severe, which has routes of its own.
 */
const hearsOfReturn = (incident: Incident, routed: readonly string[], { view }: Context): string[] => {
  const rank = severityRank[incident.severity]
  const wasSeverer = Object.values(incident.alerts).some(({ severity }) => severityRank[severity] > rank)
  const there = toldEnd(incident).filter((channel) => view.routing.people.includes(channel))
  return there.filter((channel) => !wasSeverer || routed.includes(channel))
}

/**
 * People are to hear of an incident: for the first time, or again since it is back; an advisory that no route asks for
 * stays on the board. The questions are asked again as well.
 */
export const page = (hub: HubDecision, before: Incident, context: Context): HubDecision => {
  const { nowMs } = context
  const routed = channelsOf(before, context)
  const over = hearsOfReturn(before, routed, context)
  const channels = [...new Set([...over, ...routed])]
  if (channels.length === 0) return hub
  const reason = over.length > 0 ? 'back-again' : 'first-alert'
  const news = { toldAtMs: nowMs, owed: false }
  const known = withRoutes({ ...before, toldAtMs: nowMs, caseFile: false, news }, context)
  const told = note(known, nowMs, { what: `pages ${channels.join(', ')}`, reason })
  const written = forEachChannel(told, channels, (so, channel) =>
    tell(so, { channel, event: over.includes(channel) ? 'reopened' : 'opened', nowMs }),
  )
  const next = put(over.length > 0 ? hub : notePage(hub, before, context), written)
  const againMs = before.reopenedAtMs.at(-1)
  const asked = triageRow(written.incident, written.rows, { nowMs, ...(againMs === undefined ? {} : { againMs }) })
  return ask(next, asked)
}

/**
 * What people were told of and is open still must wake them once more: it became severer, or it fires anew after all
 * that fired was over or quiet. Others who know of it hear of that as news, and so does everybody in a storm, who is awake.
 */
export const pageAgain = (
  hub: HubDecision,
  before: Incident,
  at: { context: Context; reason: 'severity-rose' | 'back-again' | 'no-longer-muted'; inStorm: boolean },
): HubDecision => {
  const { nowMs } = at.context
  const severest = heardOf(before).filter(({ severity }) => severity === before.severity)
  const known = paged(before)
  const fresh = channelsOf(before, at.context).filter((channel) => !known.includes(channel))
  const channels = [...new Set([...routedTo(severest, at.context), ...fresh])]
  if (channels.length === 0) return tellNews(hub, before, { context: at.context })
  const { escalation: _, remindedAtMs: __, ...rest } = before
  const toldNow = { toldAtMs: nowMs, owed: false }
  const routed = withRoutes({ ...rest, toldAtMs: nowMs, caseFile: false, news: toldNow }, at.context)
  const told = note(routed, nowMs, { what: `pages ${channels.join(', ')}`, reason: at.reason })
  const others = known.filter((channel) => !channels.includes(channel))
  const news = at.inStorm ? known : others
  const written = forEachChannel(told, [...channels, ...others], (so, channel) =>
    tell(so, { channel, event: news.includes(channel) ? 'updated' : 'opened', nowMs }),
  )
  const next = put(notePage(hub, before, at.context), written)
  return ask(next, triageRow(written.incident, written.rows, { nowMs, againMs: nowMs }))
}

/**
 * More of what people know already. Channels whose route only this brings in are paged at once; everybody else hears of
 * it at most every so often: the deadline tells what has gathered.
 */
export const tellNews = (
  hub: HubDecision,
  before: Incident,
  at: { heard?: readonly Heard[]; context: Context },
): HubDecision => {
  const { view, nowMs } = at.context
  const heard = at.heard ?? heardOf(before)
  const incident = withRoutes(before, at.context)
  // Who refused the page before is asked again: an update would be news of something it never heard of.
  const known = paged(incident)
  const fresh = routedTo(heard, at.context).filter((channel) => !known.includes(channel))
  const asked = forEachChannel(incident, fresh, (so, channel) => tell(so, { channel, event: 'opened', nowMs }))
  const quietUntilMs = (incident.news?.toldAtMs ?? Number.NEGATIVE_INFINITY) + view.grouping.updateEveryMs
  if (nowMs < quietUntilMs) {
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
