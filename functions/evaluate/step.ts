/**
 * Reads an observation and its shard's items; decides counters and alerts; writes the shard, the location items that
 * changed, one row with all alert changes for `correlate`, and the shard's timer row, in one transaction.
 * Run twice: looks are keyed and results carry their time, so the second run decides nothing.
 */
import type { Change, RowChange, Store, StoredRow } from '../../stores/contract.ts'
import { type AlertChange, keys, type Nudge, type Observation, type OutboxRow } from '../contract.ts'
import { emptyLocation, emptyShard, locationState, shardState } from '../shard-state.ts'
import { parentShard } from '../shards.ts'
import { type Decision, decideEvaluate, type RuleView, type Seen } from './decide.ts'
import { splitLocation, splitShard } from './split.ts'

export type EvaluateWorld = {
  store: Store
  nowMs: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  locations: readonly string[]
  rulesOf: (shard: string) => readonly RuleView[]
  /** The shard a monitor or a rule lives in under today's shard count; the two have names of their own. */
  home: { monitor: (id: string) => string; rule: (id: string) => string }
  /** Is this monitor in today's config? Everything is when absent. */
  watches?: (monitorId: string) => boolean
  /** When this process began to look, if it does: a silence from before is no news until it had its first looks. */
  startedAtMs?: number
}

export type EvaluateResult =
  | { status: 'evaluated'; changes: AlertChange[] }
  /** A larger shard count has taken this state over; the sender runs an old config. */
  | { status: 'moved' }
  /** Someone else kept writing this shard; the message must be tried again. */
  | { status: 'conflict' }

type Loaded = Seen & { versions: Map<string, number>; timer?: StoredRow; handover: Change[] }

const locationKey = keys.location
const timerId = (shard: string) => `timer:${shard}`

const readShard = async (world: EvaluateWorld, shard: string): Promise<Loaded | undefined> => {
  const shardKey = keys.shard(shard)
  const items = await world.store.read([shardKey, ...world.locations.map((location) => locationKey(shard, location))])
  const stored = items.get(shardKey)
  if (!stored) return undefined
  const locations = new Map(
    world.locations.map((location) => {
      const item = items.get(locationKey(shard, location))
      return [location, item ? locationState.parse(item.value) : emptyLocation]
    }),
  )
  const versions = new Map([...items].map(([key, { version }]) => [key, version]))
  return { shard: shardState.parse(stored.value), locations, versions, handover: [] }
}

/** A shard that is read for the first time takes its part of its nearest ancestor's state, in the transaction that uses it. */
const inherit = async (world: EvaluateWorld, shard: string): Promise<Loaded> => {
  const nothing = { shard: emptyShard, locations: new Map(), versions: new Map(), handover: [] }
  for (let parent = parentShard(shard); parent !== undefined; parent = parentShard(parent)) {
    const from = await readShard(world, parent)
    if (!from) continue
    const rule = (id: string) => world.home.rule(id) === shard
    const monitor = (id: string) => world.home.monitor(id) === shard
    const moved = { ...from.shard, moved: [...from.shard.moved, shard] }
    const key = keys.shard(parent)
    return {
      shard: splitShard(from.shard, rule),
      locations: new Map([...from.locations].map(([location, state]) => [location, splitLocation(state, monitor)])),
      versions: new Map(),
      handover: [{ key, expect: from.versions.get(key) ?? 0, value: moved }],
    }
  }
  return nothing
}

const load = async (world: EvaluateWorld, shard: string): Promise<Loaded> => {
  const [known, timer] = await Promise.all([readShard(world, shard), world.store.row(timerId(shard))])
  const loaded = known ?? (await inherit(world, shard))
  return timer ? { ...loaded, timer } : loaded
}

