import { expect, test } from '@jest/globals'
import type { DeliveryResult } from '../../../channels/contract.ts'
import { keys } from '../../../functions/contract.ts'
import { attemptsPerOrder } from '../../../functions/deliver/backoff.ts'
import { deliverStep, leaseMs } from '../../../functions/deliver/step.ts'
import { itemLimitBytes } from '../../../stores/contract.ts'
import { start } from '../builders.ts'
import { type Answer, caseFile, nth, order, rowId, world } from './delivery.ts'

test('a delivered message leaves a receipt and no row', async () => {
  const { deliver, put, receipts, store } = world()
  await put(false)
  expect(await deliver(rowId)).toEqual({ status: 'final', result: 'delivered' })
  expect(await receipts()).toMatchObject([{ status: 'delivered', attempts: 1, order: { id: order.id } }])
  expect(await store.row(rowId)).toBeUndefined()
})

test('a page waits for its case file until its deadline', async () => {
  const { deliver, put, sent } = world()
  await put(true, start + 3000)
  expect(await deliver(rowId)).toEqual({ status: 'later', afterMs: 3000, reason: 'waits-for-case-file' })
  expect(sent).toEqual([])
})

test('a page leaves as soon as the case file is there', async () => {
  const { deliver, put, solve, sent, receipts } = world()
  await put(true, start + 3000)
  await solve()
  await deliver(rowId)
  expect(sent).toEqual([`${order.id} the answer 0`])
  expect((await receipts())[0]?.withCaseFile).toBe(true)
})

test('at the deadline a page leaves without a case file, and the receipt says so', async () => {
  const { deliver, put, clock, sent, receipts } = world()
  await put(true, start + 3000)
  clock.nowMs = start + 3000
  await deliver(rowId)
  expect(sent).toEqual([`${order.id} no answers 0`])
  expect((await receipts())[0]?.withCaseFile).toBe(false)
})

test('sweep and nudge together send once', async () => {
  const { deliver, put, sent } = world()
  await put(false)
  const results = await Promise.all([deliver(rowId), deliver(rowId), deliver(rowId)])
  expect(sent).toHaveLength(1)
  expect(results.filter(({ status }) => status === 'final')).toHaveLength(1)
})

test('every attempt sends the bytes the first one froze, though a case file came meanwhile', async () => {
  const answers: DeliveryResult[] = [{ status: 'retry', cause: '503' }, { status: 'delivered' }]
  const { deliver, put, solve, clock, sent } = world({ answer: () => answers.shift() ?? { status: 'delivered' } })
  await put(false)
  expect(await deliver(rowId)).toMatchObject({ status: 'retry', cause: '503' })
  await solve()
  clock.nowMs += 60_000
  await deliver(rowId)
  expect(sent).toEqual([`${order.id} no answers 0`, `${order.id} no answers 0`])
})

test.each<{ given: string; answer: DeliveryResult; sent: string[]; then: object }>([
  {
    given: 'did not arrive is drawn anew, with the answers of now',
    answer: { status: 'retry', cause: '503' },
    sent: [`${order.id} no answers 0`, `${order.id} the answer 1`],
    then: { status: 'delivered', withCaseFile: true },
  },
  {
    given: 'may have arrived is refused, so that a fallback is found',
    answer: { status: 'retry', cause: 'cut off', mayHaveArrived: true },
    sent: [`${order.id} no answers 0`],
    then: { status: 'rejected', mayHaveArrived: true },
  },
])('a page whose channel is given another kind meanwhile and that $given', async ({ answer, sent, then }) => {
  const answers = [answer]
  const town = world({ answer: () => answers.shift() ?? { status: 'delivered' } })
  await town.put(false)
  await town.deliver(rowId)
  await town.solve()
  town.kind.now = 'sns'
  town.clock.nowMs += 60_000
  await town.deliver(rowId)
  expect(town.sent).toEqual(sent)
  expect(await town.receipts()).toMatchObject([then])
})

test('a retry is not made before its time', async () => {
  const { deliver, put, clock, sent } = world({ answer: () => ({ status: 'retry', afterMs: 30_000, cause: '429' }) })
  await put(false)
  expect(await deliver(rowId)).toEqual({ status: 'retry', afterMs: 30_000, cause: '429' })
  clock.nowMs += 29_000
  expect(await deliver(rowId)).toEqual({ status: 'later', afterMs: 1000, reason: 'not-due' })
  expect(sent).toHaveLength(1)
})

