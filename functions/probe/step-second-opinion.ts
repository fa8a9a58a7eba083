/**
 * Reads nothing but the id of the row that asks, which says everything; looks once, with no re-check; sends the outcome
 * to `evaluate`, which deletes the row as it counts it.
 * Run twice: both outcomes are the same look, which counts once.
 */
import type { Verdict } from '../../probes/contract.ts'
import { secondOpinionOf } from '../row-ids.ts'
import { isOverdue } from '../second-opinion.ts'
import type { ProbeWorld } from './step.ts'

export type SecondOpinionWorld = Pick<ProbeWorld, 'nowMs' | 'location' | 'run' | 'send'>

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
    const sighting = await world.run(monitorId)
    const outcome = { monitorId, location, scheduledAtMs: askedAtMs, startedAtMs, look: rowId, ...sighting }
    await world.send({ kind: 'outcomes', id: rowId, shard, outcomes: [outcome] })
    return { status: 'looked', monitorId, verdict: sighting.verdict }
  }
