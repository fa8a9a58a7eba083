import * as z from 'zod'
import type { LogQuery, LogReading, Reading, Scrape, Selector, SourceWorld } from './contract.ts'
import { kubeStateMetricsSource } from './kinds/kube-state-metrics.ts'
import { kubernetesSource } from './kinds/kubernetes.ts'
import { linkerdSource } from './kinds/linkerd.ts'
import { lokiSource } from './kinds/loki.ts'
import type { KubernetesFacts } from './kube/facts.ts'

export const sourceKinds = [kubeStateMetricsSource, kubernetesSource, linkerdSource, lokiSource] as const

export const sourceSpec = z.discriminatedUnion('kind', [
  kubeStateMetricsSource.schema,
  kubernetesSource.schema,
  linkerdSource.schema,
  lokiSource.schema,
])
export type SourceSpec = z.output<typeof sourceSpec>

/** The kinds that are scraped. */
export const seriesKinds: readonly string[] = sourceKinds
  .filter(({ reads }) => reads === 'series')
  .map(({ kind }) => kind)

/** Is this a source that is scraped? */
export const readsSeries = (spec: SourceSpec): boolean => seriesKinds.includes(spec.kind)

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
    case 'kubernetes':
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
    case 'kubernetes':
    case 'linkerd':
      return undefined
    default:
      return spec satisfies never
  }
}

/** Looks at a namespace's objects; undefined when this kind knows none. */
export const lookAtObjects = (
  spec: SourceSpec,
  world: SourceWorld,
  at: { namespace: string; sinceMs: number },
): Promise<KubernetesFacts> | undefined =>
  spec.kind === 'kubernetes' ? kubernetesSource.look(spec, world, at) : undefined
