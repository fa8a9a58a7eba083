import { expect, test } from '@jest/globals'
import type { DeliveryResult } from '../../../channels/contract.ts'
import { type DeliveryOrder, keys, type Nudge } from '../../../functions/contract.ts'
import { deliverRow } from '../../../functions/correlate/orders.ts'
import { attemptsPerOrder } from '../../../functions/deliver/backoff.ts'
import { deliverStep, leaseMs } from '../../../functions/deliver/step.ts'
import { itemLimitBytes } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import type { CaseFile } from '../../../triage/contract.ts'
import { start } from '../builders.ts'

const order: DeliveryOrder = {
  id: 'shop-1:pager:1',
  incidentId: 'shop-1',
  channel: 'pager',
  sequence: 1,
  event: 'opened',
  service: 'shop',
  severity: 'page',
  sinceMs: start,
  openedAtMs: start,
  summaries: ['front fails'],
  fallbackFor: [],
}
const caseFile: CaseFile = { incidentId: 'shop-1', atMs: start, headline: 'the answer', answers: [], suspects: [] }
const rowId = `deliver:${order.id}`

type Answer = DeliveryResult | Promise<DeliveryResult>

const world = (options: { answer?: () => Answer; known?: boolean } = {}) => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const sent: string[] = []
  const nudges: Nudge[] = []
  const deliver = deliverStep({
    store,
    nowMs: () => clock.nowMs,
    random: () => 0,
    nudge: async (more) => {
      nudges.push(...more)
    },
    render: ({ order: { id }, caseFile: file }) =>
      options.known === false
        ? undefined
        : { body: `${id} ${file?.headline ?? 'no answers'} ${sent.length}`, contentType: 'text/plain' },
    send: async (_, { body }) => {
      sent.push(body)
      return options.answer ? options.answer() : { status: 'delivered' }
    },
  })
  const put = async (waitsForCaseFile: boolean, dueAtMs = start) => {
    const row = deliverRow(order, { dueAtMs, waitsForCaseFile })
    await store.commit([], [{ id: row.id, expect: 0, row }])
  }
  const solve = () => store.commit([{ key: keys.caseFile('shop-1'), expect: 0, value: caseFile }])
  const receipts = async () =>
    (await store.due(clock.nowMs, 10)).flatMap(({ row }) =>
      row.to === 'correlate' && row.body.kind === 'receipt' ? [row.body.receipt] : [],
    )
  return { clock, store, sent, nudges, deliver, put, solve, receipts }
}

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

test('a retry is not made before its time', async () => {
  const { deliver, put, clock, sent } = world({ answer: () => ({ status: 'retry', afterMs: 30_000, cause: '429' }) })
  await put(false)
  expect(await deliver(rowId)).toEqual({ status: 'retry', afterMs: 30_000, cause: '429' })
  clock.nowMs += 29_000
  expect(await deliver(rowId)).toEqual({ status: 'later', afterMs: 1000, reason: 'not-due' })
  expect(sent).toHaveLength(1)
})

test('a channel that keeps failing is given up after a bounded number of attempts', async () => {
  const { deliver, put, clock, sent, receipts } = world({ answer: () => ({ status: 'retry', cause: '500' }) })
  await put(false)
  for (let index = 0; index < 20; index++) {
    await deliver(rowId)
    clock.nowMs += 120_000
  }
  expect(sent).toHaveLength(attemptsPerOrder)
  expect(await receipts()).toMatchObject([
    { status: 'rejected', cause: `${attemptsPerOrder} attempts failed, the last: 500` },
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
    clock.nowMs += 120_000
  }
  expect(sent).toHaveLength(attemptsPerOrder)
  expect(await receipts()).toMatchObject([{ status: 'rejected', cause: expect.stringContaining('is not set') }])
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
    render: () => ({ body: 'x'.repeat(itemLimitBytes), contentType: 'text/plain' }),
    send: async () => ({ status: 'delivered' }),
  })
  await put(false)
  expect(await deliver(rowId)).toMatchObject({ status: 'final', result: 'rejected' })
  expect((await receipts())[0]?.cause).toBe('the message is too large')
})
