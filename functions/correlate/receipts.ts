import type { DeliveryEvent, Incident, Receipt } from '../contract.ts'
import { note } from './incident.ts'
import {
  channelState,
  deliverRow,
  forEachChannel,
  orderFor,
  releaseNext,
  tell,
  type Written,
  withChannel,
} from './orders.ts'
import { fallbackFor, type Routing } from './routing.ts'

/** A refused message that nobody else can take is tried again after this long, for {@link giveUpAfterMs}. */
export const tryAgainAfterMs = 60_000
export const giveUpAfterMs = 72 * 3_600_000

const delivered = (incident: Incident, receipt: Receipt, nowMs: number): Written => {
  const { channel, event } = receipt.order
  const blind = event === 'opened' && !receipt.withCaseFile
  const reached = withChannel(incident, channel, { reached: true, blind })
  const next = releaseNext(reached, channel, nowMs)
  return blind ? tellCaseFile(next, channel, nowMs) : next
}

/** A page that had to leave without its case file is followed by an update as soon as there is one. */
export const tellCaseFile = (written: Written, channel: string, nowMs: number): Written => {
  const { incident, rows } = written
  const { blind, reached } = channelState(incident, channel)
  if (!blind || !reached || !incident.caseFile || incident.status === 'resolved') return written
  const next = tell(withChannel(incident, channel, { blind: false }), { channel, event: 'updated', nowMs })
  return { incident: next.incident, rows: [...rows, ...next.rows] }
}

const again = (incident: Incident, receipt: Receipt, nowMs: number): Written => {
  const { order } = receipt
  const tooLate = nowMs - (order.resolvedAtMs ?? order.openedAtMs) > giveUpAfterMs
  if (tooLate) {
    const what = `gave up on ${order.id}: refused for ${giveUpAfterMs / 3_600_000} h`
    const known = note(incident, nowMs, { what })
    // What waits behind a page that never arrived must not arrive either.
    if (order.event === 'opened') {
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
  const refused = Object.keys(incident.channels).filter((channel) => channel !== receipt.order.channel)
  const others = forEachChannel(first.incident, refused, (so, channel) => {
    const { sequence } = channelState(so, channel)
    const order = orderFor(so, { channel, sequence, event: 'opened', refused: receipt.order.fallbackFor })
    const row = deliverRow(order, { dueAtMs: nowMs + tryAgainAfterMs, waitsForCaseFile: false })
    return { incident: withChannel(so, channel, { inFlight: true, waiting }), rows: [row] }
  })
  return { incident: others.incident, rows: [...first.rows, ...others.rows] }
}

/** A page that a channel refused goes to the next one; with nobody left and nobody reached, to the same one again. */
const refusedPage = (incident: Incident, receipt: Receipt, at: { routing: Routing; nowMs: number }): Written => {
  const { order } = receipt
  const { nowMs } = at
  const used = Object.keys(incident.channels).filter((channel) => channelState(incident, channel).sequence > 0)
  const refused = [...order.fallbackFor, order.channel]
  const where = { service: incident.service, severity: incident.severity, refused: [...refused, ...used] }
  const next = fallbackFor(at.routing, where)
  const others = Object.entries(incident.channels).filter(([channel]) => channel !== order.channel)
  if (next === undefined && !others.some(([, { reached, inFlight }]) => reached || inFlight)) {
    return everybodyAgain(incident, receipt, nowMs)
  }
  const silent = withChannel(incident, order.channel, { inFlight: false, waiting: [] })
  if (next === undefined) return { incident: silent, rows: [] }
  const what = `${order.channel} refused the page, ${next} gets it`
  const page = tell(note(silent, nowMs, { what, reason: 'fallback' }), {
    channel: next,
    event: 'opened',
    nowMs,
    refused,
  })
  if (incident.status !== 'resolved') return page
  const resolve = tell(page.incident, { channel: next, event: 'resolved', nowMs })
  return { incident: resolve.incident, rows: [...page.rows, ...resolve.rows] }
}

/** What a receipt leads to: what waited is released, or a fallback is found. Never anything else, so there are no loops. */
export const applyReceipt = (
  incident: Incident,
  receipt: Receipt,
  at: { routing: Routing; nowMs: number },
): Written => {
  const { order, status, cause } = receipt
  const tried = receipt.attempts === 1 ? '' : ` after ${receipt.attempts} attempts`
  const what =
    status === 'delivered' ? `${order.id} (${order.event}) delivered${tried}` : `${order.id} refused: ${cause}`
  const known = note(incident, receipt.atMs, { what })
  if (status === 'delivered') return delivered(known, receipt, at.nowMs)
  if (order.event === 'opened') return refusedPage(known, receipt, at)
  if (order.event === 'resolved') return again(known, receipt, at.nowMs)
  return releaseNext(known, order.channel, at.nowMs)
}
