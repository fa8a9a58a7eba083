import type { CloudWatchClient, MetricDataQuery, MetricDataResult } from '@aws-sdk/client-cloudwatch'
import * as z from 'zod'
import { httpUrl } from '../../config/contract.ts'
import { orAborted } from '../abort.ts'
import {
  defineSeriesSource,
  type Labels,
  type MinuteSum,
  type Reading,
  type Sample,
  type Scrape,
  type Selector,
  type SourceWorld,
} from '../contract.ts'
import { connectionSentence, oneLine } from '../http-errors.ts'
import { compileSelectors } from '../selector.ts'

const metric = z.strictObject({
  /** Such as `AWS/ApplicationELB`. */
  namespace: z.string().min(1).max(255),
  metric: z.string().min(1).max(255),
  dimensions: z.record(z.string().min(1), z.string().min(1)).default({}),
  /** `Sum`, `Average`, `p99`, … */
  stat: z.string().min(1).max(40),
  periodSeconds: z
    .int()
    .refine((seconds) => [1, 5, 10, 20, 30].includes(seconds) || (seconds > 0 && seconds % 60 === 0), {
      error: '1, 5, 10, 20, 30 or a multiple of 60',
    })
    .default(60),
  /** What the series is called; by default as cloudwatch_exporter would: `aws_applicationelb_request_count_sum`. */
  name: z
    .string()
    .regex(/^[a-zA-Z_:][\w:]*$/, 'the name of a series')
    .optional(),
})

const schema = z.strictObject({
  kind: z.literal('cloudwatch'),
  region: z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'an AWS region like eu-central-1'),
  metrics: z.array(metric).min(1).max(5000),
  /** CloudWatch has a minute's sums only a while after the minute: what is younger is not asked for. */
  delaySeconds: z.int().min(0).max(3600).default(120),
  endpoint: httpUrl.optional(),
  labels: z.record(z.string(), z.string()).default({}),
})
type Spec = z.output<typeof schema>
type Wanted = Spec['metrics'][number] & { name: string; labels: Labels }

/** GetMetricData takes so many queries at once. */
const queriesLimit = 500
const pagesLimit = 100

const snake = (text: string): string =>
  text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')

const nameOf = ({ name, namespace, metric: what, stat }: Spec['metrics'][number]): string =>
  name ?? [namespace.toLowerCase().replace(/[^a-z0-9]+/g, '_'), snake(what), snake(stat)].join('_')

/** How often something happened: only these can be added up. */
const isSum = ({ stat }: Pick<Spec['metrics'][number], 'stat'>): boolean => stat === 'Sum' || stat === 'SampleCount'

/** Every metric asked for costs money, so only those are that somebody reads. */
const wantedOf = (spec: Spec, keep: readonly Selector[]): Wanted[] => {
  const tests = compileSelectors(keep)
  return spec.metrics.flatMap((one) => {
    const name = nameOf(one)
    const dimensions = Object.entries(one.dimensions).map(([key, value]) => [snake(key), value] as const)
    const labels = { ...spec.labels, ...Object.fromEntries(dimensions) }
    return tests.get(name)?.(labels) ? [{ ...one, name, labels }] : []
  })
}

const clients = new Map<string, Promise<CloudWatchClient>>()

/** Loaded with the first read, so that reading a config with such a source stays quick. */
const clientOf = ({ region, endpoint }: Spec): Promise<CloudWatchClient> => {
  const key = `${region} ${endpoint ?? ''}`
  const known = clients.get(key)
  if (known) return known
  const made = import('@aws-sdk/client-cloudwatch').then(
    (sdk) => new sdk.CloudWatchClient({ region, ...(endpoint && { endpoint }), maxAttempts: 2 }),
  )
  clients.set(key, made)
  return made
}

type Span = { startMs: number; endMs: number }

/** Of the last three periods the newest that is there; what is older says nothing of now. */
const freshMs = (wanted: readonly Wanted[]): number =>
  Math.max(300_000, 3000 * Math.max(...wanted.map(({ periodSeconds }) => periodSeconds)))

/** What is published of a minute so much later still belongs to its sum. */
const lateMs = 900_000

const spanOf = ({ delaySeconds }: Spec, wanted: readonly Wanted[], nowMs: number): Span => {
  const endMs = Math.floor((nowMs - delaySeconds * 1000) / 60_000) * 60_000
  return { startMs: endMs - Math.max(freshMs(wanted), wanted.some(isSum) ? lateMs : 0), endMs }
}

const queryOf = (
  { namespace, metric: what, dimensions, stat, periodSeconds }: Wanted,
  id: string,
): MetricDataQuery => ({
  Id: id,
  MetricStat: {
    Metric: {
      Namespace: namespace,
      MetricName: what,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
    },
    Stat: stat,
    Period: periodSeconds,
  },
})

type Answered = { results: MetricDataResult[]; said: string[] }

/** One batch with all its pages. */
const askBatch = async (
  client: CloudWatchClient,
  queries: MetricDataQuery[],
  { span, signal }: { span: Span; signal: AbortSignal },
): Promise<Answered> => {
  const { GetMetricDataCommand } = await import('@aws-sdk/client-cloudwatch')
  const answered: Answered = { results: [], said: [] }
  let next: string | undefined
  for (let page = 0; page < pagesLimit; page++) {
    const command = new GetMetricDataCommand({
      MetricDataQueries: queries,
      StartTime: new Date(span.startMs),
      EndTime: new Date(span.endMs),
      ScanBy: 'TimestampDescending',
      NextToken: next,
    })
    const answer = await orAborted(client.send(command, { abortSignal: signal }), signal)
    answered.results.push(...(answer.MetricDataResults ?? []))
    answered.said.push(...(answer.Messages ?? []).map(({ Code, Value }) => oneLine(`${Code}: ${Value}`)))
    next = answer.NextToken
    if (next === undefined) return answered
  }
  answered.said.push(`more than ${pagesLimit} pages of answers`)
  return answered
}

