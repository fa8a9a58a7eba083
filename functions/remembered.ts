import type { Stored } from '../stores/contract.ts'
import { keptLocation, unpackLocation } from './location-packing.ts'
import type { LocationState } from './shard-state.ts'

/** Of so many items, the ones used last: one with 250 monitors is a third of a megabyte when unpacked. */
const itemsRemembered = 64

/**
 * What this process unpacked of location items, or packed into them, by version. Such an item never goes away, so a
 * version has one content for good, and unpacking it again would be half of what a tick costs.
 */
export type Remembered = {
  state: (key: string, item: Stored) => LocationState
  /** After the commit that wrote it. */
  wrote: (key: string, version: number, at: { before: LocationState; now: LocationState }) => void
}

export const remembered = (): Remembered => {
  const known = new Map<string, { version: number; state: LocationState }>()
  const keep = (key: string, version: number, state: LocationState) => {
    known.delete(key)
    known.set(key, { version, state })
    const [oldest] = known.keys()
    if (known.size > itemsRemembered && oldest !== undefined) known.delete(oldest)
    return state
  }
  return {
    state: (key, item) => {
      const found = known.get(key)
      return keep(key, item.version, found?.version === item.version ? found.state : unpackLocation(item.value))
    },
    wrote: (key, version, { before, now }) => {
      keep(key, version, keptLocation(now, before))
    },
  }
}
