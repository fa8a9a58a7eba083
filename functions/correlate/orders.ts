import type { DeliveryEvent, DeliveryOrder, Incident, OutboxRow } from '../contract.ts'
import { note, summariesOf } from './incident.ts'

/** The page leaves when the case file is stored or this long after opening, whichever is first. */
export const pageDeadlineMs = 3000

export type Written = { incident: Incident; rows: OutboxRow[] }

export type ChannelState = Incident['channels'][string]

const fresh: ChannelState = { sequence: 0, inFlight: false, reached: false, blind: false, waiting: [] }

export const channelState = (incident: Incident, channel: string): ChannelState => incident.channels[channel] ?? fresh

export const withChannel = (incident: Incident, channel: string, state: Partial<ChannelState>): Incident => ({
  ...incident,
  channels: { ...incident.channels, [channel]: { ...channelState(incident, channel), ...state } },
})

/** What a message says, frozen when it was decided to send it. */
export const orderFor = (
  incident: Incident,
  at: { channel: string; sequence: number; event: DeliveryEvent; refused?: readonly string[] },
): DeliveryOrder => ({
  id: `${incident.id}:${at.channel}:${at.sequence}`,
  incidentId: incident.id,
  channel: at.channel,
  sequence: at.sequence,
  event: at.event,
  service: incident.service,
  severity: incident.severity,
  sinceMs: incident.sinceMs,
  openedAtMs: incident.openedAtMs,
  ...(incident.resolvedAtMs === undefined ? {} : { resolvedAtMs: incident.resolvedAtMs }),
  summaries: summariesOf(incident),
  fallbackFor: [...(at.refused ?? [])],
})

/** The row that delivers an order; a page waits for its case file, nothing else does. */
export const deliverRow = (order: DeliveryOrder, at: { dueAtMs: number; waitsForCaseFile: boolean }): OutboxRow => ({
  id: `deliver:${order.id}`,
  to: 'deliver',
  dueAtMs: at.dueAtMs,
  nudges: 0,
  body: { order, waitsForCaseFile: at.waitsForCaseFile, attempts: 0, leaseUntilMs: 0 },
})

const release = (
  incident: Incident,
  at: { channel: string; event: DeliveryEvent; nowMs: number; refused?: readonly string[] },
): Written => {
  const { channel, event, nowMs } = at
  const sequence = channelState(incident, channel).sequence + 1
  const order = orderFor(incident, { channel, sequence, event, ...(at.refused ? { refused: at.refused } : {}) })
  const waits = event === 'opened' && !incident.caseFile && nowMs < incident.openedAtMs + pageDeadlineMs
  const dueAtMs = waits ? incident.openedAtMs + pageDeadlineMs : nowMs
  const sent = withChannel(incident, channel, { sequence, inFlight: true })
  return { incident: sent, rows: [deliverRow(order, { dueAtMs, waitsForCaseFile: waits })] }
}

/**
 * Sends an event to a channel, or lets it wait behind the one that is still on its way: sequence n + 1 never overtakes
 * n. Waiting updates fold into one, and a resolve makes them pointless.
 */
export const tell = (
  incident: Incident,
  at: { channel: string; event: DeliveryEvent; nowMs: number; refused?: readonly string[] },
): Written => {
  const state = channelState(incident, at.channel)
  if (!state.inFlight) return release(incident, at)
  const waiting = [...state.waiting.filter((event) => event !== 'updated' && event !== at.event), at.event]
  return { incident: withChannel(incident, at.channel, { waiting }), rows: [] }
}

/** What waited behind a message that is now final. */
export const releaseNext = (incident: Incident, channel: string, nowMs: number): Written => {
  const { waiting } = channelState(incident, channel)
  const [event, ...rest] = waiting
  const idle = withChannel(incident, channel, { inFlight: false, waiting: rest })
  return event ? release(idle, { channel, event, nowMs }) : { incident: idle, rows: [] }
}

/** Does one thing to an incident for each channel, collecting the rows. */
export const forEachChannel = (
  incident: Incident,
  channels: readonly string[],
  write: (incident: Incident, channel: string) => Written,
): Written =>
  channels.reduce<Written>(
    (so, channel) => {
      const next = write(so.incident, channel)
      return { incident: next.incident, rows: [...so.rows, ...next.rows] }
    },
    { incident, rows: [] },
  )

/** Notes in the timeline what was decided to be sent. */
export const noted = (written: Written, atMs: number, what: string): Written => ({
  ...written,
  incident: note(written.incident, atMs, { what }),
})
