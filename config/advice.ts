import { type RuleSpec, ruleSeries } from '../rules/registry.ts'
import type { Finding } from './issues.ts'
import { impliedRules, monitorOf, writtenRules } from './normalise.ts'
import { peopleOf, peopleOnAws, unheardTopics } from './people.ts'
import type { Config } from './schema.ts'
import { looksSecret, showsSecret } from './secrecy.ts'

const warning = (code: string, path: Finding['path'], message: string, hint?: string): Finding => ({
  severity: 'warning',
  code,
  path,
  at: 'key',
  message,
  ...(hint === undefined ? {} : { hint }),
})

const hour = 3600

const duration = (seconds: number) => {
  const hours = seconds / hour
  return hours >= 1 ? `${Number(hours.toFixed(1))} h` : `${Math.round(seconds / 60)} min`
}

const slowRule = (rule: RuleSpec, periodSeconds: number) =>
  rule.kind === 'availability' && rule.failureThreshold * periodSeconds > hour ? rule.failureThreshold : undefined

/** The longest it can take: each look a tick of its own. Re-checks make it shorter when they agree. */
const slowDetection = (config: Config): Finding[] => {
  const say = (path: Finding['path'], threshold: number, period: number) => {
    const message = `an outage can go unnoticed for ${duration(threshold * period)}: failureThreshold ${threshold}, one look every ${duration(period)}`
    return warning('slow-detection', path, message, 'look more often or lower failureThreshold')
  }
  const written = writtenRules(config.rules)
  const rules = Object.entries(config.rules).flatMap(([id, rule]) => {
    const period = monitorOf(config, rule)?.periodSeconds
    const threshold = period && slowRule(rule, period)
    return threshold && period ? [say(['rules', id, 'failureThreshold'], threshold, period)] : []
  })
  const monitors = Object.entries(config.monitors).flatMap(([id, { periodSeconds }]) =>
    Object.values(impliedRules(id, periodSeconds, written)).flatMap((rule) => {
      const threshold = slowRule(rule, periodSeconds)
      return threshold ? [say(['monitors', id, 'periodSeconds'], threshold, periodSeconds)] : []
    }),
  )
  return [...rules, ...monitors]
}

const stable = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

const equalMonitors = (config: Config): Finding[] => {
  const first = new Map<string, string>()
  return Object.entries(config.monitors).flatMap(([id, monitor]) => {
    const key = stable({ ...monitor, locations: [...(monitor.locations ?? config.locations)].sort() })
    const other = first.get(key)
    if (other !== undefined)
      return [warning('equal-monitors', ['monitors', id], `looks at exactly what ${other} looks at`, 'remove one')]
    first.set(key, id)
    return []
  })
}

const impossibleQuorums = (config: Config): Finding[] =>
  Object.entries(config.rules).flatMap(([id, rule]) => {
    if (rule.kind !== 'availability' || rule.quorum === undefined || !Object.hasOwn(config.monitors, rule.monitor))
      return []
    const places = (config.monitors[rule.monitor]?.locations ?? config.locations).length
    if (rule.quorum <= places) return []
    const message = `quorum ${rule.quorum} is more than the ${places} ${places === 1 ? 'location' : 'locations'} ${rule.monitor} is looked at from`
    return [warning('quorum-too-high', ['rules', id, 'quorum'], message, 'all of them failing counts as down')]
  })

const namelessServices = (config: Config): Finding[] =>
  Object.entries(config.services).flatMap(([id, { owner, runbook }]) => {
    const lacks = [...(owner ? [] : ['owner']), ...(runbook ? [] : ['runbook'])]
    if (lacks.length === 0) return []
    const message = `no ${lacks.join(' and no ')}: a page about it could not say ${owner ? 'what to do' : 'whose it is'}`
    return [warning(`no-${lacks[0]}`, ['services', id], message, `add ${lacks.join(' and ')}`)]
  })

