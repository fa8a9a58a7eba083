import type { ProbeOutcome } from '../../probes/contract.ts'
import type { Sli, SliVerdict } from '../../rules/contract.ts'
import type { Observation } from '../contract.ts'
import { aheadMs } from '../freshness.ts'
import { type Alert, emptyLocation, type LocationState, type ShardState } from '../shard-state.ts'
import { closedUntilMs } from '../sli-span.ts'
import { emptySli, type LocationTicks, type SliState, sliOf, withWaiting } from '../sli-state.ts'
import { hasTick, packTicks, shortId, type Tick, withTicks } from '../sli-ticks.ts'
import type { RuleView, Seen } from './decide.ts'

/** What one look is to a rule's objective. */
export type Sights = (seen: { verdict: ProbeOutcome['verdict']; tookMs: number }) => SliVerdict

/**
 * Ticks wait in the location's item, which every tick writes anyway, before they go to their objective's own item, which
 * is written once or twice an hour: so long, or until their text is as long as this.
 */
const waitingMs = 40 * 60_000
const waitingCharacters = 60
const haveWaited = (ticks: readonly Tick[], nowMs: number) =>
  nowMs - (ticks[0]?.atMs ?? nowMs) >= waitingMs || packTicks(ticks, 0).length > waitingCharacters

/** Of the many objectives of a shard, whose ticks are of the same times: a transaction has room for no more. */
const movedAtOnce = 20

type Ticks = Record<string, readonly Tick[]>

export type Tally = {
  /** Only the locations whose ticks changed. */
  locations: Map<string, LocationState>
  /** Objectives whose own item is to be written. */
  moved: Map<string, SliState>
  /** The SLIs of every rule whose monitor ticked, as they stand now. */
  slis: Map<string, Sli>
}

/** Is it about to fire, at an end of a minute that no look may tell of? */
export const isWaiting = (alert: Alert | undefined): boolean => alert?.state === 'pending'

/**
 * The rules with an objective for which an observation holds events, and at a timer those with an alert that waits.
 * Re-checks and second opinions are none.
 */
export const tickedRules = (
  rules: readonly RuleView[],
  observation: Observation,
  { alerts }: Pick<ShardState, 'alerts'>,
): RuleView[] => {
  if (observation.kind === 'timer') {
    const waiting = new Set(rules.flatMap(({ ruleId, alertId }) => (isWaiting(alerts[alertId]) ? [ruleId] : [])))
    return rules.filter(({ ruleId, alertId, sli }) => sli !== undefined && alertId === ruleId && waiting.has(ruleId))
  }
  if (observation.kind !== 'outcomes') return []
  const ticked = new Set(observation.outcomes.filter(({ look }) => look === 'tick').map(({ monitorId }) => monitorId))
  return rules.filter(({ ruleId, alertId, sli, monitor }) => {
    return sli !== undefined && alertId === ruleId && monitor !== undefined && ticked.has(monitor.monitorId)
  })
}

/** A location's ticks with those of an observation; the same object when none is new. */
const added = (
  before: Ticks,
  outcomes: readonly ProbeOutcome[],
  at: { rules: readonly RuleView[]; stateOf: (ruleId: string) => SliState; location: string; nowMs: number },
): Ticks => {
  let ticks = before
  for (const { ruleId, sli, monitor } of at.rules) {
    const state = at.stateOf(ruleId)
    const known = state.ticks[at.location] ?? []
    const news = outcomes.flatMap(({ monitorId, look, scheduledAtMs, verdict, timingsMs }): Tick[] => {
      const atMs = Math.round(scheduledAtMs)
      const counts = look === 'tick' && monitorId === monitor?.monitorId && atMs <= at.nowMs + aheadMs
      if (!sli || !counts || atMs < state.closedMs || hasTick(known, atMs)) return []
      return [{ atMs, was: sli({ verdict, tookMs: timingsMs.total }) }]
    })
    const id = shortId(ruleId)
    const own = ticks[id] ?? []
    const all = withTicks(own, news)
    if (all !== own) ticks = { ...ticks, [id]: all }
  }
  return ticks
}

/** Ticks that still wait at locations nobody has heard from since: they count before their hour closes. */
const silent = ({ locations }: Tally, seen: Seen, { ruleId, nowMs }: { ruleId: string; nowMs: number }) => {
  const [id, closingMs] = [shortId(ruleId), closedUntilMs(nowMs)]
  return [...seen.locations, ...locations].flatMap(([location, { ticks }]): LocationTicks[] => {
    const own = (ticks?.[id] ?? []).filter(({ atMs }) => atMs < closingMs)
    return own.length > 0 ? [[location, own]] : []
  })
}

/**
 * Counts the ticks of an observation towards the objectives of a shard. The ticks of a location are a set, here and in
 * the objective's item together, so any order and any repeats come to the same. Pure.
 */
export const tally = (
  seen: Seen,
  observation: Observation,
  at: { rules: readonly RuleView[]; nowMs: number; changed: ReadonlyMap<string, LocationState> },
): Tally => {
  const rules = tickedRules(at.rules, observation, seen.shard)
  const result: Tally = { locations: new Map(), moved: new Map(), slis: new Map() }
  if (rules.length === 0) return result
  const stateOf = (ruleId: string) => result.moved.get(ruleId) ?? seen.slis?.get(ruleId) ?? emptySli
  const all = observation.kind === 'outcomes' ? observation.outcomes : []
  const known = new Set(at.rules.filter(({ sli }) => sli).map(({ ruleId }) => shortId(ruleId)))
  for (const [location, outcomes] of Map.groupBy(all, (one) => one.location)) {
    const state = at.changed.get(location) ?? seen.locations.get(location) ?? emptyLocation
    const before = state.ticks ?? {}
    const ticks = added(before, outcomes, { rules, stateOf, location, nowMs: at.nowMs })
    if (ticks === before) continue
    const kept = new Map(Object.entries(ticks).filter(([id]) => known.has(id)))
    for (const { ruleId } of rules) {
      const own = kept.get(shortId(ruleId)) ?? []
      if (result.moved.size >= movedAtOnce || !haveWaited(own, at.nowMs)) continue
      const waiting = [...silent(result, seen, { ruleId, nowMs: at.nowMs }), [location, own] as const]
      result.moved.set(ruleId, withWaiting(stateOf(ruleId), waiting, at.nowMs))
      kept.delete(shortId(ruleId))
    }
    result.locations.set(location, { ...state, ticks: Object.fromEntries(kept) })
  }
  const locations = new Map([...seen.locations, ...result.locations])
  for (const { ruleId } of rules) {
    const state = stateOf(ruleId)
    const waiting = [...locations].flatMap(([location, { ticks }]) => {
      const moved = state.ticks[location] ?? []
      return (ticks?.[shortId(ruleId)] ?? []).filter(({ atMs }) => !hasTick(moved, atMs))
    })
    result.slis.set(ruleId, sliOf(state, waiting))
  }
  return result
}
