import { audience } from '../channels/registry.ts'
import { ruleMonitor } from '../rules/registry.ts'
import { advice } from './advice.ts'
import { clusterFindings } from './cluster-checks.ts'
import { id as idSchema } from './contract.ts'
import { dependencyCycles } from './cycles.ts'
import type { ConfigPath, Finding } from './issues.ts'
import { maintenanceFindings } from './maintenance-checks.ts'
import { matcherFindings } from './matcher-checks.ts'
import { impliedRules, monitorOf, writtenRules } from './normalise.ts'
import { valueAt } from './outline.ts'
import { routeFindings } from './route-checks.ts'
import type { Config } from './schema.ts'
import { rareFindings, sloFindings, summedFindings } from './slo-checks.ts'
import { hintForName } from './suggest.ts'

type Kind = 'services' | 'monitors' | 'clusters' | 'channels' | 'locations'

/**
 * Everything that can be referred to: also entries that are wrong in themselves and so are not in the parsed config.
 * A part that is not there or not a map has no entry: nothing can be said of references to it.
 */
export type Names = Partial<Record<Kind, readonly string[]>>

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every name the data defines, in whatever state its entry is: a reference to a broken entry is not a second mistake. */
export const namesIn = (data: unknown): Names => {
  const parts = isMap(data) ? data : {}
  const { services, monitors, clusters = {}, channels, locations = ['local'] } = parts
  const maps = Object.entries({ services, monitors, clusters, channels }).flatMap(([kind, part]) =>
    isMap(part) ? [[kind, Object.keys(part)] as const] : [],
  )
  const places = Array.isArray(locations) ? locations.filter((one) => typeof one === 'string') : undefined
  return { ...Object.fromEntries(maps), ...(places && { locations: places }) }
}

const singular: Readonly<Record<Kind, string>> = {
  services: 'service',
  monitors: 'monitor',
  clusters: 'cluster',
  channels: 'channel',
  locations: 'location',
}

const error = (code: string, path: ConfigPath, message: string, hint?: string): Finding => ({
  severity: 'error',
  code,
  path,
  at: 'value',
  message,
  ...(hint === undefined ? {} : { hint }),
})

/** Every place in a config that names something else in it; `*` is any entry of a map or list. */
const referring: readonly { to: Kind; at: readonly string[] }[] = [
  { to: 'services', at: ['services', '*', 'dependsOn', '*'] },
  { to: 'clusters', at: ['services', '*', 'runsIn', 'cluster'] },
  { to: 'services', at: ['monitors', '*', 'service'] },
  { to: 'locations', at: ['monitors', '*', 'locations', '*'] },
  { to: 'monitors', at: ['rules', '*', 'monitor'] },
  { to: 'services', at: ['rules', '*', 'service'] },
  { to: 'clusters', at: ['rules', '*', 'series', 'cluster'] },
  { to: 'services', at: ['routes', '*', 'services', '*'] },
  { to: 'services', at: ['alertmanager', 'defaultService'] },
  { to: 'channels', at: ['routes', '*', 'channels', '*'] },
  { to: 'channels', at: ['fallbackChannel'] },
  { to: 'services', at: ['maintenance', '*', 'services', '*'] },
  { to: 'channels', at: ['statusPage', 'channels', '*'] },
]

const isId = (text: string) => idSchema.safeParse(text).success

type Named = { name: string; path: ConfigPath }

/** The texts at every place that fits `at`, of data in whatever state; what is no name at all is another mistake. */
const namedAt = (data: unknown, [step, ...rest]: readonly string[], path: ConfigPath = []): Named[] => {
  if (step === undefined) return typeof data === 'string' && isId(data) ? [{ name: data, path }] : []
  if (step !== '*') return isMap(data) && Object.hasOwn(data, step) ? namedAt(data[step], rest, [...path, step]) : []
  if (typeof data !== 'object' || data === null) return []
  const entries: [string | number, unknown][] = Array.isArray(data) ? [...data.entries()] : Object.entries(data)
  return entries.flatMap(([key, value]) => namedAt(value, rest, [...path, key]))
}

const unknownNames = (data: unknown, names: Names): Finding[] =>
  referring.flatMap(({ to, at }) => {
    const there = names[to]
    const known = new Set(there)
    if (there === undefined) return []
    return namedAt(data, at)
      .filter(({ name }) => !known.has(name))
      .map(({ name, path }) =>
        error(
          `unknown-${singular[to]}`,
          path,
          `there is no ${singular[to]} ${name}`,
          hintForName(name, there.filter(isId), to),
        ),
      )
  })

/** A name twice in one list: a location twice would vote twice, a channel twice would be told twice. */
const repeatedNames = (data: unknown): Finding[] => {
  const lists = [...referring.map(({ at }) => at).filter((at) => at.at(-1) === '*'), ['locations', '*']]
  const first = new Set<string>()
  return lists.flatMap((at) =>
    namedAt(data, at).flatMap(({ name, path }) => {
      const key = JSON.stringify([path.slice(0, -1), name])
      if (first.has(key)) return [error('named-twice', path, `${name} is in this list twice`, 'remove one of them')]
      first.add(key)
      return []
    }),
  )
}

/** References to nothing and names listed twice, also in data whose shape is wrong elsewhere. */
export const nameFindings = (data: unknown, names: Names): Finding[] => [
  ...unknownNames(data, names),
  ...repeatedNames(data),
]

