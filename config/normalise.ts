import type { MonitorSpec } from '../probes/registry.ts'
import { type RuleSpec, ruleMonitor, ruleSpec } from '../rules/registry.ts'
import type { Config } from './schema.ts'

/** Ids of the rules a monitor gets when nobody wrote them. The longer one bounds how long a monitor's id may be. */
const impliedRuleId = {
  availability: (monitor: string) => `${monitor}-availability`,
  absence: (monitor: string) => `${monitor}-blind`,
}

/** Blindness is worth a ticket after this long, or after five periods of a slow monitor. */
const blindAfterSeconds = (periodSeconds: number) => Math.min(Math.max(300, 5 * periodSeconds), 86_400 * 31)

/** The monitor a rule judges, if it judges one that exists. */
export const monitorOf = (config: Config, rule: RuleSpec): MonitorSpec | undefined => {
  const monitor = ruleMonitor(rule)
  return monitor !== undefined && Object.hasOwn(config.monitors, monitor) ? config.monitors[monitor] : undefined
}

/** Which kinds of rule somebody wrote for which monitor: `availability vote`. */
export const writtenRules = (rules: Config['rules']): ReadonlySet<string> =>
  new Set(Object.values(rules).map((rule) => `${rule.kind} ${ruleMonitor(rule)}`))

/** The rules that `monitor` has without anybody writing them, by id; one that is written takes its place. */
export const impliedRules = (
  monitor: string,
  periodSeconds: number,
  written: ReadonlySet<string>,
): Record<string, RuleSpec> => {
  const has = (kind: RuleSpec['kind']) => written.has(`${kind} ${monitor}`)
  const availability = { kind: 'availability', monitor }
  const absence = { kind: 'absence', monitor, severity: 'ticket', forSeconds: blindAfterSeconds(periodSeconds) }
  // Parsed, so that the rule kinds' own defaults are the only place where defaults are written.
  return {
    ...(has('availability') ? {} : { [impliedRuleId.availability(monitor)]: ruleSpec.parse(availability) }),
    ...(has('absence') ? {} : { [impliedRuleId.absence(monitor)]: ruleSpec.parse(absence) }),
  }
}

/**
 * Writes out what a config leaves implied: every monitor's locations, its availability and blindness rules, and every
 * rule's service. Pure, and the same again when repeated. A rule somebody wrote is never replaced.
 */
export const normalise = (config: Config): Config => {
  const monitors = Object.fromEntries(
    Object.entries(config.monitors).map(([id, monitor]) => [
      id,
      { ...monitor, locations: monitor.locations ?? [...config.locations] },
    ]),
  )
  const written = writtenRules(config.rules)
  const implied = Object.entries(monitors).flatMap(([id, { periodSeconds }]) =>
    Object.entries(impliedRules(id, periodSeconds, written)),
  )
  const all = [...Object.entries(config.rules), ...implied.filter(([id]) => !Object.hasOwn(config.rules, id))]
  const rules = all.map(([id, rule]): [string, RuleSpec] => {
    const service = rule.service ?? monitorOf(config, rule)?.service
    return [id, service === undefined ? rule : { ...rule, service }]
  })
  return { ...config, monitors, rules: Object.fromEntries(rules) }
}
