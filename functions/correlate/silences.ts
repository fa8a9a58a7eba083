import type { Severity } from '../../config/contract.ts'
import type { DeliveryOrder, OutboxRow, Receipt, SilenceRequest } from '../contract.ts'
import { type Incident, isOfWindow, type Mute, type Silence } from '../hub-state.ts'
import { jsonBytes } from '../json-bytes.ts'
import type { ActiveWindow } from '../maintenance.ts'
import { canKeep } from '../silence-limits.ts'
import { addRows, type Context, type Hub, type HubDecision } from './hub.ts'
import { severityRank } from './incident.ts'
import { windowSilenceId } from './mutes.ts'
import { deliverRow } from './orders.ts'
import { isWorthwhile, tryAgainAfterMs } from './receipts.ts'
import { channelsFor } from './routing.ts'

const hidKept = 12
const roomBytes = 56_000

/** As many of the hidden as the item has room for; how many there were is kept in any case. */
const fitted = (silences: readonly Silence[]): Silence[] => {
  for (const limit of [hidKept, 4, 0]) {
    const shorter = silences.map((one) => ({ ...one, hid: one.hid.slice(0, limit) }))
    if (jsonBytes(shorter) <= roomBytes) return shorter
  }
  return silences.map((one) => ({ ...one, hid: [] }))
}

/** One that is known, over by its time or its incident, or too much is let go; whoever asks is told beforehand. */
export const addSilence = (hub: HubDecision, asked: SilenceRequest, { nowMs }: Context): HubDecision => {
  const isKnown = hub.silences.some(({ id }) => id === asked.id)
  const until = asked.incidentId === undefined ? undefined : hub.incidents.get(asked.incidentId)
  const isOver = asked.endsAtMs <= nowMs || until?.status === 'resolved'
  if (isKnown || isOver || !canKeep([...hub.silences, asked])) return hub
  return { ...hub, silences: fitted([...hub.silences, { ...asked, hid: [], hidCount: 0 }]) }
}

/** It ends now; its timer says what it hid. */
export const cutSilence = (hub: HubDecision, silenceId: string, { nowMs }: Context): HubDecision =>
  hub.silences.some(({ id, endsAtMs }) => id === silenceId && endsAtMs > nowMs)
    ? { ...hub, silences: hub.silences.map((one) => (one.id === silenceId ? { ...one, endsAtMs: nowMs } : one)) }
    : hub

const ofWindow = (window: ActiveWindow): Silence => ({
  id: windowSilenceId(window),
  matchers: [...window.matchers],
  author: 'the config',
  reason: window.reason,
  startsAtMs: window.startsAtMs,
  endsAtMs: window.endsAtMs,
  hid: [],
  hidCount: 0,
})

const withWindow = (hub: Hub, ref: string, { view, nowMs }: Context): readonly Silence[] => {
  if (hub.silences.some(({ id }) => id === ref)) return hub.silences
  const window = view.maintenanceAt(nowMs).find((one) => windowSilenceId(one) === ref)
  const silences = window ? [...hub.silences, ofWindow(window)] : hub.silences
  // It keeps quiet what it matches in any case; only its message at the end needs the room.
  return canKeep(silences) ? silences : hub.silences
}

/** When what stands for a window ends: with the window as the config has it now, and now when that is gone. */
const windowEndMs = (silence: Silence, { view, nowMs }: Pick<Context, 'view' | 'nowMs'>): number => {
  const window = view.maintenanceAt(nowMs).find((one) => windowSilenceId(one) === silence.id)
  if (window) return window.endsAtMs
  return silence.startsAtMs <= nowMs ? Math.min(silence.endsAtMs, nowMs) : silence.endsAtMs
}

/** The silences, of which those that stand for windows end when the config says so by now. */
export const withWindows = (silences: readonly Silence[], at: Pick<Context, 'view' | 'nowMs'>): readonly Silence[] => {
  const now = silences.map((one) => {
    const endsAtMs = isOfWindow(one) ? windowEndMs(one, at) : one.endsAtMs
    return endsAtMs === one.endsAtMs ? one : { ...one, endsAtMs }
  })
  return now.every((one, nth) => one === silences[nth]) ? silences : now
}

type Hidden = Silence['hid'][number]

