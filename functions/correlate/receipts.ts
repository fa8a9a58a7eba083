import type { DeliveryEvent, DeliveryOrder, Receipt } from '../contract.ts'
import type { Incident } from '../hub-state.ts'
import { isPage } from '../page-event.ts'
import { note } from './incident.ts'
import {
  channelState,
  deliverRow,
  forEachChannel,
  isOver,
  isWokenForLess,
  orderFor,
  releaseNext,
  tell,
  type Written,
  withChannel,
} from './orders.ts'
import { fallbackFor, type Routing } from './routing.ts'

/** A refused message that nobody else can take is tried again after this long, for {@link giveUpAfterMs}. */
export const tryAgainAfterMs = 60_000
const giveUpAfterMs = 72 * 3_600_000
/** Whoever may never have had the page is not asked for days to hear that it is over. */
const giveUpOnDoubtMs = 6 * 3_600_000

const delivered = (incident: Incident, receipt: Receipt, nowMs: number): Written => {
  const { channel, event } = receipt.order
  // What came back is questioned again; the answers in that page were the old ones.
  const blind = event === 'reopened' || (event === 'opened' && !receipt.withCaseFile)
  // An end that was owed in doubt ends the doubt, and says nothing of the page.
  const has = isPage(event) ? { reached: true } : {}
  const reached = withChannel(incident, channel, { ...has, doubtful: false, blind })
  const next = releaseNext(reached, channel, nowMs)
  return blind ? tellCaseFile(next, channel, nowMs) : next
}

/** A page that had to leave without its case file is followed by an update as soon as there is one. */
export const tellCaseFile = (written: Written, channel: string, nowMs: number): Written => {
  const { incident, rows } = written
  const state = channelState(incident, channel)
  if (!state.blind || !state.reached || !incident.caseFile || isOver(state)) return written
  const next = tell(withChannel(incident, channel, { blind: false }), { channel, event: 'updated', nowMs })
  return { incident: next.incident, rows: [...rows, ...next.rows] }
}

/** Is it still worth saying? Counted from when it was first said: an incident may have been open for weeks by then. */
export const isWorthwhile = (order: DeliveryOrder, nowMs: number, forMs = giveUpAfterMs): boolean =>
  nowMs - (order.atMs ?? order.resolvedAtMs ?? order.openedAtMs) < forMs

const again = (incident: Incident, receipt: Receipt, nowMs: number): Written => {
  const { order } = receipt
  const isDoubted = order.event === 'resolved' && !channelState(incident, order.channel).reached
  const forMs = isDoubted ? giveUpOnDoubtMs : giveUpAfterMs
  const tooLate = !isWorthwhile(order, nowMs, forMs)
  if (tooLate) {
    const what = `gave up on ${order.id}: refused for ${forMs / 3_600_000} h`
    const known = note(incident, nowMs, { what })
    // What waits behind a page that never arrived must not arrive either.
    if (isPage(order.event)) {
      return { incident: withChannel(known, order.channel, { inFlight: false, waiting: [] }), rows: [] }
    }
    return releaseNext(known, order.channel, nowMs)
  }
  return { incident, rows: [deliverRow(order, { dueAtMs: nowMs + tryAgainAfterMs, waitsForCaseFile: false })] }
}

/** Nobody has the page and nobody is left: all that refused it are asked again, since any of them may work by then. */
const everybodyAgain = (incident: Incident, receipt: Receipt, nowMs: number): Written => {
  const first = again(incident, receipt, nowMs)
  if (first.rows.length === 0) return first
  const waiting: DeliveryEvent[] = incident.status === 'resolved' ? ['resolved'] : []
  const refused = Object.entries(incident.channels).flatMap(([channel, { inFlight, event }]) =>
    channel === receipt.order.channel || inFlight || !isPage(event) ? [] : [channel],
  )
  const others = forEachChannel(first.incident, refused, (so, channel) => {
    const { sequence, event } = channelState(so, channel)
    const { atMs = nowMs, fallbackFor } = receipt.order
    const order = { ...orderFor(so, { channel, sequence, event, nowMs, refused: fallbackFor }), atMs }
    const row = deliverRow(order, { dueAtMs: nowMs + tryAgainAfterMs, waitsForCaseFile: false })
    return { incident: withChannel(so, channel, { inFlight: true, waiting }), rows: [row] }
  })
  return { incident: others.incident, rows: [...first.rows, ...others.rows] }
}

