import type { ComponentStatus, OutboxRow, Receipt } from '../contract.ts'
import type { Component, ComponentStream, Incident, IncidentAlert } from '../hub-state.ts'
import { addRows, type Context, componentOf, type HubDecision, incidentNow, putComponent } from './hub.ts'
import { deliverRow, orderFor } from './orders.ts'
import { isWorthwhile, tryAgainAfterMs } from './receipts.ts'

/**
 * What the status page may honestly say: everything that is watched fails (major), some of it (partial), or only what
 * can wait (degraded). An advisory is not worth telling users about.
 */
export const statusOf = ({ firing }: Pick<Component, 'firing'>, availabilityRules: number): ComponentStatus => {
  if (firing.page > 0) {
    return availabilityRules > 0 && firing.availability >= availabilityRules ? 'major_outage' : 'partial_outage'
  }
  return firing.ticket > 0 ? 'degraded_performance' : 'operational'
}

const counts = (alert: IncidentAlert | undefined, availabilityRules: readonly string[]) => {
  const pages = alert?.firing === true && alert.severity === 'page'
  return {
    availability: pages && availabilityRules.includes(alert.ruleId) ? 1 : 0,
    page: pages ? 1 : 0,
    ticket: alert?.firing === true && alert.severity === 'ticket' ? 1 : 0,
  }
}

type Sending = { service: string; incident: Incident; channel: string; nowMs: number }

const send = (
  stream: ComponentStream | undefined,
  to: ComponentStatus,
  { service, incident, channel, nowMs }: Sending,
): { stream: ComponentStream; row: OutboxRow } => {
  // Counted by component: two incidents of one may take turns, and neither's id may come again.
  const sequence = (stream?.sequence ?? 0) + 1
  const order = orderFor(incident, { channel, sequence, event: 'component-changed', nowMs })
  // Two components of one incident have changes of their own, and an incident may become another service's.
  const id = `${incident.id}.${service}:${channel}:${sequence}`
  const component = { id: service, from: stream?.sent ?? 'operational', to }
  return {
    stream: { incidentId: incident.id, sequence, inFlight: true, sent: to },
    row: deliverRow({ ...order, id, service, component }, { dueAtMs: nowMs, waitsForCaseFile: false }),
  }
}

/** A component's status goes to these channels, one change at a time; a newer one replaces one that waits. */
const announce = (
  hub: HubDecision,
  component: Component,
  at: Omit<Sending, 'channel'>,
  channels: readonly string[],
) => {
  const rows: OutboxRow[] = []
  const streams = { ...component.streams }
  for (const channel of channels) {
    const stream = streams[channel]
    if (stream?.inFlight) {
      streams[channel] = { ...stream, waiting: { incidentId: at.incident.id, to: component.status } }
      continue
    }
    const sent = send(stream, component.status, { ...at, channel })
    streams[channel] = sent.stream
    rows.push(sent.row)
  }
  return addRows(putComponent(hub, at.service, { ...component, streams }), rows)
}

/**
 * Who is to hear of a status: of `channels` those that were told another last, or never of it, and of the end everybody
 * else who was told of something worse, for that stands there until then.
 */
const hearers = ({ status, streams }: Component, channels: readonly string[]): string[] => {
  const toldLast = (channel: string) => streams[channel]?.waiting?.to ?? streams[channel]?.sent ?? 'operational'
  const others = status === 'operational' ? Object.keys(streams) : []
  return [...new Set([...channels, ...others])].filter((channel) => toldLast(channel) !== status)
}

type Changed = { before: IncidentAlert | undefined; after: IncidentAlert }

const countIn = (hub: HubDecision, incident: Incident, change: Changed, { view, nowMs }: Context): HubDecision => {
  const { service } = change.after
  const isService = view.isService(service)
  // What left the config is told only as over, and what ends of it is counted: should it return, it must not seem to fail.
  if (!isService && (change.after.firing || !hub.components.has(service))) return hub
  const rules = view.availabilityRules(service)
  const [was, is] = [counts(change.before, rules), counts(change.after, rules)]
  const before = componentOf(hub, service)
  const add = (name: keyof Component['firing']) => Math.max(0, before.firing[name] + is[name] - was[name])
  const page = add('page')
  const firing = { availability: Math.min(add('availability'), page), page, ticket: add('ticket') }
  const status = statusOf({ firing }, rules.length)
  const { upAtMs: _, ...rest } = before
  const up = firing.page === 0 && before.firing.page > 0 ? nowMs : firing.page === 0 ? before.upAtMs : undefined
  const after: Component = {
    ...rest,
    status,
    firing,
    ...(firing.page > 0 ? { incidentId: incident.id } : {}),
    ...(up === undefined ? {} : { upAtMs: up }),
  }
  const now = incidentNow(hub, incident, incident)
  return announce(hub, after, { service, incident: now, nowMs }, hearers(after, isService ? view.statusChannels : []))
}

/**
 * What an alert's change means for its service: counted, so that no incident need be read for it, and told. One that fires
 * for another service by now is over for the one before.
 */
export const updateComponent = (
  hub: HubDecision,
  incident: Incident,
  change: Changed,
  context: Context,
): HubDecision => {
  const { before, after } = change
  if (!before?.firing || before.service === after.service) return countIn(hub, incident, change, context)
  const left = countIn(hub, incident, { before, after: { ...before, firing: false } }, context)
  return countIn(left, incident, { before: undefined, after }, context)
}

/** A status message is final: what waits goes out next; a refused one without a successor is tried again later. */
export const componentReceipt = (hub: HubDecision, receipt: Receipt, { view, nowMs }: Context): HubDecision => {
  const { order } = receipt
  const service = order.component?.id ?? order.service
  const component = componentOf(hub, service)
  const stream = component.streams[order.channel]
  if (!stream) return hub
  const withStream = (next: ComponentStream) =>
    putComponent(hub, service, { ...component, streams: { ...component.streams, [order.channel]: next } })
  const arrived = receipt.status === 'delivered'
  // Nobody can tell it anything any more.
  if (!arrived && !view.isChannel(order.channel)) {
    const { [order.channel]: _, ...streams } = component.streams
    return putComponent(hub, service, { ...component, streams })
  }
  const { waiting, ...idle } = { ...stream, inFlight: false }
  const incident = waiting && hub.incidents.get(waiting.incidentId)
  if (waiting && incident && (waiting.to !== stream.sent || !arrived)) {
    const sent = send(idle, waiting.to, { service, incident, channel: order.channel, nowMs })
    return addRows(withStream(sent.stream), [sent.row])
  }
  if (arrived) return withStream(idle)
  // It stands where it stood, and is told again with the next change.
  if (!isWorthwhile(order, nowMs)) return withStream({ ...idle, sent: order.component?.from ?? idle.sent })
  return addRows(withStream(stream), [deliverRow(order, { dueAtMs: nowMs + tryAgainAfterMs, waitsForCaseFile: false })])
}
