import type { Config } from '../../config/schema.ts'
import { ruleSeries } from '../../rules/registry.ts'
import type { LogReading, Reading, Scrape, Selector, SourceWorld } from '../../sources/contract.ts'
import { kindsOf, ownSeries, readLogs, type SourceSpec, scrapeSource, sourcePlace } from '../../sources/registry.ts'
import { type Facts, factsOf, seriesForFacts } from '../../triage/facts/registry.ts'
import { seriesOf } from '../../triage/past.ts'
import { seriesToRead } from '../../triage/registry.ts'

/** A source of the config with the name it goes by here. */
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

type World = Pick<SourceWorld, 'nowMs' | 'secret'>

const deadlineMs = 30_000
const logSpanMs = 5 * 60_000

/** `main/loki`, and `main/node-2` for the second of a kind. */
export const listSources = ({ clusters }: Pick<Config, 'clusters'>): Listed[] =>
  Object.entries(clusters).flatMap(([cluster, { sources }]) =>
    sources.map((source, index) => {
      const nth = sources.slice(0, index + 1).filter(({ kind }) => kind === source.kind).length
      return { name: `${cluster}/${source.kind}${nth > 1 ? `-${nth}` : ''}`, cluster, source }
    }),
  )

/** Those a person means by a name: one source, all of a cluster, or all of a kind. */
export const sourcesNamed = (all: readonly Listed[], name: string): Listed[] =>
  all.filter((one) => [one.name, one.cluster, one.source.kind].includes(name))

const wantedSeries = (config: Config, { cluster, source }: Listed): Selector[] => {
  const kinds = kindsOf(source)
  const rules = Object.values(config.rules).flatMap((rule) => {
    const series = ruleSeries(rule)
    return series?.cluster === cluster ? [series.selector] : []
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

/** Reads one source once, as `scrape` and the questions would together. */
export const readSource = async (config: Config, one: Listed, given: World): Promise<SourceReport> => {
  const { source, cluster } = one
  const startedAtMs = given.nowMs()
  const world: SourceWorld = { ...given, signal: AbortSignal.timeout(deadlineMs) }
  const base = () => ({
    name: one.name,
    kind: source.kind,
    place: sourcePlace(source),
    tookMs: Math.round(given.nowMs() - startedAtMs),
  })
  const scraped = await scrapeSource(source, world, wantedSeries(config, one))
  if (scraped) return seriesReport(base(), source, scraped)
  const place = Object.values(config.services).find(({ runsIn }) => runsIn?.cluster === cluster)?.runsIn
  const read = await readLogs(source, world, {
    labels: { namespace: place?.namespace ?? 'default' },
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
