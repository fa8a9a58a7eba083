import type { Config } from '../../config/schema.ts'
import type { LogReading, Reading, SourceWorld } from '../../sources/contract.ts'
import { kindsOf, lookAtObjects, readLogs, type SeriesSpec, scrapeSource } from '../../sources/registry.ts'
import type { Blobs, Store } from '../../stores/contract.ts'
import { openCaseFile } from '../../triage/case-file.ts'
import type { Brief, CaseFile, LogSpan, Testimony, Witnesses } from '../../triage/contract.ts'
import { ownerLabels } from '../../triage/log-owner.ts'
import { objectsLookBackMs } from '../../triage/objects.ts'
import { questions, seriesToRead } from '../../triage/registry.ts'
import type { ClusterReader, Targets } from '../cluster-reader.ts'
import { latestOutcomes, type MonitorView } from '../latest-outcomes.ts'
import type { Window } from '../window.ts'
import { loadWindow } from '../window-blobs.ts'
import { once, testify } from './witnesses.ts'

type Outside = Pick<SourceWorld, 'nowMs'> & {
  reader: ClusterReader
  store: Store
  blobs: Blobs
  monitors: readonly MonitorView[]
}

/** How many log lines one question may read; Loki refuses more than 5,000 by default. */
const logLines = 2000

type At = { cluster: string; signal: AbortSignal }

const clusterOf = ({ clusters }: Config, name: string) => (Object.hasOwn(clusters, name) ? clusters[name] : undefined)

/** Without its window a reading is still worth something, so a window that cannot be read is as good as none. */
const readWindow = async (config: Config, { blobs, nowMs }: Outside, cluster: string) => {
  const longestMs = (clusterOf(config, cluster)?.windowSeconds ?? 0) * 1000
  const loaded = await loadWindow(blobs, { cluster, longestMs, nowMs: nowMs() }).catch(() => undefined)
  return loaded?.window
}

type Shared = {
  window: (cluster: string) => Promise<Window | undefined>
  /** Those of a kind: who else cannot be looked for is nothing to it. */
  targets: (kind: string, cluster: string) => Promise<Targets>
}

const readSeries = async (
  config: Config,
  outside: Outside,
  at: At & Shared & { kind: string; nodes: readonly string[] | undefined },
): Promise<Reading<Testimony>> => {
  const cluster = clusterOf(config, at.cluster)
  if (!cluster) return testify(at.kind, [], { window: undefined })
  const [world, { targets, incomplete }] = await Promise.all([
    outside.reader.world(cluster, at.signal),
    at.targets(at.kind, at.cluster),
  ])
  // Of a large cluster only the nodes are read that somebody asks about; what does not say where it is may be anywhere.
  const isNear = ({ labels: { node } }: SeriesSpec) => node === undefined || !at.nodes || at.nodes.includes(node)
  const ofKind = targets.filter((target) => kindsOf(target).includes(at.kind))
  const sources = ofKind.filter(isNear)
  const [window, ...readings] = await Promise.all([
    at.window(at.cluster),
    ...sources.flatMap((source) => scrapeSource(source, world, seriesToRead(at.kind)) ?? []),
  ])
  return testify(at.kind, readings, { window, unfound: incomplete, isPart: sources.length < ofKind.length })
}

const readLines = async (
  config: Config,
  outside: Outside,
  at: At & { namespace: string; span: LogSpan },
): Promise<Reading<LogReading>> => {
  const cluster = clusterOf(config, at.cluster)
  const world = cluster && (await outside.reader.world(cluster, at.signal))
  const { sinceMs, untilMs, errorsOnly = true, limit = logLines, workloads } = at.span
  const named = workloads && { named: { labels: ownerLabels, names: workloads } }
  const query = { labels: { namespace: at.namespace }, sinceMs, untilMs, errorsOnly, limit, ...named }
  for (const source of cluster?.sources ?? []) {
    const answer = world && readLogs(source, world, query)
    if (answer) return answer
  }
  return { status: 'unreadable', why: 'no source of logs is configured for this cluster' }
}

/** Objects of one namespace, where a source of the cluster asks the Kubernetes API. */
const readObjects = async (config: Config, outside: Outside, at: At & { namespace: string; sinceMs: number }) => {
  const cluster = clusterOf(config, at.cluster)
  const source = cluster?.sources.find(({ kind }) => kind === 'kubernetes')
  if (!cluster || !source) return undefined
  const world = await outside.reader.world(cluster, at.signal)
  return lookAtObjects(source, world, { namespace: at.namespace, sinceMs: at.sinceMs - objectsLookBackMs })
}

/** Questions everybody the config knows and answers within the deadline. */
export const investigator =
  (config: Config, outside: Outside) =>
  async (brief: Brief, deadlineMs: number): Promise<CaseFile> => {
    const signal = AbortSignal.timeout(deadlineMs)
    const window = once((cluster) => readWindow(config, outside, cluster))
    const targetsOf = once(async (key): Promise<Targets> => {
      const [kind = '', name = ''] = key.split('\n')
      const cluster = clusterOf(config, name)
      if (!cluster) return { targets: [] }
      const discover = cluster.discover.filter((rule) => rule.kind === kind)
      return outside.reader.targets(name, { ...cluster, discover }, await outside.reader.world(cluster, signal))
    })
    const targets: Shared['targets'] = (kind, cluster) => targetsOf(`${kind}\n${cluster}`)
    const series = once(async (key: string) => {
      const [kind = '', cluster = '', ...nodes] = key.split('\n')
      const at = nodes.length > 0 ? nodes : undefined
      return readSeries(config, outside, { kind, cluster, nodes: at, signal, window, targets })
    })
    const { sinceMs } = brief
    const objects = once((key) => {
      const [cluster = '', namespace = ''] = key.split('\n')
      return readObjects(config, outside, { cluster, namespace, sinceMs, signal })
    })
    const witnesses: Witnesses = {
      objects: (cluster, namespace) => objects(`${cluster}\n${namespace}`),
      nowMs: outside.nowMs,
      services: config.services,
      outcomes: await latestOutcomes(outside.store, { ...config, monitors: outside.monitors }),
      series: (kind, cluster, { nodes = [] } = { nodes: [] }) => series([kind, cluster, ...nodes].join('\n')),
      logs: (cluster, namespace, span) => readLines(config, outside, { cluster, namespace, span, signal }),
    }
    return openCaseFile({ brief, witnesses, deadlineMs, questions })
  }
