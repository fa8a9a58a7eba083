import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Selector } from '../../../sources/contract.ts'
import { cloudwatchSource } from '../../../sources/kinds/cloudwatch.ts'
import { scrapeSource, sourceGrants, sourcePlace, sourceSpec } from '../../../sources/registry.ts'
import { nowMs, withServer, world } from '../loopback.ts'

const before = { ...process.env }
beforeAll(() => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'test' })
})
afterAll(() => {
  process.env = before
})

const errors = {
  namespace: 'AWS/ApplicationELB',
  metric: 'HTTPCode_Target_5XX_Count',
  dimensions: { LoadBalancer: 'app/shop/50dc6c495c0c9188' },
  stat: 'Sum',
}
const spec = { kind: 'cloudwatch', region: 'eu-west-1', metrics: [errors] }
const name = 'aws_applicationelb_httpcode_target_5_xx_count_sum'
const labels = { load_balancer: 'app/shop/50dc6c495c0c9188' }

type Asked = { MetricDataQueries: { Id: string }[]; StartTime: number; EndTime: number; NextToken?: string }
type Result = { Id: string; StatusCode?: string; Timestamps?: number[]; Values?: number[] }
type Page = { MetricDataResults: Result[]; NextToken?: string; Messages?: { Code: string; Value: string }[] }

/** What AWS JSON 1.0 has on the wire: times in seconds. */
const scrape = (
  answer: (asked: Asked) => Page | string,
  { keep = [{ name }], input = spec }: { keep?: Selector[]; input?: object } = {},
) =>
  withServer(
    async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part)
      const asked: Asked = JSON.parse(Buffer.concat(parts).toString())
      all.push(asked)
      const answered = answer(asked)
      const headers = { 'content-type': 'application/x-amz-json-1.0' }
      if (typeof answered !== 'string') response.writeHead(200, headers).end(JSON.stringify(answered))
      else response.writeHead(400, headers).end(JSON.stringify({ __type: answered, message: 'not so' }))
    },
    async ({ url }) => {
      all = []
      const reading = await scrapeSource(sourceSpec.parse({ ...input, endpoint: url }), world(), keep)
      return { reading: reading ?? { status: 'none' }, asked: all }
    },
  )
let all: Asked[] = []

const minute = (back: number) => Math.floor(nowMs / 60_000) * 60 - back * 60
const complete = (values: [number, number][]): Page => ({
  MetricDataResults: [
    { Id: 'm0', StatusCode: 'Complete', Timestamps: values.map(([at]) => at), Values: values.map(([, v]) => v) },
  ],
})

test('the least a config must say', () => {
  expect(cloudwatchSource.schema.parse(spec)).toEqual({
    ...spec,
    metrics: [{ ...errors, periodSeconds: 60 }],
    delaySeconds: 120,
    labels: {},
  })
})

test.each<[object, string]>([
  [{ ...spec, region: 'Frankfurt' }, 'no region'],
  [{ ...spec, metrics: [] }, 'nothing to read'],
  [{ ...spec, metrics: [{ ...errors, periodSeconds: 90 }] }, 'a period CloudWatch does not have'],
  [{ ...spec, metrics: [{ ...errors, name: 'a b' }] }, 'a name with a space'],
])('%j is refused: %s', (input) => {
  expect(cloudwatchSource.schema.safeParse(input).success).toBe(false)
})

test('the newest whole period is the value, with its own time', async () => {
  const { reading, asked } = await scrape(() =>
    complete([
      [minute(4), 7],
      [minute(3), 9],
      [minute(1), 100],
    ]),
  )
  expect(reading).toEqual({
    status: 'read',
    value: {
      atMs: nowMs,
      bytes: 0,
      seriesSeen: 1,
      samples: [{ name, labels, value: 9, timestampMs: minute(2) * 1000 }],
      sums: [4, 3].map((back) => ({ name, labels, atMs: minute(back) * 1000, value: back === 4 ? 7 : 9 })),
    },
  })
  expect(asked[0]).toMatchObject({ StartTime: minute(17), EndTime: minute(2) })
})

test('what nobody reads is not asked for, since every metric costs', async () => {
  const other = { ...errors, metric: 'RequestCount', name: 'requests' }
  const input = { ...spec, metrics: [errors, other] }
  const some = await scrape(() => complete([[minute(3), 0]]), { input, keep: [{ name: 'requests' }] })
  expect(some.asked.map(({ MetricDataQueries }) => MetricDataQueries.length)).toEqual([1])
  expect(some.reading).toMatchObject({ value: { samples: [{ name: 'requests', value: 0 }] } })
  expect((await scrape(() => complete([]), { input, keep: [{ name: 'up' }] })).asked).toEqual([])
})

test('a metric without a data point has no sample, which is not 0', async () => {
  const { reading } = await scrape(() => complete([]))
  expect(reading).toEqual({ status: 'read', value: { atMs: nowMs, bytes: 0, seriesSeen: 1, samples: [], sums: [] } })
})

