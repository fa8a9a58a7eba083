import { kindsOf, ownSeries } from '../sources/registry.ts'
import type { Finding } from './issues.ts'
import type { Config } from './schema.ts'
import { seriesEstimate } from './window-estimate.ts'
import type { WindowNeed } from './window-needs.ts'

type Cluster = Config['clusters'][string]

/** As measured (`npm run bench -- window`): a series with its labels in memory, a point of it there, and a point in the blob store. */
const bytesPerSeries = 1200
const bytesPerPoint = 34
const storedBytesPerPoint = 2.2

export type WindowCost = { series: number; points: number; memoryBytes: number; storedBytes: number }

const costOf = (series: number, points: number): WindowCost => ({
  series,
  points,
  memoryBytes: series * bytesPerSeries + points * bytesPerPoint,
  storedBytes: Math.round(points * storedBytesPerPoint),
})

type Estimate = { rule: string | undefined; series: number; points: number }

/** Which part of a cluster is read by a kind that is only looked for in some namespaces; they differ in size. */
const scopeOf = ({ sources, discover, size }: Cluster, kind: string | undefined): number => {
  const rules = discover.filter((rule) => rule.kind === kind)
  const named = new Set(rules.flatMap(({ namespaces }) => namespaces ?? []))
  const everywhere = rules.length === 0 || rules.some(({ namespaces }) => namespaces === undefined)
  const held: readonly (string | undefined)[] = sources.flatMap(kindsOf)
  // kube-state-metrics is in one namespace and speaks of all.
  if (everywhere || kind === 'kube-state-metrics' || held.includes(kind)) return 1
  return Math.min(1, (3 * named.size) / size.namespaces)
}

/** Each selector once, for as long as its furthest reader looks back; a kind that is not named is any. */
const estimates = (needs: readonly WindowNeed[], cluster: Cluster): Estimate[] => {
  const { size, scrapeIntervalSeconds } = cluster
  const own = cluster.sources.flatMap(ownSeries)
  const bySelector = Map.groupBy(needs, ({ selector }) => JSON.stringify(selector))
  return [...bySelector.values()].flatMap((same) => {
    const [first] = same
    if (!first) return []
    const longest = same.reduce((one, other) => (other.rangeSeconds > one.rangeSeconds ? other : one))
    // Series that the config itself names can be counted.
    const named = own.filter(({ name }) => name === first.selector.name).length
    const series = named || Math.ceil(seriesEstimate(first.selector, size) * scopeOf(cluster, first.kind))
    const points = series * Math.ceil(longest.rangeSeconds / scrapeIntervalSeconds)
    // What the questions keep anyway costs a rule only what it keeps longer, so the rule that looks furthest answers for it.
    return [{ rule: longest.rule, series, points }]
  })
}

/** About what a cluster's window takes. */
export const windowCost = (needs: readonly WindowNeed[], cluster: Cluster): WindowCost => {
  const all = estimates(needs, cluster)
  const sum = (of: (estimate: Estimate) => number) => all.reduce((total, one) => total + of(one), 0)
  return costOf(
    sum(({ series }) => series),
    sum(({ points }) => points),
  )
}

/** So many series a window may hold, each as long as anybody looks back, before it takes more than its budget. */
export const seriesLimitOf = ({ windowBudgetMiB, scrapeIntervalSeconds }: Cluster, longestSeconds: number): number => {
  const points = Math.ceil(longestSeconds / scrapeIntervalSeconds)
  return Math.floor((windowBudgetMiB * 1024 * 1024) / (bytesPerSeries + points * bytesPerPoint))
}

const mib = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`
const count = (number: number) => number.toLocaleString('en')

/** Who takes how much, the most first; what belongs to no rule belongs to the questions. */
const shares = (needs: readonly WindowNeed[], cluster: Cluster) => {
  const byRule = Map.groupBy(estimates(needs, cluster), ({ rule }) => rule)
  const each = [...byRule].map(([rule, own]) => {
    const total = (of: 'series' | 'points') => own.reduce((sum, one) => sum + one[of], 0)
    return { rule, ...costOf(total('series'), total('points')) }
  })
  return each.sort((a, b) => b.memoryBytes - a.memoryBytes)
}

const ruleHint =
  'ways out: a native slo over the same counters, a recording rule in a Prometheus that keeps it, a remote Prometheus as source, a narrower selector or a shorter range'

/** Refuses a window over its budget, naming who takes the most of it. */
export const windowFinding = (name: string, cluster: Cluster, needs: readonly WindowNeed[]): Finding | undefined => {
  const cost = windowCost(needs, cluster)
  if (cost.memoryBytes <= cluster.windowBudgetMiB * 1024 * 1024) return undefined
  const [most] = shares(needs, cluster)
  const { pods, nodes } = cluster.size
  const whole = `the window of cluster ${name} would take about ${mib(cost.memoryBytes)} of memory (windowBudgetMiB ${cluster.windowBudgetMiB}), taking it to have ${count(pods)} pods and ${count(nodes)} nodes`
  const base = { severity: 'error', code: 'window-too-large', at: 'key' } as const
  if (most?.rule === undefined) {
    const message = `${whole}; the questions alone remember ${count(most?.series ?? 0)} series`
    const hint = 'say the cluster’s size, look back less far with windowSeconds, or raise windowBudgetMiB'
    return { ...base, path: ['clusters', name], message, hint }
  }
  const message = `${whole}; rule ${most.rule} takes ${mib(most.memoryBytes)}: ${count(most.series)} series, ${count(most.points)} points`
  return { ...base, path: ['rules', most.rule], message, hint: `${ruleHint}; or raise windowBudgetMiB` }
}

/** `window of main: about 1,200 series, 4 MiB in memory, 1 MiB stored`. */
export const windowSentence = (name: string, { series, memoryBytes, storedBytes }: WindowCost): string =>
  `window of ${name}: about ${count(series)} series, ${mib(memoryBytes)} in memory, ${mib(storedBytes)} stored`
