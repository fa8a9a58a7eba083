/**
 * Reads an observation, its shard's items and the objectives it is about; decides counters, alerts and whom to ask for a second opinion; writes the
 * shard, the location items that changed, objectives, rows with the alert changes for `correlate` and the questions for `probe`, and
 * the shard's timer row, in one transaction; before it what was seen and decided goes to the history. What is addressed under another number of shards is taken to today's.
 * Run twice: looks are keyed and results carry their time, so the second run decides nothing.
 */
import type { Change, RowChange, StoredRow } from '../../stores/contract.ts'
import { type AlertChange, keys, type Nudge, type Observation, type OutboxRow, type ProbeBody } from '../contract.ts'
import { keptJudgement, keptOutcome, minuteOf } from '../history.ts'
import type { Keep } from '../history-keeping.ts'
import { packLocation } from '../location-packing.ts'
import { type PulseWorld, passPulse } from '../pulse.ts'
import { type Remembered, remembered } from '../remembered.ts'
import { alertsRowId, secondOpinionOf, secondOpinionRowId, timerRow, timerRowId } from '../row-ids.ts'
import { packShard } from '../shard-packing.ts'
import { emptyLocation } from '../shard-state.ts'
import { countOfShard, kinOf } from '../shards.ts'
import { type Decision, decideEvaluate, type RuleView } from './decide.ts'
import type { RuleFreshMs } from './removed.ts'
import { fromLocations, isAtHome, partsOf, type ShardObservation } from './routing.ts'
import { changesOfCounts, type KnownCounts, loadCounts, rememberCounts } from './step-counts.ts'
import { type Loaded, type LoadWorld, load } from './step-load.ts'
import { type KnownSlis, readSlis, rememberSlis, sliChanges } from './step-sli.ts'

export type EvaluateWorld = LoadWorld &
  PulseWorld & {
    nudge: (nudges: readonly Nudge[]) => Promise<void>
    rulesOf: (shard: string) => readonly RuleView[]
    /** Is this monitor in today's config? Everything is when absent. */
    watches?: (monitorId: string) => boolean
    /** Of today's rules of all shards; when absent, what fires is over where its rule is none of the shard's. */
    ruleFreshMs?: RuleFreshMs
    /** Keeps what an observation brought; never rejects, ends within its deadline. Nothing is kept when absent. */
    keep?: Keep
    /** Told of locations that are not in the config and look all the same: nothing of what they saw is counted. */
    passedOver?: (locations: readonly string[]) => void
    /** Since when this process looks, if it does: a silence from before is no news until it had its first looks. */
    lookingSinceMs?: () => number
  }

/** What this process remembers; `judgedAtMs`: when it last judged every rule of a shard. */
type Evaluating = EvaluateWorld & {
  known: Remembered
  slis: KnownSlis
  counts: KnownCounts
  judgedAtMs: Map<string, number>
  /** When the observation in hand was sent. */
  sentAtMs?: number | undefined
}

/** However little is news of them, all rules of a shard are judged again after so long, and at its timers. */
export const judgeAllEveryMs = 60_000

const wereJustJudged = ({ judgedAtMs }: Evaluating, shard: string, nowMs: number): boolean => {
  const agoMs = nowMs - (judgedAtMs.get(shard) ?? Number.NEGATIVE_INFINITY)
  return agoMs >= 0 && agoMs < judgeAllEveryMs
}

export type EvaluateResult =
  | { status: 'evaluated'; changes: AlertChange[] }
  /** Someone else kept writing this shard; the message must be tried again. */
  | { status: 'conflict' }

type Elsewhere = { status: 'elsewhere'; count: number; moved: readonly string[] }

const conflict = { status: 'conflict' } as const

/** The row that wakes this shard at its earliest deadline; one that is due earlier already is left alone. */
const timerChange = (
  shard: string,
  timer: StoredRow | undefined,
  next: { againAtMs?: number | undefined; firedRowId?: string | undefined },
): RowChange[] => {
  const id = timerRowId(shard)
  const fired = timer !== undefined && next.firedRowId === id
  if (next.againAtMs === undefined) return fired ? [{ id, expect: timer.version }] : []
  if (timer && !fired && timer.row.dueAtMs <= next.againAtMs) return []
  return [{ id, expect: timer?.version ?? 0, row: timerRow(shard, next.againAtMs) }]
}

/** So many changes are sure to fit a row. */
const changesPerRow = 30

/** The rows that tell all changes, each behind the one before it. */
const alertRows = (shard: string, version: number, decision: Decision, nowMs: number): OutboxRow[] => {
  const rows: OutboxRow[] = []
  for (let at = 0; at < decision.changes.length; at += changesPerRow) {
    const id = alertsRowId(shard, version, at)
    const changes = decision.changes.slice(at, at + changesPerRow)
    const before = rows.at(-1)?.id ?? decision.shard.told
    const body = { kind: 'alert-changes' as const, changes, ...(before === undefined ? {} : { after: before }) }
    rows.push({ id, to: 'correlate', dueAtMs: nowMs, nudges: 0, body })
  }
  return rows
}