const rankOf = ({ severity = 'page' }: Hidden): number => severityRank[severity]

/** An incident counts once, as the severest of its alerts that was hidden; the severest come first, and stay. */
const withHidden = (silence: Silence, hidden: Hidden): Silence => {
  const before = silence.hid.find(({ incidentId }) => incidentId === hidden.incidentId)
  if (before && rankOf(before) >= rankOf(hidden)) return silence
  const hid = [...silence.hid.filter((one) => one !== before), hidden].sort((a, b) => rankOf(b) - rankOf(a))
  return { ...silence, hid, hidCount: silence.hidCount + (before ? 0 : 1) }
}

/** Writes down what a silence or a window keeps quiet of an incident, for the message at its end. */
export const noteHidden = (
  hub: HubDecision,
  { id, service, sinceMs }: Incident,
  { mute, severity }: { mute: Mute; severity: Severity },
  context: Context,
): HubDecision => {
  const told = channelsFor(context.view.routing, { service, severity, nowMs: context.nowMs })
  // Of what nobody would have been told of nobody need hear that it was kept quiet.
  if (told.length === 0) return hub
  const silences = withWindow(hub, mute.ref, context).map((one) =>
    one.id === mute.ref ? withHidden(one, { incidentId: id, service, sinceMs, severity }) : one,
  )
  return { ...hub, silences: fitted(silences) }
}

const line = (hub: Hub, { incidentId, service }: Hidden): string => {
  const incident = hub.incidents.get(incidentId)
  const still = incident !== undefined && incident.status !== 'resolved'
  return `${service}: ${incidentId}${still ? ', still failing' : ', over'}`
}

/** What one silence hid, to everybody whom it would have gone to. */
const digest = (hub: Hub, silence: Silence, { view, nowMs }: Context): OutboxRow[] => {
  const services = [...new Set(silence.hid.map(({ service }) => service))]
  const [service] = services
  if (service === undefined) return []
  const channels = silence.hid.flatMap(({ service: of, severity = 'page' }) =>
    channelsFor(view.routing, { service: of, severity, nowMs }),
  )
  const more = silence.hidCount - silence.hid.length
  const order = (channel: string): DeliveryOrder => ({
    id: `${silence.id}:${channel}:1`,
    incidentId: silence.id,
    channel,
    sequence: 1,
    event: 'silence-ended',
    service,
    severity: 'ticket',
    sinceMs: silence.startsAtMs,
    openedAtMs: silence.startsAtMs,
    resolvedAtMs: nowMs,
    atMs: nowMs,
    summaries: [
      `${silence.reason} (${silence.author}) kept quiet:`,
      ...silence.hid.map((one) => line(hub, one)),
      ...(more > 0 ? [`and ${more} more`] : []),
    ],
    affects: services.slice(1),
    fallbackFor: [],
  })
  return [...new Set(channels)].map((channel) =>
    deliverRow(order(channel), { dueAtMs: nowMs, waitsForCaseFile: false }),
  )
}

/** Who refused to hear what a silence hid is told again later: nothing else remembers it. */
export const digestReceipt = (hub: HubDecision, { order, status }: Receipt, { nowMs }: Context): HubDecision =>
  status === 'delivered' || !isWorthwhile(order, nowMs)
    ? hub
    : addRows(hub, [deliverRow(order, { dueAtMs: nowMs + tryAgainAfterMs, waitsForCaseFile: false })])

/**
 * Silences that are over say what they hid and are forgotten; what still fails pages by its own timer. The others are
 * written again in any case, and with them their timer: one of a window that was extended since finds nothing to do.
 */
export const endSilences = (hub: HubDecision, context: Context): HubDecision => {
  const over = hub.silences.filter(({ endsAtMs }) => endsAtMs <= context.nowMs).slice(0, context.atOnce)
  const rows = over.flatMap((silence) => digest(hub, silence, context))
  return addRows({ ...hub, silences: hub.silences.filter((one) => !over.includes(one)) }, rows)
}

/** When the first of them ends. */
export const silencesEndAtMs = (silences: readonly Silence[]): number | undefined =>
  silences.length === 0 ? undefined : Math.min(...silences.map(({ endsAtMs }) => endsAtMs))
