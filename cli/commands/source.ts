import type { Config } from '../../config/schema.ts'
import type { ClusterReader } from '../../functions/cluster-reader.ts'
import { ruleSeries } from '../../rules/registry.ts'
import type { KubernetesFacts, LogReading, Reading, Scrape, Selector } from '../../sources/contract.ts'
import {
  kindsOf,
  lookAtObjects,
  ownSeries,
  readLogs,
  readsSeries,
  type SourceSpec,
  scrapeSource,
  sourcePlace,
} from '../../sources/registry.ts'
import { type Facts, factsOf, seriesForFacts } from '../../triage/facts/registry.ts'
import { objectsLookBackMs } from '../../triage/objects.ts'
import { seriesOf } from '../../triage/past.ts'
import { seriesToRead } from '../../triage/registry.ts'

/** A source of the config, or one that was found, with the name it goes by here. */
export type Listed = { name: string; cluster: string; source: SourceSpec }

/** What one reading of a source gave. `unreadable` and `incomplete` say why. */
export type SourceReport = {
  name: string
  kind: string
  place: string
  status: 'read' | 'incomplete' | 'unreadable'
  why?: string
  tookMs: number
  bytes?: number
  series?: { seen: number; kept: number; skipped: number; stale: number }
  lines?: { read: number; more: boolean }
  /** How old the newest of it is by its own time; by ours, as old as the reading, where it has none. */
  ageSeconds?: number
  facts?: Facts
}

type World = { nowMs: () => number; reader: ClusterReader }

const deadlineMs = 30_000
const logSpanMs = 5 * 60_000

/** `main/loki`, and `main/node-2` for the second of a kind. */
const named = (cluster: string, sources: readonly SourceSpec[]): Listed[] =>
  sources.map((source, index) => {
    const nth = sources.slice(0, index + 1).filter(({ kind }) => kind === source.kind).length
    return { name: `${cluster}/${source.kind}${nth > 1 ? `-${nth}` : ''}`, cluster, source }
  })

/** All there is to read: what is listed, then what is found now. `unfound`: discovery that was not whole. */
export const findSources = async (
  { clusters }: Pick<Config, 'clusters'>,
  { nowMs, reader }: World,
): Promise<{ all: Listed[]; unfound: SourceReport[] }> => {
  const each = Object.entries(clusters).map(async ([name, cluster]) => {
    const startedAtMs = nowMs()
    const world = await reader.world(cluster, AbortSignal.timeout(deadlineMs))
    const { targets, incomplete } = await reader.targets(name, cluster, world)
    const all = named(name, [...targets, ...cluster.sources.filter((source) => !readsSeries(source))])
    const tookMs = Math.round(nowMs() - startedAtMs)
    const place = 'the Kubernetes API'
    const lack = { name: `${name}/discover`, kind: 'discover', place, status: 'incomplete', tookMs } as const
    return { all, unfound: incomplete === undefined ? [] : [{ ...lack, why: incomplete }] }
  })
  const found = await Promise.all(each)
  return { all: found.flatMap(({ all }) => all), unfound: found.flatMap(({ unfound }) => unfound) }
}

/** Those a person means by a name: one source, all of a cluster, or all of a kind. */
export const sourcesNamed = (all: readonly Listed[], name: string): Listed[] =>
  all.filter((one) => [one.name, one.cluster, one.source.kind].includes(name))

const wantedSeries = (config: Config, { cluster, source }: Listed): Selector[] => {
  const kinds = kindsOf(source)
  const rules = Object.values(config.rules).flatMap((rule) => {
    const series = ruleSeries(rule)
    return series?.cluster === cluster ? series.selectors : []
  })
  return [...kinds.flatMap((kind) => [...seriesToRead(kind), ...seriesForFacts(kind)]), ...ownSeries(source), ...rules]
}

const ageOf = (timesMs: readonly number[], nowMs: number): number =>
  timesMs.length === 0 ? 0 : Math.max(0, Math.round((nowMs - timesMs.reduce((a, b) => Math.max(a, b))) / 1000))

type Base = Pick<SourceReport, 'name' | 'kind' | 'place' | 'tookMs'>

const seriesReport = (base: Base, source: SourceSpec, reading: Reading<Scrape>): SourceReport => {
  if (reading.status === 'unreadable') return { ...base, status: 'unreadable', why: reading.why }
  const { atMs, samples, bytes, seriesSeen, staleDropped = 0, incomplete } = reading.value
  const series = seriesOf({ ...reading.value, before: () => [] })
  const facts = kindsOf(source).map((kind) => factsOf(kind, series))
  const kept = samples.length
  return {
    ...base,
    status: incomplete === undefined ? 'read' : 'incomplete',
    ...(incomplete !== undefined && { why: incomplete }),
    bytes,
    series: { seen: seriesSeen, kept, skipped: seriesSeen - kept - staleDropped, stale: staleDropped },
    ageSeconds: ageOf(
      samples.flatMap(({ timestampMs }) => timestampMs ?? []),
      atMs,
    ),
    facts: Object.assign({}, ...facts),
  }
}

