import { expect, test } from '@jest/globals'
import { type Described, deploymentFor } from '../../cost/deployment.ts'
import { monthSeconds, type UnitName } from '../../cost/prices.ts'
import { messagesOf, tickMs, usageOf, writesPerTick } from '../../cost/usage.ts'

const minutes = 43_800

const watched = (count: number, extra: { locations?: string[]; periodSeconds?: number } = {}) =>
  Array.from({ length: count }, (_, index) => ({
    id: `monitor-${index}`,
    service: 'shop',
    periodSeconds: 60,
    locations: ['us-east-1'],
    ...extra,
  }))

const used = (described: Partial<Described> & Pick<Described, 'monitors'>) => {
  const usage = usageOf(deploymentFor({ locations: ['us-east-1'], ...described }))
  return (unit: UnitName, what: string, region?: string) =>
    usage
      .filter((one) => one.unit === unit && one.what === what && (region === undefined || one.region === region))
      .reduce((sum, { quantity }) => sum + quantity, 0)
}

test('a month has 43,800 minutes', () => expect(monthSeconds).toBe(minutes * 60))

test.each([
  { monitors: 1, ms: 1000, why: 'the slowest target' },
  { monitors: 100, ms: 1000, why: '100 × 2 ms of CPU at 0.29 vCPU are less than the slowest target' },
  // 250 × 2 ms ÷ (512 ÷ 1769)
  { monitors: 250, ms: 1727.54, why: 'CPU' },
])('a tick of $monitors monitors takes $ms ms: $why', ({ monitors, ms }) => expect(tickMs(monitors)).toBeCloseTo(ms, 1))

test.each([
  { outcomes: 1, messages: 1, bytes: 700, chunks: 1 },
  { outcomes: 109, messages: 1, bytes: 65_500, chunks: 1 },
  { outcomes: 110, messages: 1, bytes: 66_100, chunks: 2 },
  { outcomes: 250, messages: 1, bytes: 150_100, chunks: 3 },
  // Over 200,000 bytes it is halved: twice 200 outcomes of 120,100 bytes.
  { outcomes: 400, messages: 2, bytes: 240_200, chunks: 4 },
])('$outcomes outcomes are $messages messages of $chunks chunks', ({ outcomes, ...is }) =>
  expect(messagesOf(outcomes)).toEqual(is),
)

test.each([
  // 217 bytes
  { monitors: 1, units: 1 },
  // 200 + 250 × 17.2 = 4,500 bytes
  { monitors: 250, units: 5 },
])('a quiet tick of $monitors monitors writes $units units, of at most 64', ({ monitors, units }) => {
  expect(writesPerTick(monitors)).toBe(units)
  expect(units).toBeLessThanOrEqual(64)
})

test('one monitor once a minute', () => {
  const of = used({ monitors: watched(1) })
  // (30 ms + 1 s) × 0.5 GB each minute
  expect(of('lambdaGbSeconds', 'probe, its waiting included')).toBeCloseTo(minutes * 0.515, 6)
  // probe, watch, publish, sweep
  expect(of('schedulerCalls', 'schedules')).toBe(4 * minutes)
  // probe, evaluate, watch, publish, sweep and three of the pulse each minute; the deadline every five
  expect(of('lambdaCalls', 'calls of all functions')).toBeCloseTo(8.2 * minutes, 6)
  expect(of('fifoRequests', 'observations')).toBe(3 * minutes)
  expect(of('tableWrites', 'counters and alerts')).toBe(minutes)
  // timer row, shard item, location item
  expect(of('tableReads', 'counters and alerts')).toBe(3 * minutes)
  expect(of('internetGb', 'requests of the looks')).toBeCloseTo((minutes * 1300) / 1e9, 12)
  expect(of('regionGb', 'observations to the hub')).toBe(0)
  // Five polls of 20 s on two FIFO queues; on three standard ones of the hub and one of the location.
  expect(of('fifoRequests', 'long polls of idle queues')).toBe(2 * 15 * minutes)
  expect(of('standardRequests', 'long polls of idle queues')).toBe(4 * 15 * minutes)
  expect(of('metrics', 'metrics of the services')).toBe(2)
  expect(of('metricCalls', 'sending the services’ metrics')).toBe(minutes)
})

