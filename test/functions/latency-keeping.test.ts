import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { type HistoryPart, historyKey, historyLine, type KeptOutcome, minuteOf } from '../../functions/history.ts'
import { forgetLatencies, latenciesNow, latencyKeeper, packHour } from '../../functions/latency-keeping.ts'
import { emptySketch, quantilesOf } from '../../functions/latency-sketch.ts'
import { shardOf } from '../../functions/shards.ts'
import { type Blobs, itemLimitBytes } from '../../stores/contract.ts'
import { memoryBlobs } from '../../stores/memory.ts'
import { outcome, start } from './builders.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** An hour of looks at some monitors, the nth of which takes 100 ms and a bit. */
const looksOf = (fromMs: number, monitors: readonly string[], minutes = 60): KeptOutcome[] =>
  Array.from({ length: minutes }, (_, nth) => nth).flatMap((nth) =>
    monitors.map((monitorId): KeptOutcome => {
      const scheduledAtMs = fromMs + nth * minuteMs
      const seen = outcome({ verdict: 'pass', monitorId, scheduledAtMs, startedAtMs: scheduledAtMs })
      return { ...seen, look: 'tick', timingsMs: { total: 100 + nth } }
    }),
  )

const write = async (blobs: Blobs, looks: readonly KeptOutcome[], shards = 1) => {
  for (const [minute, own] of Map.groupBy(looks, ({ scheduledAtMs }) => minuteOf(scheduledAtMs))) {
    for (const [shard, outcomes] of Map.groupBy(own, ({ monitorId }) => shardOf(monitorId, shards))) {
      const part: HistoryPart = { observationId: 'tick', outcomes, judgements: [], transitions: [] }
      const line = historyLine({ shard, minuteMs: minute, parts: [part] })
      await blobs.put(historyKey(minute, shard), gzipSync(line))
    }
  }
}

const makeAll = async (blobs: Blobs, nowMs: number, shards = 1, monitors = ['front']) => {
  const keep = latencyKeeper({ blobs, nowMs: () => nowMs, shards, monitors: new Set(monitors) })
  while (await keep()) {
    // One hour of one shard at a time.
  }
}

const looksNow = async (blobs: Blobs, nowMs: number, fromMs = start, monitorId = 'front') => {
  const lost: string[] = []
  const [sketch] = await latenciesNow(blobs, [{ monitorId, fromMs }], { nowMs, lost: (key) => lost.push(key) })
  return { quantiles: quantilesOf(sketch ?? emptySketch()), lost }
}

test('an hour is made when it is over, and what is not over is read from the history', async () => {
  const blobs = memoryBlobs()
  await write(blobs, looksOf(start, ['front', 'back'], 150))
  const nowMs = start + 150 * minuteMs
  await makeAll(blobs, nowMs)
  const keys = await blobs.list('latency/', { limit: 10 })
  expect(keys).toEqual(['latency/2026-11-23/06.0-of-1.0.gz', 'latency/2026-11-23/07.0-of-1.0.gz'])
  expect((await looksNow(blobs, nowMs)).quantiles).toEqual({ p50Ms: 171, p95Ms: 245, p99Ms: 245, looks: 150 })
})

test('what was made of the hours is what the history said, when that is long gone', async () => {
  const blobs = memoryBlobs()
  await write(blobs, looksOf(start, ['front'], 120))
  const nowMs = start + 5 * hourMs
  await makeAll(blobs, nowMs)
  await blobs.delete(await blobs.list('history/', { limit: 1000 }))
  expect((await looksNow(blobs, nowMs)).quantiles?.looks).toBe(120)
  expect((await looksNow(blobs, nowMs, start + hourMs)).quantiles?.looks).toBe(60)
})

test('made twice, or again by more shards, a look still counts once', async () => {
  const blobs = memoryBlobs()
  await write(blobs, looksOf(start, ['front', 'back'], 60))
  const nowMs = start + 2 * hourMs
  for (const shards of [1, 1, 2, 4]) await makeAll(blobs, nowMs, shards, ['front', 'back'])
  expect((await blobs.list('latency/', { limit: 10 })).length).toBeGreaterThan(2)
  expect((await looksNow(blobs, nowMs)).quantiles?.looks).toBe(60)
  expect((await looksNow(blobs, nowMs, start, 'back')).quantiles?.looks).toBe(60)
})

test('an hour that cannot be read is said, and the others count', async () => {
  const blobs = memoryBlobs()
  await write(blobs, looksOf(start, ['front'], 120))
  const nowMs = start + 4 * hourMs
  await makeAll(blobs, nowMs)
  await blobs.put('latency/2026-11-23/06.0-of-1.0.gz', new Uint8Array([1, 2, 3]))
  const { quantiles, lost } = await looksNow(blobs, nowMs)
  expect(lost).toEqual(['latency/2026-11-23/06.0-of-1.0.gz'])
  expect(quantiles?.looks).toBe(60)
})

test('no object holds more than an item does, however many and however different its looks were', () => {
  const sketches = new Map(
    Array.from({ length: 310 }, (_, nth) => {
      const sketch = emptySketch()
      for (let at = 0; at < 1080; at++) sketch.accept(0.1 * 1.0125 ** ((at * (nth + 7)) % 1080))
      return [`shop-monitor-${nth}`, sketch] as const
    }),
  )
  const parts = packHour(sketches)
  expect(parts.length).toBeGreaterThan(1)
  expect(Math.max(...parts.map((text) => text.length))).toBeLessThanOrEqual(itemLimitBytes)
})

test('a month of an hour is at most a small part of the two kilobytes it may be', async () => {
  const blobs = memoryBlobs()
  const monitors = Array.from({ length: 100 }, (_, nth) => `shop-monitor-${nth}`)
  await write(blobs, looksOf(start, monitors))
  await makeAll(blobs, start + 2 * hourMs, 1, monitors)
  const bytes = await blobs.get('latency/2026-11-23/06.0-of-1.0.gz')
  expect(gunzipSync(bytes ?? new Uint8Array()).byteLength).toBeLessThanOrEqual(itemLimitBytes)
  expect((bytes?.byteLength ?? Number.POSITIVE_INFINITY) / monitors.length).toBeLessThan(512)
})

test('what is older than any window is forgotten', async () => {
  const blobs = memoryBlobs()
  await write(blobs, looksOf(start, ['front']))
  await makeAll(blobs, start + 2 * hourMs)
  expect(await forgetLatencies(blobs, start + 92 * 24 * hourMs)).toBe(0)
  expect(await forgetLatencies(blobs, start + 93 * 24 * hourMs)).toBe(1)
})