/** A transaction has room for so many questions and answers; what is left out only waits for the next tick. */
const opinionsAtOnce = 20
/** The nudge goes out at once. A look takes a while, and the sweep need not ask again meanwhile. */
const answerWithinMs = 10_000

/** Questions that are not there yet: two locations that fail in the same millisecond ask the same. */
const questionRows = async ({ store }: EvaluateWorld, ask: readonly ProbeBody[]): Promise<OutboxRow[]> => {
  const bodies = new Map(ask.slice(0, opinionsAtOnce).map((body) => [secondOpinionRowId(body), body]))
  const rows = await Promise.all(
    [...bodies].map(async ([id, body]): Promise<OutboxRow[]> => {
      if (await store.row(id)) return []
      return [{ id, to: 'probe', dueAtMs: body.askedAtMs + answerWithinMs, nudges: 0, body }]
    }),
  )
  return rows.flat()
}

/** The rows that asked for what this observation answers. */
const answeredRows = async ({ store }: EvaluateWorld, observation: Observation): Promise<RowChange[]> => {
  if (observation.kind !== 'outcomes') return []
  const ids = observation.outcomes.flatMap(({ look, monitorId, location }) => {
    const asked = secondOpinionOf(look)
    return asked?.monitorId === monitorId && asked.location === location ? [look] : []
  })
  const rows = await Promise.all([...new Set(ids)].slice(0, opinionsAtOnce).map((id) => store.row(id)))
  return rows.flatMap((stored) => (stored?.row.to === 'probe' ? [{ id: stored.row.id, expect: stored.version }] : []))
}

/** What to write; the shard's own item is left alone when it says the same, and nothing hangs on its version. */
const changesOf = (shard: string, loaded: Loaded, decision: Decision, rows: readonly RowChange[]): Change[] => {
  const { versions, handover } = loaded
  const inherits = handover.changes.length > 0
  const inherited = inherits ? [...loaded.locations].map(([name, state]) => [name, packLocation(state)] as const) : []
  const locations = [...new Map([...inherited, ...decision.packed])].map(([location, value]): Change => {
    const key = keys.location(shard, location)
    return { key, expect: versions.get(key) ?? 0, value }
  })
  const [key, value] = [keys.shard(shard), packShard(decision.shard)]
  const isNews = JSON.stringify(value) !== JSON.stringify(packShard(loaded.shard))
  const guards = inherits || rows.length > 0 || locations.some(({ expect }) => expect === 0)
  const own = isNews || guards ? [{ key, expect: versions.get(key) ?? 0, value }] : []
  return [...own, ...locations, ...handover.changes]
}

/** What was written is known without reading it again. */
const remember = (known: Remembered, shard: string, { loaded, decision }: { loaded: Loaded; decision: Decision }) => {
  for (const [location, now] of decision.locations) {
    const key = keys.location(shard, location)
    const before = loaded.locations.get(location) ?? emptyLocation
    known.wrote(key, (loaded.versions.get(key) ?? 0) + 1, { before, now })
  }
}

/** What was new goes to the history under the observation's id, so that a repeat takes its own place. */
const keepHistory = async (
  { keep }: EvaluateWorld,
  { shard, id }: ShardObservation,
  { decision, nowMs }: { decision: Decision; nowMs: number },
): Promise<void> => {
  const { counted, transitions, judged } = decision
  if (!keep || (counted.length === 0 && transitions.length === 0)) return
  const part = {
    observationId: id,
    outcomes: counted.map(keptOutcome),
    judgements: judged.map(({ ruleId, judgement }) => keptJudgement(ruleId, judgement, nowMs)),
    transitions,
  }
  await keep({ shard, minuteMs: minuteOf(counted[0]?.scheduledAtMs ?? nowMs), part })
}

