import type { ProbeOutcome } from '../../probes/contract.ts'
import type { ProbeBody } from '../contract.ts'
import { isOverdue } from '../second-opinion.ts'
import type { LocationState, ShardState } from '../shard-state.ts'
import type { RuleView } from './decide.ts'
import { farthest } from './distance.ts'

/** How many other locations are asked. */
const opinionsAsked = 2

/** Is this the first tick of the failing run that lasts until now? Every further one of it was not the first. */
const beginsRun = (state: LocationState | undefined, { monitorId, scheduledAtMs }: ProbeOutcome): boolean => {
  const known = (state?.monitors[monitorId]?.looks ?? []).filter(({ verdict }) => verdict !== 'unknown')
  const run = known.slice(known.findLastIndex(({ verdict }) => verdict !== 'fail') + 1)
  const ticks = run.filter(({ look }) => look === 'tick')
  return ticks.length === 1 && ticks[0]?.scheduledAtMs === scheduledAtMs
}

/**
 * Whom to ask for a second opinion: where a location's tick fails and that alone fires no alert, the most distant other
 * locations look now instead of at their next tick. Once a run of failures and location; never for an old failure.
 * The time they are asked is when the failing look ended, so that the same outcome asks the same question again.
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
    if (!beginsRun(at.locations.get(location), outcome)) return []
    const others = (rule?.monitor?.locations ?? []).filter((other) => other !== location)
    return farthest(location, others, opinionsAsked).map((other) => ({
      shard: at.shard,
      monitorId,
      location: other,
      askedAtMs,
    }))
  })
