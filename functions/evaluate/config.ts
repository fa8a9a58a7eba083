import type { Config } from '../../config/schema.ts'
import { shardsWanted } from '../../config/shard-count.ts'
import {
  judge,
  type RuleSpec,
  ruleAlerts,
  ruleCounters,
  ruleMonitor,
  ruleSeries,
  ruleSeverity,
  ruleSli,
} from '../../rules/registry.ts'
import { partId, ruleOfAlert } from '../alert-ids.ts'
import { freshForMs } from '../freshness.ts'
import { countOfShard, shardOf } from '../shards.ts'
import type { RuleView } from './decide.ts'
import type { RuleFreshMs } from './removed.ts'
import type { Home } from './routing.ts'

/** The shard a rule is judged in: its monitor's, so that counters and alerts are written together. Takes alerts' ids too. */
export const shardOfRule = (config: Config, alertId: string, count: number = config.shards): string => {
  const ruleId = ruleOfAlert(alertId)
  const rule = config.rules[ruleId]
  return shardOf((rule && ruleMonitor(rule)) ?? ruleId, count)
}

/** The rules that page when nobody can reach a monitor, by monitor. */
type Pagers = ReadonlyMap<string, readonly string[]>

const pagersOf = ({ rules }: Config): Pagers => {
  const all = Object.entries(rules).flatMap(([id, rule]) =>
    rule.kind === 'availability' && rule.severity === 'page' ? [{ id, monitor: rule.monitor }] : [],
  )
  const byMonitor = [...Map.groupBy(all, ({ monitor }) => monitor)]
  return new Map(byMonitor.map(([monitor, own]) => [monitor, own.map(({ id }) => id)]))
}

const ruleViewsOf = (config: Config, [ruleId, rule]: readonly [string, RuleSpec], pagers: Pagers): RuleView[] => {
  const monitorId = ruleMonitor(rule)
  const monitor = monitorId === undefined ? undefined : config.monitors[monitorId]
  const locations = monitor?.locations ?? config.locations
  const sli = ruleSli(rule)
  const counters = ruleCounters(rule)
  const cluster = config.clusters[(ruleSeries(rule) ?? counters)?.cluster ?? '']
  const view: RuleView = {
    ruleId,
    alertId: ruleId,
    service: rule.service ?? monitor?.service ?? ruleId,
    severity: ruleSeverity(rule),
    ...(config.grouping.by.includes('severity') ? { apart: true } : {}),
    judge: (facts) => judge(rule, facts),
    ...(monitor && monitorId !== undefined
      ? { monitor: { monitorId, locations, periodSeconds: monitor.periodSeconds } }
      : {}),
    ...(sli ? { sli } : {}),
    ...(counters ? { counted: counters.partIs } : {}),
    ...(cluster ? { sourceFreshMs: freshForMs(cluster.scrapeIntervalSeconds) } : {}),
  }
  // Where one location is all there is, it is the quorum.
  const further = rule.kind === 'availability' && locations.length < 2 ? [] : ruleAlerts(rule)
  const quiet = !config.routes.some(({ severities }) => severities?.includes('advisory'))
  return [
    view,
    ...further.map(({ part, severity, judge: judged, behindAvailability, afterSilenceMs }): RuleView => {
      const told = severity === 'advisory' ? { quiet } : {}
      const others = behindAvailability ? pagers.get(monitorId ?? '') : undefined
      const behind = others ? { behind: others } : {}
      const silence = afterSilenceMs === undefined ? {} : { afterSilenceMs }
      return { ...view, alertId: partId(ruleId, part), severity, ...told, ...behind, ...silence, judge: judged }
    }),
  ]
}

const ruleViews = (config: Config, count: number): Map<string, RuleView[]> => {
  const pagers = pagersOf(config)
  const views = Object.entries(config.rules).flatMap((entry) => ruleViewsOf(config, entry, pagers))
  // Who stands behind others is judged behind them.
  const inOrder = [...views].sort((a, b) => Number(a.behind !== undefined) - Number(b.behind !== undefined))
  return Map.groupBy(inOrder, ({ ruleId }) => shardOfRule(config, ruleId, count))
}

/** The rules of one shard, as the decision sees them. */
export const rulesOfShard = (config: Config, shard: string): RuleView[] =>
  ruleViews(config, countOfShard(shard)).get(shard) ?? []

export type EvaluateView = {
  shards: number
  locations: readonly string[]
  rulesOf: (shard: string) => readonly RuleView[]
  home: Home
  watches: (monitorId: string) => boolean
  ruleFreshMs: RuleFreshMs
}

/** What `evaluate` knows of the config. The rules of every shard are sorted once for each count of shards it meets. */
export const evaluateView = (config: Config): EvaluateView => {
  const sorted = new Map<number, Map<string, RuleView[]>>()
  const rulesOf = (shard: string) => {
    const count = countOfShard(shard)
    const all = sorted.get(count) ?? ruleViews(config, count)
    sorted.set(count, all)
    return all.get(shard) ?? []
  }
  return {
    shards: shardsWanted(config),
    locations: config.locations,
    rulesOf,
    home: { monitor: shardOf, rule: (id, count) => shardOfRule(config, id, count) },
    watches: (monitorId) => Object.hasOwn(config.monitors, monitorId),
    ruleFreshMs: (ruleId) => {
      const rule = Object.hasOwn(config.rules, ruleId) ? config.rules[ruleId] : undefined
      return rule && freshForMs(config.monitors[ruleMonitor(rule) ?? '']?.periodSeconds ?? 0)
    },
  }
}
