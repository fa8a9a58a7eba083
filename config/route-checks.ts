import { severity } from './contract.ts'
import { minutesOf } from './hours.ts'
import type { Finding } from './issues.ts'
import { peopleOf, peopleOnAws } from './people.ts'
import { type Case, matchesAll, mayMatch, type Told, toldCases } from './route-cases.ts'
import type { Config } from './schema.ts'
import { closest, listed } from './suggest.ts'

type Routing = Pick<Config, 'services' | 'routes' | 'channels' | 'fallbackChannel'>

const finding = (
  severity: Finding['severity'],
  code: string,
  at: { path: Finding['path']; message: string; hint: string },
): Finding => ({ severity, code, at: 'value', ...at })

/** `ticket and advisory alerts of every service; page alerts of vote`. */
const namesOf = (cases: readonly Case[], services: number): string => {
  const bySeverity = severity.options.map((one) => {
    const names = cases.flatMap(({ service, severity }) => (severity === one && service !== undefined ? [service] : []))
    const distinct = [...new Set(names)]
    return { one, who: distinct.length === services ? 'every service' : listed(distinct, 4) }
  })
  const groups = Map.groupBy(bySeverity, ({ who }) => who)
  return [...groups]
    .filter(([who]) => who !== '')
    .map(([who, members]) => `${members.map(({ one }) => one).join(' and ')} alerts of ${who}`)
    .join('; ')
}

/** What must reach somebody: an advisory is only shown. */
const mustReach = ({ severity }: Case): boolean => severity !== 'advisory'

const deadRoutes = ({ routes }: Routing, told: readonly Told[]): Finding[] => {
  const used = new Set(told.flatMap(({ routes }) => routes))
  const all = routes.findIndex(matchesAll)
  return routes.flatMap((route, index) => {
    // A route whose services do not exist is another mistake.
    if (used.has(index) || !told.some(({ alerts: [alert] }) => alert && mayMatch(route, alert))) return []
    const before = all >= 0 && all < index
    const hint = before ? `routes[${all}] takes everything; move it to the end` : 'move it up or remove it'
    const message = 'never used: the routes before it take everything it could match'
    return [finding('warning', 'dead-route', { path: ['routes', index], message, hint })]
  })
}

const missingDefault = ({ routes, services }: Routing, told: readonly Told[]): Finding[] => {
  if (routes.length === 0 || routes.some(matchesAll)) return []
  const must = told.map(({ alerts, routes }) => ({ alerts: alerts.filter(mustReach), routes }))
  const reached = new Set(must.flatMap(({ alerts, routes }) => (routes.length > 0 ? alerts : [])))
  const left = must.flatMap(({ alerts, routes }) => (routes.length === 0 ? alerts : []))
  const names = namesOf(left, Object.keys(services).length)
  const some = left.every((alert) => reached.has(alert)) ? ' at some hours' : ''
  const nobody = names === '' ? 'an alert of a service added later would reach nobody' : `${names} would reach nobody`
  const message = `no default route: ${left.length === 0 ? 'the last route must match everything' : `${nobody}${some}`}`
  const hint = 'end with a route that has channels only: no teams, services, severities or hours'
  return [finding('error', 'no-default-route', { path: ['routes', routes.length - 1], message, hint })]
}

/** What is said of alerts that one channel hears of (`only`), or none that people read. */
const fewFinding = (whose: string, at: { first: number; only: string | undefined; hasUnread: boolean }): Finding => {
  const path = ['routes', at.first, 'channels']
  if (at.only === undefined) {
    const message = `${whose} would reach nobody on AWS, where no terminal shows what a console prints`
    return finding('error', 'reaches-nobody', { path, message, hint: 'add a channel of another kind' })
  }
  const why = at.hasUnread ? ' (nobody reads a console on AWS)' : ''
  const message = `${whose} reach only ${at.only}${why}: if it fails, all that is left is a channel not meant for them`
  const hint = 'add a second channel, escalate to another route, or name a fallbackChannel'
  return finding('warning', 'single-channel', { path, message, hint })
}

