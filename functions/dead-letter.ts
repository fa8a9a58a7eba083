import * as z from 'zod'
import type { Quarantined } from '../stores/contract.ts'
import { partId } from './alert-ids.ts'
import { type AlertChange, deliveryOrder, type OutboxRow } from './contract.ts'
import { hash } from './shards.ts'

/** Whose alert it is when whodunit itself could not do something. */
export const ownService = 'whodunit'

/** What was set aside happened once and ends by itself. */
const alertKeepMs = 3_600_000
const reasonLimit = 200
const idLimit = 300
/** However much is set aside, these are the alerts it makes: more than this would be too many for their incident's items. */
const alertsAtMost = 4096

/** As much of a delivery as a receipt needs, also of one that a newer version wrote. */
const delivery = z.object({
  to: z.literal('deliver'),
  body: z.object({
    order: z.object(deliveryOrder.shape),
    attempts: z.int().catch(0),
    mayHaveArrived: z.boolean().optional().catch(undefined),
    frozen: z.object({ withCaseFile: z.boolean() }).optional().catch(undefined),
  }),
})

const ofService = z.object({ service: z.string() })
/** As much of any row as says whose incident it belongs to. */
const belonging = z.object({
  body: z.object({
    order: ofService.optional().catch(undefined),
    brief: ofService.optional().catch(undefined),
    receipt: z.object({ order: ofService }).optional().catch(undefined),
    changes: z.array(ofService).optional().catch(undefined),
    incidentId: z.string().optional().catch(undefined),
  }),
})

const ownIncident = new RegExp(`(^|:)${ownService}-\\d{8}-\\d{6}`)
const ownRow = /^dead-letter:/

/** Does this row tell of a dead letter? */
export const isDeadLetter = (rowId: string): boolean => ownRow.test(rowId)

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isOwnBody = (held: unknown): boolean => {
  const body = belonging.safeParse(held).data?.body
  if (!body) return false
  const { order, brief, receipt, changes = [], incidentId } = body
  const services = [order, brief, receipt?.order, ...changes].flatMap((one) => one?.service ?? [])
  if (services.length > 0) return services.every((service) => service === ownService)
  return incidentId !== undefined && ownIncident.test(incidentId)
}

/** A dead letter about our own dead letters would go round for ever: a message names the row that it was about. */
const isOwn = ({ rowId }: Quarantined, held: unknown): boolean => {
  const named = z.object({ rowId: z.string() }).safeParse(held).data?.rowId
  const ids = named === undefined ? [rowId] : [rowId, named]
  return ids.some((id) => isDeadLetter(id) || ownIncident.test(id)) || isOwnBody(held)
}

const ruleId = 'dead-letter'

/** Each row is an alert of its own: one that is known already would be no news while another one fires. */
const alertIdOf = (rowId: string): string => partId(ruleId, String(hash(rowId) % alertsAtMost))

const alertRow = (rowId: string, what: string, atMs: number): OutboxRow => {
  const change: AlertChange = {
    alertId: alertIdOf(rowId),
    ruleId,
    service: ownService,
    severity: 'page',
    labels: {},
    from: 'inactive',
    to: 'firing',
    reason: 'set-aside',
    atMs,
    sinceMs: Math.floor(atMs / 60_000) * 60_000,
    summary: `${rowId.slice(0, idLimit)} ${what}`.toWellFormed(),
    endsAtMs: atMs + alertKeepMs,
  }
  const id = `dead-letter:${rowId.slice(0, idLimit)}`.toWellFormed()
  return { id, to: 'correlate', dueAtMs: atMs, nudges: 0, body: { kind: 'alert-changes', changes: [change] } }
}

/** The channel did not get it: `correlate` looks for another one, and lets go what waits behind it. */
const receiptRow = (held: unknown, { reason, quarantinedAtMs: atMs }: Quarantined): OutboxRow | undefined => {
  const body = delivery.safeParse(held).data?.body
  if (!body) return undefined
  const { order, attempts, mayHaveArrived = attempts > 0, frozen } = body
  const cause = `it was set aside: ${reason.slice(0, reasonLimit)}`.toWellFormed()
  const withCaseFile = frozen?.withCaseFile ?? false
  const receipt = { order, status: 'rejected' as const, cause, atMs, attempts, withCaseFile, mayHaveArrived }
  const id = `receipt:${order.id}:set-aside`
  return { id, to: 'correlate', dueAtMs: atMs, nudges: 0, body: { kind: 'receipt', receipt } }
}

/**
 * The rows that tell of something set aside, to be written in the transaction that sets it aside: an alert of our own,
 * and a receipt when it was a delivery. Its id and why are told, never what is in it. Both ids follow from the id of
 * what was set aside, so telling it twice tells it once.
 */
export const deadLetterRows = (found: Quarantined): OutboxRow[] => {
  const held = parsed(found.text)
  const { rowId, reason, quarantinedAtMs } = found
  const receipt = receiptRow(held, found)
  const alert = alertRow(rowId, `was set aside: ${reason.slice(0, reasonLimit)}`, quarantinedAtMs)
  return [...(receipt ? [receipt] : []), ...(isOwn(found, held) ? [] : [alert])]
}

/** The row that tells of one which is tried on for ever, since nothing may be lost with it. */
export const stuckRow = ({ id, nudges }: OutboxRow, atMs: number): OutboxRow =>
  alertRow(id, `is stuck: nudged ${nudges} times and not consumed yet; it is tried again and again`, atMs)
