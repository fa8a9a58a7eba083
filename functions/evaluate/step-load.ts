/** Reads a shard's items, or what is there to inherit when it is read for the first time. */
import type { Change, RowChange, Store, Stored } from '../../stores/contract.ts'
import { keys } from '../contract.ts'
import { packLocation } from '../location-packing.ts'
import type { Remembered } from '../remembered.ts'
import { timerRowId } from '../row-ids.ts'
import { countIn, growShards } from '../shard-count.ts'
import { packShard } from '../shard-packing.ts'
import { emptyLocation, emptyShard, type LocationState } from '../shard-state.ts'
import { ancestors, countOfShard, isPartOf, kinOf } from '../shards.ts'
import type { Seen } from './decide.ts'
import type { Home } from './routing.ts'
import { leaveShard, splitLocation, splitShard } from './split.ts'

export type LoadWorld = {
  store: Store
  nowMs: () => number
  locations: readonly string[]
  /** As many shards as the config wants: a store that has fewer gets so many, one that has more keeps them. */
  shards?: number
  home: Home
}

/** With what this process remembers. */
export type Loading = LoadWorld & { known: Remembered }

export type Loaded = Seen & {
  versions: ReadonlyMap<string, number>
  /** What the shard it comes from loses, when this one takes its part over now. */
  handover: { changes: Change[]; rows: RowChange[] }
}

/** A shard as it stands, or the count of shards there really are; `moved` have taken their part of this one already. */
export type Found =
  | { status: 'here'; loaded: Loaded }
  | { status: 'elsewhere'; count: number; moved: readonly string[] }

const shardItem = ({ known }: Loading, shard: string, items: ReadonlyMap<string, Stored>) => {
  const item = items.get(keys.shard(shard))
  return item && { name: shard, state: known.shard(keys.shard(shard), item), version: item.version }
}

const most = (counts: readonly number[]) => counts.reduce((a, b) => Math.max(a, b), 1)

/**
 * After the shard's own item, never with it: reads are no snapshot, and counters that are older than the version the
 * commit expects would decide on looks that have long been followed by others.
 */
const readLocations = async ({ store, locations, known }: Loading, shard: string) => {
  const items = await store.read(locations.map((location) => keys.location(shard, location)))
  const states = locations.map((location): [string, LocationState] => {
    const key = keys.location(shard, location)
    const item = items.get(key)
    return [location, item ? known.state(key, item) : emptyLocation]
  })
  return { locations: new Map(states), versions: new Map([...items].map(([key, { version }]) => [key, version])) }
}

const nothing = { changes: [], rows: [] }

/** The parent's timer wakes all its parts: those nobody sends anything to must move as well, with what they have open. */
const wakeParent = async ({ store, nowMs }: LoadWorld, parent: string): Promise<RowChange[]> => {
  const id = timerRowId(parent)
  const timer = await store.row(id)
  const dueAtMs = nowMs()
  if (timer && timer.row.dueAtMs <= dueAtMs) return []
  const row = { id, to: 'evaluate' as const, dueAtMs, nudges: 0, body: { shard: parent } }
  return [{ id, expect: timer?.version ?? 0, row }]
}

/**
 * A shard takes its part of its nearest ancestor's state in the transaction that uses it. All of the ancestor's items
 * are written in it, so that whoever still counts for the ancestor meanwhile conflicts.
 */
const inherit = async (world: Loading, shard: string): Promise<Found> => {
  const older = ancestors(shard)
  const items = await world.store.read([keys.shards, ...older.map(keys.shard)])
  const known = older.flatMap((name) => shardItem(world, name, items) ?? [])
  const count = most([countIn(items), ...known.flatMap(({ state }) => state.moved.map(countOfShard))])
  if (count > countOfShard(shard)) return { status: 'elsewhere', count, moved: [] }
  const [parent] = known
  if (!parent) {
    const loaded = { shard: emptyShard, locations: new Map(), versions: new Map(), handover: nothing }
    return { status: 'here', loaded }
  }
  // What left the config, or is of another shard by now, goes to the first part, which ends it.
  const [first] = kinOf(parent.name, countOfShard(shard))
  const rule = (id: string) => {
    const home = world.home.rule(id, countOfShard(shard))
    return home === shard || (shard === first && !isPartOf(home, parent.name))
  }
  const monitor = (id: string) => world.home.monitor(id, countOfShard(shard)) === shard
  const from = await readLocations(world, parent.name)
  const left = [...from.locations].flatMap(([location, state]): Change[] => {
    const key = keys.location(parent.name, location)
    const expect = from.versions.get(key)
    return expect === undefined
      ? []
      : [{ key, expect, value: packLocation(splitLocation(state, (id) => !monitor(id))) }]
  })
  const marked = packShard(leaveShard(parent.state, shard, rule))
  const own = [...from.locations].map(([location, state]) => [location, splitLocation(state, monitor)] as const)
  return {
    status: 'here',
    loaded: {
      shard: splitShard(parent.state, rule),
      locations: new Map(own),
      versions: new Map(),
      handover: {
        changes: [{ key: keys.shard(parent.name), expect: parent.version, value: marked }, ...left],
        rows: await wakeParent(world, parent.name),
      },
    },
  }
}

/** Reads a shard together with how many there are: the store knows better than whoever addressed it, or our config. */
export const load = async (world: Loading, shard: string): Promise<Found> => {
  const { store, shards = 1 } = world
  const key = keys.shard(shard)
  const items = await store.read([keys.shards, key])
  // Written down before anything moves, so that everybody else knows of it.
  const known = countIn(items) < shards ? await growShards(store, shards) : countIn(items)
  const item = shardItem(world, shard, items)
  const moved = item?.state.moved ?? []
  const count = most([known, ...moved.map(countOfShard)])
  if (count !== countOfShard(shard)) return { status: 'elsewhere', count, moved }
  if (!item) return inherit(world, shard)
  const { locations, versions } = await readLocations(world, shard)
  versions.set(key, item.version)
  return { status: 'here', loaded: { shard: item.state, locations, versions, handover: nothing } }
}
