import { expect, test } from '@jest/globals'
import type { DeliveryResult } from '../../../channels/contract.ts'
import { keys } from '../../../functions/contract.ts'
import { start } from '../builders.ts'
import { nth, world } from './delivery.ts'

const five = [1, 2, 3, 4, 5].map((n) => nth(n))
const page = nth(6, 'opened')
const id = (one: { id: string }) => `deliver:${one.id}`

test('what does not fit into the minute is put off, which is no attempt, and a page still finds a slot', async () => {
  const { deliver, putAll, sent, store } = world({ ratePerMinute: 5 })
  await putAll([...five, page])
  const results = []
  for (const one of [...five, page]) results.push(await deliver(id(one)))
  expect(results.map(({ status }) => status)).toEqual(['final', 'final', 'final', 'final', 'later', 'final'])
  expect(results[4]).toEqual({ status: 'later', afterMs: 60_000, reason: 'rate-limited' })
  expect(sent).toHaveLength(5)
  expect((await store.row(id(nth(5))))?.row).toMatchObject({
    dueAtMs: start + 60_000,
    nudges: 0,
    body: { attempts: 0, startedAtMs: start },
  })
})

test('what was put off goes out when its time has come', async () => {
  const { deliver, putAll, clock, sent, receipts } = world({ ratePerMinute: 5 })
  await putAll(five)
  for (const one of five) await deliver(id(one))
  clock.nowMs += 60_000
  expect(await deliver(id(nth(5)))).toEqual({ status: 'final', result: 'delivered' })
  expect(sent).toHaveLength(5)
  expect((await receipts()).at(-1)?.attempts).toBe(1)
})

test('deliveries that want the same slots at once lose none and get no more than there are', async () => {
  const { deliver, putAll, clock, sent, receipts } = world({ ratePerMinute: 10 })
  const all = Array.from({ length: 20 }, (_, n) => nth(n))
  await putAll(all)
  for (let second = 0; second < 180; second++) {
    await Promise.all(all.map((one) => deliver(id(one))))
    expect(sent.length).toBeLessThanOrEqual(8 * (1 + Math.floor(second / 60)))
    clock.nowMs += 1000
  }
  expect(new Set(sent.map((text) => text.split(' ')[0])).size).toBe(20)
  expect(sent).toHaveLength(20)
  expect(await receipts()).toHaveLength(20)
})

test('once a provider asks for a pause nobody sends through its channel until it is over', async () => {
  const answers: DeliveryResult[] = [{ status: 'retry', afterMs: 30_000, cause: '429' }]
  const { deliver, putAll, clock, sent } = world({
    ratePerMinute: 60,
    answer: () => answers.shift() ?? { status: 'delivered' },
  })
  await putAll([nth(1), nth(2), page])
  expect(await deliver(id(nth(1)))).toMatchObject({ status: 'retry', afterMs: 30_000 })
  expect(await deliver(id(nth(2)))).toEqual({ status: 'later', afterMs: 30_000, reason: 'held-back' })
  clock.nowMs += 1000
  expect(await deliver(id(page))).toEqual({ status: 'later', afterMs: 29_000, reason: 'held-back' })
  expect(sent).toHaveLength(1)
  clock.nowMs += 29_000
  for (const one of [nth(1), nth(2), page]) expect(await deliver(id(one))).toMatchObject({ result: 'delivered' })
})

test('a page that its provider would hold for an hour is refused at once, and so are the ones behind it', async () => {
  const { deliver, putAll, sent, receipts, store } = world({
    ratePerMinute: 60,
    answer: () => ({ status: 'retry', afterMs: 3_600_000, cause: '429' }),
  })
  await putAll([page, nth(7, 'opened'), nth(8, 'resolved')])
  expect(await deliver(id(page))).toMatchObject({ status: 'final', result: 'rejected' })
  expect(await deliver(id(nth(7, 'opened')))).toMatchObject({ status: 'final', result: 'rejected' })
  expect(await deliver(id(nth(8)))).toEqual({ status: 'later', afterMs: 3_600_000, reason: 'held-back' })
  expect(sent).toHaveLength(1)
  expect(
    (await receipts()).map(({ cause, attempts, mayHaveArrived }) => ({ cause, attempts, mayHaveArrived })),
  ).toEqual([
    {
      cause: '1 attempt failed, and 3600 s are asked for, longer than a page can wait, the last: 429',
      attempts: 1,
      mayHaveArrived: false,
    },
    {
      cause: 'its provider asked for a pause, for another 3600 s, longer than a page can wait',
      attempts: 0,
      mayHaveArrived: false,
    },
  ])
  expect((await store.row(id(nth(8))))?.row.dueAtMs).toBe(start + 3_600_000)
})

test('a rate that a newer version wrote holds up no page', async () => {
  const { deliver, putAll, store, sent } = world({ ratePerMinute: 5 })
  await store.commit([{ key: keys.rate('pager'), expect: 0, value: { buckets: [] } }])
  await putAll([page])
  expect(await deliver(id(page))).toMatchObject({ result: 'delivered' })
  expect(sent).toHaveLength(1)
})

test('a channel without a limit leaves no trace of its rate', async () => {
  const { deliver, putAll, store } = world()
  await putAll(five)
  for (const one of five) expect(await deliver(id(one))).toMatchObject({ result: 'delivered' })
  expect((await store.read([keys.rate('pager')])).size).toBe(0)
})
