import type { Severity } from '../../config/contract.ts'
import type { DeliveryEvent, DeliveryOrder, OutboxRow } from '../contract.ts'
import type { Incident } from '../hub-state.ts'
import { pageDeadlineMs } from '../page-event.ts'
import { flapsOf, severityRank, summariesOf } from './incident.ts'

export type Written = { incident: Incident; rows: OutboxRow[] }

export type ChannelState = Incident['channels'][string]

const fresh: ChannelState = {
  sequence: 0,
  inFlight: false,
  reached: false,
  doubtful: false,
  blind: false,
  waiting: [],
  event: 'opened',
}

export const channelState = (incident: Incident, channel: string): ChannelState => incident.channels[channel] ?? fresh

export const withChannel = (incident: Incident, channel: string, state: Partial<ChannelState>): Incident => ({
  ...incident,
  channels: { ...incident.channels, [channel]: { ...channelState(incident, channel), ...state } },
})

/** Has a channel that was woken been so only for something less severe? */
export const isWokenForLess = ({ wokenFor }: ChannelState, severity: Severity): boolean =>
  wokenFor !== undefined && severityRank[wokenFor] < severityRank[severity]

/** What a message says, frozen when it was decided to send it. */
export const orderFor = (
  incident: Incident,
  at: { channel: string; sequence: number; event: DeliveryEvent; nowMs: number; refused?: readonly string[] },
): DeliveryOrder => {
  const flaps = flapsOf(incident, at.nowMs)
  return {
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
    atMs: at.nowMs,
    summaries: summariesOf(incident),
    affects: incident.affects,
    ...(flaps > 1 ? { flaps } : {}),
    fallbackFor: [...(at.refused ?? [])],
  }
}

/** The row that delivers an order; a page waits for its case file, nothing else does. */
export const deliverRow = (order: DeliveryOrder, at: { dueAtMs: number; waitsForCaseFile: boolean }): OutboxRow => ({
  id: `deliver:${order.id}`,
  to: 'deliver',
  dueAtMs: at.dueAtMs,
  nudges: 0,
  body: { order, waitsForCaseFile: at.waitsForCaseFile, attempts: 0, leaseUntilMs: 0 },
})

type Telling = { channel: string; event: DeliveryEvent; nowMs: number; refused?: readonly string[] }

const release = (incident: Incident, at: Telling): Written => {
  const { channel, event, nowMs } = at
  const sequence = channelState(incident, channel).sequence + 1
  const order = orderFor(incident, { channel, sequence, event, nowMs, ...(at.refused ? { refused: at.refused } : {}) })
  // A clock that was set back since counts from now.
  const deadlineMs = Math.min(incident.toldAtMs ?? nowMs, nowMs) + pageDeadlineMs
  const waits = event === 'opened' && !incident.caseFile && nowMs < deadlineMs
  const { reached, event: last } = channelState(incident, channel)
  // What it had is over: should it refuse this one, it is owed nothing.
  const has = { reached: reached && !(event === 'opened' && last === 'resolved') }
  const woken = event === 'updated' || event === 'resolved' ? {} : { wokenFor: incident.severity }
  const sent = withChannel(incident, channel, { ...has, ...woken, sequence, inFlight: true, event })
  return {
    incident: sent,
    rows: [deliverRow(order, { dueAtMs: waits ? deadlineMs : nowMs, waitsForCaseFile: waits })],
  }
}

/** What waits after another event: only what is still worth saying then. */
const waitingWith = (waiting: readonly DeliveryEvent[], event: DeliveryEvent, isSeverer: boolean): DeliveryEvent[] => {
  // Nobody need hear of an end that was none: the page they have still holds, unless it was of something less severe.
  if (event === 'reopened' && waiting.includes('resolved')) {
    return [...waiting.filter((one) => one !== 'resolved' && one !== 'updated'), isSeverer ? 'opened' : 'updated']
  }
  // Nor that it was back meanwhile: the end they have, or that is on its way, holds.
  if (event === 'resolved' && waiting.includes('reopened')) return []
  const worthless: readonly DeliveryEvent[] =
    event === 'resolved' ? ['updated', 'reminder', 'reopened', 'resolved'] : ['updated', event]
  const kept = waiting.filter((one) => !worthless.includes(one))
  // Nor that it was back for a moment: the end they are being told holds.
  return event === 'resolved' && waiting.includes('reopened') ? kept : [...kept, event]
}

/**
 * Sends an event to a channel, or lets it wait behind the one that is still on its way: sequence n + 1 never overtakes
 * n. Waiting updates fold into one, and a resolve makes them pointless.
 */
export const tell = (incident: Incident, at: Telling): Written => {
  const state = channelState(incident, at.channel)
  if (!state.inFlight) return release(incident, at)
  const waiting = waitingWith(state.waiting, at.event, isWokenForLess(state, incident.severity))
  return { incident: withChannel(incident, at.channel, { waiting }), rows: [] }
}

/** What waited behind a message that is now final. */
export const releaseNext = (incident: Incident, channel: string, nowMs: number): Written => {
  const { waiting } = channelState(incident, channel)
  // Somebody may have taken it on meanwhile.
  const [event, ...rest] = waiting.filter((one) => one !== 'reminder' || incident.status === 'open')
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

/** Was the end the last that it was told, or will it be? */
export const isOver = ({ event, waiting }: ChannelState): boolean => (waiting.at(-1) ?? event) === 'resolved'

const channelsWhere = ({ channels }: Incident, is: (state: ChannelState) => boolean): string[] =>
  Object.entries(channels).flatMap(([channel, state]) => (is(state) ? [channel] : []))

/** Whoever has the page, or has it on its way, and was not told of an end since. */
export const paged = (incident: Incident): string[] =>
  channelsWhere(incident, (state) => (state.reached || state.inFlight) && !isOver(state))

/** Whoever has to hear of the end: who was paged, and who may have been. */
export const owedEnd = (incident: Incident): string[] =>
  channelsWhere(incident, (state) => (state.reached || state.inFlight || state.doubtful) && !isOver(state))

/** Whoever was told of the end. */
export const toldEnd = (incident: Incident): string[] =>
  channelsWhere(incident, (state) => (state.reached || state.inFlight) && isOver(state))
