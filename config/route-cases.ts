import { type Hours, type Route, type Severity, severity } from './contract.ts'
import { isWithinAny, minutesOf, wallClock } from './hours.ts'
import type { Config } from './schema.ts'

/** An alert as routes see it; without a service it is one of a service nobody has added yet. */
export type Case = { service?: string; team?: string; severity: Severity }

/**
 * Whom alerts reach at some time of the week: the routes that are told one after the other when nobody takes them on,
 * the first one first.
 */
export type Told = { alerts: readonly Case[]; routes: readonly number[] }

/** Does a route match, within its hours? An advisory is only shown, unless a route names advisories. */
export const mayMatch = (route: Route, { service, team, severity }: Case): boolean =>
  (route.services === undefined || (service !== undefined && route.services.includes(service))) &&
  (route.teams === undefined || (team !== undefined && route.teams.includes(team))) &&
  (route.severities?.includes(severity) ?? severity !== 'advisory')

/** Does a route match every alert that must reach somebody, at any time? */
export const matchesAll = (route: Route): boolean =>
  route.hours === undefined && (['page', 'ticket'] as const).every((severity) => mayMatch(route, { severity }))

const casesOf = ({ services, routes }: Pick<Config, 'services' | 'routes'>): Case[] => {
  const owned = Object.entries(services).map(([service, { owner }]) => ({
    service,
    ...(owner && { team: owner.team }),
  }))
  const teams = [...new Set(routes.flatMap(({ teams = [] }) => teams))]
  const later = [{}, ...teams.map((team) => ({ team }))]
  return severity.options.flatMap((one) => [...owned, ...later].map((alert) => ({ ...alert, severity: one })))
}

const dayMs = 86_400_000
const weekMinutes = 7 * 1440
const dayOrder = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

/**
 * Weeks of one year in which no clock is moved: with winter time in the north, with summer time in America alone, with
 * summer time in the north.
 */
const weeks = [Date.UTC(2027, 0, 10), Date.UTC(2027, 2, 16), Date.UTC(2027, 6, 11)]

const offsetMs = (timeZone: string, atMs: number): number => {
  const [there, utc] = [timeZone, 'UTC'].map((zone) => {
    const { day, minutes } = wallClock(zone, atMs)
    return dayOrder.indexOf(day) * 1440 + minutes
  })
  const ahead = ((there ?? 0) - (utc ?? 0) + weekMinutes) % weekMinutes
  return (ahead > weekMinutes / 2 ? ahead - weekMinutes : ahead) * 60_000
}

/** Every moment of those weeks at which these hours begin or end. */
const edges = ({ timeZone, from, to }: Hours): number[] =>
  weeks.flatMap((weekMs) => {
    const midnightMs = weekMs - offsetMs(timeZone, weekMs + 3 * dayMs)
    return Array.from({ length: 8 }, (_, day) => day).flatMap((day) =>
      [from, to].map((time) => midnightMs + day * dayMs + minutesOf(time) * 60_000),
    )
  })

/** Which routes are within their hours together, as it comes about at some time of the week. */
const shiftsOf = (routes: readonly Route[]): boolean[][] => {
  const moments = new Set([...weeks, ...routes.flatMap(({ hours = [] }) => hours.flatMap(edges))])
  const shifts = [...moments].map((atMs) => routes.map(({ hours }) => isWithinAny(hours, atMs)))
  return [...new Map(shifts.map((shift) => [shift.join(), shift])).values()]
}

const toldIn = (routes: readonly Route[], matching: readonly number[]): number[] => {
  const end = matching.findIndex((index) => routes[index]?.escalateAfterSeconds === undefined)
  return end < 0 ? [...matching] : matching.slice(0, end + 1)
}

/** For all alerts that the same routes match, each way they take at some time of the week. */
export const toldCases = (config: Pick<Config, 'services' | 'routes'>): Told[] => {
  const { routes } = config
  const shifts = shiftsOf(routes)
  const alike = Map.groupBy(casesOf(config), (alert) => routes.map((route) => mayMatch(route, alert)).join())
  return [...alike.values()].flatMap((alerts) => {
    const [alert] = alerts
    if (!alert) return []
    const matching = routes.flatMap((route, index) => (mayMatch(route, alert) ? [index] : []))
    const ways = shifts.map((open) =>
      toldIn(
        routes,
        matching.filter((index) => open[index]),
      ),
    )
    return [...new Map(ways.map((way) => [way.join(), way])).values()].map((way) => ({ alerts, routes: way }))
  })
}
