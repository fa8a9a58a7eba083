import type { ProbeOutcome } from '../../probes/contract.ts'
import type { Facts, Judgement } from '../../rules/contract.ts'
import type { AlertChange, Observation, ProbeBody } from '../contract.ts'
import { aheadMs } from '../freshness.ts'
import type { PackedLocation } from '../location-packing.ts'
import { emptyLocation, type LocationState, type ShardState } from '../shard-state.ts'
import { advanceAlert, endAlert, type RuleIdentity } from './alerts.ts'
import { countOutcome, historyOf } from './counters.ts'
import { fitLocation, fitShard } from './fit.ts'
import { knownSince, listenedSinceMs } from './known-since.ts'
import { secondOpinions } from './second-opinions.ts'

/** A rule as the decision sees it: who it is, whose outcomes it judges, and its judgement as a pure function. */
export type RuleView = RuleIdentity & {
  monitor?: { monitorId: string; locations: readonly string[]; periodSeconds: number }
  judge: (facts: Facts) => Judgement
}

export type Seen = { shard: ShardState; locations: ReadonlyMap<string, LocationState> }

export type Decision = {
  shard: ShardState
  /** Only the locations whose counters changed. */
  locations: Map<string, LocationState>
  /** What is kept of them: whether it fits was known by packing it. */
  packed: Map<string, PackedLocation>
  changes: AlertChange[]
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
  return { state: { monitors }, counted }
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

const factsFor = (rule: RuleView, shard: ShardState, at: { locations: Seen['locations']; nowMs: number }): Facts => {
  const alert = shard.alerts[rule.ruleId]
  const result = shard.results[rule.ruleId]
  const { monitor } = rule
  const histories = monitor
    ? monitor.locations.map((location) =>
        historyOf(at.locations.get(location), { ...monitor, location, nowMs: at.nowMs }),
      )
    : []
  return {
    nowMs: at.nowMs,
    locations: histories,
    knownSinceMs: shard.knownSinceMs[rule.ruleId] ?? listenedSinceMs(rule, at.locations, at.nowMs),
    firing: alert?.state === 'firing',
    ...(result ? { result } : {}),
    ...(alert ? { activeSinceMs: Math.min(alert.activeAtMs, at.nowMs) } : {}),
  }
}

/** How long after a start a silence from before it is put down to ourselves: nobody looked while we were off. */
export const settleMs = 15_000

/** The end of that time, when this judgement must wait for it. */
const settledAtMs = (judgement: Judgement, at: { nowMs: number; startedAtMs?: number | undefined }) => {
  if (at.startedAtMs === undefined || judgement.reason !== 'silence-too-long') return undefined
  const [fromMs, toMs] = [at.startedAtMs, at.startedAtMs + settleMs]
  return (judgement.sinceMs ?? at.nowMs) < fromMs && at.nowMs >= fromMs && at.nowMs < toMs ? toMs : undefined
}

const judgeAll = (
  rules: readonly RuleView[],
  shard: ShardState,
  at: { locations: Seen['locations']; nowMs: number; startedAtMs?: number | undefined },
) => {
  const alerts = { ...shard.alerts }
  const changes: AlertChange[] = []
  const againAtMs: number[] = []
  for (const rule of rules) {
    const judgement = rule.judge(factsFor(rule, shard, at))
    const laterMs = rule.monitor && alerts[rule.ruleId]?.state !== 'firing' ? settledAtMs(judgement, at) : undefined
    if (laterMs !== undefined) {
      againAtMs.push(laterMs)
      continue
    }
    if (judgement.againAtMs !== undefined) againAtMs.push(judgement.againAtMs)
    const { alert, change } = advanceAlert(rule, alerts[rule.ruleId], { judgement, nowMs: at.nowMs })
    if (alert) alerts[rule.ruleId] = alert
    else delete alerts[rule.ruleId]
    if (change) changes.push(change)
  }
  return { alerts, changes, againAtMs }
}

/** Alerts whose rule left the config end, so that nothing stays open that nobody watches. */
const endRemoved = (rules: readonly RuleView[], shard: ShardState, nowMs: number) => {
  const known = new Set(rules.map(({ ruleId }) => ruleId))
  const removed = Object.entries(shard.alerts).filter(([ruleId]) => !known.has(ruleId))
  const changes = removed.flatMap(([ruleId, alert]) => {
    const identity = { ruleId, service: alert.service, severity: 'page' as const }
    return endAlert(identity, alert, { reason: 'rule-removed', nowMs }).change ?? []
  })
  const kept = Object.entries(shard.alerts).filter(([ruleId]) => known.has(ruleId))
  return { alerts: Object.fromEntries(kept), changes }
}

/** What one observation does to a shard. Pure; the same observation twice decides nothing the second time. */
export const decideEvaluate = (
  seen: Seen,
  observation: Observation,
  at: { rules: readonly RuleView[]; nowMs: number; watches?: Watches; startedAtMs?: number | undefined },
): Decision => {
  const { rules, nowMs, watches = () => true } = at
  const { changed, counted } = count(seen, observation, { nowMs, watches })
  // Rules quote what was seen just now in full, though the item may have no room for it.
  const locations = new Map([...seen.locations, ...changed])
  const [fitted, packed] = [new Map<string, LocationState>(), new Map<string, PackedLocation>()]
  for (const [location, state] of changed) {
    const fit = fitLocation(state)
    fitted.set(location, fit.state)
    packed.set(location, fit.packed)
  }
  const results = latestResults(seen.shard.results, observation, { rules, nowMs })
  const knownSinceMs = knownSince(seen, { rules, locations: new Map([...locations, ...fitted]), nowMs })
  if (isStale(observation, nowMs)) {
    return { shard: { ...seen.shard, results, knownSinceMs }, locations: fitted, packed, changes: [], ask: [] }
  }
  const removed = endRemoved(rules, seen.shard, nowMs)
  const shard = { ...seen.shard, results, knownSinceMs, alerts: removed.alerts }
  const { alerts, changes, againAtMs } = judgeAll(rules, shard, { locations, nowMs, startedAtMs: at.startedAtMs })
  return {
    shard: fitShard({ ...shard, alerts }),
    locations: fitted,
    packed,
    changes: [...removed.changes, ...changes],
    ask: secondOpinions(counted, { shard: observation.shard, rules, alerts, locations, nowMs }),
    ...(againAtMs.length > 0 ? { againAtMs: Math.min(...againAtMs) } : {}),
  }
}
