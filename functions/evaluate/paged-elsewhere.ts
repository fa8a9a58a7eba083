import type { Judgement } from '../../rules/contract.ts'
import { advisoryId } from '../alert-ids.ts'
import { freshForMs } from '../freshness.ts'
import type { ShardState } from '../shard-state.ts'
import type { RuleView } from './decide.ts'

type Alerts = ShardState['alerts']

export const pagedByAnother = ({ ruleId }: RuleView): Judgement => ({
  status: 'inactive',
  met: false,
  reason: 'another-pages',
  summary: ruleId,
})

/**
 * It fires or is about to. One that is below its quorum is not, once every location looked again or says nothing any more:
 * since then is how long its advisory is there.
 */
const pages = (alertId: string, alerts: Alerts, at: { freshMs: number; nowMs: number }): boolean => {
  const alert = alerts[alertId]
  if (alert?.state !== 'pending' || alert.reason !== 'quorum-not-met') return alert !== undefined
  const sinceMs = (alerts[advisoryId(alertId)] ?? alert).activeAtMs
  return at.nowMs - sinceMs < at.freshMs
}

/**
 * Does another alert page for this one? An advisory waits for its own rule only while that fires: what is pending is what
 * it tells of.
 */
export const isPagedElsewhere = (
  { ruleId, alertId, monitor, behind = [] }: RuleView,
  alerts: Alerts,
  nowMs: number,
): boolean =>
  behind.some((other) => pages(other, alerts, { freshMs: freshForMs(monitor?.periodSeconds ?? 0), nowMs })) ||
  (alertId === advisoryId(ruleId) && alerts[ruleId]?.state === 'firing')
