import { ruleOfAlert } from '../alert-ids.ts'
import type { ShardState } from '../shard-state.ts'
import { endAlert, type RuleIdentity } from './alerts.ts'

/** Alerts whose rule left the config end, so that nothing stays open that nobody watches. */
export const endRemoved = (rules: readonly RuleIdentity[], shard: ShardState, nowMs: number) => {
  const known = new Set(rules.map(({ alertId }) => alertId))
  const removed = Object.entries(shard.alerts).filter(([alertId]) => !known.has(alertId))
  const ended = removed.map(([alertId, alert]) => {
    const identity = { ruleId: ruleOfAlert(alertId), alertId, service: alert.service, severity: 'page' as const }
    return endAlert(identity, alert, { reason: 'rule-removed', nowMs, fired: shard.fired[alertId] ?? [] })
  })
  const kept = Object.entries(shard.alerts).filter(([alertId]) => known.has(alertId))
  return {
    known,
    alerts: Object.fromEntries(kept),
    changes: ended.flatMap(({ changes }) => changes),
    transitions: ended.flatMap(({ transitions }) => transitions),
  }
}
