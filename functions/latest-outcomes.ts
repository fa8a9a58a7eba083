import type { ProbeOutcome } from '../probes/contract.ts'
import type { Store } from '../stores/contract.ts'
import { keys } from './contract.ts'
import { type Remembered, remembered } from './remembered.ts'
import { storedShards } from './shard-count.ts'
import type { LocationState, MonitorState } from './shard-state.ts'
import { allShards, parentShard, shardOf } from './shards.ts'

export type MonitorView = {
  monitorId: string
  service: string
  target: string
  locations: readonly string[]
  periodSeconds: number
}

/** A monitor's newest outcome from one location, with the run of looks before it. */
export type LatestOutcome = Omit<ProbeOutcome, 'attempt'> & {
  /** Of all that an attempt captured, what the counters keep. */
  attempt?: { statusCode?: number | undefined; certificate?: { notAfterMs: number } | undefined } | undefined
  service: string
  target: string
  periodSeconds: number
  /** Scheduled time of the first look of the run that ends here (of failing ones, or of passing ones). */
  runSinceMs: number
}

/** The first look of the run at the end, where `unknown` is no part of any. */
const runSince = (looks: readonly { scheduledAtMs: number; verdict: string }[], failing: boolean) => {
  let sinceMs: number | undefined
  for (let index = looks.length - 1; index >= 0; index--) {
    const look = looks[index]
    if (!look || look.verdict === 'unknown') continue
    if ((look.verdict === 'fail') !== failing) break
    sinceMs = look.scheduledAtMs
  }
  return sinceMs
}

type Places = {
  locations: readonly string[]
  /** At least so many, as a config says; the store may have more. */
  shards?: number
}
type Place = { shard: string; location: string }
type Known = Place & { state: LocationState }
type Wanted = Place & { at: string }

/**
 * The counters of every place; where a shard has not taken over its part yet, that of the nearest one it comes from.
 * The number of shards is the store's, which may have more than any config says.
 */
const readPlaces = async (store: Store, { locations, shards = 1 }: Places, memory: Remembered): Promise<Known[]> => {
  const count = Math.max(shards, await storedShards(store))
  const found: Known[] = []
  let wanted = allShards(count).flatMap((shard) =>
    locations.map((location): Wanted => ({ shard, location, at: shard })),
  )
  while (wanted.length > 0) {
    const items = await store.read([...new Set(wanted.map(({ at, location }) => keys.location(at, location)))])
    const states = new Map([...items].map(([key, item]) => [key, memory.state(key, item)]))
    const missing: Wanted[] = []
    for (const { shard, location, at } of wanted) {
      const state = states.get(keys.location(at, location))
      const parent = parentShard(at)
      if (state) found.push({ shard, location, state })
      else if (parent !== undefined) missing.push({ shard, location, at: parent })
    }
    wanted = missing
  }
  return found.map(({ state, ...place }) => {
    const own = Object.entries(state.monitors).filter(([id]) => shardOf(id, count) === place.shard)
    return { ...place, state: { monitors: Object.fromEntries(own) } }
  })
}

const latest = (view: MonitorView, location: string, { looks, last }: MonitorState): LatestOutcome => {
  const { statusCode, certificate, ...outcome } = last
  const { monitorId, service, target, periodSeconds } = view
  return {
    monitorId,
    location,
    ...outcome,
    attempt: { ...(statusCode === undefined ? {} : { statusCode }), ...(certificate ? { certificate } : {}) },
    service,
    target,
    periodSeconds,
    runSinceMs: runSince(looks, last.verdict === 'fail') ?? last.scheduledAtMs,
  }
}

/**
 * The last thing every location saw of every monitor; a location that never reported is simply not there. Whoever asks
 * again and again brings what it remembers.
 */
export const latestOutcomes = async (
  store: Store,
  config: Places & { monitors: readonly MonitorView[] },
  memory: Remembered = remembered(),
): Promise<LatestOutcome[]> => {
  const wanted = new Map(config.monitors.map((monitor) => [monitor.monitorId, monitor]))
  const places = await readPlaces(store, config, memory)
  return places.flatMap(({ location, state }) =>
    Object.entries(state.monitors).flatMap(([monitorId, monitor]) => {
      const view = wanted.get(monitorId)
      return view ? [latest(view, location, monitor)] : []
    }),
  )
}