/**
 * A page that a channel refused goes to the next one; with nobody left and nobody reached, to the same one again. One
 * that may have arrived all the same counts as refused here, and as reached when it comes to the end.
 */
const refusedPage = (before: Incident, receipt: Receipt, at: { routing: Routing; nowMs: number }): Written => {
  const { order } = receipt
  const { nowMs } = at
  // Whoever was told of the end and not of the return is where everybody is who was told of neither. Whoever has a page
  // from before, of what has become severer since, is owed its end.
  const { reached, doubtful: wasDoubtful } = channelState(before, order.channel)
  const has = { reached: false, doubtful: wasDoubtful || (reached && order.event === 'opened') }
  const incident = withChannel(before, order.channel, has)
  // Free to be paged: whoever was told of the end, or has only been woken for less.
  const isFree = (channel: string) => {
    const state = channelState(incident, channel)
    return incident.status !== 'resolved' && (isOver(state) || isWokenForLess(state, order.severity))
  }
  const used = Object.keys(incident.channels).filter(
    (channel) => channelState(incident, channel).sequence > 0 && !isFree(channel),
  )
  const refused = [...order.fallbackFor, order.channel]
  const { service, severity } = incident
  const next = fallbackFor(at.routing, { service, severity, nowMs, refused: [...refused, ...used] })
  const others = Object.entries(incident.channels).filter(([channel]) => channel !== order.channel)
  const { doubtful, waiting } = channelState(incident, order.channel)
  const isKnown = others.some(
    ([channel, other]) => !isFree(channel) && (other.reached || (other.inFlight && isPage(other.event))),
  )
  if (next === undefined && !isKnown) {
    return everybodyAgain(incident, receipt, nowMs)
  }
  const over = incident.status === 'resolved'
  // What waits behind a page that did not arrive must not arrive either, but for the end of one that may have.
  const silent: Written =
    doubtful && waiting.includes('resolved')
      ? releaseNext(withChannel(incident, order.channel, { waiting: ['resolved'] }), order.channel, nowMs)
      : { incident: withChannel(incident, order.channel, { inFlight: false, waiting: [] }), rows: [] }
  if (next === undefined) return silent
  const what = `${order.channel} refused the page, ${next} gets it`
  const known = note(silent.incident, nowMs, { what, reason: 'fallback' })
  // It never had the page, so to it nothing is back.
  const page = tell(known, { channel: next, event: 'opened', nowMs, refused })
  const resolve = over ? tell(page.incident, { channel: next, event: 'resolved', nowMs }) : { ...page, rows: [] }
  return { incident: resolve.incident, rows: [...silent.rows, ...page.rows, ...resolve.rows] }
}

/** What a receipt leads to: what waited is released, or a fallback is found. Never anything else, so there are no loops. */
export const applyReceipt = (before: Incident, receipt: Receipt, at: { routing: Routing; nowMs: number }): Written => {
  const { order, status, cause, mayHaveArrived } = receipt
  const tried = receipt.attempts === 1 ? '' : ` after ${receipt.attempts} attempts`
  const doubt = mayHaveArrived ? ' (it may have arrived)' : ''
  const what =
    status === 'delivered' ? `${order.id} (${order.event}) delivered${tried}` : `${order.id} refused: ${cause}${doubt}`
  // What is refused again and again is said once: it would push out what happened.
  const noted = before.timeline.some((one) => one.what === what) ? before : note(before, receipt.atMs, { what })
  if (status === 'delivered') return delivered(noted, receipt, at.nowMs)
  const known = mayHaveArrived ? withChannel(noted, order.channel, { doubtful: true }) : noted
  if (isPage(order.event)) return refusedPage(known, receipt, at)
  // Nobody need hear of an end that was none: what came back meanwhile goes out instead.
  const isBack = channelState(known, order.channel).waiting.some(isPage)
  const isGone = !at.routing.people.includes(order.channel)
  if (order.event === 'resolved' && !isBack && !isGone) return again(known, receipt, at.nowMs)
  // It still has the page from before: should it refuse what came back as well, it is owed the end all the same.
  const owed = order.event === 'resolved' ? withChannel(known, order.channel, { doubtful: true }) : known
  return releaseNext(owed, order.channel, at.nowMs)
}
