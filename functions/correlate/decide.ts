import type * as z from 'zod'
import type { AlertChange, correlateBody, HubIndex, Incident, OutboxRow, Receipt } from '../contract.ts'
import { changeComponent, componentReceipt, forgetQuiet } from './components.ts'
import {
  acknowledge,
  anyFiring,
  componentStatusOf,
  incidentId,
  note,
  openAgainIfSeverer,
  openIncident,
  summariesOf,
  withAlert,
} from './incident.ts'
import { channelState, forEachChannel, pageDeadlineMs, tell, type Written } from './orders.ts'
import { applyReceipt, tellCaseFile } from './receipts.ts'
import { channelsFor, type Routing } from './routing.ts'

export type CorrelateMessage = z.infer<typeof correlateBody>

export type HubView = {
  routing: Routing
  statusChannels: readonly string[]
  /** The availability rules that watch a service. */
  availabilityRules: (service: string) => readonly string[]
}

export type Hub = { index: HubIndex; incidents: ReadonlyMap<string, Incident> }
export type HubDecision = Hub & { rows: OutboxRow[] }

/** How many incidents the index lists for the status page. */
const recentKept = 50

/** Questions must answer this much before the page leaves. */
const renderMarginMs = 400

type Context = { view: HubView; nowMs: number }

const put = (hub: HubDecision, written: Written): HubDecision => ({
  ...hub,
  incidents: new Map([...hub.incidents, [written.incident.id, written.incident]]),
  rows: [...hub.rows, ...written.rows],
})

const triageRow = (incident: Incident, rows: readonly OutboxRow[]): OutboxRow => ({
  id: `triage:${incident.id}`,
  to: 'triage',
  dueAtMs: incident.openedAtMs,
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
    answerByMs: incident.openedAtMs + pageDeadlineMs - renderMarginMs,
  },
})

const publishComponent = (hub: HubDecision, incident: Incident, { view, nowMs }: Context): HubDecision => {
  const status = componentStatusOf(incident, view.availabilityRules(incident.service))
  const changed = changeComponent(hub.index, status, { incident, channels: view.statusChannels, nowMs })
  return { ...hub, index: { ...hub.index, components: changed.components }, rows: [...hub.rows, ...changed.rows] }
}

const open = (hub: HubDecision, change: AlertChange, context: Context): HubDecision => {
  const { view, nowMs } = context
  const plain = incidentId(change.service, change.sinceMs)
  const id = hub.incidents.has(plain) ? `${plain}-${Math.floor(nowMs / 1000)}` : plain
  const incident = withAlert(openIncident(id, change, nowMs), change)
  const channels = channelsFor(view.routing, change.service, change.severity)
  const opened = note(incident, nowMs, { what: `opened, pages ${channels.join(', ')}`, reason: 'first-alert' })
  const paged = forEachChannel(opened, channels, (so, channel) => tell(so, { channel, event: 'opened', nowMs }))
  const index = {
    ...hub.index,
    open: { ...hub.index.open, [change.service]: id },
    recent: [id, ...hub.index.recent].slice(0, recentKept),
  }
  const rows = [...paged.rows, triageRow(opened, paged.rows)]
  return publishComponent(put({ ...hub, index }, { incident: paged.incident, rows }), paged.incident, context)
}

/** Another alert of the same cause: whoever was paged hears of it; a higher severity pages its own route as well. */
const join = (hub: HubDecision, before: Incident, change: AlertChange, context: Context): HubDecision => {
  const { view, nowMs } = context
  const isNew = before.alerts[change.alertId] === undefined
  const incident = openAgainIfSeverer(before, withAlert(before, change), nowMs)
  const routed = channelsFor(view.routing, incident.service, incident.severity)
  const channels = isNew ? [...new Set([...Object.keys(incident.channels), ...routed])] : []
  const told = forEachChannel(incident, channels, (so, channel) => {
    const { reached, inFlight } = channelState(so, channel)
    // A channel that refused the page before is asked again: an update would be news of something it never heard of.
    return tell(so, { channel, event: reached || inFlight ? 'updated' : 'opened', nowMs })
  })
  return publishComponent(put(hub, told), told.incident, context)
}

