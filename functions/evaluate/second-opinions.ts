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

type Run = {
  /** The tick this look belongs to fails in the run too, and not before something passed. */
  whole: boolean
  /** It is one of the run's first ticks, counted anew since the alert is pending. */
  early: boolean
}

/** The failing run that lasts until now, as far as this look of a tick is in it. */
const runOf = (state: LocationState | undefined, seen: ProbeOutcome, { activeAtMs }: Alert): Run | undefined => {
  const known = (state?.monitors[seen.monitorId]?.looks ?? []).filter(({ verdict }) => verdict !== 'unknown')
  const run = known.slice(known.findLastIndex(({ verdict }) => verdict !== 'fail') + 1)
  const has = (looks: typeof run, kind: string) =>
    looks.some(({ look, scheduledAtMs }) => look === kind && scheduledAtMs === seen.scheduledAtMs)
  if (!has(run, seen.look) || !has(known, 'tick')) return undefined
  const ticks = run.filter(({ look, scheduledAtMs }) => look === 'tick' && scheduledAtMs > activeAtMs)
  return { whole: has(run, 'tick'), early: ticks.length < ticksAsked }
}

/** Whose newest look, if any, did not fail: the others need not be asked twice. */
const disagrees = (state: LocationState | undefined, monitorId: string): boolean =>
  state?.monitors[monitorId]?.looks.at(-1)?.verdict !== 'fail'

/**
 * Whom to ask for a second opinion: where a location's tick fails and that alone fires no alert, the most distant other
 * locations look now instead of at their next tick; never for an old failure. Those that still disagree are asked once
 * more when its re-checks are through, since what it sees may have begun after they looked; and itself, where something
 * passed between its tick and its re-checks, so that it has not yet looked often enough. The time they are asked is when
 * the failing look ended, so that the same outcome asks the same question again.
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
    const asks = look === 'tick' || look === 'recheck-2'
    if (!asks || verdict !== 'fail' || isOverdue(askedAtMs, at.nowMs)) return []
    const rule = at.rules.find(({ ruleId, monitor }) => {
      const concerns = monitor?.monitorId === monitorId && monitor.locations.includes(location)
      return concerns && at.alerts[ruleId]?.state === 'pending'
    })
    const alert = rule && at.alerts[rule.ruleId]
    const run = alert && runOf(at.locations.get(location), outcome, alert)
    if (!run?.early) return []
    const others = (rule?.monitor?.locations ?? []).filter((other) => other !== location)
    const asked = farthest(location, others, opinionsAsked).filter(
      (other) => look === 'tick' || disagrees(at.locations.get(other), monitorId),
    )
    return [...asked, ...(run.whole ? [] : [location])].map((other) => ({
      shard: at.shard,
      monitorId,
      location: other,
      askedAtMs,
    }))
  })
