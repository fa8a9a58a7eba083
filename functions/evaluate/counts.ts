import type { Sli } from '../../rules/contract.ts'
import type { Observation } from '../contract.ts'
import { noCounts, type SliCounts, sliOfCounts, type Touched, withCounts } from '../sli-counts.ts'
import { shortId } from '../sli-ticks.ts'
import type { RuleView } from './decide.ts'

/** Counts the events an observation tells of towards the objectives of a shard it knows; a timer tells of none, and asks for all. Pure. */
export const tallyCounts = (
  before: SliCounts = noCounts,
  observation: Observation,
  at: { rules: readonly RuleView[]; nowMs: number },
): { counts?: { state: SliCounts; touched: Touched }; slis: Map<string, Sli> } => {
  const known = new Set(at.rules.filter(({ counted }) => counted).map(({ ruleId }) => ruleId))
  if (observation.kind === 'timer') {
    return { slis: new Map([...known].map((ruleId) => [ruleId, sliOfCounts(before, shortId(ruleId))])) }
  }
  if (observation.kind !== 'sli-counts') return { slis: new Map() }
  const heard = observation.counts.filter(({ ruleId }) => known.has(ruleId))
  const news = heard.map(({ ruleId, minutes }) => ({ id: shortId(ruleId), minutes }))
  const counts = withCounts(before, news, at.nowMs)
  const slis = heard.map(({ ruleId, unknownWhy }): [string, Sli] => {
    const sli = sliOfCounts(counts.state, shortId(ruleId))
    return [ruleId, unknownWhy === undefined ? sli : { ...sli, unknownWhy }]
  })
  return { counts, slis: new Map(slis) }
}