test('a hundred services are 200 metrics in one call a minute, one more needs a second call', () => {
  const of = (services: number) =>
    used({ monitors: watched(services).map((one, index) => ({ ...one, service: `s-${index}` })) })
  expect([100, 101].map((n) => of(n)('metricCalls', 'sending the services’ metrics'))).toEqual([minutes, 2 * minutes])
  expect(of(101)('metrics', 'metrics of the services')).toBe(202)
})

test('looking every 5 s keeps the function waiting all minute, and all of it is paid', () => {
  const of = used({ monitors: watched(1, { periodSeconds: 5 }) })
  expect(of('lambdaGbSeconds', 'probe, its waiting included')).toBeCloseTo(minutes * 0.5 * (0.03 + 55 + 1), 6)
  expect(of('schedulerCalls', 'schedules')).toBe(4 * minutes)
  expect(of('fifoRequests', 'observations')).toBe(12 * 3 * minutes)
})

test('every period of a location has a schedule in every shard, whether or not it finds a monitor there', () => {
  const monitors = [
    ...watched(300),
    { ...watched(1)[0], id: 'slow', service: 'shop', periodSeconds: 300, locations: ['us-east-1'] },
  ]
  const of = used({ monitors })
  // 301 monitors need two shards: two schedules each minute, two every five; watch, publish, sweep.
  expect(of('schedulerCalls', 'schedules')).toBeCloseTo((2 + 2 / 5 + 3) * minutes, 6)
})

test('another region pays for what it sends to the hub, and has a queue, alarms and a watch of its own', () => {
  const locations = ['us-east-1', 'eu-central-1']
  const of = used({ monitors: watched(10, { locations }), locations })
  expect(of('regionGb', 'observations to the hub', 'eu-central-1')).toBeCloseTo((minutes * 6100) / 1e9, 12)
  expect(of('regionGb', 'observations to the hub', 'us-east-1')).toBe(0)
  expect(of('standardRequests', 'long polls of idle queues', 'eu-central-1')).toBe(15 * minutes)
  expect(of('alarms', 'alarms', 'eu-central-1')).toBe(4)
  // The hub's items are written at the hub's prices.
  expect(of('tableWrites', 'counters and alerts', 'eu-central-1')).toBe(0)
  expect(of('tableWrites', 'counters and alerts', 'us-east-1')).toBe(2 * minutes)
})

test('a cluster every 30 s waits half of every minute with 1 GB, and tells each shard that has a rule about it', () => {
  const without = used({ monitors: watched(1) })
  const of = used({ monitors: watched(1), scrapes: [{ intervalSeconds: 30, told: ['0/1'], windowBytes: 5e8 }] })
  expect(of('lambdaGbSeconds', 'scrape, its waiting included')).toBeCloseTo(minutes * (0.03 + 30 + 1.5), 6)
  expect(of('objectPuts', 'windows of clusters')).toBe(2 * minutes)
  // Only a cold process reads its chunks back.
  expect(of('objectGets', 'windows of clusters')).toBeCloseTo((minutes / 60) * 13, 6)
  expect(of('objectGb', 'windows of clusters, kept')).toBe(0.5)
  expect(of('fifoRequests', 'rule results of scrapes')).toBe(2 * 3 * minutes)
  expect(without('objectPuts', 'windows of clusters')).toBe(0)
})

test('logs are kept as long as the config says', () => {
  const kept = (logRetentionDays: number) => used({ monitors: watched(1), logRetentionDays })('keptLogGb', 'logs kept')
  expect(kept(365)).toBeCloseTo(5 * kept(73), 9)
})

test('history is an object read and written again for every message of a tick, unless none is kept', () => {
  const of = (keepsHistory: boolean) => used({ monitors: watched(300), keepsHistory })
  // 300 monitors are two shards, each with one message a minute.
  expect(of(true)('objectPuts', 'history')).toBe(2 * minutes)
  expect(of(true)('objectGets', 'history')).toBe(2 * minutes)
  expect(of(false)('objectPuts', 'history')).toBe(0)
})

test('metrics of CloudWatch are paid for by the metric, each time a rule reads them', () => {
  const of = used({ monitors: watched(1), scrapes: [{ intervalSeconds: 30, told: ['0/1'], metrics: 3 }] })
  expect(of('metricCalls', 'metrics read from CloudWatch')).toBe(2 * 3 * minutes)
  const none = used({ monitors: watched(1), scrapes: [{ intervalSeconds: 30, told: ['0/1'], metrics: 0 }] })
  expect(none('metricCalls', 'metrics read from CloudWatch')).toBe(0)
})
