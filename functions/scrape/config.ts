import type { Config } from '../../config/schema.ts'
import { ruleSeries } from '../../rules/registry.ts'
import type { Selector, SourceWorld } from '../../sources/contract.ts'
import { kindsOf, readsSeries, scrapeSource, sourcePlace } from '../../sources/registry.ts'
import { compileSelectors } from '../../sources/selector.ts'
import { shardOfRule } from '../evaluate/config.ts'
import type { ClusterView, SeriesRule, SeriesTarget } from './step.ts'

type Outside = Pick<SourceWorld, 'nowMs' | 'secret'> & {
  /** What the questions compare with, by source kind. */
  remembers: (kind: string) => readonly Selector[]
}

const seriesRules = (config: Config, cluster: string) =>
  Object.entries(config.rules).flatMap(([ruleId, rule]) => {
    const series = ruleSeries(rule)
    if (series?.cluster !== cluster) return []
    return [{ ruleId, shard: shardOfRule(config, ruleId), selector: series.selector }]
  })

/** One cluster of the config as `scrape` reads it; a scrape may take as long as its interval, at most ten seconds. */
export const clusterView = (config: Config, cluster: string, outside: Outside): ClusterView => {
  const spec = config.clusters[cluster]
  const rules = seriesRules(config, cluster)
  const timeoutMs = Math.min(10_000, (spec?.scrapeIntervalSeconds ?? 10) * 1000)
  const targets = (spec?.sources ?? []).flatMap((source): SeriesTarget[] => {
    if (!readsSeries(source)) return []
    // What a source holds for other kinds goes where their own would: one reading each, the rules' series in the first.
    return kindsOf(source).map((kind): SeriesTarget => {
      const remembered = outside.remembers(kind)
      const inWindow = compileSelectors(remembered)
      const keep = [...remembered, ...(kind === source.kind ? rules.map(({ selector }) => selector) : [])]
      return {
        kind,
        url: sourcePlace(source),
        remembers: ({ name, labels }) => inWindow.get(name)?.(labels) === true,
        scrape: async () => {
          const world = { nowMs: outside.nowMs, secret: outside.secret, signal: AbortSignal.timeout(timeoutMs) }
          return (await scrapeSource(source, world, keep)) ?? { status: 'unreadable', why: 'has no series' }
        },
      }
    })
  })
  const matching = rules.map(({ ruleId, shard, selector }): SeriesRule => {
    const wanted = compileSelectors([selector])
    return { ruleId, shard, matches: ({ name, labels }) => wanted.get(name)?.(labels) === true }
  })
  return { cluster, windowMs: (spec?.windowSeconds ?? 900) * 1000, targets, rules: matching }
}
