import pLimit from 'p-limit'
import type { Config } from '../../config/schema.ts'
import { seriesLimitOf } from '../../config/window-budget.ts'
import { longestSeconds, type Remembers, type WindowNeed, windowNeeds } from '../../config/window-needs.ts'
import { ruleCounters, ruleSeries } from '../../rules/registry.ts'
import type { Reading, Sample, Scrape, Selector } from '../../sources/contract.ts'
import { kindsOf, type SeriesSpec, scrapeSource, sourcePlace, summingKinds } from '../../sources/registry.ts'
import { compileMatchers, compileSelectors, selectorText } from '../../sources/selector.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { shardOfRule } from '../evaluate/config.ts'
import type { CounterObjective, Counters } from '../sli-increments.ts'
import type { Counting } from './counts.ts'
import type { ClusterView, SeriesRule, SeriesTarget } from './step.ts'
import { targetSeriesNames } from './target-series.ts'

type Outside = {
  reader: ClusterReader
  /** What the questions compare with, by source kind. */
  remembers: Remembers
}

type Cluster = Config['clusters'][string]

/** So many are read side by side: one that hangs holds a place for no longer than its own time. */
const atOnce = 200

const seriesRules = (config: Config, cluster: string) =>
  Object.entries(config.rules).flatMap(([ruleId, rule]) => {
    const series = ruleSeries(rule)
    const [selector] = series?.selectors ?? []
    if (series?.cluster !== cluster || selector === undefined || ruleCounters(rule)) return []
    return [{ ruleId, shard: shardOfRule(config, ruleId), selector }]
  })

const countersOf = (selector: Selector): Counters => {
  const { name, matchers = [] } = selector
  const test = compileMatchers(matchers)
  // What an absent label fails, no series without it can pass.
  const needs = matchers.filter((matcher) => !compileMatchers([matcher])({})).map(({ label }) => label)
  const equals = matchers.filter(({ op, value }) => op === '=' && value !== '')
  return { name, text: selectorText(selector), matches: test, needs: [...new Set(needs)], equals }
}

const objectivesOf = (config: Config, cluster: string): CounterObjective[] =>
  Object.entries(config.rules).flatMap(([ruleId, rule]) => {
    const counters = ruleCounters(rule)
    if (counters?.cluster !== cluster) return []
    const { total, part, partIs } = counters
    const shard = shardOfRule(config, ruleId)
    return [{ ruleId, shard, partIs, total: countersOf(total), part: countersOf(part) }]
  })

/** Prometheus' lookback: what was read longer ago says nothing of now. */
const lookbackMs = 300_000

const countingOf = ({ scrapeIntervalSeconds }: Cluster, objectives: readonly CounterObjective[]): Counting => {
  const intervalMs = scrapeIntervalSeconds * 1000
  const gapMs = Math.max(lookbackMs, 2.5 * intervalMs)
  return { objectives, intervalMs, gapMs, backMs: gapMs, summing: summingKinds }
}

/** How long a sample is worth keeping, from what its readers look back. */
const keeper = (needs: readonly WindowNeed[]): ClusterView['keepMs'] => {
  const byKind = new Map<string, ReturnType<typeof compiled>>()
  const compiled = (kind: string) => {
    const own = needs.filter((need) => need.kind === undefined || need.kind === kind)
    const byRange = Map.groupBy(own, ({ rangeSeconds }) => rangeSeconds)
    return [...byRange]
      .sort(([a], [b]) => b - a)
      .map(([rangeSeconds, same]) => ({
        keepMs: rangeSeconds * 1000,
        tests: compileSelectors(same.map(({ selector }) => selector)),
      }))
  }
  return (kind, { name, labels }) => {
    const ranges = byKind.get(kind) ?? compiled(kind)
    byKind.set(kind, ranges)
    return ranges.find(({ tests }) => tests.get(name)?.(labels) === true)?.keepMs ?? 0
  }
}

/** A target with more series than it may have is cut there, and says so: absence in the rest proves nothing. */
const cutAt = (reading: Reading<Scrape>, limit: number): Reading<Scrape> => {
  if (reading.status === 'unreadable' || reading.value.samples.length <= limit) return reading
  const { samples } = reading.value
  const incomplete = `${samples.length} series were asked for, more than targetSeriesLimit ${limit}`
  return { status: 'read', value: { ...reading.value, samples: samples.slice(0, limit), incomplete } }
}

type Round = {
  reader: ClusterReader
  cluster: Cluster
  remembers: Remembers
  /** What the rules read. */
  wanted: readonly Selector[]
  /** The whole round is over when this fires, whoever had no place yet. */
  over: AbortSignal
}

/** What a source holds for other kinds goes where their own would: a reading for each, the rules' series in its own. */
const targetsOf = ({ reader, cluster, remembers, wanted, over }: Round, spec: SeriesSpec): SeriesTarget[] =>
  kindsOf(spec).map((kind) => ({
    kind,
    url: sourcePlace(spec),
    labels: { ...spec.labels, ...(kind !== spec.kind && { job: kind }) },
    scrape: async () => {
      const world = await reader.world(cluster, AbortSignal.any([over, AbortSignal.timeout(timeoutMsOf(cluster))]))
      const reading = await scrapeSource(spec, world, [...remembers(kind), ...(kind === spec.kind ? wanted : [])])
      return cutAt(reading ?? { status: 'unreadable', why: 'has no series' }, cluster.targetSeriesLimit)
    },
  }))

/** A scrape may take as long as its interval at most, so that the next one is not late. */
const timeoutMsOf = ({ scrapeTimeoutSeconds, scrapeIntervalSeconds }: Cluster): number =>
  Math.min(scrapeTimeoutSeconds, scrapeIntervalSeconds) * 1000

const ruleView = ({ ruleId, shard, selector }: ReturnType<typeof seriesRules>[number]): SeriesRule => {
  const wanted = compileSelectors([selector])
  return {
    ruleId,
    shard,
    matches: ({ name, labels }: Sample) => wanted.get(name)?.(labels) === true,
    aboutTargets: targetSeriesNames.has(selector.name),
  }
}

/** One cluster of the config as `scrape` reads it. */
export const clusterView = (config: Config, name: string, { reader, remembers }: Outside): ClusterView => {
  const cluster = Object.hasOwn(config.clusters, name) ? config.clusters[name] : undefined
  const rules = seriesRules(config, name)
  const counters = objectivesOf(config, name)
  const needs = windowNeeds(config, name, remembers)
  const wanted = [...rules, ...needs.filter(({ kind }) => kind === undefined)].map(({ selector }) => selector)
  const limit = pLimit(atOnce)
  const find: ClusterView['find'] = async () => {
    if (!cluster) return { targets: [], incomplete: `no cluster ${name} in the config` }
    const world = await reader.world(cluster, AbortSignal.timeout(timeoutMsOf(cluster)))
    const { targets, incomplete } = await reader.targets(name, cluster, world)
    const over = AbortSignal.timeout(cluster.scrapeIntervalSeconds * 1000)
    const views = targets.flatMap((spec) => targetsOf({ reader, cluster, remembers, wanted, over }, spec))
    return { targets: views.map((view) => ({ ...view, scrape: () => limit(view.scrape) })), incomplete }
  }
  const longest = longestSeconds(needs)
  const seriesLimit = cluster ? seriesLimitOf(cluster, longest) : 0
  return {
    cluster: name,
    find,
    rules: rules.map(ruleView),
    ...(cluster && counters.length > 0 && { counting: countingOf(cluster, counters) }),
    keepMs: keeper(needs),
    longestMs: longest * 1000,
    seriesLimit,
  }
}