const unwatchedServices = (config: Config): Finding[] => {
  const services = Object.values(config.services)
  const watched = new Set([
    ...services.flatMap(({ dependsOn }) => dependsOn),
    ...Object.values(config.monitors).map(({ service }) => service),
    ...Object.values(config.rules).map(({ service }) => service),
  ])
  return Object.keys(config.services).flatMap((id) =>
    watched.has(id)
      ? []
      : [
          warning(
            'unwatched-service',
            ['services', id],
            'nothing looks at it and no service depends on it',
            'add a monitor',
          ),
        ],
  )
}

const unusedParts = (config: Config): Finding[] => {
  const clusters = new Set([
    ...Object.values(config.services).map(({ runsIn }) => runsIn?.cluster),
    ...Object.values(config.rules).map((rule) => ruleSeries(rule)?.cluster),
  ])
  const channels = new Set([
    ...config.routes.flatMap(({ channels }) => channels),
    ...config.statusPage.channels,
    config.fallbackChannel,
  ])
  const asked = Object.keys(config.clusters).filter((id) => !clusters.has(id))
  const told = Object.keys(config.channels).filter((id) => !channels.has(id))
  return [
    ...asked.map((id) =>
      warning(
        'unused-cluster',
        ['clusters', id],
        'no service runs in it and no rule reads it',
        'name it in a service: runsIn.cluster',
      ),
    ),
    ...told.map((id) =>
      warning('unused-channel', ['channels', id], 'no route and no status page uses it', 'name it in a route'),
    ),
  ]
}

/** Headers are free text, so a secret in one is only suspected; its value is never repeated. */
const headerSecrets = (config: Config): Finding[] => {
  const headersOf = (spec: object): Readonly<Record<string, unknown>> =>
    'headers' in spec && typeof spec.headers === 'object' ? { ...spec.headers } : {}
  const parts = (['monitors', 'channels'] as const).flatMap((part) =>
    Object.entries(config[part]).flatMap(([id, spec]) =>
      Object.entries(headersOf(spec)).map(([name, value]) => ({ path: [part, id, 'headers', name], name, value })),
    ),
  )
  return parts.flatMap(({ path, name, value }) => {
    if (typeof value !== 'string' || value === '' || value.startsWith('secret:')) return []
    const hint = 'let the whole value, with any "Bearer " before it, be a reference: secret:NAME'
    if (/\bsecret:[A-Za-z_]/.test(value)) {
      return [warning('secret-not-read', path, 'a secret: reference behind other text is sent as it stands', hint)]
    }
    const suspicious = looksSecret(name) || showsSecret(value)
    return suspicious ? [warning('literal-secret', path, 'this looks like a secret written into the config', hint)] : []
  })
}

const noFallback = (config: Config, onAws: boolean): Finding[] => {
  const [only, second] = onAws ? peopleOnAws(config) : peopleOf(config)
  if (only === undefined || second !== undefined) return []
  const where = onAws ? ' on AWS' : ''
  const message = `the only channel that reaches people${where}: when it refuses a page there is nothing to fall back to`
  return [warning('no-fallback', ['channels', only], message, 'add a second channel of another kind')]
}

const unheard = (config: Config, onAws: boolean): Finding[] => {
  if (!onAws) return []
  const topics = unheardTopics(config).map((id) => {
    const message = 'nobody is subscribed to the topic made for it, where every page counts as delivered'
    const hint =
      'add subscriptions: [{ email: … }], or topicArn of a topic that has some; or subscribe by hand after deploying'
    return warning('unheard-topic', ['channels', id], message, hint)
  })
  if (config.aws.operators.length > 0) return topics
  const message = 'no operators: nobody is told that whodunit itself is unwell, nor that the hub is dead'
  const hint = 'add operators: [{ email: … }], or subscribe by hand after deploying'
  return [...topics, warning('no-operators', ['aws'], message, hint)]
}

/** What is allowed but probably not meant: warnings about a config without errors of shape. */
export const advice = (config: Config, { onAws }: { onAws: boolean }): Finding[] => [
  ...slowDetection(config),
  ...equalMonitors(config),
  ...impossibleQuorums(config),
  ...namelessServices(config),
  ...unwatchedServices(config),
  ...unusedParts(config),
  ...headerSecrets(config),
  ...noFallback(config, onAws),
  ...unheard(config, onAws),
]
