import { httpUrl, timeZone } from '../../config/contract.ts'
import type { BurnRate } from '../../rules/slo/burn-rate.ts'
import { addObjective, type Catalogue, say, slug } from './catalogue.ts'
import type { Part } from './documents.ts'
import { durationSeconds } from './durations.ts'
import { type Found, type Ratio, ratioOfOne, ratioOfTwo } from './promql.ts'

/** What an objective refers to by name: other documents of the same file. */
export type Named = ReadonlyMap<string, Part>
export type World = { catalogue: Catalogue; named: Named; cluster: string }

const keyOf = (kind: string, name: string) => `${kind}/${name}`

/** Documents of a file by kind and name. */
export const nameDocuments = (roots: readonly Part[]): Named =>
  new Map(
    roots.flatMap((root) => {
      const name = root.part('metadata')?.text('name')
      const kind = root.text('kind')
      return kind !== undefined && name !== undefined ? [[keyOf(kind, name), root] as const] : []
    }),
  )

type Source = { query: string; cluster?: string | undefined }

/** A metric's query and whose it is; undefined when it is not one of Prometheus. */
const sourceOf = (metric: Part | undefined, { named }: World): Source | undefined => {
  const source = metric?.part('metricSource')
  const type = source?.text('type') ?? 'Prometheus'
  const spec = source?.part('spec')
  const query = spec?.text('query') ?? spec?.text('promql')
  if (query === undefined || type.toLowerCase() !== 'prometheus') return undefined
  const ref = source?.text('metricSourceRef')
  return { query, cluster: ref !== undefined && named.has(keyOf('DataSource', ref)) ? slug(ref) : undefined }
}

type Sli = { ratio: Found<Ratio>; cluster?: string | undefined }

const ratioMetric = (metric: Part, world: World): Sli => {
  metric.flag('counter')
  const raw = sourceOf(metric.part('raw'), world)
  if (raw) {
    const partIs = metric.text('rawType') === 'failure' ? 'bad' : 'good'
    return { ratio: ratioOfOne(raw.query, partIs), cluster: raw.cluster }
  }
  const [good, bad, total] = ['good', 'bad', 'total'].map((key) => sourceOf(metric.part(key), world))
  const part = good ?? bad
  if (!part || !total) return { ratio: { why: 'its SLI is not of good or bad and all events of a Prometheus' } }
  if (part.cluster !== total.cluster) return { ratio: { why: 'its events are counted by two servers' } }
  const queries = { part: part.query, total: total.query, partIs: good ? ('good' as const) : ('bad' as const) }
  return { ratio: ratioOfTwo(queries), cluster: part.cluster }
}

const sliOf = (spec: Part, world: World): Sli => {
  const ref = spec.text('indicatorRef')
  const document = ref === undefined ? spec.part('indicator') : world.named.get(keyOf('SLI', ref))
  document?.part('metadata')?.settle()
  const indicator = document?.part('spec')
  if (!indicator) return { ratio: { why: ref === undefined ? 'it has no indicator' : `there is no SLI ${ref} here` } }
  const metric = indicator.part('ratioMetric')
  if (metric) return ratioMetric(metric, world)
  document?.settle()
  return { ratio: { why: 'its SLI compares a value with a threshold, and no events are counted' } }
}

const days = [7, 28, 30, 90] as const
type Days = (typeof days)[number]
type Window = { windowDays?: Days; calendar?: { timeZone: string } }

const nearest = (catalogue: Catalogue, at: Part, wanted: number): Window => {
  const windowDays = days.find((one) => one >= wanted) ?? 90
  if (windowDays !== wanted)
    say(catalogue, at, `a window of ${wanted} days: there are ${days.join(', ')}, and it has ${windowDays}`)
  return { windowDays }
}

const calendarOf = (catalogue: Catalogue, at: Part): Window => {
  const zone = at.part('calendar')?.text('timeZone')
  at.part('calendar')?.text('startTime')
  const known = timeZone.safeParse(zone ?? 'UTC')
  if (!known.success) say(catalogue, at, `the time zone ${zone}: there is no such one, and UTC takes its place`)
  return { calendar: { timeZone: known.success ? known.data : 'UTC' } }
}

const windowOf = ({ catalogue }: World, spec: Part): Window => {
  const [window] = spec.parts('timeWindow')
  if (!window) return {}
  const duration = window.text('duration') ?? ''
  const isRolling = window.flag('isRolling')
  if (duration === '1M' && isRolling === false) return calendarOf(catalogue, window)
  const seconds = duration === '1M' ? 30 * 86_400 : duration === '1Q' ? 90 * 86_400 : durationSeconds(duration)
  if (isRolling === false)
    say(catalogue, window, `a calendar window of ${duration}: only months there are, and it rolls`)
  if (seconds !== undefined) return nearest(catalogue, window, Math.round(seconds / 86_400))
  say(catalogue, window, `a window of ${duration}: it has 30 days`)
  return {}
}

/** One condition as a pair of windows: the short one, which it does not have, is a twelfth of the long one, as is usual. */
const burnRateOf = ({ catalogue }: World, at: Part, spec: Part): BurnRate[] => {
  const condition = spec.part('condition')
  const factor = condition?.number('threshold')
  const longSeconds = durationSeconds(condition?.text('lookbackWindow') ?? '')
  const severity = spec.text('severity') === 'page' ? 'page' : 'ticket'
  const isOver = ['gt', 'gte', undefined].includes(condition?.text('op'))
  if (
    condition?.text('kind')?.toLowerCase() !== 'burnrate' ||
    factor === undefined ||
    longSeconds === undefined ||
    !isOver
  ) {
    at.settle()
    say(catalogue, at, 'the condition is not carried over: it is no burn rate over a window')
    return []
  }
  const shortSeconds = Math.min(21_600, Math.max(60, Math.round(longSeconds / 720) * 60))
  say(
    catalogue,
    at,
    `a condition has one window: one of ${shortSeconds / 60} min goes with it, so that the alert ends soon`,
  )
  return [{ severity, longSeconds, shortSeconds, factor }]
}

