import * as z from 'zod'
import type { Grant } from '../config/contract.ts'
import type { LogQuery, LogReading, Reading, Scrape, Selector, SourceWorld } from './contract.ts'
import { appSource } from './kinds/app.ts'
import { cloudwatchSource } from './kinds/cloudwatch.ts'
import { kubeStateMetricsSource } from './kinds/kube-state-metrics.ts'
import { kubeletSource } from './kinds/kubelet.ts'
import { kubernetesSource } from './kinds/kubernetes.ts'
import { linkerdSource } from './kinds/linkerd.ts'
import { lokiSource } from './kinds/loki.ts'
import { nodeSource } from './kinds/node.ts'
import { prometheusSource } from './kinds/prometheus.ts'
import type { KubernetesFacts } from './kube/facts.ts'
import type { PromqlAnswer, PromqlQuery } from './promql-api.ts'

export const sourceKinds = [
  appSource,
  cloudwatchSource,
  kubeStateMetricsSource,
  kubeletSource,
  kubernetesSource,
  linkerdSource,
  lokiSource,
  nodeSource,
  prometheusSource,
] as const

export const sourceSpec = z.discriminatedUnion('kind', [
  appSource.schema,
  cloudwatchSource.schema,
  kubeStateMetricsSource.schema,
  kubeletSource.schema,
  kubernetesSource.schema,
  linkerdSource.schema,
  lokiSource.schema,
  nodeSource.schema,
  prometheusSource.schema,
])
export type SourceSpec = z.output<typeof sourceSpec>

/** A source that is scraped. */
export type SeriesSpec = z.output<Extract<(typeof sourceKinds)[number], { reads: 'series' }>['schema']>

const seriesKinds: readonly string[] = sourceKinds.filter(({ reads }) => reads === 'series').map(({ kind }) => kind)

/** Is this a source that is scraped? */
export const readsSeries = (spec: SourceSpec): spec is SeriesSpec => seriesKinds.includes(spec.kind)

/** The kinds that are read as an exposition: an address is all one needs, so discovery can find them. */
export const exposingKinds: readonly string[] = sourceKinds
  .filter(({ schema }) => 'bodyLimitMiB' in schema.shape)
  .map(({ kind }) => kind)

/** Where a source is, in words. */
export const sourcePlace = (spec: SourceSpec): string => {
  if (spec.kind === 'kubernetes') return 'the Kubernetes API'
  return 'url' in spec ? spec.url : (spec.endpoint ?? `CloudWatch in ${spec.region}`)
}

/** The kinds whose series a source has: its own, and others that the config says it holds. */
export const kindsOf = (spec: SourceSpec): readonly string[] =>
  spec.kind === 'prometheus' ? [spec.kind, ...(prometheusSource.speaksFor?.(spec) ?? [])] : [spec.kind]

/** The series that the config itself names. */
export const ownSeries = (spec: SourceSpec): readonly Selector[] =>
  spec.kind === 'cloudwatch' ? (cloudwatchSource.has?.(spec) ?? []) : []

/** Those among them that are sums of events by the minute. */
export const summedSeries = (spec: SourceSpec): readonly Selector[] =>
  spec.kind === 'cloudwatch' ? (cloudwatchSource.addsUp?.(spec) ?? []) : []

/** The kinds whose series do not count on from what they were before. */
export const summingKinds: ReadonlySet<string> = new Set(
  sourceKinds.filter((kind) => 'addsUp' in kind && kind.addsUp !== undefined).map(({ kind }) => kind),
)

/** What reading it needs of IAM. */
export const sourceGrants = (spec: SourceSpec): readonly Grant[] => {
  switch (spec.kind) {
    case 'cloudwatch':
      return cloudwatchSource.grants?.(spec) ?? []
    case 'prometheus':
      return prometheusSource.grants?.(spec) ?? []
    case 'app':
    case 'kube-state-metrics':
    case 'kubelet':
    case 'kubernetes':
    case 'linkerd':
    case 'loki':
    case 'node':
      return []
    default:
      return spec satisfies never
  }
}

/** Asks a source in PromQL; undefined when this kind does not understand it. */
export const askPromql = (
  spec: SourceSpec,
  world: SourceWorld,
  query: PromqlQuery,
): Promise<Reading<PromqlAnswer>> | undefined =>
  spec.kind === 'prometheus' ? prometheusSource.ask(spec, world, query) : undefined

/** Reads a source's series; undefined when this kind has none. */
export const scrapeSource = (
  spec: SourceSpec,
  world: SourceWorld,
  keep: readonly Selector[],
): Promise<Reading<Scrape>> | undefined => {
  switch (spec.kind) {
    case 'app':
      return appSource.scrape(spec, world, keep)
    case 'cloudwatch':
      return cloudwatchSource.scrape(spec, world, keep)
    case 'kube-state-metrics':
      return kubeStateMetricsSource.scrape(spec, world, keep)
    case 'kubelet':
      return kubeletSource.scrape(spec, world, keep)
    case 'linkerd':
      return linkerdSource.scrape(spec, world, keep)
    case 'node':
      return nodeSource.scrape(spec, world, keep)
    case 'prometheus':
      return prometheusSource.scrape(spec, world, keep)
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
    case 'app':
    case 'cloudwatch':
    case 'kube-state-metrics':
    case 'kubelet':
    case 'kubernetes':
    case 'linkerd':
    case 'node':
    case 'prometheus':
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
