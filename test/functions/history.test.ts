import { gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { seededRandom } from '../../examples/emojivoto/random-names.ts'
import {
  type HistoryMinute,
  historyKey,
  historyLine,
  historyOfKey,
  type KeptOutcome,
  keptOutcome,
  minuteOf,
  readHistoryLines,
} from '../../functions/history.ts'
import { shardOf } from '../../functions/shards.ts'
import { outcome, start } from './builders.ts'

/** Names as people give them: a few parts, each of a few. */
const words = ['checkout', 'search', 'basket', 'login', 'media', 'price', 'stock', 'ship', 'review', 'profile', 'gift']
const tails = ['api', 'page', 'eu', 'us', 'v2', 'health', 'canary', 'edge', 'worker', 'images']

/** What a healthy fleet looks like: every target with its own usual times, each look a little off them. */
const fleet = (count: number, seed: number): KeptOutcome[] => {
  const random = seededRandom(seed)
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? ''
  const jitter = (ms: number) => ms * (0.8 + 0.3 * random() + (random() < 0.05 ? 2 * random() : 0))
  return Array.from({ length: count }, (_, nth) => {
    const [connect, processing] = [5 + 90 * random(), 20 + 400 * random()]
    const took = {
      resolve: jitter(4),
      connect: jitter(connect),
      tls: jitter(2 * connect),
      processing: jitter(processing),
      transfer: jitter(3),
    }
    const total = Object.values(took).reduce((sum, ms) => sum + ms, 0.4 + random())
    return keptOutcome({
      ...outcome({ verdict: 'pass', monitorId: `${pick(words)}-${pick(tails)}-${nth}` }),
      startedAtMs: start + Math.floor(random() * 900),
      timingsMs: { ...took, total },
      attempt: { statusCode: random() < 0.9 ? 200 : 204, address: '192.0.2.10', bodyStart: 'never kept of a pass' },
    })
  })
}

const minuteWith = (outcomes: KeptOutcome[], shard = '0/1'): HistoryMinute => ({
  shard,
  minuteMs: start,
  parts: [{ observationId: `${shard}@local:${start}`, outcomes, judgements: [], transitions: [] }],
})

const bytesOf = (minute: HistoryMinute) => gzipSync(historyLine(minute), { level: 9 }).byteLength

test('a week of 5,000 monitors every minute takes less than 2 GB of a disk with blocks of 4 KB', () => {
  const all = fleet(5000, 3)
  const byShard = Map.groupBy(all, ({ monitorId }) => shardOf(monitorId, 32))
  const sizes = [...byShard].map(([shard, own]) => bytesOf(minuteWith(own, shard)))
  const onDisk = sizes.reduce((sum, bytes) => sum + Math.ceil(bytes / 4096) * 4096, 0)
  const weekBytes = onDisk * 7 * 24 * 60
  console.log(
    `history: ${(sizes.reduce((a, b) => a + b, 0) / 5000).toFixed(1)} B an outcome, ${(onDisk / 5000).toFixed(1)} B on disk, the largest of 32 objects ${Math.max(...sizes)} B, a week ${(weekBytes / 1e9).toFixed(2)} GB`,
  )
  expect(weekBytes).toBeLessThan(2e9)
  expect(onDisk / 5000).toBeLessThanOrEqual(40)
})

const rounded = (ms: number) => Number(Number(ms.toPrecision(3)).toFixed(1))

test('what was kept comes back, durations to three figures', () => {
  const failing = keptOutcome({
    ...outcome({ verdict: 'fail', monitorId: 'pay', location: 'eu-west-1', look: `probe:0/1:pay:eu-west-1:${start}` }),
    attempt: { statusCode: 500, address: '192.0.2.7', bodyStart: 'upstream connect error '.repeat(20) },
  })
  const minute: HistoryMinute = {
    ...minuteWith([...fleet(20, 5), failing, keptOutcome(outcome({ verdict: 'unknown', monitorId: 'pay' }))]),
  }
  minute.parts.push({
    observationId: 'x',
    outcomes: [],
    judgements: [
      {
        ruleId: 'pay-down',
        atMs: start + 5,
        status: 'active',
        met: false,
        reason: 'quorum-not-met',
        summary: 'pay fails from eu-west-1: expected 2xx, saw 500',
        sinceMs: start,
        tally: { down: 1, failing: 1, heard: 3, of: 3, need: 2 },
      },
    ],
    transitions: [{ alertId: 'pay-down', from: 'inactive', to: 'pending', reason: 'first-failure', atMs: start + 5 }],
  })
  const back = readHistoryLines(historyLine(minute))
  const byId = (all: readonly KeptOutcome[]) =>
    [...all].sort((a, b) => `${a.location} ${a.monitorId}`.localeCompare(`${b.location} ${b.monitorId}`))
  const expected = byId(minute.parts[0]?.outcomes ?? []).map((one) => ({
    ...one,
    timingsMs: Object.fromEntries(Object.entries(one.timingsMs).map(([phase, ms]) => [phase, rounded(ms ?? 0)])),
  }))
  expect(byId(back.parts[0]?.outcomes ?? [])).toEqual(expected)
  expect(back.parts[1]).toEqual(minute.parts[1])
  expect(historyLine(back)).toEqual(historyLine(minute))
})

test('a failing look keeps the beginning of what it saw, a passing one nothing of it', () => {
  const attempt = { statusCode: 500, address: '192.0.2.7', bodyStart: 'x'.repeat(1000) }
  expect(keptOutcome({ ...outcome({ verdict: 'fail' }), attempt })).toMatchObject({
    address: '192.0.2.7',
    bodyStart: 'x'.repeat(160),
  })
  expect(keptOutcome({ ...outcome({ verdict: 'pass' }), attempt })).not.toHaveProperty('bodyStart')
})

test('keys are in the order of time and say whose minute they hold', () => {
  const key = historyKey(minuteOf(start + 59_999), '5/32')
  expect(key).toBe('history/2026-11-23/06/00.5-of-32.gz')
  expect(historyOfKey(key)).toEqual({ minuteMs: start, shard: '5/32' })
  expect(historyOfKey('history/readme.txt')).toBeUndefined()
})

test('what is no history of ours is refused', () => {
  expect(() => readHistoryLines(`{"form":"history-9"}`)).toThrow()
})