test('what is older than three periods says nothing of now, but is still among the sums of its minute', async () => {
  const { reading } = await scrape(() => complete([[minute(12), 4]]))
  expect(reading).toMatchObject({ value: { samples: [], sums: [{ atMs: minute(12) * 1000, value: 4 }] } })
})

test('an average has no sums, and is not read further back', async () => {
  const average = { ...errors, stat: 'Average', name: 'a' }
  const { reading, asked } = await scrape(() => complete([[minute(3), 4]]), {
    input: { ...spec, metrics: [average] },
    keep: [{ name: 'a' }],
  })
  expect(reading).not.toHaveProperty('value.sums')
  expect(asked[0]).toMatchObject({ StartTime: minute(7) })
})

test('a period of five minutes belongs to its last minute, and those of ten seconds to theirs', async () => {
  const of = (periodSeconds: number, values: [number, number][]) =>
    scrape(() => complete(values), { input: { ...spec, metrics: [{ ...errors, periodSeconds }] } })
  const five = await of(300, [[minute(9), 50]])
  expect(five.reading).toMatchObject({ value: { sums: [{ atMs: minute(5) * 1000, value: 50 }] } })
  const ten = await of(10, [
    [minute(4), 1],
    [minute(4) + 10, 2],
    [minute(3), 4],
  ])
  expect(ten.reading).toMatchObject({
    value: {
      sums: [
        { atMs: minute(4) * 1000, value: 3 },
        { atMs: minute(3) * 1000, value: 4 },
      ],
    },
  })
})

test('queries go in batches of 500', async () => {
  const metrics = Array.from({ length: 1001 }, (_, n) => ({ ...errors, dimensions: { TargetGroup: `t${n}` } }))
  const { reading, asked } = await scrape(
    ({ MetricDataQueries }) => ({
      MetricDataResults: MetricDataQueries.map(({ Id }) => ({
        Id,
        StatusCode: 'Complete',
        Timestamps: [minute(3)],
        Values: [Number(Id.slice(1))],
      })),
    }),
    { input: { ...spec, metrics } },
  )
  expect(asked.map(({ MetricDataQueries }) => MetricDataQueries.length)).toEqual([500, 500, 1])
  if (reading.status !== 'read') throw new Error(reading.status)
  expect(reading.value.samples).toHaveLength(1001)
  expect(reading.value.samples.at(-1)).toMatchObject({ labels: { target_group: 't1000' }, value: 1000 })
  expect(reading.value.incomplete).toBeUndefined()
})

test('pages are read to the last, whose status counts', async () => {
  const { reading, asked } = await scrape(({ NextToken }) =>
    NextToken === undefined
      ? { MetricDataResults: [{ Id: 'm0', StatusCode: 'PartialData' }], NextToken: 'more' }
      : complete([[minute(3), 5]]),
  )
  expect(asked.map(({ NextToken }) => NextToken)).toEqual([undefined, 'more'])
  expect(reading).toMatchObject({ status: 'read', value: { samples: [{ value: 5 }] } })
  expect(reading).not.toHaveProperty('value.incomplete')
})

test.each<[string, Page, string]>([
  [
    'data in part',
    { MetricDataResults: [{ Id: 'm0', StatusCode: 'PartialData', Timestamps: [minute(3)], Values: [5] }] },
    `CloudWatch: ${name}: PartialData`,
  ],
  [
    'a metric it may not read',
    { MetricDataResults: [{ Id: 'm0', StatusCode: 'Forbidden' }] },
    `CloudWatch: ${name}: Forbidden`,
  ],
  ['no word on a metric', { MetricDataResults: [] }, `CloudWatch: ${name}: no answer`],
  [
    'a message',
    { ...complete([]), Messages: [{ Code: 'MaxMetricsExceeded', Value: 'too many' }] },
    'CloudWatch: MaxMetricsExceeded: too many',
  ],
])('%s makes it incomplete', async (_, page, incomplete) => {
  expect((await scrape(() => page)).reading).toMatchObject({ status: 'read', value: { incomplete } })
})

test('a refusal is the reason, a server that is not there too', async () => {
  expect((await scrape(() => 'AccessDeniedException')).reading).toEqual({
    status: 'unreadable',
    why: 'CloudWatch in eu-west-1: AccessDeniedException: not so',
  })
  const away = sourceSpec.parse({ ...spec, endpoint: 'http://127.0.0.1:9' })
  expect(await scrapeSource(away, world(), [{ name }])).toEqual({
    status: 'unreadable',
    why: expect.stringMatching(/127\.0\.0\.1:9.*(?:refused|ECONNREFUSED)|refused at 127\.0\.0\.1:9/),
  })
})

test('it says where it is and what it needs', () => {
  expect(sourcePlace(sourceSpec.parse(spec))).toBe('CloudWatch in eu-west-1')
  expect(sourceGrants(sourceSpec.parse(spec))).toEqual([{ action: 'cloudwatch:GetMetricData', resource: '*' }])
})
