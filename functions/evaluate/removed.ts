import { ruleOfAlert } from '../alert-ids.ts'
import type { Alert, ShardState } from '../shard-state.ts'
import { endAlert, hold, type RuleIdentity } from './alerts.ts'

/** With an alert a shard is judged again after so long though nothing is heard: its rule may have left the config, or changed. */
export const alertCheckMs = 15 * 60_000

/** How long one look at the monitor of a rule of the config says something, in whichever shard; undefined when it left it. */
export type RuleFreshMs = (ruleId: string) => number | undefined

const left = 'rule-removed'

/**
 * Until when an alert that fires is left to the shard that its rule has moved to, which tells by then that it fires
 * there, so that its end here is none; undefined when there is nothing to wait for.
 */
const leftUntilMs = (alert: Alert, freshMs: number | undefined, nowMs: number): number | undefined => {
  if (freshMs === undefined || alert.state !== 'firing') return undefined
  const sinceMs = alert.reason === left ? (alert.heldSinceMs ?? nowMs) : nowMs
  const untilMs = sinceMs + Math.max(alertCheckMs, freshMs)
  return untilMs > nowMs ? untilMs : undefined
}

const leave = (rule: RuleIdentity, alert: Alert, nowMs: number) => {
  if (alert.reason === left) return { alert, transitions: [], changes: [] }
  const { heldSinceMs: _, ...rest } = alert
  return hold(rule, { ...rest, reason: left }, nowMs)
}

/**
 * Alerts whose rule left the config end, so that nothing stays open that nobody watches; where it only left the shard
 * they are held for a while before.
 */
export const endRemoved = (
  rules: readonly RuleIdentity[],
  shard: ShardState,
  { nowMs, ruleFreshMs }: { nowMs: number; ruleFreshMs: RuleFreshMs },
) => {
  const known = new Set(rules.map(({ alertId }) => alertId))
  const own = new Set(rules.map(({ ruleId }) => ruleId))
  const againAtMs: number[] = []
  const removed = Object.entries(shard.alerts).filter(([alertId]) => !known.has(alertId))
  const gone = removed.map(([alertId, alert]) => {
    const ruleId = ruleOfAlert(alertId)
    const identity = { ruleId, alertId, service: alert.service, severity: 'page' as const }
    const untilMs = own.has(ruleId) ? undefined : leftUntilMs(alert, ruleFreshMs(ruleId), nowMs)
    if (untilMs === undefined)
      return { alertId, ...endAlert(identity, alert, { reason: left, nowMs, fired: shard.fired[alertId] ?? [] }) }
    againAtMs.push(untilMs)
    return { alertId, ...leave(identity, alert, nowMs) }
  })
  const kept = Object.entries(shard.alerts).filter(([alertId]) => known.has(alertId))
  const held = gone.flatMap(({ alertId, alert }) => (alert ? [[alertId, alert] as const] : []))
  return {
    known,
    alerts: Object.fromEntries([...kept, ...held]),
    againAtMs,
    changes: gone.flatMap(({ changes }) => changes),
    transitions: gone.flatMap(({ transitions }) => transitions),
  }
}
