import type { LocationState, ShardState } from '../shard-state.ts'

type Belongs = (id: string) => boolean

const half = <T>(all: Readonly<Record<string, T>>, belongs: Belongs): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([id]) => belongs(id)))

/** The half of a parent's counters that a larger shard count gives to its child. */
export const splitLocation = (parent: LocationState, belongs: Belongs): LocationState => ({
  monitors: half(parent.monitors, belongs),
})

/** The half of a parent's alerts that goes to the child; rules live where their monitor does. */
export const splitShard = (parent: ShardState, belongs: Belongs): ShardState => ({
  knownSinceMs: half(parent.knownSinceMs, belongs),
  alerts: half(parent.alerts, belongs),
  results: half(parent.results, belongs),
  moved: [],
  ...(parent.told === undefined ? {} : { told: parent.told }),
})
