import type { ProbeOutcome } from '../../probes/contract.ts'
import type { Facts, Judgement, RuleCounters } from '../../rules/contract.ts'
import type { AlertChange, AlertTransition, Observation, ProbeBody } from '../contract.ts'
import { aheadMs } from '../freshness.ts'
import type { PackedLocation } from '../location-packing.ts'
import { type Alert, emptyLocation, type LocationState, type ShardState } from '../shard-state.ts'
import type { SliCounts, Touched } from '../sli-counts.ts'
import { heardMs } from '../sli-heard.ts'
import type { SliState } from '../sli-state.ts'
import { advanceAlert, type RuleIdentity } from './alerts.ts'
import { countOutcome, historyOf } from './counters.ts'
import { tallyCounts } from './counts.ts'
import { fitLocation, fitShard } from './fit.ts'
import { firedLately } from './flapping.ts'
import { knownSince, listenedSinceMs } from './known-since.ts'
import { isPagedElsewhere, pagedByAnother } from './paged-elsewhere.ts'
import { alertCheckMs, endRemoved, type RuleFreshMs } from './removed.ts'
import { secondOpinions } from './second-opinions.ts'
import { silentAtMs } from './settle.ts'
import { isWaiting, type Sights, type Tally, tally } from './ticks.ts'

/** A rule as the decision sees it: who it is, whose outcomes it judges, and its judgement as a pure function. */
export type RuleView = RuleIdentity & {
  monitor?: { monitorId: string; locations: readonly string[]; periodSeconds: number }
  judge: (facts: Facts) => Judgement
  /** Alerts that page for it as well: while one of them fires, or is about to, this one need not fire. */
  behind?: readonly string[]
  /** Its monitor's ticks are events of an objective: what each of them is. */
  sli?: Sights
  /** The events of its objective are counted elsewhere: all of them, and these. */
  counted?: RuleCounters['partIs']
  /** How long what was read of its cluster says something. */
  sourceFreshMs?: number
  /** Silence is news to it: with nothing heard for so long it is judged all the same, at the shard's timer. */
  afterSilenceMs?: number
}

/** What a rule said, for the history: of the monitors just looked at all that is not plainly inactive. */
export type Judged = { ruleId: string; judgement: Judgement }

export type Seen = {
  shard: ShardState
  locations: ReadonlyMap<string, LocationState>
  /** The objectives the observation is about. */
  slis?: ReadonlyMap<string, SliState>
  /** What was counted for the objectives of the shard, where the observation counts more or is a timer. */
  counts?: SliCounts
}

export type Decision = {
  shard: ShardState
  /** Only the locations whose counters changed. */
  locations: Map<string, LocationState>
  /** What is kept of them: whether it fits was known by packing it. */
  packed: Map<string, PackedLocation>
  /** Objectives whose own item is to be written. */
  slis: Map<string, SliState>
  /** What is counted now, and of which times that is news. */
  counts?: { state: SliCounts; touched: Touched }
  changes: AlertChange[]
  /** What was new of the observation, and what the rules made of it. */
  counted: ProbeOutcome[]
  transitions: AlertTransition[]
  judged: Judged[]
  /** Was every rule judged? Not by what is too old to alert, nor when only those concerned were to be. */
  judgedAll: boolean
  /** Locations that are to look now. */
  ask: ProbeBody[]
  /** When this shard must be judged again even if nothing arrives. */
  againAtMs?: number
}

/** Is this monitor in the config? The counters of one that left it would fill their item for ever. */
type Watches = (monitorId: string) => boolean

/** An observation older than this changes counters, never alerts. */
export const staleAfterMs = 10 * 60_000

/** Counts a location's outcomes; undefined when none of them is news. */
const countAt = (
  before: LocationState,
  outcomes: readonly ProbeOutcome[],
  at: { nowMs: number; watches: Watches },
): { state: LocationState; counted: ProbeOutcome[] } | undefined => {
  const monitors = { ...before.monitors }
  const counted = outcomes.filter((outcome) => {
    const { monitorId } = outcome
    const [known, now] = [monitors[monitorId], countOutcome(monitors[monitorId], outcome, at.nowMs)]
    if (now) monitors[monitorId] = now
    return now !== known
  })
  if (counted.length === 0) return undefined
  for (const monitorId of Object.keys(monitors)) if (!at.watches(monitorId)) delete monitors[monitorId]
  return { state: { ...before, monitors }, counted }
}

