import type { Stored } from '../stores/contract.ts'
import { keptLocation, unpackLocation } from './location-packing.ts'
import { unpackShard } from './shard-packing.ts'
import type { LocationState, ShardState } from './shard-state.ts'

/** Of so many items, the ones used last: one with 250 monitors is a third of a megabyte when unpacked. */
const itemsRemembered = 64

/**
 * What this process unpacked of shards' and locations' items, or packed into the latter, by version. Such an item never
 * goes away, so a version has one content for good, and unpacking it again would be half of what a tick costs.
 */
export type Remembered = {
  state: (key: string, item: Stored) => LocationState
  shard: (key: string, item: Stored) => ShardState
  /** After the commit that wrote it. */
  wrote: (key: string, version: number, at: { before: LocationState; now: LocationState }) => void
}

const byVersion = <State>(unpack: (value: unknown) => State) => {
  const known = new Map<string, { version: number; state: State }>()
  const keep = (key: string, version: number, state: State) => {
    known.delete(key)
    known.set(key, { version, state })
    const [oldest] = known.keys()
    if (known.size > itemsRemembered && oldest !== undefined) known.delete(oldest)
    return state
  }
  const state = (key: string, item: Stored) => {
    const found = known.get(key)
    return keep(key, item.version, found?.version === item.version ? found.state : unpack(item.value))
  }
  return { keep, state }
}

export const remembered = (): Remembered => {
  const [locations, shards] = [byVersion(unpackLocation), byVersion(unpackShard)]
  return {
    state: locations.state,
    shard: shards.state,
    wrote: (key, version, { before, now }) => {
      locations.keep(key, version, keptLocation(now, before))
    },
  }
}
