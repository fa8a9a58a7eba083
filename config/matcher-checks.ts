import type { ConfigPath, Finding } from './issues.ts'
import { type LabelMatcher, parseMatcher, wholeExpression } from './matchers.ts'
import { mutualInhibitions } from './mutual-inhibition.ts'
import type { Config } from './schema.ts'
import { hintForName } from './suggest.ts'

const warning = (code: string, path: ConfigPath, message: string, hint: string): Finding => ({
  severity: 'warning',
  code,
  path,
  at: 'value',
  message,
  hint,
})

/** The services a matcher asks for; undefined when it is not about services or leaves some out. */
const matched = ({ label, op, value }: LabelMatcher, services: readonly string[]): readonly string[] | undefined => {
  if (label !== 'service' || op === '!=' || op === '!~') return undefined
  if (op === '=') return services.filter((name) => name === value)
  const whole = wholeExpression(value)
  return services.filter((name) => whole.test(name))
}

/** A matcher for a service that does not exist is true of nothing, and nobody would notice. */
const unknownServices = (matchers: readonly string[], path: ConfigPath, services: readonly string[]): Finding[] =>
  matchers.flatMap((text, index) => {
    const read = parseMatcher(text)
    if (!read || matched(read, services)?.length !== 0) return []
    const hint = hintForName(read.value, services, 'services')
    return [warning('unknown-service', [...path, index], `${text} is true of no service`, hint)]
  })

/** The same matchers, in whatever order and spelling. */
const canonical = (matchers: readonly string[]): string =>
  [...new Set(matchers.map((text) => JSON.stringify(parseMatcher(text))))].sort().join()

const mutual = (config: Config): Finding[] =>
  mutualInhibitions(config).map(({ index, source, target, because }) => {
    const [a, b] = [source, target].map(({ service, severity }) => `a ${severity} of ${service}`)
    const message = `${a} and ${b} can keep each other quiet, since ${because}: while both fire nobody is told of either`
    const hint = 'let one of them be told: narrow source or target, or remove the rule'
    return warning('mutual-inhibition', ['inhibit', index], message, hint)
  })

/** Matchers that are true of nothing, inhibit rules that keep both sides quiet, and inhibit rules that inhibit nothing. */
export const matcherFindings = (config: Config): Finding[] => {
  const { services, inhibit, maintenance } = config
  const names = Object.keys(services)
  const windows = Object.entries(maintenance).flatMap(([name, { matchers = [] }]) =>
    unknownServices(matchers, ['maintenance', name, 'matchers'], names),
  )
  const rules = inhibit.flatMap(({ source, target }, index) => {
    const path = ['inhibit', index]
    const same = canonical(source) === canonical(target)
    const message = 'inhibits nothing: an alert that matches both sides is never inhibited by another that does too'
    const hint = 'let source and target differ, such as severity=page and severity=ticket'
    return [
      ...unknownServices(source, [...path, 'source'], names),
      ...unknownServices(target, [...path, 'target'], names),
      ...(same ? [warning('inhibits-nothing', path, message, hint)] : []),
    ]
  })
  return [...rules, ...mutual(config), ...windows]
}