const logReport = (base: Base, reading: Reading<LogReading>, nowMs: number): SourceReport => {
  if (reading.status === 'unreadable') return { ...base, status: 'unreadable', why: reading.why }
  const { lines, truncated } = reading.value
  const [newest] = lines
  return {
    ...base,
    status: 'read',
    lines: { read: lines.length, more: truncated },
    ...(newest && { ageSeconds: ageOf([newest.atMs], nowMs) }),
  }
}

const objectsReport = (base: Base, facts: KubernetesFacts): SourceReport => {
  const parts = Object.entries(facts)
  const troubles = parts.flatMap(([what, part]) => {
    const why = part.status === 'unreadable' ? part.why : 'incomplete' in part.value && part.value.incomplete
    return why ? [`${what}: ${why}`] : []
  })
  const read = parts.flatMap(([what, part]) =>
    part.status === 'read' ? [[what, 'items' in part.value ? part.value.items : part.value] as const] : [],
  )
  const status = read.length === 0 ? 'unreadable' : troubles.length === 0 ? 'read' : 'incomplete'
  return {
    ...base,
    status,
    ...(troubles.length > 0 && { why: troubles.join('; ') }),
    ...(read.length > 0 && { facts: Object.fromEntries(read) }),
  }
}

/** Reads one source once, as `scrape` and the questions would together. */
export const readSource = async (config: Config, one: Listed, given: World): Promise<SourceReport> => {
  const { source, cluster } = one
  const spec = config.clusters[cluster]
  const startedAtMs = given.nowMs()
  const base = () => ({
    name: one.name,
    kind: source.kind,
    place: sourcePlace(source),
    tookMs: Math.round(given.nowMs() - startedAtMs),
  })
  if (!spec) return { ...base(), status: 'unreadable', why: `there is no cluster ${cluster}` }
  const world = await given.reader.world(spec, AbortSignal.timeout(deadlineMs))
  const scraped = await scrapeSource(source, world, wantedSeries(config, one))
  if (scraped) return seriesReport(base(), source, scraped)
  const place = Object.values(config.services).find(({ runsIn }) => runsIn?.cluster === cluster)?.runsIn
  const namespace = place?.namespace ?? 'default'
  const objects = await lookAtObjects(source, world, { namespace, sinceMs: startedAtMs - objectsLookBackMs })
  if (objects) return objectsReport(base(), objects)
  const read = await readLogs(source, world, {
    labels: { namespace },
    sinceMs: startedAtMs - logSpanMs,
    untilMs: startedAtMs,
    errorsOnly: false,
    limit: 1000,
  })
  return logReport(base(), read ?? { status: 'unreadable', why: 'this kind has neither series nor logs' }, startedAtMs)
}

const number = (value: number) => value.toLocaleString('en-US')
const size = (bytes: number) =>
  bytes < 1e6 ? `${number(Math.ceil(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`
const marks = { read: '✓', incomplete: '▲', unreadable: '✕' }

const line = ({
  name,
  status,
  place,
  why,
  tookMs,
  bytes,
  series,
  lines,
  ageSeconds,
  facts = {},
}: SourceReport): string => {
  const counted = Object.entries(facts).map(([what, all]) => `${all.length} ${what}`)
  const read = [
    ...(series
      ? [
          `${number(series.seen)} series, ${number(series.kept)} kept, ${number(series.skipped)} skipped, ${number(series.stale)} stale`,
        ]
      : []),
    ...(lines ? [`${number(lines.read)}${lines.more ? ' or more' : ''} lines of the last five minutes`] : []),
    ...(bytes ? [size(bytes)] : []),
    ...(ageSeconds === undefined ? [] : [`newest ${number(ageSeconds)} s old`]),
  ]
  return [
    `${marks[status]} ${name}: ${status} in ${number(tookMs)} ms`,
    `    ${place}`,
    ...(why === undefined ? [] : [`    ${why}`]),
    ...(read.length > 0 ? [`    ${read.join(', ')}`] : []),
    ...(counted.length > 0 ? [`    facts: ${counted.join(', ')}`] : []),
  ].join('\n')
}

/** What `source` prints for people. */
export const sourceText = (reports: readonly SourceReport[]): string => `${reports.map(line).join('\n')}\n`

/** As JSON: facts are counted unless asked for, since those of a large cluster are megabytes. */
export const sourceJson = (reports: readonly SourceReport[], withFacts: boolean) =>
  withFacts
    ? reports
    : reports.map(({ facts, ...report }) => ({
        ...report,
        ...(facts && { facts: Object.fromEntries(Object.entries(facts).map(([what, all]) => [what, all.length])) }),
      }))

/** 0 when every source was read whole; what is incomplete or unreadable is not fine. */
export const sourceExitCode = (reports: readonly SourceReport[]): 0 | 1 =>
  reports.every(({ status }) => status === 'read') ? 0 : 1
