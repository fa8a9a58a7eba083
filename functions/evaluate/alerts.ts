import type { Severity } from '../../config/contract.ts'
import type { Judgement } from '../../rules/contract.ts'
import type { AlertChange, AlertReason } from '../contract.ts'
import type { Alert } from '../shard-state.ts'

export type RuleIdentity = { ruleId: string; service: string; severity: Severity }

/** A summary is in the shard's item, the row that tells it and the incident's item; all have their limits. */
const summaryLimit = 400

export type Advance = { alert?: Alert; change?: AlertChange }

const told = (
  rule: RuleIdentity,
  alert: Alert,
  step: Pick<AlertChange, 'from' | 'to' | 'reason' | 'atMs'>,
): AlertChange => ({
  alertId: rule.ruleId,
  ruleId: rule.ruleId,
  service: alert.service,
  severity: rule.severity,
  labels: alert.labels,
  sinceMs: alert.sinceMs,
  // Too many alerts at once leave no room for what each of them said.
  summary: alert.summary === '' ? rule.ruleId : alert.summary,
  ...step,
})

/** Ends an alert; only one that fired is told, since nobody heard of a pending one. */
export const endAlert = (rule: RuleIdentity, alert: Alert, end: { reason: AlertReason; nowMs: number }): Advance =>
  alert.state === 'firing'
    ? { change: told(rule, alert, { from: 'firing', to: 'inactive', reason: end.reason, atMs: end.nowMs }) }
    : {}

/**
 * One step of Prometheus' alert state machine, `inactive → pending → firing`, plus "held": while the input is unknown
 * an alert keeps its state, so an unreadable source never resolves a page.
 */
export const advanceAlert = (
  rule: RuleIdentity,
  before: Alert | undefined,
  now: { judgement: Judgement; nowMs: number },
): Advance => {
  const { judgement, nowMs } = now
  const { status, met, reason } = judgement
  const summary = judgement.summary.slice(0, summaryLimit).toWellFormed()
  if (status === 'held' || reason === 'input-unknown') {
    return before ? { alert: { ...before, heldSinceMs: before.heldSinceMs ?? nowMs } } : {}
  }
  if (status === 'inactive') return before ? endAlert(rule, before, { reason, nowMs }) : {}
  const { heldSinceMs: _, ...kept } = before ?? {
    ruleId: rule.ruleId,
    service: rule.service,
    labels: { service: rule.service, severity: rule.severity },
    state: 'pending' as const,
    activeAtMs: nowMs,
    sinceMs: judgement.sinceMs ?? nowMs,
  }
  const alert: Alert = { ...kept, reason, summary }
  if (alert.state === 'firing' || !met) return { alert }
  const firing: Alert = { ...alert, state: 'firing', firedAtMs: nowMs, sinceMs: judgement.sinceMs ?? alert.sinceMs }
  const from = before ? ('pending' as const) : ('inactive' as const)
  return { alert: firing, change: told(rule, firing, { from, to: 'firing', reason, atMs: nowMs }) }
}
