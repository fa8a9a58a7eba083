import type { Sli } from '../../rules/contract.ts'
import { aheadMs } from '../freshness.ts'
import type { LocationState, MonitorState, ShardState } from '../shard-state.ts'
import { heardMs } from '../sli-heard.ts'
import type { RuleView, Seen } from './decide.ts'

type Locations = ReadonlyMap<string, LocationState>

/** Scheduled time of the first or last look at a rule's monitor that saw something, from everywhere it is looked at. */
const knownLookMs = (
  { monitor }: RuleView,
  locations: Locations,
  at: { nowMs: number; which: 'first' | 'last' },
): number | undefined => {
  const latestMs = at.nowMs + aheadMs
  const isKnown = ({ verdict, scheduledAtMs }: MonitorState['looks'][number]) =>
    verdict !== 'unknown' && scheduledAtMs <= latestMs
  let found: number | undefined
  for (const location of monitor?.locations ?? []) {
    // Looks are in the order of their scheduled times.
    const looks = locations.get(location)?.monitors[monitor?.monitorId ?? '']?.looks ?? []
    const atMs = (at.which === 'first' ? looks.find(isKnown) : looks.findLast(isKnown))?.scheduledAtMs
    if (atMs === undefined) continue
    const isFurther = found === undefined || (at.which === 'first' ? atMs < found : atMs > found)
    if (isFurther) found = atMs
  }
  return found
}

/** From when on this hub has listened for the rule, where the looks say it. */
export const listenedSinceMs = (rule: RuleView, locations: Locations, nowMs: number): number =>
  Math.min(nowMs, knownLookMs(rule, locations, { nowMs, which: 'first' }) ?? nowMs)

/**
 * When each rule was first heard of, where that is still needed: silence is counted from there or from the last look
 * that saw something, whichever is later, so that with such a look, which is never forgotten, nothing need be remembered.
 */
export const knownSince = (
  seen: Seen,
  at: {
    rules: readonly RuleView[]
    locations: Locations
    /** What was counted for objectives, where it was read. */
    counts?: ReadonlyMap<string, Sli>
    nowMs: number
    concerns?: (rule: RuleView) => boolean
  },
): ShardState['knownSinceMs'] => {
  const { rules, locations, nowMs, concerns = () => true } = at
  const needed = rules.flatMap((rule) => {
    const before = seen.shard.knownSinceMs[rule.ruleId]
    const sli = at.counts?.get(rule.ruleId)
    if (rule.counted && sli) {
      return heardMs(sli) === undefined ? [[rule.ruleId, Math.min(before ?? nowMs, nowMs)] as const] : []
    }
    if (rule.counted || !concerns(rule)) return before === undefined ? [] : [[rule.ruleId, before] as const]
    const lastMs = knownLookMs(rule, locations, { nowMs, which: 'last' })
    if (lastMs !== undefined && (before === undefined || before <= lastMs)) return []
    return [[rule.ruleId, Math.min(before ?? nowMs, nowMs)] as const]
  })
  return Object.fromEntries(needed)
}
