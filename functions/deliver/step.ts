/**
 * Reads one delivery row, its incident's case file and its channel; decides whether it may go now; claims the row with
 * a lease longer than the attempt and freezes the body with the first claim; sends; then either deletes the row and
 * writes a receipt for `correlate`, or puts it off.
 * Run twice: only one claim wins, and every attempt sends the same bytes under the same id.
 */
import type { DeliveryResult, Message, Rendered } from '../../channels/contract.ts'
import { itemLimitBytes, type Store, type StoredRow } from '../../stores/contract.ts'
import { type CaseFile, caseFile } from '../../triage/contract.ts'
import { type DeliverBody, type DeliveryOrder, keys, type Nudge, type OutboxRow } from '../contract.ts'
import { attemptsPerOrder, retryAfterMs } from './backoff.ts'

export type DeliverWorld = {
  store: Store
  nowMs: () => number
  random: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  /** Renders an order for its channel; undefined when the channel left the config. */
  render: (message: Pick<Message, 'order' | 'caseFile'>) => Rendered | undefined | Promise<Rendered | undefined>
  /** One attempt, over after {@link attemptTimeoutMs} whatever the provider does. */
  send: (order: DeliveryOrder, rendered: Rendered) => Promise<DeliveryResult>
}

export type DeliverResult =
  | { status: 'gone' }
  /** Not before `afterMs`: the case file is not there yet, the row waits for its retry, or someone else is sending it. */
  | { status: 'later'; afterMs: number; reason: 'waits-for-case-file' | 'not-due' | 'claimed' }
  | { status: 'lost-race' }
  | { status: 'final'; result: 'delivered' | 'rejected'; cause?: string }
  | { status: 'retry'; afterMs: number; cause: string }

/** An attempt is cut off after this long; the lease is longer, so a claim never outlives its attempt in doubt. */
export const attemptTimeoutMs = 10_000
export const leaseMs = 15_000

type Claimed = { row: OutboxRow; body: DeliverBody; version: number; rendered: Rendered; withCaseFile: boolean }
type Claim = Claimed | Extract<DeliverResult, { status: 'lost-race' | 'final' }>

const tooEarly = (
  stored: StoredRow,
  body: DeliverBody,
  at: { nowMs: number; known: boolean },
): DeliverResult | undefined => {
  const afterMs = stored.row.dueAtMs - at.nowMs
  if (body.leaseUntilMs > at.nowMs) return { status: 'later', afterMs: body.leaseUntilMs - at.nowMs, reason: 'claimed' }
  if (afterMs <= 0) return undefined
  const firstWait = body.waitsForCaseFile && body.attempts === 0
  if (firstWait) return at.known ? undefined : { status: 'later', afterMs, reason: 'waits-for-case-file' }
  return { status: 'later', afterMs, reason: 'not-due' }
}

const findCaseFile = async (store: Store, order: DeliveryOrder): Promise<CaseFile | undefined> => {
  const key = keys.caseFile(order.incidentId)
  const found = (await store.read([key])).get(key)
  // One that cannot be read (a newer version wrote it) is as good as none: the page must go out.
  return found && caseFile.safeParse(found.value).data
}

const encoder = new TextEncoder()
/** What the row holds besides the body: the lease, its counters. */
const rowSpareBytes = 1024

const fits = (row: OutboxRow, rendered: Rendered) =>
  encoder.encode(JSON.stringify({ row, rendered })).byteLength <= itemLimitBytes - rowSpareBytes

type Drawn = { rendered: Rendered; withCaseFile: boolean } | { refusal: string }

/** Renders with the case file, or without one that cannot be rendered or kept; else the next channel must take it. */
const draw = async (
  world: DeliverWorld,
  row: OutboxRow,
  message: Pick<Message, 'order' | 'caseFile'>,
): Promise<Drawn> => {
  const { order } = message
  let refusal = 'the channel is not in the config'
  for (const one of message.caseFile ? [message, { order }] : [message]) {
    try {
      const rendered = await world.render(one)
      if (!rendered) break
      if (fits(row, rendered)) return { rendered, withCaseFile: one.caseFile !== undefined }
      refusal = 'the message is too large'
    } catch (error) {
      refusal = `the message cannot be rendered: ${causeOf(error)}`
    }
  }
  return { refusal }
}

const causeOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 200)

/** A channel that throws is one that failed: this attempt counts like any other, so that a fallback is found. */
const sendOnce = async (world: DeliverWorld, order: DeliveryOrder, rendered: Rendered): Promise<DeliveryResult> => {
  try {
    return await world.send(order, rendered)
  } catch (error) {
    return { status: 'retry', cause: causeOf(error) }
  }
}

