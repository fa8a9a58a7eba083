/** Reads and writes the items of objectives, of which a process remembers what it has unpacked. */
import type { Change, Store } from '../../stores/contract.ts'
import { keys, type Observation } from '../contract.ts'
import type { ShardState } from '../shard-state.ts'
import { emptySli, packSli, type SliState, sliKeepMs, unpackSli } from '../sli-state.ts'
import type { RuleView } from './decide.ts'
import { tickedRules } from './ticks.ts'

/** An objective's item is a few kilobytes when unpacked. */
const slisRemembered = 2000

export type KnownSlis = Map<string, { version: number; state: SliState }>
export type LoadedSlis = { states: Map<string, SliState>; versions: Map<string, number> }

const remember = (known: KnownSlis, ruleId: string, one: { version: number; state: SliState }): void => {
  known.delete(ruleId)
  known.set(ruleId, one)
  const [oldest] = known.keys()
  if (known.size > slisRemembered && oldest !== undefined) known.delete(oldest)
}

/**
 * The objectives an observation is about. After the locations' items, never before: ticks move from those to these, and
 * what is in both counts once.
 */
export const readSlis = async (
  { store, known }: { store: Store; known: KnownSlis },
  rules: readonly RuleView[],
  { observation, shard }: { observation: Observation; shard: ShardState },
): Promise<LoadedSlis> => {
  const ids = tickedRules(rules, observation, shard).map(({ ruleId }) => ruleId)
  const loaded: LoadedSlis = { states: new Map(), versions: new Map() }
  if (ids.length === 0) return loaded
  const items = await store.read(ids.map(keys.slo))
  for (const ruleId of ids) {
    const item = items.get(keys.slo(ruleId))
    const version = item?.version ?? 0
    const before = known.get(ruleId)
    const state = before?.version === version ? before.state : item ? unpackSli(item.value) : emptySli
    remember(known, ruleId, { version, state })
    loaded.states.set(ruleId, state)
    loaded.versions.set(ruleId, version)
  }
  return loaded
}

export const sliChanges = ({ versions }: LoadedSlis, moved: ReadonlyMap<string, SliState>, nowMs: number): Change[] =>
  [...moved].map(([ruleId, state]) => ({
    key: keys.slo(ruleId),
    expect: versions.get(ruleId) ?? 0,
    value: packSli(state),
    expiresAtMs: nowMs + sliKeepMs,
  }))

/** After the commit that wrote them. */
export const rememberSlis = (
  known: KnownSlis,
  { versions }: LoadedSlis,
  moved: ReadonlyMap<string, SliState>,
): void => {
  for (const [ruleId, state] of moved) remember(known, ruleId, { version: (versions.get(ruleId) ?? 0) + 1, state })
}
