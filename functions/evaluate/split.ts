import type { LocationState, ShardState } from '../shard-state.ts'

type Belongs = (id: string) => boolean

const part = <T>(all: Readonly<Record<string, T>>, belongs: Belongs): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([id]) => belongs(id)))

/**
 * The part of a parent's counters that a larger shard count gives to one child. Ticks are sets, so they go to both: whoever
 * has not their rule leaves them out with its next tick.
 */
export const splitLocation = (parent: LocationState, belongs: Belongs): LocationState => ({
  ...parent,
  monitors: part(parent.monitors, belongs),
})

/** The part of a parent's alerts that goes to the child; rules live where their monitor does. */
export const splitShard = (parent: ShardState, belongs: Belongs): ShardState => ({
  knownSinceMs: part(parent.knownSinceMs, belongs),
  alerts: part(parent.alerts, belongs),
  results: part(parent.results, belongs),
  fired: part(parent.fired, belongs),
  moved: [],
  ...(parent.told === undefined ? {} : { told: parent.told }),
})

/** What stays with the parent: the rest, and a note of who has taken its part. */
export const leaveShard = (parent: ShardState, child: string, belongs: Belongs): ShardState => ({
  ...splitShard(parent, (id) => !belongs(id)),
  moved: [...parent.moved, child],
})
