import { type Route, type Severity, severity } from './contract.ts'
import type { Finding } from './issues.ts'
import { listed } from './suggest.ts'

/** An alert as routes see it; without a service it is one of a service nobody has added yet. */
type Case = { service?: string; severity: Severity }

const matches = (route: Route, { service, severity }: Case): boolean => {
  const ours = route.services === undefined || (service !== undefined && route.services.includes(service))
  return ours && (route.severities === undefined || route.severities.includes(severity))
}

const matchesAll = (route: Route) =>
  route.services === undefined && severity.options.every((one) => matches(route, { severity: one }))

/** `ticket and advisory alerts of every service; page alerts of vote`. */
const namesOf = (cases: readonly Case[], services: readonly string[]): string => {
  const bySeverity = severity.options.map((one) => {
    const names = cases.flatMap(({ service, severity }) => (severity === one && service !== undefined ? [service] : []))
    return { one, who: names.length === services.length ? 'every service' : listed(names, 4) }
  })
  const groups = Map.groupBy(bySeverity, ({ who }) => who)
  return [...groups]
    .filter(([who]) => who !== '')
    .map(([who, members]) => `${members.map(({ one }) => one).join(' and ')} alerts of ${who}`)
    .join('; ')
}

/**
 * The last route must match everything, or some alert reaches nobody; and a route behind others that take all it could
 * match is never used.
 */
export const routeFindings = (routes: readonly Route[], services: readonly string[]): Finding[] => {
  const all = severity.options.flatMap((one): Case[] => [
    ...services.map((service) => ({ service, severity: one })),
    { severity: one },
  ])
  let left = all
  const findings: Finding[] = []
  for (const [index, route] of routes.entries()) {
    const path = ['routes', index]
    const taken = left.filter((alert) => matches(route, alert))
    const by = routes.findIndex((other) => other !== route && matchesAll(other))
    // A route whose services do not exist is another mistake.
    if (taken.length === 0 && all.some((alert) => matches(route, alert))) {
      const hint =
        by >= 0 && by < index ? `routes[${by}] takes everything; move it to the end` : 'move it up or remove it'
      const message = 'never used: the routes before it take everything it could match'
      findings.push({ severity: 'warning', code: 'dead-route', path, at: 'value', message, hint })
    }
    left = left.filter((alert) => !matches(route, alert))
  }
  const last = routes.at(-1)
  if (last === undefined || routes.some(matchesAll)) return findings
  const names = namesOf(left, services)
  const nobody = names === '' ? 'an alert of a service added later would reach nobody' : `${names} would reach nobody`
  const hint = 'end with a route that has channels only: no services, no severities'
  const path = ['routes', routes.length - 1]
  const message = `no default route: ${left.length === 0 ? 'the last route must match everything' : nobody}`
  return [...findings, { severity: 'error', code: 'no-default-route', path, at: 'value', message, hint }]
}
