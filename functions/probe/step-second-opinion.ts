/**
 * Reads nothing but the id of the row that asks, which says everything; looks, and looks again at once at what fails, as
 * a tick does, since a location speaks for a quorum only at its threshold; sends the outcomes to `evaluate`, which
 * deletes the row as it counts the first of them.
 * Run twice: the outcomes are the same looks, which count once.
 */
import type { Verdict } from '../../probes/contract.ts'
import { secondOpinionOf } from '../row-ids.ts'
import { isOverdue } from '../second-opinion.ts'
import { lookAgain, type ProbeWorld, rechecks } from './step.ts'

export type SecondOpinionWorld = Omit<ProbeWorld, 'limit'>

export type SecondOpinionResult =
  | { status: 'looked'; monitorId: string; verdict: Verdict }
  /** Asked longer ago than a second opinion is worth, or by a clock that is ahead; the sweep deletes the row. */
  | { status: 'overdue'; monitorId: string; ageMs: number }
  /** Another location was asked. */
  | { status: 'not-ours'; location: string }
  /** The id of no second opinion. */
  | { status: 'not-a-question' }

/** Answers one question. Rejects when the answer could not be sent: then the message must come again. */
export const secondOpinionStep =
  (world: SecondOpinionWorld) =>
  async (rowId: string): Promise<SecondOpinionResult> => {
    const asked = secondOpinionOf(rowId)
    if (!asked) return { status: 'not-a-question' }
    const { shard, monitorId, location, askedAtMs } = asked
    if (location !== world.location) return { status: 'not-ours', location }
    const startedAtMs = world.nowMs()
    if (isOverdue(askedAtMs, startedAtMs)) return { status: 'overdue', monitorId, ageMs: startedAtMs - askedAtMs }
    const place = { shard, monitorId, scheduledAtMs: askedAtMs }
    const [answer] = await lookAgain(world, place, [rowId, ...rechecks])
    return { status: 'looked', monitorId, verdict: answer?.verdict ?? 'unknown' }
  }
