import type { Config } from '../../config/schema.ts'
import type { LogReading, Reading, SourceWorld } from '../../sources/contract.ts'
import { kindsOf, readLogs, scrapeSource } from '../../sources/registry.ts'
import type { Blobs, Store } from '../../stores/contract.ts'
import { openCaseFile } from '../../triage/case-file.ts'
import type { Brief, CaseFile, LogSpan, Testimony, Witnesses } from '../../triage/contract.ts'
import { questions, seriesToRead } from '../../triage/registry.ts'
import { windowKey } from '../contract.ts'
import { latestOutcomes, type MonitorView } from '../latest-outcomes.ts'
import { unpackWindow } from '../window.ts'
import { once, testify } from './witnesses.ts'

type Outside = Pick<SourceWorld, 'nowMs' | 'secret'> & {
  store: Store
  blobs: Blobs
  monitors: readonly MonitorView[]
}

/** How many log lines one question may read; Loki refuses more than 5,000 by default. */
const logLines = 2000

const readSeries = async (
  config: Config,
  outside: Outside,
  at: { kind: string; cluster: string; signal: AbortSignal },
): Promise<Reading<Testimony>> => {
  const sources = (config.clusters[at.cluster]?.sources ?? []).filter((source) => kindsOf(source).includes(at.kind))
  const world = { nowMs: outside.nowMs, secret: outside.secret, signal: at.signal }
  // Without its window a reading is still worth something, so a window that cannot be read is as good as none.
  const [bytes, ...readings] = await Promise.all([
    outside.blobs.get(windowKey(at.cluster)).catch(() => undefined),
    ...sources.flatMap((source) => scrapeSource(source, world, seriesToRead(at.kind)) ?? []),
  ])
  return testify(at.kind, readings, bytes && unpackWindow(bytes))
}

const readLines = async (
  config: Config,
  outside: Outside,
  at: { cluster: string; namespace: string; span: LogSpan; signal: AbortSignal },
): Promise<Reading<LogReading>> => {
  const world = { nowMs: outside.nowMs, secret: outside.secret, signal: at.signal }
  const { sinceMs, untilMs, errorsOnly = true, limit = logLines } = at.span
  const query = { labels: { namespace: at.namespace }, sinceMs, untilMs, errorsOnly, limit }
  for (const source of config.clusters[at.cluster]?.sources ?? []) {
    const answer = readLogs(source, world, query)
    if (answer) return answer
  }
  return { status: 'unreadable', why: 'no source of logs is configured for this cluster' }
}

/** Questions everybody the config knows and answers within the deadline. */
export const investigator =
  (config: Config, outside: Outside) =>
  async (brief: Brief, deadlineMs: number): Promise<CaseFile> => {
    const signal = AbortSignal.timeout(deadlineMs)
    const series = once(async (key: string) => {
      const [kind = '', cluster = ''] = key.split('\n')
      return readSeries(config, outside, { kind, cluster, signal })
    })
    const witnesses: Witnesses = {
      nowMs: outside.nowMs,
      services: config.services,
      outcomes: await latestOutcomes(outside.store, { ...config, monitors: outside.monitors }),
      series: (kind, cluster) => series(`${kind}\n${cluster}`),
      logs: (cluster, namespace, span) => readLines(config, outside, { cluster, namespace, span, signal }),
    }
    return openCaseFile({ brief, witnesses, deadlineMs, questions })
  }
