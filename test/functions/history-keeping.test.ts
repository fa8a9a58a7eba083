import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { historyKey, historyLine } from '../../functions/history.ts'
import { forgetHistory, historyKeeper, readMinute } from '../../functions/history-keeping.ts'
import type { Blobs } from '../../stores/contract.ts'
import { memoryBlobs } from '../../stores/memory.ts'
import { outcome, seen, start } from './builders.ts'
import { townWith } from './evaluate/hub.ts'

const dayMs = 86_400_000
const key = historyKey(start, '0/1')

const partOf = (observationId: string) => ({ observationId, outcomes: [], judgements: [], transitions: [] })
const keeperOn = (blobs: Blobs) => {
  const lost: string[] = []
  const keep = historyKeeper({ blobs, lost: (at, cause) => lost.push(`${at}: ${cause}`) })
  const keepAt = (minuteMs: number, id: string) => keep({ shard: '0/1', minuteMs, part: partOf(id) })
  return { lost, keepAt, keep: (id: string) => keepAt(start, id) }
}
const idsIn = async (blobs: Blobs) => (await readMinute(blobs, key))?.parts.map(({ observationId }) => observationId)

/** As in S3. */
const thatCannotGrow = (): Blobs => {
  const { append: _, ...blobs } = memoryBlobs()
  return blobs
}

describe.each([
  { disk: 'a disk', open: memoryBlobs },
  { disk: 'a bucket', open: thatCannotGrow },
])('on $disk', ({ open }) => {
  test('what a minute brings is in one object, and a repeat takes its own place', async () => {
    const blobs = open()
    const { keep, lost } = keeperOn(blobs)
    for (const id of ['a', 'b', 'a']) await keep(id)
    expect(await idsIn(blobs)).toEqual(['b', 'a'])
    expect(lost).toEqual([])
  })

  test('an object of an earlier version is added to', async () => {
    const blobs = open()
    await blobs.put(key, gzipSync(historyLine({ shard: '0/1', minuteMs: start, parts: [partOf('old')] }).trim()))
    await keeperOn(blobs).keep('a')
    expect(await idsIn(blobs)).toEqual(['old', 'a'])
  })

  test('a write that is refused loses the history and nothing else', async () => {
    const refuse = async () => {
      throw new Error('no space left')
    }
    const blobs = open()
    const { keep, lost } = keeperOn({ ...blobs, put: refuse, ...(blobs.append ? { append: refuse } : {}) })
    await keep('a')
    expect(lost).toEqual([`${key}: no space left`])
  })

  test('a write that hangs is not waited for, and nobody writes beside it', async () => {
    const hung = Promise.withResolvers<void>()
    const hang = () => hung.promise
    const blobs = open()
    const { keep, lost } = keeperOn({ ...blobs, put: hang, ...(blobs.append ? { append: hang } : {}) })
    await keep('a')
    await keep('b')
    expect(lost).toEqual([`${key}: not written within 2000 ms`, `${key}: the write before it is not over`])
    hung.resolve()
  })
})

test('a bucket’s object that cannot be read is not written over', async () => {
  const blobs = thatCannotGrow()
  await blobs.put(key, new TextEncoder().encode('from a newer version'))
  const { keep, lost } = keeperOn(blobs)
  await keep('a')
  expect(lost).toHaveLength(1)
  expect(new TextDecoder().decode(await blobs.get(key))).toBe('from a newer version')
})

/** Objects that hold `a` and were torn while `b` was added, at each byte. */
const torn = async function* () {
  const blobs = memoryBlobs()
  const { keep } = keeperOn(blobs)
  await keep('a')
  const whole = (await blobs.get(key))?.byteLength ?? 0
  await keep('b')
  const bytes = (await blobs.get(key)) ?? new Uint8Array()
  for (let end = whole; end < bytes.byteLength; end++) {
    await blobs.put(key, bytes.subarray(0, end))
    yield blobs
  }
}

/** A disk that takes half of what is added to it, and refuses, while it is full. */
const thatFills = () => {
  const blobs = memoryBlobs()
  const disk = { isFull: false }
  const append = async (at: string, bytes: Uint8Array) => {
    await blobs.append?.(at, disk.isFull ? bytes.subarray(0, bytes.byteLength / 2) : bytes)
    if (disk.isFull) throw new Error('no space left')
  }
  return { disk, blobs: { ...blobs, append } }
}

test('of an object that was torn while it was added to, all before is read', async () => {
  for await (const blobs of torn()) expect((await idsIn(blobs))?.[0]).toBe('a')
})