/** One channel is enough to be told and too little to rely on; one that nobody reads is none. */
const fewChannels = (config: Routing, told: readonly Told[], onAws: boolean): Finding[] => {
  const { routes, services, fallbackChannel } = config
  const people = peopleOf(config)
  const live = onAws ? peopleOnAws(config) : people
  const few = told.flatMap(({ alerts, routes: indexes }) => {
    const [first] = indexes
    const named = [...indexes.flatMap((index) => routes[index]?.channels ?? []), fallbackChannel]
    const meant = [...new Set(named.flatMap((name) => (name && people.includes(name) ? [name] : [])))]
    const [only, second] = meant.filter((name) => live.includes(name))
    // Where there is one channel for everything, that is said of the channel.
    if (first === undefined || meant.length === 0 || second !== undefined || (only && live.length < 2)) return []
    const at = { first, only, hasUnread: meant.length > 1 }
    return alerts.filter((alert) => mustReach(alert) && alert.service !== undefined).map((alert) => ({ alert, at }))
  })
  const groups = Map.groupBy(few, ({ at }) => `${at.first} ${at.only}`)
  return [...groups.values()].flatMap((cases) => {
    const [one] = cases
    const alerts = cases.map(({ alert }) => alert)
    return one ? [fewFinding(namesOf(alerts, Object.keys(services).length), one.at)] : []
  })
}

/** Escalation that tells nobody who was not told before. */
const vainEscalations = ({ routes }: Routing, told: readonly Told[]): Finding[] => {
  const channelsOf = (indexes: readonly number[]) => indexes.flatMap((index) => routes[index]?.channels ?? [])
  return routes.flatMap(({ escalateAfterSeconds }, index) => {
    const through = told.filter(({ routes }) => routes.includes(index))
    if (escalateAfterSeconds === undefined || through.length === 0) return []
    const helps = through.some(({ routes: indexes }) => {
      const [before, after] = [indexes.slice(0, indexes.indexOf(index) + 1), indexes.slice(indexes.indexOf(index) + 1)]
      const heard = channelsOf(before)
      return channelsOf(after).some((channel) => !heard.includes(channel))
    })
    if (helps) return []
    const message = 'nobody is next: no later route that matches the same alerts has another channel'
    const hint = 'add a route behind it, or remove escalateAfterSeconds'
    return [
      finding('warning', 'escalates-to-nobody', { path: ['routes', index, 'escalateAfterSeconds'], message, hint }),
    ]
  })
}

const unknownTeams = ({ routes, services }: Routing): Finding[] => {
  const teams = [...new Set(Object.values(services).flatMap(({ owner }) => (owner ? [owner.team] : [])))]
  return routes.flatMap((route, index) =>
    (route.teams ?? []).flatMap((team, nth) => {
      if (teams.includes(team)) return []
      const near = closest(team, teams)
      const hint = near ? `did you mean ${near}?` : `teams there are: ${listed(teams)}`
      const message = `no service is owned by a team ${team}`
      const none = 'no service has an owner yet: name its team in services.<name>.owner'
      const at = { path: ['routes', index, 'teams', nth], message, hint: teams.length > 0 ? hint : none }
      return [finding('warning', 'unknown-team', at)]
    }),
  )
}

const emptyHours = ({ routes }: Routing): Finding[] =>
  routes.flatMap(({ hours = [] }, index) =>
    hours.flatMap(({ from, to }, nth) => {
      if (minutesOf(from) % 1440 !== minutesOf(to) % 1440 || (from === '00:00' && to === '24:00')) return []
      const message = `from ${from} to ${to} is no time at all`
      const hint = 'the whole day is from: "00:00" to: "24:00"'
      return [finding('error', 'empty-hours', { path: ['routes', index, 'hours', nth, 'to'], message, hint })]
    }),
  )

/**
 * What is wrong with the way alerts take: every page and ticket must reach somebody at every time of the week, should
 * reach two channels, and no route should be there for nothing. `onAws`: it is to be deployed, where no terminal is.
 */
export const routeFindings = (config: Routing, { onAws = false } = {}): Finding[] => {
  const told = toldCases(config)
  return [
    ...deadRoutes(config, told),
    ...missingDefault(config, told),
    ...fewChannels(config, told, onAws),
    ...vainEscalations(config, told),
    ...unknownTeams(config),
    ...emptyHours(config),
  ]
}
