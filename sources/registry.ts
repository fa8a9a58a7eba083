import * as z from 'zod'
import type { LogQuery, LogReading, Reading, Scrape, Selector, SourceWorld } from './contract.ts'
import { kubeStateMetricsSource } from './kinds/kube-state-metrics.ts'
import { linkerdSource } from './kinds/linkerd.ts'
import { lokiSource } from './kinds/loki.ts'

export const sourceKinds = [kubeStateMetricsSource, linkerdSource, lokiSource] as const

export const sourceSpec = z.discriminatedUnion('kind', [
  kubeStateMetricsSource.schema,
  linkerdSource.schema,
  lokiSource.schema,
])
export type SourceSpec = z.output<typeof sourceSpec>

/** Is this a source that is scraped? */
export const readsSeries = (spec: SourceSpec): boolean =>
  sourceKinds.some(({ kind, reads }) => kind === spec.kind && reads === 'series')

/** Reads a source's exposition; undefined when this kind has none. */
export const scrapeSource = (
  spec: SourceSpec,
  world: SourceWorld,
  keep: readonly Selector[],
): Promise<Reading<Scrape>> | undefined => {
  switch (spec.kind) {
    case 'kube-state-metrics':
      return kubeStateMetricsSource.scrape(spec, world, keep)
    case 'linkerd':
      return linkerdSource.scrape(spec, world, keep)
    case 'loki':
      return undefined
    default:
      return spec satisfies never
  }
}

/** Asks a source for log lines; undefined when this kind has none. */
export const readLogs = (
  spec: SourceSpec,
  world: SourceWorld,
  query: LogQuery,
): Promise<Reading<LogReading>> | undefined => {
  switch (spec.kind) {
    case 'loki':
      return lokiSource.logs(spec, world, query)
    case 'kube-state-metrics':
    case 'linkerd':
      return undefined
    default:
      return spec satisfies never
  }
}
