import * as z from 'zod'
import type { LogQuery, LogReading, Reading, Scrape, Selector, SourceWorld } from './contract.ts'
import { appSource } from './kinds/app.ts'
import { kubeStateMetricsSource } from './kinds/kube-state-metrics.ts'
import { kubeletSource } from './kinds/kubelet.ts'
import { linkerdSource } from './kinds/linkerd.ts'
import { lokiSource } from './kinds/loki.ts'
import { nodeSource } from './kinds/node.ts'

export const sourceKinds = [
  appSource,
  kubeStateMetricsSource,
  kubeletSource,
  linkerdSource,
  lokiSource,
  nodeSource,
] as const

export const sourceSpec = z.discriminatedUnion('kind', [
  appSource.schema,
  kubeStateMetricsSource.schema,
  kubeletSource.schema,
  linkerdSource.schema,
  lokiSource.schema,
  nodeSource.schema,
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
    case 'app':
      return appSource.scrape(spec, world, keep)
    case 'kube-state-metrics':
      return kubeStateMetricsSource.scrape(spec, world, keep)
    case 'kubelet':
      return kubeletSource.scrape(spec, world, keep)
    case 'linkerd':
      return linkerdSource.scrape(spec, world, keep)
    case 'node':
      return nodeSource.scrape(spec, world, keep)
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
    case 'app':
    case 'kube-state-metrics':
    case 'kubelet':
    case 'linkerd':
    case 'node':
      return undefined
    default:
      return spec satisfies never
  }
}
