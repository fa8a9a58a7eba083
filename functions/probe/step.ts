/**
 * Reads nothing but its own monitors; runs each once and looks again at once at whatever failed; sends observations to
 * `evaluate`: a failure within a second of its attempt, the rest of the tick in one message.
 * Run twice for one scheduled time: the observations carry the same ids and are counted once.
 */
import type { ProbeOutcome, Sighting } from '../../probes/contract.ts'
import type { Observation } from '../contract.ts'

export type ProbeWorld = {
  nowMs: () => number
  location: string
  /** Runs one monitor once; never throws, ends within its time-out. */
  run: (monitorId: string) => Promise<Sighting>
  /** Bounds how many run side by side; told which monitor's look and re-check the work is. */
  limit: <T>(work: () => Promise<T>, monitorId: string) => Promise<T>
  send: (observation: Observation) => Promise<void>
}

export type ProbeTick = { shard: string; scheduledAtMs: number; monitorIds: readonly string[] }

const look = async (
  world: ProbeWorld,
  tick: ProbeTick,
  at: { monitorId: string; look: string },
): Promise<ProbeOutcome> => {
  const startedAtMs = world.nowMs()
  const sighting = await world.run(at.monitorId)
  return { ...at, location: world.location, scheduledAtMs: tick.scheduledAtMs, startedAtMs, ...sighting }
}

const sendOne = async (world: ProbeWorld, tick: ProbeTick, outcome: ProbeOutcome) => {
  const id = `${outcome.monitorId}@${outcome.location}:${outcome.scheduledAtMs}:${outcome.look}`
  await world.send({ kind: 'outcomes', id, shard: tick.shard, outcomes: [outcome] })
}

/** Runs one tick of one shard's monitors from one location. */
export const probeStep =
  (world: ProbeWorld) =>
  async (tick: ProbeTick): Promise<ProbeOutcome[]> => {
    const quiet: ProbeOutcome[] = []
    const all = await Promise.all(
      tick.monitorIds.map((monitorId) =>
        world.limit(async () => {
          const first = await look(world, tick, { monitorId, look: 'tick' })
          if (first.verdict !== 'fail') {
            quiet.push(first)
            return [first]
          }
          // The hub may take its time: neither waits for the other.
          const recheck = look(world, tick, { monitorId, look: 'recheck' })
          const [second] = await Promise.all([recheck, sendOne(world, tick, first)])
          await sendOne(world, tick, second)
          return [first, second]
        }, monitorId),
      ),
    )
    if (quiet.length > 0) {
      const id = `${tick.shard}@${world.location}:${tick.scheduledAtMs}`
      await world.send({ kind: 'outcomes', id, shard: tick.shard, outcomes: quiet })
    }
    return all.flat()
  }