const wrongAudiences = (config: Config): Finding[] => {
  const channel = (name: string) => (Object.hasOwn(config.channels, name) ? config.channels[name] : undefined)
  const check = (names: ReadonlyMap<ConfigPath, string>, wanted: 'people' | 'status') =>
    [...names].flatMap(([path, name]) => {
      const spec = channel(name)
      if (spec === undefined || audience(spec) === wanted) return []
      const [is, put] =
        wanted === 'people'
          ? ['updates a status page and pages nobody', 'name it in statusPage.channels instead']
          : ['pages people and updates no status page', 'name it in a route instead']
      const near = Object.entries(config.channels).filter(([, other]) => audience(other) === wanted)
      const others =
        near.length > 0
          ? `; channels that fit: ${near
              .map(([id]) => id)
              .slice(0, 8)
              .join(', ')}`
          : ''
      return [error('wrong-audience', path, `${name} is of kind ${spec.kind}, which ${is}`, `${put}${others}`)]
    })
  const listed = (names: readonly string[], path: ConfigPath) =>
    new Map(names.map((name, index) => [[...path, index], name]))
  const { routes, fallbackChannel, statusPage } = config
  return [
    ...routes.flatMap(({ channels }, index) => check(listed(channels, ['routes', index, 'channels']), 'people')),
    ...(fallbackChannel === undefined ? [] : check(new Map([[['fallbackChannel'], fallbackChannel]]), 'people')),
    ...check(listed(statusPage.channels, ['statusPage', 'channels']), 'status'),
  ]
}

const cycles = (config: Config): Finding[] =>
  dependencyCycles(config.services).map((cycle) => {
    const [from = '', to = ''] = cycle
    const index = config.services[from]?.dependsOn.indexOf(to) ?? 0
    const path = ['services', from, 'dependsOn', index]
    if (cycle.length === 2) return error('dependency-cycle', path, `${from} depends on itself`)
    const hint = 'remove the dependency that is not a call at run time'
    return error('dependency-cycle', path, `dependency cycle: ${cycle.join(' → ')}`, hint)
  })

/** What a monitor and its rules must agree on. `data` tells what was written from what is a default. */
const timings = (config: Config, data: unknown): Finding[] => {
  const slow = Object.entries(config.monitors).flatMap(([id, { periodSeconds, timeoutSeconds }]) => {
    if (timeoutSeconds < periodSeconds) return []
    const written = ['monitors', id, 'timeoutSeconds']
    const path = valueAt(data, written) === undefined ? ['monitors', id, 'periodSeconds'] : written
    const message = `timeoutSeconds (${timeoutSeconds}) must be less than periodSeconds (${periodSeconds}): a run must end before the next begins`
    const fitting = periodSeconds > 1 ? Math.min(10, Math.max(1, Math.floor(periodSeconds / 2))) : 0.5
    return [error('timeout-too-long', path, message, `timeoutSeconds: ${fitting}`)]
  })
  const hasty = Object.entries(config.rules).flatMap(([id, rule]) => {
    const period = monitorOf(config, rule)?.periodSeconds
    if (rule.kind !== 'absence' || period === undefined || rule.forSeconds > period) return []
    const path = ['rules', id, 'forSeconds']
    const message = `forSeconds (${rule.forSeconds}) must be more than the monitor's periodSeconds (${period}): it would alert between any two runs`
    return [error('absence-too-short', path, message, `forSeconds: ${Math.max(300, 5 * period)}`)]
  })
  return [...slow, ...hasty]
}

/** Implied rules need names that are free and names that fit. */
const impliedNames = (config: Config): Finding[] => {
  const written = writtenRules(config.rules)
  return Object.entries(config.monitors).flatMap(([monitor, { periodSeconds }]) =>
    Object.entries(impliedRules(monitor, periodSeconds, written)).flatMap(([implied, { kind }]): Finding[] => {
      if (Object.hasOwn(config.rules, implied)) {
        const message = `this name belongs to the implied ${kind} rule of monitor ${monitor}`
        const hint = `name it otherwise, or make it kind: ${kind} with monitor: ${monitor}`
        return [{ ...error('name-taken', ['rules', implied], message, hint), at: 'key' }]
      }
      if (isId(implied)) return []
      const message = `the name is too long for its implied rule ${implied} (at most 63)`
      const hint = `at most ${63 - (implied.length - monitor.length)} letters, digits and dashes`
      return [{ ...error('name-too-long', ['monitors', monitor], message, hint), at: 'key' }]
    }),
  )
}

const whose = (config: Config): Finding[] =>
  Object.entries(config.rules).flatMap(([id, rule]) => {
    if (rule.service !== undefined || ruleMonitor(rule) !== undefined) return []
    const message = 'missing service: a rule without a monitor must say whose alert it is'
    return [error('missing-key', ['rules', id, 'service'], message, 'add service: with the name of one')]
  })

/**
 * What the parts of a config whose shape is right say of each other; `data` is what it was parsed from. With entries
 * left out because they are wrong in themselves (`partial`) only what no such entry could change is said. `nowMs` is
 * for what time makes of a config.
 */
export const meaningFindings = (
  config: Config,
  data: unknown,
  options: { partial?: boolean; nowMs?: number } = {},
): Finding[] => {
  const { partial = false, nowMs } = options
  // A channel that is left out may be the one that people hear.
  const onAws = !partial && valueAt(data, ['aws']) !== undefined
  const alerting = [...routeFindings(config, { onAws }), ...maintenanceFindings(config, nowMs)]
  const errors = [
    ...wrongAudiences(config),
    ...cycles(config),
    ...timings(config, data),
    ...whose(config),
    ...clusterFindings(config),
    ...sloFindings(config),
    ...rareFindings(config),
    ...summedFindings(config),
  ]
  if (partial) return [...errors, ...alerting.filter(({ severity }) => severity === 'error')]
  return [...errors, ...impliedNames(config), ...alerting, ...matcherFindings(config), ...advice(config, { onAws })]
}
