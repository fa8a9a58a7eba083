/** Reads and writes what a shard counted for its objectives, which a process remembers. */
import type { Change, Store } from '../../stores/contract.ts'
import type { Observation } from '../contract.ts'
import { afterWriting, countChanges, type KeptCounts, readCounts } from '../sli-kept.ts'
import { shortId } from '../sli-ticks.ts'
import type { Decision, RuleView } from './decide.ts'

/** Of so many shards, those used last: one of 300 objectives over ninety days is some forty megabytes. */
const shardsRemembered = 8

export type KnownCounts = Map<string, KeptCounts>

/** What was counted before, when the observation counts more, or is a timer and silence is news to a rule. */
export const loadCounts = async (
  { store, known }: { store: Store; known: KnownCounts },
  rules: readonly RuleView[],
  { kind, shard }: Observation,
): Promise<KeptCounts | undefined> => {
  const judgesSilence = kind === 'timer' && rules.some((rule) => rule.counted && rule.afterSilenceMs !== undefined)
  return kind === 'sli-counts' || judgesSilence ? readCounts(store, shard, known.get(shard)) : undefined
}

type Counted = { shard: string; before: KeptCounts | undefined; decision: Decision }

/** What to write of it. */
export const changesOfCounts = ({ shard, before, decision }: Counted, rules: readonly RuleView[]): Change[] => {
  if (!before || !decision.counts) return []
  const ids = rules.flatMap(({ counted, alertId, ruleId }) => (counted && alertId === ruleId ? [shortId(ruleId)] : []))
  return countChanges(shard, before, { ...decision.counts, ids })
}

/** After the commit that wrote it; what a timer read was only read. */
export const rememberCounts = (
  known: KnownCounts,
  { shard, before, decision }: Counted,
  changes: readonly Change[],
): void => {
  if (!before) return
  const { counts } = decision
  known.delete(shard)
  known.set(shard, counts ? afterWriting(shard, before, { state: counts.state, changes }) : before)
  const [oldest] = known.keys()
  if (known.size > shardsRemembered && oldest !== undefined) known.delete(oldest)
}