const resolve = (hub: HubDecision, incident: Incident, context: Context): HubDecision => {
  const { nowMs } = context
  const over: Incident = { ...incident, status: 'resolved', resolvedAtMs: nowMs }
  const resolved = note(over, nowMs, { what: 'resolved', reason: 'all-alerts-gone' })
  const paged = Object.entries(resolved.channels).filter(([, { reached, inFlight }]) => reached || inFlight)
  const told = forEachChannel(
    resolved,
    paged.map(([channel]) => channel),
    (so, channel) => tell(so, { channel, event: 'resolved', nowMs }),
  )
  const { [incident.service]: _, ...others } = hub.index.open
  const next = put({ ...hub, index: { ...hub.index, open: others } }, told)
  return publishComponent(next, told.incident, context)
}

const applyChange = (hub: HubDecision, change: AlertChange, context: Context): HubDecision => {
  const openId = hub.index.open[change.service]
  const incident = openId === undefined ? undefined : hub.incidents.get(openId)
  if (change.to === 'firing') return incident ? join(hub, incident, change, context) : open(hub, change, context)
  if (!incident?.alerts[change.alertId]) return hub
  const ended = withAlert(incident, change)
  if (!anyFiring(ended)) return resolve(hub, ended, context)
  return publishComponent(put(hub, { incident: ended, rows: [] }), ended, context)
}

const applyReceiptTo = (hub: HubDecision, receipt: Receipt, { view, nowMs }: Context): HubDecision => {
  const { order } = receipt
  if (order.event === 'component-changed') {
    const incidentOf = (id: string) => hub.incidents.get(id)
    const { components, rows } = componentReceipt(hub.index, receipt, { incidentOf, nowMs })
    return { ...hub, index: { ...hub.index, components }, rows: [...hub.rows, ...rows] }
  }
  const incident = hub.incidents.get(order.incidentId)
  return incident ? put(hub, applyReceipt(incident, receipt, { routing: view.routing, nowMs })) : hub
}

const applyCaseFile = (hub: HubDecision, id: string, { nowMs }: Context): HubDecision => {
  const incident = hub.incidents.get(id)
  if (!incident) return hub
  const known = note({ ...incident, caseFile: true }, nowMs, { what: 'case file stored' })
  const told = forEachChannel(known, Object.keys(known.channels), (so, channel) =>
    tellCaseFile({ incident: so, rows: [] }, channel, nowMs),
  )
  return put(hub, told)
}

/** Nobody is told: whoever opens the incident sees who has it, and its end still goes to all who got the page. */
const applyAcknowledge = (hub: HubDecision, id: string, at: { by: string; atMs: number }): HubDecision => {
  const incident = hub.incidents.get(id)
  const taken = incident && acknowledge(incident, at)
  return taken && taken !== incident ? put(hub, { incident: taken, rows: [] }) : hub
}

const apply = (hub: HubDecision, message: CorrelateMessage, context: Context): HubDecision => {
  switch (message.kind) {
    case 'alert-changes':
      return message.changes.reduce((so, change) => applyChange(so, change, context), hub)
    case 'receipt':
      return applyReceiptTo(hub, message.receipt, context)
    case 'case-file':
      return applyCaseFile(hub, message.incidentId, context)
    case 'acknowledge':
      return applyAcknowledge(hub, message.incidentId, message)
    default:
      return message satisfies never
  }
}

/** What a batch of messages does to the hub's incidents, folded into one decision. Pure. */
export const decideCorrelate = (
  hub: Hub,
  messages: readonly CorrelateMessage[],
  context: { view: HubView; nowMs: number },
): HubDecision => {
  const decided = messages.reduce((so, message) => apply(so, message, context), { ...hub, rows: [] as OutboxRow[] })
  return { ...decided, index: forgetQuiet(decided.index) }
}

/** The incidents a batch may touch, so that they can be read before it is decided. */
export const incidentsNamed = (index: HubIndex, messages: readonly CorrelateMessage[]): string[] => {
  const named = messages.flatMap((message) => {
    if (message.kind === 'case-file' || message.kind === 'acknowledge') return [message.incidentId]
    if (message.kind === 'receipt') {
      const stream = index.components[message.receipt.order.service]?.streams[message.receipt.order.channel]
      return [message.receipt.order.incidentId, ...(stream?.waiting ? [stream.waiting.incidentId] : [])]
    }
    return message.changes.flatMap(({ service, sinceMs }) =>
      [incidentId(service, sinceMs), index.open[service] ?? []].flat(),
    )
  })
  return [...new Set(named)]
}
