/**
 * Reads one delivery row, its incident's case file and what its channel was sent lately; decides whether it may go now;
 * claims the row with a lease longer than the attempt, and a slot of the channel's minute with it, and freezes the body
 * with the first claim; sends; then either deletes the row and writes a receipt for `correlate`, or puts it off.
 * Run twice: only one claim wins, and every attempt sends the same bytes under the same id.
 */
import type { DeliveryResult, Rendered } from '../../channels/contract.ts'
import type { CommitResult, RowChange } from '../../stores/contract.ts'
import type { CaseFile } from '../../triage/contract.ts'
import type { DeliverBody, DeliveryOrder, Nudge, OutboxRow } from '../contract.ts'
import { apartMs } from '../freshness.ts'
import { pageDeadlineMs } from '../page-event.ts'
import { askedWaitMs, attemptsPerOrder, decideRetry, isOfIncident, longestHoldMs, pageHoldLimitMs } from './backoff.ts'
import { heldBack, type Slot, slotFor } from './rate.ts'
import { bytesFor, causeOf, type DeliverRow, type DrawWorld, findCaseFile, isDrawn } from './step-draw.ts'
import { commitPaced } from './step-rate.ts'

export type DeliverWorld = DrawWorld & {
  nowMs: () => number
  random: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  /**
   * One attempt, over after {@link attemptTimeoutMs} whatever the provider does. Answers {@link overdue} when it cannot
   * begin by `beginByMs`: it would outlive its claim.
   */
  send: (order: DeliveryOrder, rendered: Rendered, beginByMs: number) => Promise<DeliveryResult>
  /** How many attempts a channel takes a minute; undefined: no limit. */
  ratePerMinute: (channel: string) => number | undefined
}

export type DeliverResult =
  | { status: 'gone' }
  /**
   * Not before `afterMs`: the case file is not there yet, the row waits for its retry, someone else is sending it, its
   * channel has no free slot, its provider asked for a pause, or many want the channel's next slot at once.
   */
  | {
      status: 'later'
      afterMs: number
      reason: 'waits-for-case-file' | 'not-due' | 'claimed' | Wait['reason'] | 'busy'
    }
  | { status: 'lost-race' }
  | { status: 'final'; result: 'delivered' | 'rejected'; cause?: string }
  | { status: 'retry'; afterMs: number; cause: string }

/** An attempt is cut off after this long; the lease is longer, so a claim never outlives its attempt in doubt. */
export const attemptTimeoutMs = 10_000
export const leaseMs = 15_000

/** A process that stood still after its claim must not send: others may have gone on without it, even to the end. */
export const overdue: DeliveryResult = { status: 'retry', cause: 'the process stood still before it could send' }

/** A delivery as it was read or claimed. */
type Held = { row: DeliverRow; version: number }
/** `doubt`: an attempt before this one may have arrived. */
type Claimed = Held & { rendered: Rendered; doubt: boolean }
type Wait = Extract<Slot, { status: 'wait' }>
type Final = Extract<DeliverResult, { status: 'lost-race' | 'final' }>
type Claim = Claimed | Final | Extract<DeliverResult, { status: 'later' }>

/** How much longer to wait; nothing when it is longer than anybody waits, for then a clock was set back since. */
const leftMs = (untilMs: number, at: { nowMs: number; longestMs: number }): number =>
  untilMs <= at.nowMs + at.longestMs + apartMs ? untilMs - at.nowMs : 0

const tooEarly = ({ body, dueAtMs }: DeliverRow, at: { nowMs: number; known: boolean }): DeliverResult | undefined => {
  const { nowMs } = at
  const claimedMs = leftMs(body.leaseUntilMs, { nowMs, longestMs: leaseMs })
  if (claimedMs > 0) return { status: 'later', afterMs: claimedMs, reason: 'claimed' }
  const firstWait = body.waitsForCaseFile && body.attempts === 0
  const retryMs = isOfIncident(body.order.event) ? pageHoldLimitMs : longestHoldMs
  const afterMs = leftMs(dueAtMs, { nowMs, longestMs: firstWait ? pageDeadlineMs : retryMs })
  if (afterMs <= 0) return undefined
  if (firstWait) return at.known ? undefined : { status: 'later', afterMs, reason: 'waits-for-case-file' }
  return { status: 'later', afterMs, reason: 'not-due' }
}