test('a channel that keeps failing is given up after a bounded number of attempts', async () => {
  const { deliver, put, clock, sent, receipts } = world({ answer: () => ({ status: 'retry', cause: '503' }) })
  await put(false)
  for (let index = 0; index < 20; index++) {
    await deliver(rowId)
    clock.nowMs += 5000
  }
  expect(sent).toHaveLength(attemptsPerOrder)
  expect(await receipts()).toMatchObject([
    { status: 'rejected', cause: `${attemptsPerOrder} attempts failed, the last: 503` },
  ])
})

test('a process that died in the middle of an attempt delays it by its lease, no longer', async () => {
  const never = new Promise<DeliveryResult>(() => undefined)
  const answers: Answer[] = [never]
  const { deliver, put, clock, sent } = world({ answer: () => answers.shift() ?? { status: 'delivered' } })
  await put(false)
  void deliver(rowId)
  await new Promise((resolve) => setImmediate(resolve))
  clock.nowMs += leaseMs - 1
  expect(await deliver(rowId)).toEqual({ status: 'later', afterMs: 1, reason: 'claimed' })
  clock.nowMs += 1
  expect(await deliver(rowId)).toEqual({ status: 'final', result: 'delivered' })
  expect(sent).toHaveLength(2)
  expect(new Set(sent)).toEqual(new Set([`${order.id} no answers 0`]))
})

test('a channel that left the config is a refusal, so that a fallback is found', async () => {
  const { deliver, put, receipts } = world({ known: false })
  await put(false)
  expect(await deliver(rowId)).toMatchObject({ status: 'final', result: 'rejected' })
  expect((await receipts())[0]?.cause).toBe('the channel is not in the config')
})

test('a channel that throws counts as one that fails, so that a fallback is found', async () => {
  const throwing = () => Promise.reject(new Error('secret:TOKEN is not set'))
  const { deliver, put, clock, sent, receipts } = world({ answer: throwing })
  await put(false)
  for (let index = 0; index < 20; index++) {
    await deliver(rowId)
    clock.nowMs += 5000
  }
  expect(sent).toHaveLength(attemptsPerOrder)
  expect(await receipts()).toMatchObject([
    { status: 'rejected', cause: expect.stringContaining('is not set'), mayHaveArrived: true },
  ])
})

test.each([
  { given: 'makes the message too large for its row', body: 'x'.repeat(itemLimitBytes) },
  { given: 'cannot be rendered', body: undefined },
])('a case file that $given stays behind: the page goes out', async ({ body }) => {
  const { store, put, solve, clock } = world()
  const sent: string[] = []
  const deliver = deliverStep({
    store,
    nowMs: () => clock.nowMs,
    random: () => 0,
    nudge: async () => undefined,
    kindOf: () => undefined,
    ratePerMinute: () => undefined,
    render: ({ caseFile: file }) => {
      if (!file) return { body: 'the bare page', contentType: 'text/plain' }
      if (body === undefined) throw new Error('no')
      return { body, contentType: 'text/plain' }
    },
    send: async (_, rendered) => {
      sent.push(rendered.body)
      return { status: 'delivered' }
    },
  })
  await put(true, start + 3000)
  await solve()
  expect(await deliver(rowId)).toEqual({ status: 'final', result: 'delivered' })
  expect(sent).toEqual(['the bare page'])
})

test('a case file that a newer version wrote delays no page', async () => {
  const { store, deliver, put, sent, clock } = world()
  await put(true, start + 3000)
  await store.commit([{ key: keys.caseFile('shop-1'), expect: 0, value: { ...caseFile, newer: true } }])
  clock.nowMs += 3000
  await deliver(rowId)
  expect(sent).toEqual([`${order.id} no answers 0`])
})

test('a page too large in any form is a refusal, never a row that is tried for ever', async () => {
  const { store, put, receipts } = world()
  const deliver = deliverStep({
    store,
    nowMs: () => start,
    random: () => 0,
    nudge: async () => undefined,
    kindOf: () => undefined,
    ratePerMinute: () => undefined,
    render: () => ({ body: 'x'.repeat(itemLimitBytes), contentType: 'text/plain' }),
    send: async () => ({ status: 'delivered' }),
  })
  await put(false)
  expect(await deliver(rowId)).toMatchObject({ status: 'final', result: 'rejected' })
  expect((await receipts())[0]?.cause).toBe('the message is too large')
})

