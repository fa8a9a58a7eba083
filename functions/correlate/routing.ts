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

/** The route that hears of what nobody takes on, and how long after the one before it did. */
export type NextRoute = { channels: readonly string[]; level: number; afterMs: number }

/**
 * The route after the one that was told, of those that match by now; undefined when there is none. The `level` of a
 * route is its place among those that matched when it was told: by the time nobody answered the hours may be others.
 */
export const nextRoute = (
  routing: Routing,
  at: Routed & { told: { level: number; atMs: number } },
): NextRoute | undefined => {
  const { level: before, atMs } = at.told
  const told = routesFor(routing, { ...at, nowMs: atMs })[before]
  if (told?.escalateAfterSeconds === undefined) return undefined
  const later = routing.routes.slice(routing.routes.indexOf(told) + 1)
  const routes = routesFor(routing, at)
  const level = routes.findIndex((route) => later.includes(route))
  const route = routes[level]
  return route && { channels: route.channels, level, afterMs: told.escalateAfterSeconds * 1000 }
}