/** The row that wakes this shard at its earliest deadline; one that is due earlier already is left alone. */
const timerChange = (shard: string, loaded: Loaded, next: { againAtMs?: number; firedRowId?: string }): RowChange[] => {
  const id = timerId(shard)
  const { timer } = loaded
  const fired = timer !== undefined && next.firedRowId === id
  if (next.againAtMs === undefined) return fired ? [{ id, expect: timer.version }] : []
  if (timer && !fired && timer.row.dueAtMs <= next.againAtMs) return []
  const row: OutboxRow = { id, to: 'evaluate', dueAtMs: next.againAtMs, nudges: 0, body: { shard } }
  return [{ id, expect: timer?.version ?? 0, row }]
}

const changesOf = (shard: string, loaded: Loaded, decision: Decision): Change[] => {
  const inherited = loaded.handover.length > 0 ? loaded.locations : new Map()
  const locations = new Map([...inherited, ...decision.locations])
  return [
    { key: keys.shard(shard), expect: loaded.versions.get(keys.shard(shard)) ?? 0, value: decision.shard },
    ...[...locations].map(([location, value]) => {
      const key = locationKey(shard, location)
      return { key, expect: loaded.versions.get(key) ?? 0, value }
    }),
    ...loaded.handover,
  ]
}

/** So many changes are sure to fit a row. */
const changesPerRow = 30

/** The rows that tell all changes, each behind the one before it. */
const alertRows = (shard: string, version: number, decision: Decision, nowMs: number): OutboxRow[] => {
  const rows: OutboxRow[] = []
  for (let at = 0; at < decision.changes.length; at += changesPerRow) {
    const id = at === 0 ? `alerts:${shard}:${version}` : `alerts:${shard}:${version}:${at}`
    const changes = decision.changes.slice(at, at + changesPerRow)
    const before = rows.at(-1)?.id ?? decision.shard.told
    const body = { kind: 'alert-changes' as const, changes, ...(before === undefined ? {} : { after: before }) }
    rows.push({ id, to: 'correlate', dueAtMs: nowMs, nudges: 0, body })
  }
  return rows
}

const unchanged = (loaded: Loaded, decision: Decision, rows: readonly RowChange[]) =>
  rows.length === 0 &&
  decision.locations.size === 0 &&
  loaded.handover.length === 0 &&
  JSON.stringify(decision.shard) === JSON.stringify(loaded.shard)

const attempt = async (world: EvaluateWorld, observation: Observation): Promise<EvaluateResult> => {
  const { shard } = observation
  const nowMs = world.nowMs()
  const loaded = await load(world, shard)
  if (loaded.shard.moved.length > 0) {
    if (loaded.timer) await world.store.commit([], [{ id: loaded.timer.row.id, expect: loaded.timer.version }])
    return { status: 'moved' }
  }
  const watches = world.watches ?? (() => true)
  const { startedAtMs } = world
  const decided = decideEvaluate(loaded, observation, { rules: world.rulesOf(shard), nowMs, watches, startedAtMs })
  const version = (loaded.versions.get(keys.shard(shard)) ?? 0) + 1
  const told = alertRows(shard, version, decided, nowMs)
  const last = told.at(-1)
  const decision = last ? { ...decided, shard: { ...decided.shard, told: last.id } } : decided
  const timer = timerChange(shard, loaded, {
    ...(decision.againAtMs === undefined ? {} : { againAtMs: decision.againAtMs }),
    ...(observation.kind === 'timer' ? { firedRowId: observation.rowId } : {}),
  })
  const rows = [...told.map((row) => ({ id: row.id, expect: 0, row })), ...timer]
  if (unchanged(loaded, decision, rows)) return { status: 'evaluated', changes: [] }
  const committed = await world.store.commit(changesOf(shard, loaded, decision), rows)
  if (committed === 'conflict') return { status: 'conflict' }
  await world.nudge(told.map(({ id }) => ({ to: 'correlate' as const, rowId: id, afterMs: 0 })))
  return { status: 'evaluated', changes: decision.changes }
}

const tries = 5

/** Applies one observation to its shard. */
export const evaluateStep =
  (world: EvaluateWorld) =>
  async (observation: Observation): Promise<EvaluateResult> => {
    let result: EvaluateResult = { status: 'conflict' }
    for (let index = 0; index < tries && result.status === 'conflict'; index++) {
      result = await attempt(world, observation)
    }
    return result
  }
