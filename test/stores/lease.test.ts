import { expect, test } from '@jest/globals'
import { keys } from '../../functions/contract.ts'
import type { Store } from '../../stores/contract.ts'
import { type Lease, leaseLimitMs, releaseLease, takeLease } from '../../stores/lease.ts'
import { memoryStore } from '../../stores/memory.ts'

const startMs = Date.UTC(2026, 0, 1)
const open = (): Store => memoryStore({ nowMs: () => startMs })
const ask = (holder: string, nowMs: number, forMs = 1000) => ({ name: 'scrape-c1', holder, nowMs, forMs })

const taken = async (store: Store, holder: string, nowMs: number): Promise<Lease> => {
  const answer = await takeLease(store, ask(holder, nowMs))
  if (answer.status !== 'taken') throw new Error(`expected to take it: ${answer.reason}`)
  return answer.lease
}

test('of many that ask at once, one gets it and the others are told why not', async () => {
  const store = open()
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((holder) => takeLease(store, ask(holder, startMs))))
  expect(answers.filter(({ status }) => status === 'taken')).toHaveLength(1)
  for (const answer of answers.filter(({ status }) => status === 'refused'))
    expect(['lost-race', 'held']).toContain(answer.reason)
})

test('while it is held another is refused, by whom and until when', async () => {
  const store = open()
  await taken(store, 'a', startMs)
  expect(await takeLease(store, ask('b', startMs + 999))).toEqual({
    status: 'refused',
    reason: 'held',
    holder: 'a',
    untilMs: startMs + 1000,
  })
})

test('each take and release has a greater fence than the one before', async () => {
  const store = open()
  const fences: number[] = []
  for (const [holder, nowMs] of [
    ['a', startMs],
    ['a', startMs + 500],
    ['b', startMs + 1500],
  ] as const)
    fences.push((await taken(store, holder, nowMs)).fence)
  expect(await releaseLease(store, { ...ask('b', 0), untilMs: 0, fence: 3 })).toEqual({ status: 'released' })
  fences.push((await taken(store, 'c', startMs + 1501)).fence)
  expect(fences).toEqual([1, 2, 3, 5])
})

test.each([
  { given: 'nobody ever had it', before: async () => undefined, reason: 'free' },
  {
    given: 'it was released',
    before: async (store: Store) => releaseLease(store, await taken(store, 'a', startMs)),
    reason: 'free',
  },
  { given: 'it ran out', before: (store: Store) => taken(store, 'a', startMs - 1000), reason: 'ran-out' },
  { given: 'the same run has it', before: (store: Store) => taken(store, 'b', startMs - 500), reason: 'renewed' },
  {
    given: 'a wrong clock took it for years',
    before: (store: Store) => taken(store, 'a', startMs + 1e11),
    reason: 'ran-out',
  },
  {
    given: 'what is there cannot be read',
    before: (store: Store) => store.commit([{ key: keys.lease('scrape-c1'), expect: 0, value: 'garbage' }]),
    reason: 'unreadable',
  },
])('when $given, it is taken: $reason', async ({ before, reason }) => {
  const store = open()
  await before(store)
  expect(await takeLease(store, ask('b', startMs))).toMatchObject({
    status: 'taken',
    reason,
    lease: { name: 'scrape-c1', holder: 'b', untilMs: startMs + 1000 },
  })
})

test('a holder that stalled and was overtaken cannot release the lease of its successor', async () => {
  const store = open()
  const stalled = await taken(store, 'a', startMs)
  await taken(store, 'b', startMs + 1000)
  expect(await releaseLease(store, stalled)).toEqual({ status: 'not-held', reason: 'taken-over' })
  expect(await takeLease(store, ask('c', startMs + 1500))).toMatchObject({ status: 'refused', holder: 'b' })
})

test('leases of two names know nothing of each other', async () => {
  const store = open()
  await taken(store, 'a', startMs)
  expect(await takeLease(store, { ...ask('b', startMs), name: 'scrape-c2' })).toMatchObject({ status: 'taken' })
})

test.each([0, -1, Number.NaN, leaseLimitMs + 1])('a lease for %d ms is misuse', async (forMs) => {
  await expect(takeLease(open(), ask('a', startMs, forMs))).rejects.toMatchObject({ code: 'misuse' })
})
