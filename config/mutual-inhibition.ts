import type { InhibitRule } from './contract.ts'
import { parseMatcher, wholeExpression } from './matchers.ts'
import type { Config } from './schema.ts'

/** All that a config says beforehand of the labels of an alert. */
type Alert = { service: string; severity: 'page' | 'ticket' }

/** More than this many pairs of one rule are not looked through. */
const pairsLimit = 100_000

/** What a matcher asks of other labels may be so. */
const mayMatch = (matchers: readonly string[], alert: Alert): boolean =>
  matchers.every((text) => {
    const read = parseMatcher(text)
    if (read?.label !== 'service' && read?.label !== 'severity') return read !== undefined
    const { op, value } = read
    const found = op.endsWith('~') ? wholeExpression(value).test(alert[read.label]) : alert[read.label] === value
    return op.startsWith('!') ? !found : found
  })

const mayInhibit = ({ source, target, equal }: InhibitRule, by: Alert, alert: Alert): boolean =>
  mayMatch(source, by) &&
  mayMatch(target, alert) &&
  equal.every((label) => (label !== 'service' && label !== 'severity') || by[label] === alert[label]) &&
  !(mayMatch(target, by) && mayMatch(source, alert))

const needs = (services: Config['services'], service: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const todo = [service]; todo.length > 0; ) {
    for (const next of services[todo.pop() ?? '']?.dependsOn ?? []) {
      if (!found.has(next)) todo.push(next)
      found.add(next)
    }
  }
  return found
}

/** Two alerts, and what keeps the source of a rule quiet for its target. */
export type Mutual = { index: number; source: Alert; target: Alert; because: string }

/** For each inhibit rule, two alerts that would keep each other quiet: nobody would hear of either while both fire. */
export const mutualInhibitions = ({ services, inhibit }: Pick<Config, 'services' | 'inhibit'>): Mutual[] => {
  const alerts = Object.keys(services).flatMap((service): Alert[] => [
    { service, severity: 'page' },
    { service, severity: 'ticket' },
  ])
  return inhibit.flatMap((rule, index): Mutual[] => {
    const sources = alerts.filter((alert) => mayMatch(rule.source, alert))
    const targets = alerts.filter((alert) => mayMatch(rule.target, alert))
    if (sources.length * targets.length > pairsLimit) return []
    for (const source of sources) {
      const needed = needs(services, source.service)
      for (const target of targets.filter((alert) => mayInhibit(rule, source, alert))) {
        if (target.severity === 'page' && needed.has(target.service))
          return [{ index, source, target, because: `${source.service} depends on ${target.service}` }]
        const back = inhibit.findIndex((other, nth) => nth < index && mayInhibit(other, target, source))
        if (back !== -1) return [{ index, source, target, because: `inhibit[${back}] says the opposite` }]
      }
    }
    return []
  })
}