const claim = async (world: DeliverWorld, stored: StoredRow, known: CaseFile | undefined): Promise<Claim> => {
  const { row, version } = stored
  if (row.to !== 'deliver') return { status: 'lost-race' }
  const frozen = row.body.frozen
  const message = { order: row.body.order, ...(known ? { caseFile: known } : {}) }
  const drawn = frozen ? { rendered: frozen, withCaseFile: frozen.withCaseFile } : await draw(world, row, message)
  if ('refusal' in drawn) return finish(world, stored, row.body, { status: 'rejected', cause: drawn.refusal })
  const { withCaseFile } = drawn
  const { body: text, contentType } = drawn.rendered
  const leaseUntilMs = world.nowMs() + leaseMs
  const attempts = row.body.attempts + 1
  const body: DeliverBody = { ...row.body, attempts, leaseUntilMs, frozen: { body: text, contentType, withCaseFile } }
  const claimed: OutboxRow = { ...row, dueAtMs: leaseUntilMs, nudges: 0, body }
  const committed = await world.store.commit([], [{ id: row.id, expect: version, row: claimed }])
  if (committed === 'conflict') return { status: 'lost-race' }
  return { row: claimed, body, version: version + 1, rendered: { body: text, contentType }, withCaseFile }
}

const finish = async (
  world: DeliverWorld,
  stored: StoredRow,
  body: DeliverBody,
  result: { status: 'delivered' | 'rejected'; cause?: string },
): Promise<Extract<DeliverResult, { status: 'lost-race' | 'final' }>> => {
  const nowMs = world.nowMs()
  const id = `receipt:${body.order.id}:${nowMs}`
  const receipt = {
    order: body.order,
    status: result.status,
    ...(result.cause === undefined ? {} : { cause: result.cause.slice(0, 500).toWellFormed() }),
    atMs: nowMs,
    attempts: body.attempts,
    withCaseFile: body.frozen?.withCaseFile ?? false,
  }
  const row: OutboxRow = { id, to: 'correlate', dueAtMs: nowMs, nudges: 0, body: { kind: 'receipt', receipt } }
  const rows = [
    { id: stored.row.id, expect: stored.version },
    { id, expect: 0, row },
  ]
  if ((await world.store.commit([], rows)) === 'conflict') return { status: 'lost-race' }
  await world.nudge([{ to: 'correlate', rowId: id, afterMs: 0 }])
  const { status, cause } = result
  return { status: 'final', result: status, ...(cause === undefined ? {} : { cause }) }
}

const putOff = async (
  world: DeliverWorld,
  held: Claimed,
  result: { afterMs?: number; cause: string },
): Promise<DeliverResult> => {
  const { attempts } = held.body
  const asked = result.afterMs === undefined ? {} : { askedMs: result.afterMs }
  const afterMs = retryAfterMs(attempts, { random: world.random(), ...asked })
  const body: DeliverBody = { ...held.body, leaseUntilMs: 0, lastCause: result.cause.slice(0, 500).toWellFormed() }
  const row: OutboxRow = { ...held.row, to: 'deliver', dueAtMs: world.nowMs() + afterMs, body }
  const committed = await world.store.commit([], [{ id: row.id, expect: held.version, row }])
  if (committed === 'conflict') return { status: 'lost-race' }
  await world.nudge([{ to: 'deliver', rowId: row.id, afterMs }])
  return { status: 'retry', afterMs, cause: result.cause }
}

/** Makes one attempt at one delivery. */
export const deliverStep =
  (world: DeliverWorld) =>
  async (rowId: string): Promise<DeliverResult> => {
    const stored = await world.store.row(rowId)
    if (stored?.row.to !== 'deliver') return { status: 'gone' }
    const { body } = stored.row
    const known = body.frozen ? undefined : await findCaseFile(world.store, body.order)
    const early = tooEarly(stored, body, { nowMs: world.nowMs(), known: known !== undefined })
    if (early) return early
    const held = await claim(world, stored, known)
    if ('status' in held) return held
    const result = await sendOnce(world, body.order, held.rendered)
    const claimed = { row: held.row, version: held.version }
    if (result.status !== 'retry') return finish(world, claimed, held.body, result)
    if (held.body.attempts < attemptsPerOrder) return putOff(world, held, result)
    const cause = `${held.body.attempts} attempts failed, the last: ${result.cause}`
    return finish(world, claimed, held.body, { status: 'rejected', cause })
  }
