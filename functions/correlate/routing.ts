import type { Hours, Route, Severity } from '../../config/contract.ts'

export type Routing = {
  routes: readonly Route[]
  /** Channels that speak to people, in config order: where a refused page may still go. */
  people: readonly string[]
  fallback?: string | undefined
  teamOf: (service: string) => string | undefined
  isWithin: (hours: Hours, nowMs: number) => boolean
}

/** What is to be routed, and when. */
export type Routed = { service: string; severity: Severity; nowMs: number }

const matches = (routing: Routing, route: Route, { service, severity, nowMs }: Routed): boolean => {
  const team = routing.teamOf(service)
  return (
    (!route.services || route.services.includes(service)) &&
    (!route.teams || (team !== undefined && route.teams.includes(team))) &&
    // An advisory is only shown, unless a route asks for it by name.
    (route.severities ? route.severities.includes(severity) : severity !== 'advisory') &&
    (!route.hours || route.hours.some((hours) => routing.isWithin(hours, nowMs)))
  )
}

/** Every route that matches now, in order: the first decides, the others are for when nobody answers. */
export const routesFor = (routing: Routing, at: Routed): Route[] =>
  routing.routes.filter((route) => matches(routing, route, at))

/** The channels of the first route that matches. */
export const channelsFor = (routing: Routing, at: Routed): readonly string[] =>
  routesFor(routing, at)[0]?.channels ?? (at.severity === 'advisory' ? [] : routing.people)

/**
 * Where to go next when a channel refused: the rest of its route first, then the routes after it, then the fallback
 * channel, then any other that reaches people.
 */
export const fallbackFor = (routing: Routing, at: Routed & { refused: readonly string[] }): string | undefined => {
  const routed = routesFor(routing, at).flatMap(({ channels }) => channels)
  const last = routing.fallback === undefined ? [] : [routing.fallback]
  return [...routed, ...last, ...routing.people].find((channel) => !at.refused.includes(channel))
}

const fourHoursMs = 4 * 3_600_000

export const remindEveryMs = (routing: Routing, at: Routed): number => {
  const seconds = routesFor(routing, at)[0]?.remindEverySeconds
  return seconds === undefined ? fourHoursMs : seconds * 1000
}

/** How long nobody may take an incident on before the next route hears of it; undefined when there is none after it. */
export const escalateAfterMs = (routing: Routing, at: Routed & { level: number }): number | undefined => {
  const routes = routesFor(routing, at)
  const seconds = routes[at.level]?.escalateAfterSeconds
  return seconds === undefined || at.level + 1 >= routes.length ? undefined : seconds * 1000
}
