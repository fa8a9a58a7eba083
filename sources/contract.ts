import * as z from 'zod'
import { type Grant, httpUrl, secretRef } from '../config/contract.ts'

/** What an object source tells; its parts are read, or not, each by itself. */
export type { KubernetesFacts } from './kube/facts.ts'

export type Labels = Readonly<Record<string, string>>

/** One line of an exposition. `timestampMs` only where the exposition carries one. */
export type Sample = { name: string; labels: Labels; value: number; timestampMs?: number }

export type Matcher = { label: string; op: '=' | '!=' | '=~' | '!~'; value: string }
/** A Prometheus series selector; `=~` is anchored as in Prometheus, an absent label equals "". */
export type Selector = { name: string; matchers?: readonly Matcher[] }

/** What OpenMetrics calls the series that says when a counter or a histogram began at 0. */
export const createdName = (name: string): string => `${name.replace(/_(?:total|bucket|count|sum)$/, '')}_created`

/** What was added up in the minute that begins at `atMs`. */
export type MinuteSum = { name: string; labels: Labels; atMs: number; value: number }

/** One read of a target. `incomplete` is a truncated or over-limit read: true facts, but absence proves nothing. */
export type Scrape = {
  atMs: number
  samples: Sample[]
  incomplete?: string
  bytes: number
  seriesSeen: number
  /** Where a source adds up by the minute instead of counting on: what of the last minutes is known by now. */
  sums?: readonly MinuteSum[]
  /**
   * Samples left out because their own timestamp was five minutes old (Prometheus' lookback) or more than ten minutes
   * ahead; absent for none.
   */
  staleDropped?: number
}

export type LogQuery = {
  /** Label equality every line must match, such as `{ namespace: 'shop' }`. */
  labels: Labels
  sinceMs: number
  untilMs: number
  /** Only lines that look like errors. */
  errorsOnly: boolean
  limit: number
  /** Only lines of which one of the labels is one of the names, or begins with one and a dash. */
  named?: { labels: readonly string[]; names: readonly string[] }
}
export type LogLine = { atMs: number; line: string; labels: Labels }
export type LogReading = {
  /** Newest first. */
  lines: LogLine[]
  /** There were more than `limit`: counts made from `lines` are a lower bound. */
  truncated: boolean
}

/** A source that cannot be read says why; it never answers with nothing. */
export type Reading<T> = { status: 'read'; value: T } | { status: 'unreadable'; why: string }

/** A cluster's API server: where it answers and what we show it. Nobody else is ever shown it. */
export type ApiServer = { url: string; bearer?: string; tls: { ca?: string; cert?: string; key?: string } }

export type AwsCredentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }

export type SourceWorld = {
  nowMs: () => number
  secret: (reference: string) => string
  /** The read is over when this fires. */
  signal: AbortSignal
  /** Of the cluster that is read, when the config says how to reach it. */
  apiServer?: Reading<ApiServer> | undefined
}

export const auth = z.union([
  z.strictObject({ bearer: secretRef }),
  z.strictObject({ basic: z.strictObject({ username: z.string().min(1), password: secretRef }) }),
])
export type Auth = z.infer<typeof auth>

/** What every source has: where it answers, how to be let in, labels the answers lack (a target's labels). */
export const sourceFields = {
  url: httpUrl,
  auth: auth.optional(),
  /** A PEM bundle to trust besides the system's. */
  caFile: z.string().min(1).optional(),
  labels: z.record(z.string(), z.string()).default({}),
}

type SourceBase<S extends z.ZodType> = {
  kind: string
  schema: S
  /** What reading it needs of IAM. */
  grants?: (spec: z.output<S>) => readonly Grant[]
}

/** Read by scraping an exposition; only series some selector names are kept. */
export type SeriesSource<S extends z.ZodType = z.ZodType> = SourceBase<S> & {
  reads: 'series'
  /** Other kinds whose series it has. */
  speaksFor?: (spec: z.output<S>) => readonly string[]
  /** The series it is configured to have, where the config names them. */
  has?: (spec: z.output<S>) => readonly Selector[]
  /** Those among them that are sums of events by the minute, which another kind has none of. */
  addsUp?: (spec: z.output<S>) => readonly Selector[]
  scrape: (spec: z.output<S>, world: SourceWorld, keep: readonly Selector[]) => Promise<Reading<Scrape>>
}
export type LogSource<S extends z.ZodType = z.ZodType> = SourceBase<S> & {
  reads: 'logs'
  logs: (spec: z.output<S>, world: SourceWorld, query: LogQuery) => Promise<Reading<LogReading>>
}
/** Asked about the objects of one namespace of the cluster, by way of its API server. */
export type ObjectSource<S extends z.ZodType = z.ZodType, F = unknown> = SourceBase<S> & {
  reads: 'objects'
  /** `sinceMs`: what ended before is no news. */
  look: (spec: z.output<S>, world: SourceWorld, at: { namespace: string; sinceMs: number }) => Promise<F>
}
export type SourceKind = SeriesSource | LogSource | ObjectSource

export const defineSeriesSource = <S extends z.ZodType>(source: SeriesSource<S>): SeriesSource<S> => source
export const defineLogSource = <S extends z.ZodType>(source: LogSource<S>): LogSource<S> => source
export const defineObjectSource = <S extends z.ZodType, F>(source: ObjectSource<S, F>): ObjectSource<S, F> => source