const attempt = async (world: Evaluating, observation: ShardObservation): Promise<EvaluateResult | Elsewhere> => {
  const { shard } = observation
  // Before the time: who wakes just now looks since then, not since a moment that is yet to come.
  const startedAtMs = world.lookingSinceMs?.()
  const nowMs = world.nowMs()
  const [found, timer] = await Promise.all([load(world, shard), world.store.row(timerRowId(shard))])
  if (found.status === 'elsewhere') return found
  const count = countOfShard(shard)
  if (!isAtHome(observation, count, world.home)) return { status: 'elsewhere', count, moved: [] }
  const { loaded } = found
  const { watches = () => true, ruleFreshMs = () => undefined, sentAtMs } = world
  const rules = world.rulesOf(shard)
  const slis = await readSlis({ store: world.store, known: world.slis }, rules, { observation, shard: loaded.shard })
  const before = await loadCounts({ store: world.store, known: world.counts }, rules, observation)
  const seen = { ...loaded, slis: slis.states, ...(before ? { counts: before.state } : {}) }
  const onlyConcerned = loaded.versions.has(keys.shard(shard)) && wereJustJudged(world, shard, nowMs)
  const of = { rules, nowMs, watches, ruleFreshMs, startedAtMs, sentAtMs, onlyConcerned }
  const decided = decideEvaluate(seen, observation, of)
  const told = alertRows(shard, (loaded.versions.get(keys.shard(shard)) ?? 0) + 1, decided, nowMs)
  const last = told.at(-1)
  const decision = last ? { ...decided, shard: { ...decided.shard, told: last.id } } : decided
  const [questions, answered] = await Promise.all([questionRows(world, decision.ask), answeredRows(world, observation)])
  const firedRowId = observation.kind === 'timer' ? observation.rowId : undefined
  const rows = [
    ...[...told, ...questions].map((row) => ({ id: row.id, expect: 0, row })),
    ...answered,
    ...timerChange(shard, timer, { againAtMs: decision.againAtMs, firedRowId }),
    ...loaded.handover.rows,
  ]
  const counted = { shard, before, decision }
  const ofCounts = changesOfCounts(counted, rules)
  const changes = [...changesOf(shard, loaded, decision, rows), ...sliChanges(slis, decision.slis, nowMs), ...ofCounts]
  if (changes.length === 0) {
    rememberCounts(world.counts, counted, [])
    return { status: 'evaluated', changes: [] }
  }
  const kept = keepHistory(world, observation, { decision, nowMs })
  // Pages first: only what nobody waits for waits for its history.
  if (told.length + questions.length === 0) await kept
  if ((await world.store.commit(changes, rows)) === 'conflict') {
    await kept
    return conflict
  }
  remember(world.known, shard, { loaded, decision })
  if (decision.judgedAll) world.judgedAtMs.set(shard, nowMs)
  rememberSlis(world.slis, slis, decision.slis)
  rememberCounts(world.counts, counted, ofCounts)
  await world.nudge([...told, ...questions].map(({ id, to }) => ({ to, rowId: id, afterMs: 0 })))
  await kept
  return { status: 'evaluated', changes: decision.changes }
}

const tries = 5
/** More than counts there can be between the smallest and the largest. */
const detours = 12

const apply = async (world: Evaluating, observation: ShardObservation, detour = 0): Promise<EvaluateResult> => {
  for (let index = 0; index < tries; index++) {
    const result = await attempt(world, observation)
    if (result.status === 'evaluated') return result
    if (result.status === 'elsewhere')
      return detour < detours ? forward(world, observation, result, detour + 1) : conflict
  }
  return conflict
}

const applyAll = async (
  world: Evaluating,
  parts: readonly ShardObservation[],
  detour: number,
): Promise<EvaluateResult> => {
  const changes: AlertChange[] = []
  for (const part of parts) {
    const result = await apply(world, part, detour)
    // The whole message comes again; what the parts before it did is then known already.
    if (result.status === 'conflict') return conflict
    changes.push(...result.changes)
  }
  return { status: 'evaluated', changes }
}

/** One message must not take longer than its queue waits; the rest of a shard's parts are woken by the next. */
const wokenAtOnce = 32

/** A timer of a shard that has moved wakes those that take over from it, and ends when none is left. */
const forwardTimer = async (
  world: Evaluating,
  observation: Extract<Observation, { kind: 'timer' }>,
  { count, moved }: Elsewhere,
  detour: number,
): Promise<EvaluateResult> => {
  const { shard } = observation
  const heirs = kinOf(shard, count).filter((heir) => !moved.includes(heir))
  const woken = heirs.slice(0, wokenAtOnce).map((heir) => ({ ...observation, shard: heir, rowId: '' }))
  const result = await applyAll(world, woken, detour)
  if (result.status === 'conflict') return conflict
  const timer = await world.store.row(timerRowId(shard))
  if (!timer) return result
  const again = { ...timer.row, dueAtMs: world.nowMs(), nudges: 0 }
  const { id } = timer.row
  const end = { id, expect: timer.version, ...(heirs.length > woken.length ? { row: again } : {}) }
  return (await world.store.commit([], [end])) === 'conflict' ? conflict : result
}

/** Takes an observation from the shard it is addressed to, to those it is about. */
const forward = async (
  world: Evaluating,
  observation: ShardObservation,
  found: Elsewhere,
  detour: number,
): Promise<EvaluateResult> =>
  observation.kind === 'timer'
    ? forwardTimer(world, observation, found, detour)
    : applyAll(world, partsOf(observation, found.count, world.home), detour)

/** Applies one observation to the shards it is about; `sentAtMs` is when it was sent, where it may have waited since. */
export const evaluateStep = (
  world: EvaluateWorld,
): ((observation: Observation, sentAtMs?: number) => Promise<EvaluateResult>) => {
  const evaluating = { ...world, known: remembered(), slis: new Map(), counts: new Map(), judgedAtMs: new Map() }
  return async (observation, sentAtMs) => {
    if (observation.kind !== 'pulse') {
      const { heard, strangers } = fromLocations(observation, world.locations)
      if (strangers.length > 0) world.passedOver?.(strangers)
      return apply({ ...evaluating, sentAtMs }, heard)
    }
    const passed = await passPulse(world, 'evaluate')(observation.atMs)
    return passed === 'conflict' ? conflict : { status: 'evaluated', changes: [] }
  }
}
