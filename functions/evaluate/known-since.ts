import { aheadMs } from '../freshness.ts'
import type { LocationState, ShardState } from '../shard-state.ts'
import type { RuleView, Seen } from './decide.ts'

type Locations = ReadonlyMap<string, LocationState>

/** Scheduled times of the looks at a rule's monitor that saw something, from everywhere it is looked at. */
const knownLooksMs = ({ monitor }: RuleView, locations: Locations, nowMs: number): number[] => {
  if (!monitor) return []
  const looks = monitor.locations.flatMap(
    (location) => locations.get(location)?.monitors[monitor.monitorId]?.looks ?? [],
  )
  const known = looks.filter(({ verdict, scheduledAtMs }) => verdict !== 'unknown' && scheduledAtMs <= nowMs + aheadMs)
  return known.map(({ scheduledAtMs }) => scheduledAtMs)
}

/** From when on this hub has listened for the rule, where the looks say it. */
export const listenedSinceMs = (rule: RuleView, locations: Locations, nowMs: number): number =>
  Math.min(nowMs, ...knownLooksMs(rule, locations, nowMs))

/**
 * When each rule was first heard of, where that is still needed: silence is counted from there or from the last look
 * that saw something, whichever is later, so that with such a look nothing need be remembered. When the last of them
 * is forgotten its time takes its place, or a long blindness would begin anew.
 */
export const knownSince = (
  seen: Seen,
  at: { rules: readonly RuleView[]; locations: Locations; nowMs: number },
): ShardState['knownSinceMs'] => {
  const { rules, locations, nowMs } = at
  const needed = rules.flatMap((rule) => {
    const before = seen.shard.knownSinceMs[rule.ruleId]
    const looksMs = knownLooksMs(rule, locations, nowMs)
    const lastMs = looksMs.length > 0 ? Math.max(...looksMs) : undefined
    if (lastMs !== undefined && (before === undefined || before <= lastMs)) return []
    const forgottenMs = knownLooksMs(rule, seen.locations, nowMs)
    const sinceMs = before ?? (forgottenMs.length > 0 ? Math.max(...forgottenMs) : nowMs)
    return [[rule.ruleId, Math.min(sinceMs, nowMs)] as const]
  })
  return Object.fromEntries(needed)
}
