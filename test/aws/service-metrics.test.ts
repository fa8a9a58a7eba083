import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { afterAll, expect, test } from '@jest/globals'
import { putServiceMetrics, serviceMetrics } from '../../aws/service-metrics.ts'
import type { LatestOutcome } from '../../functions/latest-outcomes.ts'
import type { Verdict } from '../../probes/contract.ts'
import { startAws } from './loopback-aws.ts'

const nowMs = 1_000_000_000
const at = { name: 'shop', nowMs }

const look = (verdict: Verdict, extra: Partial<LatestOutcome> = {}): LatestOutcome => ({
  monitorId: 'front',
  location: 'eu-west-1',
  service: 'web',
  target: 'https://shop.example/',
  periodSeconds: 60,
  runSinceMs: nowMs,
  scheduledAtMs: nowMs - 20_000,
  startedAtMs: nowMs - 20_000,
  look: 'tick',
  verdict,
  timingsMs: { total: 120.4 },
  attempt: {},
  ...extra,
})

const values = (outcomes: readonly LatestOutcome[], metric: string) =>
  serviceMetrics(outcomes, at)
    .filter(({ MetricName }) => MetricName === metric)
    .map(({ Values, Counts }) => ({ Values, Counts }))

test('availability is told as looks, so that its average is their share', () => {
  const outcomes = [look('pass'), look('degraded'), look('fail'), look('pass')]
  expect(values(outcomes, 'Availability')).toEqual([{ Values: [1, 0], Counts: [3, 1] }])
})

test('latency is told as the values of good looks, so that any percentile can be asked for', () => {
  const slow = look('pass', { timingsMs: { total: 900 } })
  const outcomes = [look('pass'), slow, look('pass'), look('fail', { timingsMs: { total: 5 } })]
  expect(values(outcomes, 'LatencyMs')).toEqual([{ Values: [120, 900], Counts: [2, 1] }])
})

test.each([
  { given: 'unknown looks', outcomes: [look('unknown')] },
  { given: 'looks that are no longer fresh', outcomes: [look('pass', { scheduledAtMs: nowMs - 181_000 })] },
  { given: 'no looks', outcomes: [] },
])('$given are no metric: missing is never zero', ({ outcomes }) => {
  expect(serviceMetrics(outcomes, at)).toEqual([])
})

test('a service that fails everywhere has an availability of zero and no latency', () => {
  expect(values([look('fail')], 'Availability')).toEqual([{ Values: [0], Counts: [1] }])
  expect(values([look('fail')], 'LatencyMs')).toEqual([])
})

test('two metrics a service, by deployment and service', () => {
  const data = serviceMetrics([look('pass'), look('pass', { service: 'vote' })], at)
  expect(
    data.map(({ MetricName, Dimensions }) => [MetricName, ...(Dimensions ?? []).map(({ Value }) => Value)]),
  ).toEqual([
    ['Availability', 'shop', 'web'],
    ['LatencyMs', 'shop', 'web'],
    ['Availability', 'shop', 'vote'],
    ['LatencyMs', 'shop', 'vote'],
  ])
})

test('more values than CloudWatch takes in one datum are several', () => {
  const outcomes = Array.from({ length: 400 }, (_, n) => look('pass', { timingsMs: { total: n } }))
  expect(values(outcomes, 'LatencyMs').map(({ Values }) => Values?.length)).toEqual([150, 150, 100])
})

let refused = false
const aws = await startAws(() => (refused ? { status: 403, code: 'AccessDenied' } : { body: {} }))
const client = new CloudWatchClient({ ...aws.options, maxAttempts: 1 })
afterAll(async () => {
  client.destroy()
  await aws.stop()
})

test('a minute’s metrics go out in one call, nothing in none, and a refusal is told', async () => {
  const put = putServiceMetrics({ client })
  expect(await put(serviceMetrics([look('pass')], at))).toEqual({ status: 'put' })
  expect(await put([])).toEqual({ status: 'put' })
  expect(aws.asked.map(({ operation }) => operation)).toEqual(['PutMetricData'])
  refused = true
  expect(await put(serviceMetrics([look('pass')], at))).toEqual({ status: 'lost', cause: 'AccessDenied: made up' })
})