test('a page leaves a channel that hangs after half a minute, however few attempts that were', async () => {
  const { deliver, put, clock, sent, receipts } = world({
    answer: () => {
      clock.nowMs += 10_000
      return { status: 'retry', cause: 'no answer within 10 s', mayHaveArrived: true }
    },
  })
  await put(false)
  for (let result = await deliver(rowId); result.status === 'retry'; result = await deliver(rowId)) {
    clock.nowMs += result.afterMs
  }
  expect(sent).toHaveLength(3)
  expect(clock.nowMs - start).toBeLessThanOrEqual(35_000)
  expect(await receipts()).toMatchObject([
    {
      status: 'rejected',
      cause: expect.stringMatching(/^3 attempts failed, longer than a page can wait, the last: no/),
    },
  ])
})

const failing = { status: 'retry', cause: '503' } as const
const silent = { status: 'retry', cause: 'no answer', mayHaveArrived: true } as const
test.each([
  { given: 'every attempt was turned away', answers: [failing], mayHaveArrived: false },
  {
    given: 'the last attempt left it open',
    answers: [failing, failing, failing, failing, silent],
    mayHaveArrived: true,
  },
  { given: 'an earlier attempt left it open', answers: [silent, failing], mayHaveArrived: true },
  {
    given: 'it was refused for good after that',
    answers: [silent, { status: 'rejected', cause: '410' } as const],
    mayHaveArrived: true,
  },
  { given: 'it was refused at once', answers: [{ status: 'rejected', cause: '410' } as const], mayHaveArrived: false },
  { given: 'it arrived in the end', answers: [silent, { status: 'delivered' } as const], mayHaveArrived: false },
])('a receipt says whether the page may have arrived all the same: $given', async ({ answers, mayHaveArrived }) => {
  const left: DeliveryResult[] = [...answers]
  const { deliver, put, clock, receipts } = world({ answer: () => left.shift() ?? failing })
  await put(false)
  for (let at = 0; at < attemptsPerOrder; at++) {
    await deliver(rowId)
    clock.nowMs += 5000
  }
  expect(await receipts()).toMatchObject([{ mayHaveArrived }])
})

test('what a process that died was sending may have arrived, though the next attempt is refused', async () => {
  const answers: Answer[] = [new Promise<DeliveryResult>(() => undefined)]
  const { deliver, put, clock, receipts } = world({
    answer: () => answers.shift() ?? { status: 'rejected', cause: '403' },
  })
  await put(false)
  void deliver(rowId)
  await new Promise((resolve) => setImmediate(resolve))
  clock.nowMs += leaseMs
  await deliver(rowId)
  expect(await receipts()).toMatchObject([{ status: 'rejected', attempts: 2, mayHaveArrived: true }])
})

test('a message that kills whoever sends it is given up like one that is refused', async () => {
  const { deliver, putAll, clock, sent, receipts } = world({ answer: () => new Promise(() => undefined) })
  const news = nth(1)
  await putAll([news])
  for (let at = 0; at < 9; at++) {
    void deliver(`deliver:${news.id}`)
    await new Promise((resolve) => setImmediate(resolve))
    clock.nowMs += leaseMs
  }
  expect(sent).toHaveLength(attemptsPerOrder)
  expect(await receipts()).toMatchObject([
    { status: 'rejected', cause: '5 attempts failed, the last without a result', mayHaveArrived: true },
  ])
})

const back = 1_800_000

test('a page that waits for its case file leaves at once when the clock was set back meanwhile', async () => {
  const { deliver, put, clock, sent } = world()
  await put(true, start + 3000)
  clock.nowMs = start - back
  await deliver(rowId)
  expect(sent).toEqual([`${order.id} no answers 0`])
})

test('the claim of a process that died holds nobody once the clock was set back', async () => {
  const answers: Answer[] = [new Promise<DeliveryResult>(() => undefined)]
  const { deliver, put, clock } = world({ answer: () => answers.shift() ?? { status: 'delivered' } })
  await put(false)
  void deliver(rowId)
  await new Promise((resolve) => setImmediate(resolve))
  clock.nowMs -= back
  expect(await deliver(rowId)).toEqual({ status: 'final', result: 'delivered' })
})

test('a retry is not put off by the clock that was set back, nor made early when it was set by little', async () => {
  const answers: Answer[] = [{ status: 'retry', cause: '503' }]
  const { deliver, put, clock } = world({ answer: () => answers.shift() ?? { status: 'delivered' } })
  await put(false)
  await deliver(rowId)
  clock.nowMs -= 2000
  expect(await deliver(rowId)).toMatchObject({ status: 'later', reason: 'not-due' })
  clock.nowMs -= back
  expect(await deliver(rowId)).toEqual({ status: 'final', result: 'delivered' })
})