const count = (seen: Seen, observation: Observation, at: { nowMs: number; watches: Watches }) => {
  const changed = new Map<string, LocationState>()
  const counted: ProbeOutcome[] = []
  if (observation.kind !== 'outcomes') return { changed, counted }
  const watched = observation.outcomes.filter(({ monitorId }) => at.watches(monitorId))
  for (const [location, outcomes] of Map.groupBy(watched, (outcome) => outcome.location)) {
    const news = countAt(seen.locations.get(location) ?? emptyLocation, outcomes, at)
    if (!news) continue
    changed.set(location, news.state)
    counted.push(...news.counted)
  }
  return { changed, counted }
}

/** The newest result of each rule; an older one that arrives late changes nothing, nor does one a wrong clock dated. */
const latestResults = (
  all: ShardState['results'],
  observation: Observation,
  at: { rules: readonly RuleView[]; nowMs: number },
): ShardState['results'] => {
  const latestMs = at.nowMs + aheadMs
  const known = new Set(at.rules.map(({ ruleId }) => ruleId))
  const kept = Object.entries(all).filter(([ruleId, { atMs }]) => known.has(ruleId) && atMs <= latestMs)
  const before = Object.fromEntries(kept)
  if (observation.kind !== 'rule-results') return before
  const heard = observation.results.filter(({ ruleId, atMs }) => known.has(ruleId) && atMs <= latestMs)
  const newer = heard.filter(({ ruleId, atMs }) => atMs > (before[ruleId]?.atMs ?? 0))
  return { ...before, ...Object.fromEntries(newer.map((result) => [result.ruleId, result])) }
}

const isStale = (observation: Observation, nowMs: number) =>
  observation.kind === 'outcomes' &&
  observation.outcomes.every(({ scheduledAtMs }) => nowMs - scheduledAtMs > staleAfterMs)

const factsFor = (rule: RuleView, shard: ShardState, at: Judging): Facts => {
  const alert = shard.alerts[rule.alertId]
  const result = shard.results[rule.ruleId]
  const { monitor } = rule
  const sli = at.slis.get(rule.ruleId)
  const heardOfCounts = rule.counted && sli ? heardMs(sli) : undefined
  const histories =
    monitor && !rule.sli
      ? monitor.locations.map((location) =>
          historyOf(at.locations.get(location), { ...monitor, location, nowMs: at.nowMs }),
        )
      : []
  return {
    nowMs: at.nowMs,
    locations: histories,
    knownSinceMs: shard.knownSinceMs[rule.ruleId] ?? heardOfCounts ?? listenedSinceMs(rule, at.locations, at.nowMs),
    firing: alert?.state === 'firing',
    ...(result ? { result } : {}),
    ...(rule.sourceFreshMs === undefined ? {} : { sourceFreshMs: rule.sourceFreshMs }),
    ...(sli ? { sli } : {}),
    ...(alert ? { activeSinceMs: Math.min(alert.activeAtMs, at.nowMs) } : {}),
  }
}

type Judging = {
  locations: Seen['locations']
  slis: Tally['slis']
  /** The monitors just looked at. */
  looked: ReadonlySet<string>
  concerns: (rule: RuleView) => boolean
  isTimer: boolean
  nowMs: number
  startedAtMs?: number | undefined
  sentAtMs?: number | undefined
}

/**
 * An objective is judged when its monitor ticks or its events are counted: nothing else adds to it but silence, and the
 * end of a minute that an alert of it waits for.
 */
const isJudged = (rule: RuleView, before: Alert | undefined, { slis, isTimer, concerns }: Judging): boolean => {
  if (!rule.sli && !rule.counted) return concerns(rule)
  return (
    slis.has(rule.ruleId) &&
    (!isTimer || rule.afterSilenceMs !== undefined || (rule.sli !== undefined && isWaiting(before)))
  )
}

type Judgements = Pick<Decision, 'changes' | 'transitions' | 'judged'> & {
  alerts: ShardState['alerts']
  againAtMs: number[]
}

const judgeAll = (rules: readonly RuleView[], shard: ShardState, at: Judging): Judgements => {
  const { nowMs, looked } = at
  const so: Judgements = { alerts: { ...shard.alerts }, changes: [], transitions: [], judged: [], againAtMs: [] }
  for (const rule of rules) {
    const { ruleId, alertId, monitor } = rule
    const before = so.alerts[alertId]
    if (!isJudged(rule, before, at)) {
      if (rule.afterSilenceMs !== undefined && at.concerns(rule)) so.againAtMs.push(nowMs + rule.afterSilenceMs)
      continue
    }
    const isCovered = before?.state !== 'firing' && isPagedElsewhere(rule, so.alerts, nowMs)
    const judgedAt = (atMs: number) => rule.judge(factsFor(rule, shard, { ...at, nowMs: atMs }))
    const judgement = isCovered ? pagedByAnother(rule) : judgedAt(nowMs)
    const laterMs = before?.state === 'firing' ? undefined : silentAtMs(judgement, rule, { ...at, judgedAt })
    if (laterMs !== undefined) {
      so.againAtMs.push(laterMs)
      continue
    }
    if (judgement.againAtMs !== undefined) so.againAtMs.push(judgement.againAtMs)
    const { alert, transitions, changes } = advanceAlert(rule, before, {
      judgement,
      nowMs,
      fired: shard.fired[alertId] ?? [],
    })
    if (alert) so.alerts[alertId] = alert
    else delete so.alerts[alertId]
    so.changes.push(...changes)
    so.transitions.push(...transitions)
    const isOfLook = judgement.status !== 'inactive' && monitor !== undefined && looked.has(monitor.monitorId)
    if (alertId === ruleId && (isOfLook || transitions.length > 0)) so.judged.push({ ruleId, judgement })
  }
  return so
}

