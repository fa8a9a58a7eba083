import type { Config } from '../../config/schema.ts'
import { judge, type RuleSpec, ruleMonitor } from '../../rules/registry.ts'
import { shardOf } from '../shards.ts'
import type { RuleView } from './decide.ts'

/** The shard a rule is judged in: its monitor's, so that counters and alerts are written together. */
export const shardOfRule = (config: Config, ruleId: string): string => {
  const rule = config.rules[ruleId]
  return shardOf((rule && ruleMonitor(rule)) ?? ruleId, config.shards)
}

const ruleView = (config: Config, ruleId: string, rule: RuleSpec): RuleView => {
  const monitorId = ruleMonitor(rule)
  const monitor = monitorId === undefined ? undefined : config.monitors[monitorId]
  return {
    ruleId,
    service: rule.service ?? monitor?.service ?? ruleId,
    severity: rule.severity,
    judge: (facts) => judge(rule, facts),
    ...(monitor && monitorId !== undefined
      ? {
          monitor: {
            monitorId,
            locations: monitor.locations ?? config.locations,
            periodSeconds: monitor.periodSeconds,
          },
        }
      : {}),
  }
}

/** The rules of one shard, as the decision sees them. */
export const rulesOfShard = (config: Config, shard: string): RuleView[] =>
  Object.entries(config.rules)
    .filter(([ruleId]) => shardOfRule(config, ruleId) === shard)
    .map(([ruleId, rule]) => ruleView(config, ruleId, rule))
