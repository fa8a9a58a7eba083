import type { ChannelRate, DeliveryEvent } from '../contract.ts'
import { isPage } from '../page-event.ts'
import { longestHoldMs } from './backoff.ts'

/** May the next message go to its channel now? */
export type Slot =
  | { status: 'free'; rate: ChannelRate }
  | { status: 'wait'; untilMs: number; reason: 'rate-limited' | 'held-back' }

const minuteMs = 60_000
/** What is no page leaves a fifth of every minute to pages. */
const shareOfOthers = 0.8

const isNear = (atMs: number, nowMs: number) => atMs < nowMs + minuteMs

/**
 * Until when the provider asked for a pause. A time further ahead than it can ask for was noted by a wrong clock and
 * says nothing, nor does one beside an attempt that is still to come: the clock was set back since.
 */
const heldUntilMs = ({ heldUntilMs: untilMs, sentAtMs }: ChannelRate, nowMs: number): number =>
  untilMs <= nowMs + longestHoldMs && sentAtMs.every((atMs) => isNear(atMs, nowMs)) ? untilMs : 0

/**
 * The slot of one attempt: no 60 seconds hold more than `perMinute` of them, whoever makes them. There is no limit
 * without `perMinute`.
 */
export const slotFor = (
  rate: ChannelRate,
  at: { event: DeliveryEvent; perMinute: number | undefined; nowMs: number },
): Slot => {
  const { event, perMinute, nowMs } = at
  const heldMs = heldUntilMs(rate, nowMs)
  if (heldMs > nowMs) return { status: 'wait', untilMs: heldMs, reason: 'held-back' }
  if (perMinute === undefined) return { status: 'free', rate }
  const sentAtMs = rate.sentAtMs.filter((atMs) => Math.abs(nowMs - atMs) < minuteMs).sort((a, b) => a - b)
  const limit = isPage(event) ? perMinute : Math.max(1, Math.floor(perMinute * shareOfOthers))
  const inTheWay = sentAtMs.at(-limit)
  if (inTheWay !== undefined) return { status: 'wait', untilMs: inTheWay + minuteMs, reason: 'rate-limited' }
  return { status: 'free', rate: { heldUntilMs: heldMs, sentAtMs: [...sentAtMs, nowMs] } }
}

/** The provider asked to be left alone: that goes for everything this channel sends. */
export const heldBack = (rate: ChannelRate, at: { untilMs: number; nowMs: number }): ChannelRate => ({
  sentAtMs: rate.sentAtMs.filter((atMs) => isNear(atMs, at.nowMs)),
  heldUntilMs: Math.max(heldUntilMs(rate, at.nowMs), at.untilMs),
})