/** A channel that throws is one that failed: this attempt counts like any other, so that a fallback is found. */
const sendOnce = async (world: DeliverWorld, { row, rendered }: Claimed): Promise<DeliveryResult> => {
  const { order, leaseUntilMs } = row.body
  try {
    return await world.send(order, rendered, leaseUntilMs - attemptTimeoutMs)
  } catch (error) {
    return { status: 'retry', cause: causeOf(error), mayHaveArrived: true }
  }
}

const limitOf = ({ ratePerMinute }: DeliverWorld, { row, version }: Held) => {
  const { channel } = row.body.order
  const perMinute = ratePerMinute(channel)
  return { perMinute, pacing: { rowId: row.id, version, channel, limited: perMinute !== undefined } }
}

/** A clock that was set back since counts from now. */
const startOf = ({ body }: DeliverRow, nowMs: number): number => Math.min(body.startedAtMs ?? nowMs, nowMs)

/** The row while its attempt is made. Until there is an answer it counts as one that may have arrived. */
const claimedRow = (
  row: DeliverRow,
  drawn: { rendered: Rendered; withCaseFile: boolean; kind: string | undefined },
  nowMs: number,
): DeliverRow => {
  const { rendered, withCaseFile, kind } = drawn
  const leaseUntilMs = nowMs + leaseMs
  const body: DeliverBody = {
    ...row.body,
    attempts: row.body.attempts + 1,
    leaseUntilMs,
    startedAtMs: startOf(row, nowMs),
    mayHaveArrived: true,
    frozen: { body: rendered.body, contentType: rendered.contentType, withCaseFile, ...(kind ? { kind } : {}) },
  }
  return { ...row, dueAtMs: leaseUntilMs, nudges: 0, body }
}

const claim = async (world: DeliverWorld, held: Held, known: CaseFile | undefined): Promise<Claim> => {
  const { row, version } = held
  const { order, attempts } = row.body
  // Only a process that died makes an attempt without a result; one that dies every time must not go on for ever.
  if (attempts >= attemptsPerOrder) {
    return finish(world, held, { status: 'rejected', cause: `${attempts} attempts failed, the last without a result` })
  }
  const drawn = await bytesFor(world, row, known)
  if ('refusal' in drawn) return finish(world, held, { status: 'rejected', cause: drawn.refusal })
  const { perMinute, pacing } = limitOf(world, held)
  let claimed = row
  const answer = await commitPaced<Wait>(world.store, pacing, (rate) => {
    const nowMs = world.nowMs()
    const slot = slotFor(rate, { event: order.event, perMinute, nowMs })
    if (slot.status === 'wait') return { instead: slot }
    claimed = claimedRow(row, { ...drawn, kind: world.kindOf(order.channel) }, nowMs)
    return { rate: slot.rate, rows: [{ id: row.id, expect: version, row: claimed }] }
  })
  if (typeof answer === 'object') return wait(world, held, answer.instead)
  if (answer === 'busy') return { status: 'later', afterMs: Math.ceil(100 + 900 * world.random()), reason: 'busy' }
  if (answer === 'conflict') return { status: 'lost-race' }
  const doubt = row.body.mayHaveArrived === true
  return { row: claimed, version: version + 1, rendered: drawn.rendered, doubt }
}

/** Puts a delivery off until its channel takes one, which is no attempt; a page that would wait too long is refused. */
const wait = async (world: DeliverWorld, held: Held, slot: Wait): Promise<Claim> => {
  const { row, version } = held
  const nowMs = world.nowMs()
  const afterMs = Math.max(1, slot.untilMs - nowMs)
  const startedAtMs = startOf(row, nowMs)
  if (isOfIncident(row.body.order.event) && nowMs + afterMs - startedAtMs > pageHoldLimitMs) {
    const why = slot.reason === 'held-back' ? 'its provider asked for a pause' : 'it is sent all it takes a minute'
    const cause = `${why}, for another ${Math.ceil(afterMs / 1000)} s, longer than a page can wait`
    return finish(world, held, { status: 'rejected', cause })
  }
  const later: OutboxRow = { ...row, dueAtMs: nowMs + afterMs, nudges: 0, body: { ...row.body, startedAtMs } }
  const committed = await world.store.commit([], [{ id: row.id, expect: version, row: later }])
  return committed === 'conflict' ? { status: 'lost-race' } : { status: 'later', afterMs, reason: slot.reason }
}

