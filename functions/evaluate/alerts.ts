import type { Severity } from '../../config/contract.ts'
import type { Judgement } from '../../rules/contract.ts'
import type { AlertChange, AlertReason, AlertTransition } from '../contract.ts'
import { type Alert, severityOf } from '../shard-state.ts'
import { flapping } from './flapping.ts'

export type RuleIdentity = {
  ruleId: string
  /** The rule's own id, or that of its advisory. */
  alertId: string
  service: string
  severity: Severity
  /** Nobody asked to hear of it: it is only shown. Its end is told all the same, to whoever heard of it before. */
  quiet?: boolean
  /** Alerts of two severities are never one incident. */
  apart?: boolean
}

/** A summary is in the shard's item, the row that tells it and the incident's item; all have their limits. */
const summaryLimit = 400

/** What became of an alert: each step it took, and what of it is told. */
export type Advance = { alert?: Alert; transitions: AlertTransition[]; changes: AlertChange[] }

type Moment = { nowMs: number; fired: readonly number[] }

const told = (
  rule: RuleIdentity,
  alert: Alert,
  step: Pick<AlertChange, 'from' | 'to' | 'reason'> & Moment,
): AlertChange => {
  const { nowMs, fired, ...change } = step
  const { flaps, words } = flapping(alert, { nowMs, fired })
  // Too many alerts at once leave no room for what each of them said.
  const said = alert.summary === '' ? rule.ruleId : alert.summary
  return {
    alertId: rule.alertId,
    ruleId: rule.ruleId,
    service: alert.service,
    severity: severityOf(alert) ?? rule.severity,
    labels: alert.labels,
    sinceMs: alert.sinceMs,
    summary: words === undefined ? said : `${said.slice(0, summaryLimit - words.length - 3).toWellFormed()} (${words})`,
    atMs: nowMs,
    ...change,
    ...(flaps > 0 ? { flaps } : {}),
  }
}

/** Known again before anything else happens, so that the history never shows a held alert that fires or resolves. */
const released = ({ alertId }: RuleIdentity, before: Alert, nowMs: number): AlertTransition[] =>
  before.heldSinceMs === undefined
    ? []
    : [{ alertId, from: 'held', to: before.state, reason: 'input-known', atMs: nowMs }]

/** Ends an alert; only one that fired is told, since nobody heard of a pending one. */
export const endAlert = (rule: RuleIdentity, alert: Alert, end: Moment & { reason: AlertReason }): Advance => {
  const { reason, nowMs } = end
  const { alertId } = rule
  const step = { alertId, from: alert.state, to: 'inactive' as const, reason, atMs: nowMs }
  const transitions = [...released(rule, alert, nowMs), step]
  if (alert.state !== 'firing') return { transitions, changes: [] }
  return { transitions, changes: [told(rule, alert, { from: 'firing', to: 'inactive', ...end })] }
}

export const hold = ({ alertId }: RuleIdentity, before: Alert | undefined, atMs: number): Advance => {
  if (before === undefined) return { transitions: [], changes: [] }
  if (before.heldSinceMs !== undefined) return { alert: before, transitions: [], changes: [] }
  const step = { alertId, from: before.state, to: 'held' as const, reason: 'input-unknown' as const, atMs }
  return { alert: { ...before, heldSinceMs: atMs }, transitions: [step], changes: [] }
}

/**
 * Tells an alert that fires and that the config calls by another severity since, or has in another service. Advisories
 * are incidents of their own, so to become one or be one no longer ends it where it was.
 */
const restate = (rule: RuleIdentity, { before, alert }: { before: Alert; alert: Alert }, at: Moment): Advance => {
  const was = severityOf(before) ?? rule.severity
  const isOther = was !== rule.severity
  if (!isOther && before.service === alert.service) return { alert, transitions: [], changes: [] }
  const reason: AlertReason = isOther ? 'severity-changed' : 'service-changed'
  const leaves = isOther && (rule.apart === true || was === 'advisory' || rule.severity === 'advisory')
  const ended = leaves ? [told(rule, before, { from: 'firing', to: 'inactive', reason, ...at })] : []
  const again = rule.quiet ? [] : [told(rule, alert, { from: 'firing', to: 'firing', reason, ...at })]
  const step = { alertId: rule.alertId, from: 'firing' as const, to: 'firing' as const, reason, atMs: at.nowMs }
  return { alert, transitions: [step], changes: [...ended, ...again] }
}

/**
 * One step of Prometheus' alert state machine, `inactive → pending → firing`, plus "held": while the input is unknown
 * an alert keeps its state, so an unreadable source never resolves a page. `fired` is when it fired before, lately.
 */
export const advanceAlert = (
  rule: RuleIdentity,
  before: Alert | undefined,
  now: Moment & { judgement: Judgement },
): Advance => {
  const { judgement, nowMs, fired } = now
  const { status, met, reason } = judgement
  if (status === 'held' || reason === 'input-unknown') return hold(rule, before, nowMs)
  if (status === 'inactive') {
    return before ? endAlert(rule, before, { reason, nowMs, fired }) : { transitions: [], changes: [] }
  }
  const { heldSinceMs: _, ...kept } = before ?? {
    ruleId: rule.ruleId,
    labels: {},
    state: 'pending' as const,
    activeAtMs: nowMs,
    sinceMs: judgement.sinceMs ?? nowMs,
  }
  const summary = judgement.summary.slice(0, summaryLimit).toWellFormed()
  const { service, severity } = rule
  const alert: Alert = { ...kept, service, labels: { ...kept.labels, service, severity }, reason, summary }
  const known = before ? released(rule, before, nowMs) : []
  const from = before ? kept.state : ('inactive' as const)
  const to = kept.state === 'firing' || met ? ('firing' as const) : ('pending' as const)
  if (before && from === 'firing') {
    const again = restate(rule, { before, alert }, { nowMs, fired })
    return { ...again, transitions: [...known, ...again.transitions] }
  }
  if (from === to) return { alert, transitions: known, changes: [] }
  const transitions = [...known, { alertId: rule.alertId, from, to, reason, atMs: nowMs }]
  if (to === 'pending') return { alert, transitions, changes: [] }
  const firing: Alert = { ...alert, state: 'firing', firedAtMs: nowMs, sinceMs: judgement.sinceMs ?? alert.sinceMs }
  const changes = rule.quiet ? [] : [told(rule, firing, { from, to, reason, nowMs, fired })]
  return { alert: firing, transitions, changes }
}
