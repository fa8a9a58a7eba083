import { ruleSeries } from '../rules/registry.ts'
import type { Selector } from '../sources/contract.ts'
import { kindsOf } from '../sources/registry.ts'
import type { Config } from './schema.ts'

/** Series whose past somebody looks at. */
export type WindowNeed = {
  /** Where in the config it comes from; the questions come from nowhere in particular. */
  rule?: string
  /** Of this source kind only. */
  kind?: string
  selector: Selector
  rangeSeconds: number
}

/** What the questions compare with, by source kind. */
export type Remembers = (kind: string) => readonly Selector[]

/** The source kinds of a cluster, those included that another source holds. */
const clusterKinds = ({ sources, discover }: Config['clusters'][string]): string[] => [
  ...new Set([...sources.flatMap(kindsOf), ...discover.map(({ kind }) => kind)]),
]

/** Everything a cluster's window is kept for: what rules compute over, and what the questions compare with. */
export const windowNeeds = (config: Config, name: string, remembers: Remembers): WindowNeed[] => {
  const cluster = Object.hasOwn(config.clusters, name) ? config.clusters[name] : undefined
  if (!cluster) return []
  const ofQuestions = clusterKinds(cluster).flatMap((kind) =>
    remembers(kind).map((selector): WindowNeed => ({ kind, selector, rangeSeconds: cluster.windowSeconds })),
  )
  const ofRules = Object.entries(config.rules).flatMap(([rule, spec]): WindowNeed[] => {
    const series = ruleSeries(spec)
    if (series?.cluster !== name || series.rangeSeconds === undefined) return []
    // Counters that are read seldom must be known from one reading to the next.
    const rangeSeconds = Math.max(series.rangeSeconds, 6 * cluster.scrapeIntervalSeconds)
    return series.selectors.map((selector) => ({ rule, selector, rangeSeconds }))
  })
  return [...ofQuestions, ...ofRules]
}

/** How far back the furthest of them looks. */
export const longestSeconds = (needs: readonly WindowNeed[]): number =>
  needs.reduce((longest, { rangeSeconds }) => Math.max(longest, rangeSeconds), 0)
