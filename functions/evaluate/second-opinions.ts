import type { ProbeOutcome } from '../../probes/contract.ts'
import type { ProbeBody } from '../contract.ts'
import { isOverdue } from '../second-opinion.ts'
import type { Alert, LocationState, ShardState } from '../shard-state.ts'
import type { RuleView } from './decide.ts'
import { farthest } from './distance.ts'

/** How many other locations are asked. */
const opinionsAsked = 2

/**
 * In how many ticks of a failing run. More than in its first, since a run can outlast what began it: a location that
 * looked last during an outage that is over still fails when the next one begins. Not in all, for a location that is
 * cut off would have the others look for ever.
 */
const ticksAsked = 3

/** Is this one of the first ticks of the failing run that lasts until now, counted anew since the alert is pending? */
const isEarlyInRun = (state: LocationState | undefined, seen: ProbeOutcome, { activeAtMs }: Alert): boolean => {
  const known = (state?.monitors[seen.monitorId]?.looks ?? []).filter(({ verdict }) => verdict !== 'unknown')
  const run = known.slice(known.findLastIndex(({ verdict }) => verdict !== 'fail') + 1)
  const ticks = run.filter(({ look, scheduledAtMs }) => look === 'tick' && scheduledAtMs > activeAtMs)
  const isOfRun = run.some(({ look, scheduledAtMs }) => look === 'tick' && scheduledAtMs === seen.scheduledAtMs)
  return isOfRun && ticks.length < ticksAsked
}

/**
 * Whom to ask for a second opinion: where a location's tick fails and that alone fires no alert, the most distant other
 * locations look now instead of at their next tick; never for an old failure. The time they are asked is when the
 * failing look ended, so that the same outcome asks the same question again.
 */
export const secondOpinions = (
  counted: readonly ProbeOutcome[],
  at: {
    shard: string
    rules: readonly RuleView[]
    alerts: ShardState['alerts']
    locations: ReadonlyMap<string, LocationState>
    nowMs: number
  },
): ProbeBody[] =>
  counted.flatMap((outcome) => {
    const { monitorId, location, look, verdict, startedAtMs, timingsMs } = outcome
    const askedAtMs = Math.round(startedAtMs + timingsMs.total)
    if (look !== 'tick' || verdict !== 'fail' || isOverdue(askedAtMs, at.nowMs)) return []
    const rule = at.rules.find(({ ruleId, monitor }) => {
      const concerns = monitor?.monitorId === monitorId && monitor.locations.includes(location)
      return concerns && at.alerts[ruleId]?.state === 'pending'
    })
    const alert = rule && at.alerts[rule.ruleId]
    if (!alert || !isEarlyInRun(at.locations.get(location), outcome, alert)) return []
    const others = (rule.monitor?.locations ?? []).filter((other) => other !== location)
    return farthest(location, others, opinionsAsked).map((other) => ({
      shard: at.shard,
      monitorId,
      location: other,
      askedAtMs,
    }))
  })
