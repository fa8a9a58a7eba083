import type { Hours, Route, Severity } from '../../config/contract.ts'
import type { ToldRoute } from '../hub-state.ts'
import { hash } from '../shards.ts'

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

const ids = new WeakMap<Route, string>()

/** A route by what it says, wherever it stands. */
const routeId = (route: Route): string => {
  const id = ids.get(route) ?? hash(JSON.stringify(route)).toString(36)
  ids.set(route, id)
  return id
}

const afterOf = ({ escalateAfterSeconds: seconds }: Route) => (seconds === undefined ? {} : { afterMs: seconds * 1000 })

/** The first route is told. */
export const beginRoutes = (first: Route, atMs: number): ToldRoute => {
  const route = routeId(first)
  return { first: route, route, atMs, ...afterOf(first) }
}

/** The next route is told. */
export const goOn = ({ first }: ToldRoute, next: Route, atMs: number): ToldRoute => ({
  first,
  route: routeId(next),
  atMs,
  ...afterOf(next),
})

const matchesEver = (routing: Routing, { hours: _, ...route }: Route, at: Routed): boolean =>
  matches(routing, route, at)

/** Where the route that was told last stands for what is routed, whatever its hours; -1 when the config has no such. */
export const placeOf = (routing: Routing, { route }: ToldRoute, at: Routed): number =>
  routing.routes.findIndex((one) => routeId(one) === route && matchesEver(routing, one, at))

/**
 * The route that hears of what nobody takes on, when, and since when nobody has. Before `dueAtMs` another may be first:
 * while all that could hear of it are outside their hours it is the next minute, which may be within them.
 */
export type NextRoute = { route: Route; dueAtMs: number; sinceMs: number }

const minuteMs = 60_000

/**
 * The first route behind the one that was told last, whose hours may be over, that matches when it is due. When that
 * left the config: the first that matches and reaches somebody new.
 */
export const nextRoute = (
  routing: Routing,
  at: Routed & { told: ToldRoute; known: readonly string[] },
): NextRoute | undefined => {
  const { told, known, nowMs } = at
  if (told.afterMs === undefined) return undefined
  const place = placeOf(routing, told, at)
  const isNew = ({ channels }: Route) => channels.some((channel) => !known.includes(channel))
  const later = routing.routes.filter(
    (one, index) => matchesEver(routing, one, at) && (place === -1 ? isNew(one) : index > place),
  )
  const sinceMs = told.atMs
  const dueAtMs = sinceMs + told.afterMs
  const hearsAtMs = Math.max(nowMs, dueAtMs)
  const route = later.find((one) => matches(routing, one, { ...at, nowMs: hearsAtMs }))
  if (route) return { route, dueAtMs, sinceMs }
  const [first] = later
  return first && { route: first, dueAtMs: (Math.floor(hearsAtMs / minuteMs) + 1) * minuteMs, sinceMs }
}
