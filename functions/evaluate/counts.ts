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
  const known = new Map(at.rules.flatMap(({ ruleId, counted }) => (counted ? [[ruleId, counted] as const] : [])))
  if (observation.kind === 'timer') {
    return { slis: new Map([...known.keys()].map((ruleId) => [ruleId, sliOfCounts(before, shortId(ruleId))])) }
  }
  if (observation.kind !== 'sli-counts') return { slis: new Map() }
  const heard = observation.counts.flatMap((one) => {
    const partIs = known.get(one.ruleId)
    return partIs ? [{ ...one, id: shortId(one.ruleId), partIs }] : []
  })
  const counts = withCounts(before, heard, at.nowMs)
  const slis = heard.map(({ ruleId, id, unknownWhy }): [string, Sli] => {
    const sli = sliOfCounts(counts.state, id)
    return [ruleId, unknownWhy === undefined ? sli : { ...sli, unknownWhy }]
  })
  return { counts, slis: new Map(slis) }
}