const conditionsOf = (world: World, policy: Part): BurnRate[] => {
  policy.part('metadata')?.settle()
  const conditions = policy.part('spec')?.parts('conditions') ?? []
  return conditions.flatMap((one) => {
    const ref = one.text('conditionRef')
    one.text('kind')
    const document = ref === undefined ? one : world.named.get(keyOf('AlertCondition', ref))
    document?.part('metadata')?.settle()
    const spec = document?.part('spec')
    if (document && spec) return burnRateOf(world, document, spec)
    say(world.catalogue, one, `there is no AlertCondition ${ref ?? ''} here`)
    return []
  })
}

const burnRatesOf = (world: World, spec: Part): BurnRate[] | undefined => {
  const rates = spec.parts('alertPolicies').flatMap((one) => {
    const ref = one.own() ?? one.text('alertPolicyRef')
    one.text('kind')
    const policy = ref === undefined ? one : world.named.get(keyOf('AlertPolicy', ref))
    if (policy) return conditionsOf(world, policy)
    say(world.catalogue, one, `there is no AlertPolicy ${ref} here: the four usual pairs of windows take its place`)
    return []
  })
  return rates.length > 0 ? rates : undefined
}

const percentOf = (objective: Part): number | undefined => {
  const target = objective.number('target')
  return objective.number('targetPercent') ?? (target === undefined ? undefined : Math.round(target * 1e8) / 1e6)
}

const importSlo = (world: World, root: Part): void => {
  const { catalogue } = world
  const spec = root.part('spec')
  const metadata = root.part('metadata')
  const name = metadata?.text('name') ?? 'slo'
  const displayName = metadata?.text('displayName')
  if (!spec) return
  const method = spec.text('budgetingMethod') ?? 'Occurrences'
  const sli = sliOf(spec, world)
  const ratio = method === 'Occurrences' ? sli.ratio : { why: `it budgets by ${method}, and only events are counted` }
  const policies = 'why' in ratio ? undefined : burnRatesOf(world, spec)
  const common = {
    service: spec.text('service'),
    summary: spec.text('description') ?? displayName,
    ratio,
    cluster: sli.cluster ?? world.cluster,
    ...windowOf(world, spec),
    burnRates: () => policies,
  }
  const objectives = spec.parts('objectives')
  for (const [nth, at] of objectives.entries()) {
    at.text('displayName')
    const own = { at, name: objectives.length > 1 ? `${name}-${nth}` : name, objectivePercent: percentOf(at) }
    addObjective(catalogue, { ...common, ...own })
    if ('why' in ratio) spec.settle()
  }
}

/** The form before the first version, which sloth reads. */
const importAlpha = ({ catalogue, cluster }: World, root: Part): void => {
  const spec = root.part('spec')
  const name = root.part('metadata')?.text('name') ?? 'slo'
  root.part('metadata')?.text('displayName')
  if (!spec) return
  spec.text('budgetingMethod')
  const [window] = spec.parts('timeWindows')
  const unit = window?.text('unit')
  const count = (window?.number('count') ?? 30) * (unit === 'Week' ? 7 : 1)
  window?.flag('isRolling')
  const isDays = unit === undefined || unit === 'Day' || unit === 'Week'
  if (window && !isDays) say(catalogue, window, `a window in ${unit}: it has 30 days`)
  const { windowDays } = window && isDays ? nearest(catalogue, window, count) : {}
  const common = { service: spec.text('service'), summary: spec.text('description'), windowDays, cluster }
  const objectives = spec.parts('objectives')
  for (const [nth, at] of objectives.entries()) {
    const metrics = at.part('ratioMetrics')
    metrics?.flag('incremental')
    const [part, total] = ['good', 'total'].map((key) => {
      const metric = metrics?.part(key)
      metric?.text('source')
      return metric?.text('queryType') === 'promql' ? metric.text('query') : undefined
    })
    const isWhole = part !== undefined && total !== undefined
    const ratio = isWhole
      ? ratioOfTwo({ part, total, partIs: 'good' })
      : { why: 'its SLI is no ratio of two PromQL queries' }
    const own = { at, name: objectives.length > 1 ? `${name}-${nth}` : name, objectivePercent: percentOf(at) }
    addObjective(catalogue, { ...common, ...own, ratio })
  }
}

const importServer = ({ catalogue }: World, root: Part): void => {
  const spec = root.part('spec')
  const name = slug(root.part('metadata')?.text('name') ?? '')
  const type = spec?.text('type') ?? ''
  const url = httpUrl.safeParse(spec?.part('connectionDetails')?.text('url'))
  if (type.toLowerCase() === 'prometheus' && name !== '' && url.success) catalogue.servers.set(name, url.data)
  else {
    root.settle()
    say(
      catalogue,
      root,
      `the DataSource is not carried over: ${type === '' ? 'it' : `${type}`} is no Prometheus with a url`,
    )
  }
}

/** Takes a document of OpenSLO in; false when it is none. */
export const importOpenSlo = (world: World, root: Part): boolean => {
  const version = root.text('apiVersion')
  const kind = root.text('kind')
  if (version !== 'openslo/v1' && version !== 'openslo/v1alpha') return false
  if (kind === 'DataSource') importServer(world, root)
  if (kind === 'Service') root.part('metadata')?.text('name')
  if (kind === 'SLO') (version === 'openslo/v1' ? importSlo : importAlpha)(world, root)
  return true
}