/**
 * Of which rules an observation may change the judgement: those of the monitors just looked at and those with an alert.
 * Of the others nothing is news but what time brings, and none of that makes an alert sooner than their own timer does.
 */
const concernedBy =
  (looked: ReadonlySet<string>, { alerts }: ShardState): Judging['concerns'] =>
  ({ alertId, monitor }) =>
    alerts[alertId] !== undefined || (monitor !== undefined && looked.has(monitor.monitorId))

/**
 * The world of a decision. `sentAtMs`: when the observation was sent, if it may have waited since. `onlyConcerned`: every
 * rule was judged a moment ago, so that only those are judged of which there is news.
 */
export type Around = {
  rules: readonly RuleView[]
  nowMs: number
  watches?: Watches
  ruleFreshMs?: RuleFreshMs
  startedAtMs?: number | undefined
  sentAtMs?: number | undefined
  onlyConcerned?: boolean
}

/** What one observation does to a shard. Pure; the same observation twice decides nothing the second time. */
export const decideEvaluate = (seen: Seen, observation: Observation, at: Around): Decision => {
  const { rules, nowMs, watches = () => true, ruleFreshMs = () => undefined } = at
  const { changed, counted } = count(seen, observation, { nowMs, watches })
  const isPart = at.onlyConcerned === true && observation.kind === 'outcomes'
  const looked = new Set(counted.map(({ monitorId }) => monitorId))
  const concerns = isPart ? concernedBy(looked, seen.shard) : () => true
  const tallied = tally(seen, observation, { rules, nowMs, changed })
  const { counts, slis: ofCounts } = tallyCounts(seen.counts, observation, { rules, nowMs })
  for (const [location, state] of tallied.locations) changed.set(location, state)
  // Rules quote what was seen just now in full, though the item may have no room for it.
  const locations = new Map([...seen.locations, ...changed])
  const [fitted, packed] = [new Map<string, LocationState>(), new Map<string, PackedLocation>()]
  for (const [location, state] of changed) {
    const fit = fitLocation(state)
    fitted.set(location, fit.state)
    packed.set(location, fit.packed)
  }
  const results = latestResults(seen.shard.results, observation, { rules, nowMs })
  const known = { locations: new Map([...locations, ...fitted]), counts: ofCounts }
  const knownSinceMs = knownSince(seen, { rules, ...known, nowMs, concerns })
  if (isStale(observation, nowMs)) {
    const shard = { ...seen.shard, results, knownSinceMs }
    const nothing = { changes: [], transitions: [], judged: [], judgedAll: false, ask: [] }
    return { shard, locations: fitted, packed, slis: tallied.moved, counted, ...nothing }
  }
  const removed = endRemoved(rules, seen.shard, { nowMs, ruleFreshMs })
  const shard = { ...seen.shard, results, knownSinceMs, alerts: removed.alerts }
  const slis = new Map([...tallied.slis, ...ofCounts])
  const isTimer = observation.kind === 'timer'
  const { startedAtMs, sentAtMs } = at
  const judging = { locations, slis, looked, concerns, isTimer, nowMs, startedAtMs, sentAtMs }
  const { alerts, changes, transitions, judged, againAtMs } = judgeAll(rules, shard, judging)
  againAtMs.push(...removed.againAtMs)
  if (Object.keys(alerts).length > 0) againAtMs.push(nowMs + alertCheckMs)
  const fired = firedLately(shard, alerts, { nowMs, known: removed.known })
  return {
    shard: fitShard({ ...shard, alerts, fired }),
    locations: fitted,
    packed,
    slis: tallied.moved,
    ...(counts ? { counts } : {}),
    counted,
    changes: [...removed.changes, ...changes],
    transitions: [...removed.transitions, ...transitions],
    judged,
    judgedAll: !isPart,
    ask: secondOpinions(counted, { shard: observation.shard, rules, alerts, locations, nowMs }),
    ...(againAtMs.length > 0 ? { againAtMs: Math.min(...againAtMs) } : {}),
  }
}
