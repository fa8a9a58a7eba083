/**
 * Runs the sweep, and runs it again every ten seconds of its minute for as long as it had to nudge anything but timers.
 * Timers are due by design; whatever else is due was nudged when it was committed, so that its nudge was lost or its
 * consumer is in trouble, and then a page must not wait for the next minute. While all is well one sweep a minute is
 * enough: waiting inside a Lambda is paid for (a second sweep half a minute later would cost $8.60 a month at 512 MB).
 */
import type { Nudge } from '../contract.ts'
import { type SweepResult, type SweepWorld, sweepStep } from './step.ts'

export type RoundsWorld = SweepWorld & {
  /** Resolves at that time. */
  waitUntil: (atMs: number) => Promise<void>
}

export type Rounds = SweepResult & { rounds: number }

const everyMs = 10_000
/** The next minute's sweep takes over. */
const withinMs = 50_000

/** What several sweeps found, in one: counts added up, the oldest row of all. */
const together = (before: Rounds | undefined, now: SweepResult): Rounds => ({
  ...now,
  rounds: (before?.rounds ?? 0) + 1,
  nudged: (before?.nudged ?? 0) + now.nudged,
  quarantined: (before?.quarantined ?? 0) + now.quarantined,
  dropped: (before?.dropped ?? 0) + now.dropped,
  oldestDueAgeMs: Math.max(before?.oldestDueAgeMs ?? 0, now.oldestDueAgeMs),
})

/** The sweeps of one minute, minute after minute: what one found out of shards the next need not read again. */
export const sweepRounds = (world: RoundsWorld): (() => Promise<Rounds>) => {
  let stirred = false
  const nudge = async (nudges: readonly Nudge[]) => {
    stirred ||= nudges.some(({ to }) => to !== 'evaluate')
    await world.nudge(nudges)
  }
  const sweep = sweepStep({ ...world, nudge })
  return async () => {
    const startedAtMs = world.nowMs()
    stirred = false
    let found = together(undefined, await sweep())
    while (stirred && world.nowMs() + everyMs - startedAtMs <= withinMs) {
      stirred = false
      await world.waitUntil(world.nowMs() + everyMs)
      found = together(found, await sweep())
    }
    return found
  }
}