/** Commits a delivery's step, and with it that the provider asked for a pause; rather without than not at all. */
const commitAsked = async (
  world: DeliverWorld,
  held: Held,
  change: { rows: RowChange[]; askedMs: number | undefined },
): Promise<CommitResult> => {
  const { rows, askedMs } = change
  const { pacing } = limitOf(world, held)
  if (askedMs === undefined) return world.store.commit([], rows)
  const nowMs = world.nowMs()
  const untilMs = nowMs + askedWaitMs(askedMs)
  const answer = await commitPaced<never>(world.store, pacing, (rate) => ({
    rate: heldBack(rate, { untilMs, nowMs }),
    rows,
  }))
  return answer === 'busy' ? world.store.commit([], rows) : answer === 'committed' ? 'committed' : 'conflict'
}

type Result = { status: 'delivered' | 'rejected'; cause?: string; mayHaveArrived?: boolean; askedMs?: number }

const finish = async (world: DeliverWorld, held: Held, result: Result): Promise<Final> => {
  const { order, attempts, frozen, mayHaveArrived = false } = held.row.body
  const { status, cause, askedMs } = result
  const nowMs = world.nowMs()
  const id = `receipt:${order.id}:${nowMs}`
  const receipt = {
    order,
    status,
    ...(cause === undefined ? {} : { cause: cause.slice(0, 500).toWellFormed() }),
    atMs: nowMs,
    attempts,
    withCaseFile: frozen?.withCaseFile ?? false,
    mayHaveArrived: status === 'rejected' && (result.mayHaveArrived ?? mayHaveArrived),
  }
  const row: OutboxRow = { id, to: 'correlate', dueAtMs: nowMs, nudges: 0, body: { kind: 'receipt', receipt } }
  const rows = [
    { id: held.row.id, expect: held.version },
    { id, expect: 0, row },
  ]
  if ((await commitAsked(world, held, { rows, askedMs })) === 'conflict') return { status: 'lost-race' }
  await world.nudge([{ to: 'correlate', rowId: id, afterMs: 0 }])
  return { status: 'final', result: status, ...(cause === undefined ? {} : { cause }) }
}

type Failure = Extract<DeliveryResult, { status: 'retry' }>

/** After an attempt that failed: another one later, or the next channel's turn. */
const afterFailure = async (world: DeliverWorld, claimed: Claimed, failure: Failure): Promise<DeliverResult> => {
  const { row, version, doubt } = claimed
  const { order, attempts } = row.body
  const { afterMs: askedMs, cause } = failure
  const nowMs = world.nowMs()
  const mayHaveArrived = doubt || failure.mayHaveArrived === true
  const asked = askedMs === undefined ? {} : { askedMs }
  const next = decideRetry(
    { event: order.event, attempts, startedAtMs: startOf(row, nowMs) },
    { nowMs, random: world.random(), ...asked },
  )
  if (next.status === 'give-up') {
    return finish(world, claimed, {
      status: 'rejected',
      cause: `${next.why}, the last: ${cause}`,
      mayHaveArrived,
      ...asked,
    })
  }
  const { afterMs } = next
  const lastCause = cause.slice(0, 500).toWellFormed()
  const body: DeliverBody = { ...row.body, leaseUntilMs: 0, mayHaveArrived, lastCause }
  const later: OutboxRow = { ...row, dueAtMs: nowMs + afterMs, body }
  const rows = [{ id: row.id, expect: version, row: later }]
  if ((await commitAsked(world, claimed, { rows, askedMs })) === 'conflict') return { status: 'lost-race' }
  await world.nudge([{ to: 'deliver', rowId: row.id, afterMs }])
  return { status: 'retry', afterMs, cause }
}

/** Makes one attempt at one delivery. */
export const deliverStep =
  (world: DeliverWorld) =>
  async (rowId: string): Promise<DeliverResult> => {
    const stored = await world.store.row(rowId)
    if (stored?.row.to !== 'deliver') return { status: 'gone' }
    const { row, version } = stored
    const known = isDrawn(world, row.body) ? undefined : await findCaseFile(world.store, row.body.order)
    const early = tooEarly(row, { nowMs: world.nowMs(), known: known !== undefined })
    if (early) return early
    const claimed = await claim(world, { row, version }, known)
    if ('status' in claimed) return claimed
    const result = await sendOnce(world, claimed)
    if (result.status === 'retry') return afterFailure(world, claimed, result)
    return finish(world, claimed, { ...result, mayHaveArrived: claimed.doubt })
  }
