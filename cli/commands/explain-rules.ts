import { impliedRules } from '../../config/normalise.ts'
import type { Config } from '../../config/schema.ts'
import type { HistoryMinute, HistoryPart } from '../../functions/history.ts'
import { ruleMonitor } from '../../rules/registry.ts'

/** The rules of a monitor: the config's, or those it is sure to have had when that does not know it. */
export const rulesOfMonitor = (monitorId: string, config: Config | undefined): string[] =>
  config && Object.hasOwn(config.monitors, monitorId)
    ? Object.entries(config.rules).flatMap(([id, rule]) => (ruleMonitor(rule) === monitorId ? [id] : []))
    : Object.keys(impliedRules(monitorId, 60, new Set()))

const judgedIn = (parts: readonly HistoryPart[]): string[] =>
  parts.flatMap(({ judgements }) => judgements.map(({ ruleId }) => ruleId))

/**
 * The rules that the history judged by this monitor's looks and by no other's. With the looks of others a rule may have
 * been judged for the sake of those, and one that the config has, or another monitor surely has, is that one's.
 */
export const rulesInHistory = (
  minutes: readonly HistoryMinute[],
  monitorId: string,
  known: { monitors: readonly string[]; config: Config | undefined },
): string[] => {
  const parts = minutes.flatMap((one) => one.parts).filter(({ outcomes }) => outcomes.length > 0)
  const alone = parts.filter(({ outcomes }) => outcomes.every((one) => one.monitorId === monitorId))
  const others = parts.filter(({ outcomes }) => !outcomes.some((one) => one.monitorId === monitorId))
  const foreign = new Set([
    ...judgedIn(others),
    ...Object.keys(known.config?.rules ?? {}),
    ...known.monitors.filter((id) => id !== monitorId).flatMap((id) => rulesOfMonitor(id, known.config)),
  ])
  return judgedIn(alone).filter((ruleId) => !foreign.has(ruleId))
}
