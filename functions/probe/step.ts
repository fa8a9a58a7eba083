/**
 * Reads nothing but its own monitors; runs each once and looks again at once at whatever failed; sends observations to
 * `evaluate`: a failure as soon as its look ends, the rest of the tick in one message.
 * Run twice for one scheduled time: the observations carry the same ids and are counted once.
 */
import type { ProbeOutcome, Sighting } from '../../probes/contract.ts'
import type { Observation } from '../contract.ts'

export type ProbeWorld = {
  nowMs: () => number
  location: string
  /** Runs one monitor once; never throws, ends within its time-out. */
  run: (monitorId: string) => Promise<Sighting>
  /** Bounds how many run side by side; told which monitor's looks the work is. */
  limit: <T>(work: () => Promise<T>, monitorId: string) => Promise<T>
  /** Resolves at that time, at once when it has passed. */
  waitUntil: (atMs: number) => Promise<void>
  send: (observation: Observation) => Promise<void>
}

export type ProbeTick = { shard: string; scheduledAtMs: number; monitorIds: readonly string[] }

type Place = { shard: string; scheduledAtMs: number; monitorId: string }

/**
 * What follows a failure, so that with it a location has looked as often as the default `failureThreshold` asks for
 * before anybody waits for the next tick.
 */
export const rechecks = ['recheck', 'recheck-2'] as const

/** From the beginning of one look to that of the next: what is over sooner was a blip. */
export const apartMs = 1000

/** One look at one monitor. */
export const look = async (
  world: Pick<ProbeWorld, 'nowMs' | 'run' | 'location'>,
  at: Pick<Place, 'monitorId' | 'scheduledAtMs'> & { look: string },
): Promise<ProbeOutcome> => {
  const { monitorId, scheduledAtMs } = at
  const startedAtMs = world.nowMs()
  const sighting = await world.run(monitorId)
  return { monitorId, look: at.look, location: world.location, scheduledAtMs, startedAtMs, ...sighting }
}

/** Sends one outcome at once. */
export const sendOne = async (world: Pick<ProbeWorld, 'send'>, shard: string, outcome: ProbeOutcome) => {
  const id = `${outcome.monitorId}@${outcome.location}:${outcome.scheduledAtMs}:${outcome.look}`
  await world.send({ kind: 'outcomes', id, shard, outcomes: [outcome] })
}

/**
 * Looks again until one does not fail, sending each. One that hangs is not waited for: the next begins beside it, so
 * that all of them together take hardly longer than one time-out.
 */
export const lookAgain = async (
  world: Omit<ProbeWorld, 'limit'>,
  place: Place,
  looks: readonly string[],
): Promise<ProbeOutcome[]> => {
  const [name, ...later] = looks
  if (name === undefined) return []
  const nextAtMs = world.nowMs() + apartMs
  const looking = look(world, { ...place, look: name }).then(async (outcome) => {
    await sendOne(world, place.shard, outcome)
    return outcome
  })
  if (later.length === 0) return [await looking]
  const turn = world.waitUntil(nextAtMs)
  const early = await Promise.race([looking, turn])
  if (early && early.verdict !== 'fail') return [early]
  // An outcome that could not be sent is told when all have run.
  const [seen, rest] = await Promise.all([looking, turn.then(() => lookAgain(world, place, later))])
  return [seen, ...rest]
}

/** Runs one tick of one shard's monitors from one location. */
export const probeStep =
  (world: ProbeWorld) =>
  async (tick: ProbeTick): Promise<ProbeOutcome[]> => {
    const { shard, scheduledAtMs } = tick
    const quiet: ProbeOutcome[] = []
    const all = await Promise.all(
      tick.monitorIds.map((monitorId) =>
        world.limit(async () => {
          const place = { shard, scheduledAtMs, monitorId }
          const first = await look(world, { ...place, look: 'tick' })
          if (first.verdict !== 'fail') {
            quiet.push(first)
            return [first]
          }
          // The hub may take its time: neither waits for the other.
          const [, again] = await Promise.all([sendOne(world, shard, first), lookAgain(world, place, rechecks)])
          return [first, ...again]
        }, monitorId),
      ),
    )
    if (quiet.length > 0) {
      const id = `${shard}@${world.location}:${scheduledAtMs}`
      await world.send({ kind: 'outcomes', id, shard, outcomes: quiet })
    }
    return all.flat()
  }
