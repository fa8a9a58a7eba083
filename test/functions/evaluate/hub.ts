import type { AlertChange, Nudge, Observation } from '../../../functions/contract.ts'
import type { RuleView } from '../../../functions/evaluate/decide.ts'
import { type EvaluateResult, evaluateStep } from '../../../functions/evaluate/step.ts'
import { countOfShard, shardOf } from '../../../functions/shards.ts'
import { judge, type RuleSpec, ruleSli } from '../../../rules/registry.ts'
import type { Store } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

export type Town = {
  store: Store
  clock: { nowMs: number }
  nudges: Nudge[]
  told: AlertChange[]
  /** `evaluate` as it is after a deploy of a config with so many shards. */
  deployed: (shards: number, store?: Store) => (observation: Observation) => Promise<EvaluateResult>
}

/** An objective over looks at a monitor, as `evaluate` sees it. */
export const sloView = (monitorId: string, at: { rule: RuleSpec; locations: readonly string[] }): RuleView => {
  const sli = ruleSli(at.rule)
  return {
    ruleId: `${monitorId}-slo`,
    alertId: `${monitorId}-slo`,
    service: 'shop',
    severity: 'page',
    monitor: { monitorId, locations: at.locations, periodSeconds: 60 },
    judge: (facts) => judge(at.rule, facts),
    ...(sli ? { sli } : {}),
  }
}

/** A store and the rules that every version of this hub judges; a rule is called `<monitor>-<anything>`. */
export const townWith = (rules: readonly RuleView[], locations: readonly string[] = ['local']): Town => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const nudges: Nudge[] = []
  const told: AlertChange[] = []
  const home = (id: string, count: number) => shardOf(id.replace(/-(down|blind|slo)$/, ''), count)
  const deployed = (shards: number, under: Store = store) => {
    const evaluate = evaluateStep({
      store: under,
      nowMs: () => clock.nowMs,
      nudge: async (more) => {
        nudges.push(...more)
      },
      locations,
      shards,
      rulesOf: (shard) => rules.filter(({ ruleId }) => home(ruleId, countOfShard(shard)) === shard),
      home: { monitor: home, rule: home },
    })
    return async (observation: Observation) => {
      const result = await evaluate(observation)
      if (result.status === 'evaluated') told.push(...result.changes)
      return result
    }
  }
  return { store, clock, nudges, told, deployed }
}