test('behind what a process left torn the next one goes on, and what is whole stays', async () => {
  for await (const blobs of torn()) {
    const after = keeperOn(blobs)
    const before = await idsIn(blobs)
    for (const id of ['c', 'd']) await after.keep(id)
    expect(await idsIn(blobs)).toEqual([...(before ?? []), 'c', 'd'])
    expect(after.lost).toEqual([])
  }
})

test('what a full disk let in by half costs nothing but itself, nor does the first of a minute', async () => {
  for (const before of [[], ['a']]) {
    const { disk, blobs } = thatFills()
    const { keep, lost } = keeperOn(blobs)
    for (const id of before) await keep(id)
    disk.isFull = true
    await keep('half')
    disk.isFull = false
    await keep('c')
    expect(await idsIn(blobs)).toEqual([...before, 'c'])
    expect(lost).toEqual([`${key}: no space left`])
  }
})

test('what is packed with a torn end is added to late without it', async () => {
  const { disk, blobs } = thatFills()
  const { keep, keepAt } = keeperOn(blobs)
  for (const id of ['a', 'b']) await keep(id)
  disk.isFull = true
  await keep('half')
  disk.isFull = false
  await keepAt(start + 60_000, 'next')
  await keep('late')
  expect(await idsIn(blobs)).toEqual(['a', 'b', 'late'])
})

test('what came in many pieces takes little room once the minute is over, and what comes late is still added', async () => {
  const blobs = memoryBlobs()
  const { keep, keepAt, lost } = keeperOn(blobs)
  const ids = Array.from({ length: 100 }, (_, nth) => `0/1@local:${start + nth}`)
  for (const id of ids) await keep(id)
  const sizeBefore = (await blobs.get(key))?.byteLength ?? 0
  await keepAt(start + 60_000, 'next')
  await keep('late')
  expect(await idsIn(blobs)).toEqual([...ids, 'late'])
  expect((await blobs.get(key))?.byteLength).toBeLessThan(sizeBefore / 10)
  expect(lost).toEqual([])
})

test('whole days that are too old are deleted a little at a time, the oldest first; nothing else is', async () => {
  const blobs = memoryBlobs()
  const at = (daysAgo: number, nth: number) => historyKey(start - daysAgo * dayMs + nth * 60_000, '0/1')
  for (const daysAgo of [0, 2, 3, 4])
    for (let nth = 0; nth < 300; nth++) await blobs.put(at(daysAgo, nth), new Uint8Array())
  for (let nth = 0; nth < 1200; nth++) await blobs.put(`history/2020-01-01/notes-${nth}.txt`, new Uint8Array())
  await blobs.put('status/index.html', new Uint8Array())
  const forget = () => forgetHistory(blobs, { nowMs: start, retentionDays: 2 })
  expect([await forget(), await forget(), await forget()]).toEqual([500, 100, 0])
  expect(await blobs.get(at(3, 0))).toBeUndefined()
  expect(await blobs.get(at(2, 0))).toBeDefined()
  expect(await blobs.get('status/index.html')).toBeDefined()
  expect(await blobs.get('history/2020-01-01/notes-0.txt')).toBeDefined()
})

const played = async (blobs: Blobs) => {
  const { lost, keep } = { lost: [] as string[], keep: historyKeeper({ blobs, lost: (at) => lost.push(at) }) }
  const { evaluateStep } = await import('../../functions/evaluate/step.ts')
  const town = townWith([])
  const evaluate = evaluateStep({
    store: town.store,
    nowMs: () => start,
    nudge: async () => undefined,
    locations: ['local'],
    rulesOf: () => [],
    home: { monitor: () => '0/1', rule: () => '0/1' },
    keep,
  })
  return { evaluate, lost, store: town.store }
}

test('`evaluate` keeps what is new of an observation; a repeat brings nothing', async () => {
  const blobs = memoryBlobs()
  const writes: string[] = []
  const counted: Blobs = {
    ...blobs,
    append: async (at, bytes) => {
      writes.push(at)
      await blobs.append?.(at, bytes)
    },
  }
  const { evaluate } = await played(counted)
  const one = seen([outcome({ verdict: 'pass' }), outcome({ verdict: 'fail', monitorId: 'cart' })])
  await evaluate(one)
  await evaluate(one)
  expect(writes).toEqual([key])
  const [part] = (await readMinute(blobs, key))?.parts ?? []
  expect(part?.observationId).toBe(one.id)
  expect(part?.outcomes.map(({ monitorId, verdict }) => `${monitorId} ${verdict}`)).toEqual(['cart fail', 'front pass'])
})
