import type { ComponentStatus, ComponentStream, HubIndex, Incident, OutboxRow, Receipt } from '../contract.ts'
import { deliverRow, orderFor } from './orders.ts'
import { giveUpAfterMs, tryAgainAfterMs } from './receipts.ts'

export type ComponentsWritten = { components: HubIndex['components']; rows: OutboxRow[] }

type Change = { incident: Incident; channel: string; nowMs: number }

const send = (
  stream: ComponentStream | undefined,
  to: ComponentStatus,
  { incident, channel, nowMs }: Change,
): { stream: ComponentStream; row: OutboxRow } => {
  const sequence = stream?.incidentId === incident.id ? stream.sequence + 1 : 1
  const order = orderFor(incident, { channel, sequence, event: 'component-changed' })
  const component = { id: incident.service, from: stream?.sent ?? 'operational', to }
  return {
    stream: { incidentId: incident.id, sequence, inFlight: true, sent: to },
    row: deliverRow({ ...order, component }, { dueAtMs: nowMs, waitsForCaseFile: false }),
  }
}

/** A component's new status goes to every status channel, one change at a time; a newer one replaces one that waits. */
export const changeComponent = (
  index: HubIndex,
  to: ComponentStatus,
  at: { incident: Incident; channels: readonly string[]; nowMs: number },
): ComponentsWritten => {
  const { incident } = at
  const before = index.components[incident.service] ?? { status: 'operational' as const, streams: {} }
  if (before.status === to) return { components: index.components, rows: [] }
  const rows: OutboxRow[] = []
  const streams = { ...before.streams }
  for (const channel of at.channels) {
    const stream = streams[channel]
    if (stream?.inFlight) {
      streams[channel] = { ...stream, waiting: { incidentId: incident.id, to } }
      continue
    }
    const sent = send(stream, to, { incident, channel, nowMs: at.nowMs })
    streams[channel] = sent.stream
    rows.push(sent.row)
  }
  return { components: { ...index.components, [incident.service]: { status: to, streams } }, rows }
}

/** A status message is final: what waits goes out next; a refused one without a successor is tried again later. */
export const componentReceipt = (
  index: HubIndex,
  receipt: Receipt,
  at: { incidentOf: (id: string) => Incident | undefined; nowMs: number },
): ComponentsWritten => {
  const { order } = receipt
  const component = index.components[order.service]
  const stream = component?.streams[order.channel]
  if (!component || !stream) return { components: index.components, rows: [] }
  const withStream = (next: ComponentStream) => ({
    ...index.components,
    [order.service]: { ...component, streams: { ...component.streams, [order.channel]: next } },
  })
  const { waiting, ...idle } = { ...stream, inFlight: false }
  const incident = waiting && at.incidentOf(waiting.incidentId)
  const arrived = receipt.status === 'delivered'
  if (waiting && incident && (waiting.to !== stream.sent || !arrived)) {
    const sent = send(idle, waiting.to, { incident, channel: order.channel, nowMs: at.nowMs })
    return { components: withStream(sent.stream), rows: [sent.row] }
  }
  const worthIt = at.nowMs - (order.resolvedAtMs ?? order.openedAtMs) < giveUpAfterMs
  if (arrived || !worthIt) return { components: withStream(idle), rows: [] }
  const row = deliverRow(order, { dueAtMs: at.nowMs + tryAgainAfterMs, waitsForCaseFile: false })
  return { components: withStream(stream), rows: [row] }
}

const componentsKept = 64

/**
 * Components that work and owe nobody a message are as good as unknown ones; with many services the index, one item,
 * would not hold them all. While its incident is open a component stays, since its next sequence must be a new one.
 */
export const forgetQuiet = (index: HubIndex): HubIndex => {
  const all = Object.entries(index.components)
  if (all.length <= componentsKept) return index
  const needed = all.filter(
    ([service, { status, streams }]) =>
      status !== 'operational' ||
      index.open[service] !== undefined ||
      Object.values(streams).some(({ inFlight, waiting }) => inFlight || waiting !== undefined),
  )
  return { ...index, components: Object.fromEntries(needed) }
}