/** The newest whole period. */
const newest = (results: readonly MetricDataResult[], { periodSeconds }: Wanted, { startMs, endMs }: Span) => {
  let found: { atMs: number; value: number } | undefined
  for (const { Timestamps = [], Values = [] } of results) {
    for (const [index, time] of Timestamps.entries()) {
      const atMs = time.getTime() + periodSeconds * 1000
      const value = Values[index]
      if (value !== undefined && atMs <= endMs && atMs > (found?.atMs ?? startMs)) found = { atMs, value }
    }
  }
  return found
}

/** The sums of all whole minutes that were asked for; a period that is longer belongs to its last minute. */
const sumsOf = (results: readonly MetricDataResult[], { name, labels, periodSeconds }: Wanted, { endMs }: Span) => {
  const minutes = new Map<number, MinuteSum>()
  for (const { Timestamps = [], Values = [] } of results) {
    for (const [index, time] of Timestamps.entries()) {
      const lastMs = time.getTime() + periodSeconds * 1000 - 1
      const atMs = Math.floor(lastMs / 60_000) * 60_000
      const value = Values[index]
      if (value === undefined || atMs >= endMs) continue
      minutes.set(atMs, { name, labels, atMs, value: (minutes.get(atMs)?.value ?? 0) + value })
    }
  }
  return [...minutes.values()]
}

/** A later page may complete what an earlier one gave in part, so the last word counts. */
const troubleOf = (results: readonly MetricDataResult[], { name }: Wanted): string | undefined => {
  const last = results.at(-1)
  if (last === undefined) return `${name}: no answer`
  const status = last.StatusCode ?? 'InternalError'
  return status === 'Complete' ? undefined : `${name}: ${status}`
}

const read = async (spec: Spec, world: SourceWorld, wanted: readonly Wanted[]): Promise<Scrape> => {
  const span = spanOf(spec, wanted, world.nowMs())
  const client = await clientOf(spec)
  const queries = wanted.map((one, index) => queryOf(one, `m${index}`))
  const batches = Array.from({ length: Math.ceil(queries.length / queriesLimit) }, (_, nth) =>
    queries.slice(nth * queriesLimit, (nth + 1) * queriesLimit),
  )
  const answered: Answered = { results: [], said: [] }
  for (const batch of batches) {
    const { results, said } = await askBatch(client, batch, { span, signal: world.signal })
    answered.results.push(...results)
    answered.said.push(...said)
  }
  const byId = Map.groupBy(answered.results, ({ Id }) => Id ?? '')
  const about = wanted.map((one, index) => ({ one, results: byId.get(`m${index}`) ?? [] }))
  const samples = about.flatMap(({ one, results }): Sample[] => {
    const point = newest(results, one, { ...span, startMs: span.endMs - freshMs(wanted) })
    return point ? [{ name: one.name, labels: one.labels, value: point.value, timestampMs: point.atMs }] : []
  })
  const troubles = [...answered.said, ...about.flatMap(({ one, results }) => troubleOf(results, one) ?? [])]
  const sums = about.flatMap(({ one, results }) => (isSum(one) ? sumsOf(results, one, span) : []))
  const base: Scrape = { atMs: world.nowMs(), samples, bytes: 0, seriesSeen: wanted.length }
  const scrape = wanted.some(isSum) ? { ...base, sums } : base
  if (troubles.length === 0) return scrape
  const more = troubles.length > 3 ? ` and ${troubles.length - 3} more` : ''
  return { ...scrape, incomplete: `CloudWatch: ${troubles.slice(0, 3).join('; ')}${more}` }
}

/** CloudWatch refused, or never answered: only the SDK's own errors tell of an answer. */
const failure = (error: unknown, { region, endpoint }: Spec): string => {
  const answered = error instanceof Error && '$fault' in error
  if (!answered) return connectionSentence(error, endpoint ?? `https://monitoring.${region}.amazonaws.com`)
  return `CloudWatch in ${region}: ${oneLine(`${error.name}: ${error.message}`)}`
}

const scrape = async (spec: Spec, world: SourceWorld, keep: readonly Selector[]): Promise<Reading<Scrape>> => {
  const wanted = wantedOf(spec, keep)
  if (wanted.length === 0)
    return { status: 'read', value: { atMs: world.nowMs(), samples: [], bytes: 0, seriesSeen: 0 } }
  try {
    return { status: 'read', value: await read(spec, world, wanted) }
  } catch (error) {
    if (world.signal.aborted)
      return { status: 'unreadable', why: `no answer from CloudWatch in ${spec.region} in time` }
    return { status: 'unreadable', why: failure(error, spec) }
  }
}

/**
 * CloudWatch metrics through GetMetricData, each as a series with its newest whole period; a metric without a data point
 * has none, which is not 0. Sums are read minute by minute as well, a quarter of an hour back, since some come late. Credentials come from where the SDK looks for them.
 */
export const cloudwatchSource = defineSeriesSource({
  kind: 'cloudwatch',
  reads: 'series',
  schema,
  scrape,
  has: ({ metrics }) => metrics.map((one) => ({ name: nameOf(one) })),
  addsUp: ({ metrics }) => metrics.filter(isSum).map((one) => ({ name: nameOf(one) })),
  grants: () => [{ action: 'cloudwatch:GetMetricData', resource: '*' }],
})
