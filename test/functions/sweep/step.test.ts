import { expect, test } from '@jest/globals'
import type { Nudge, OutboxRow } from '../../../functions/contract.ts'
import { secondOpinionRowId } from '../../../functions/row-ids.ts'
import { decideSweep, nudgesBeforeQuarantine } from '../../../functions/sweep/decide.ts'
import { sweepStep } from '../../../functions/sweep/step.ts'
import { quarantined, quarantineKey } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'
import { order, rowOf } from '../deliver/delivery.ts'

test.each([
  { given: 'not yet due', row: { dueAtMs: start + 1, nudges: 0 }, then: 'wait' },
  { given: 'due now', row: { dueAtMs: start, nudges: 0 }, then: 'nudge' },
  { given: 'nudged a moment ago', row: { dueAtMs: start - 500, nudges: 1 }, then: 'wait' },
  { given: 'nudged a second ago', row: { dueAtMs: start - 1000, nudges: 1 }, then: 'nudge' },
  { given: 'nudged three times in six seconds', row: { dueAtMs: start - 6000, nudges: 3 }, then: 'wait' },
  {
    given: 'nudged again and again',
    row: { dueAtMs: start - 3_600_000, nudges: nudgesBeforeQuarantine },
    then: 'quarantine',
  },
])('a row $given: $then', ({ row, then }) => expect(decideSweep(row, start)).toBe(then))

const row = (id: string, more: Partial<OutboxRow> = {}): OutboxRow =>
  ({ id, to: 'publish', dueAtMs: start, nudges: 0, body: {}, ...more }) as OutboxRow // a spread of a union member stays that member

const world = async (rows: OutboxRow[], inHand: readonly string[] = []) => {
  const store = memoryStore({ nowMs: () => start })
  await store.commit(
    [],
    rows.map((one) => ({ id: one.id, expect: 0, row: one })),
  )
  const nudges: Nudge[] = []
  const aside: string[] = []
  const sweep = sweepStep({
    store,
    nowMs: () => start,
    nudge: async (more) => {
      nudges.push(...more)
    },
    inHand: (id) => inHand.includes(id),
    quarantined: ({ id }) => aside.push(id),
  })
  return { store, sweep, nudges, aside }
}

test('due rows are nudged and the nudge is counted, others are left alone', async () => {
  const { sweep, nudges, store } = await world([row('a'), row('b', { dueAtMs: start + 60_000 }), row('c')], ['c'])
  await sweep()
  expect(nudges).toEqual([{ to: 'publish', rowId: 'a', afterMs: 0, nudge: 1 }])
  expect((await store.row('a'))?.row.nudges).toBe(1)
})

test('a poisonous row is set aside with its text, somebody is paged, and it is nudged no more', async () => {
  const poison = row('a', { dueAtMs: start - 3_600_000, nudges: nudgesBeforeQuarantine })
  const { sweep, nudges, aside, store } = await world([poison])
  await sweep()
  expect(nudges).toEqual([{ to: 'correlate', rowId: 'dead-letter:a', afterMs: 0 }])
  expect(aside).toEqual(['a'])
  expect(await store.row('a')).toBeUndefined()
  const item = (await store.read([quarantineKey('a')])).get(quarantineKey('a'))
  expect(JSON.parse(quarantined.parse(item?.value).text)).toEqual(poison)
})

test('a delivery that nobody consumed is refused in the same commit, so that a fallback is found', async () => {
  const worn = { ...rowOf(order, { dueAtMs: start - 3_600_000 }), nudges: nudgesBeforeQuarantine }
  const { sweep, nudges, store } = await world([worn])
  await sweep()
  const told = [`receipt:${order.id}:set-aside`, `dead-letter:${worn.id}`]
  expect(nudges.map(({ rowId }) => rowId)).toEqual(told)
  expect(await Promise.all(told.map(async (id) => (await store.row(id))?.row.to))).toEqual(['correlate', 'correlate'])
})

test('a row that is set aside again before it was told is told once, and does not stay', async () => {
  const poison = row('a', { dueAtMs: start - 3_600_000, nudges: nudgesBeforeQuarantine })
  const { sweep, aside, store } = await world([poison])
  await sweep()
  await store.commit([], [{ id: 'a', expect: 0, row: poison }])
  await sweep()
  expect(aside).toEqual(['a', 'a'])
  expect((await store.row('dead-letter:a'))?.version).toBe(2)
})

test('after an hour switched off a row gets all its nudges before it is set aside', () => {
  const nowMs = start + 3_600_000
  const nudged = { dueAtMs: start, nudges: 9, nudgedAtMs: nowMs - 1000 }
  expect(decideSweep({ dueAtMs: start, nudges: 0 }, nowMs)).toBe('nudge')
  expect(decideSweep(nudged, nowMs)).toBe('wait')
  expect(decideSweep({ ...nudged, nudges: 10 }, nowMs + 510_000)).toBe('wait')
  expect(decideSweep({ ...nudged, nudges: 10 }, nowMs + 511_000)).toBe('quarantine')
})

test('rows that only wait do not hide the ones behind them', async () => {
  const waiting = Array.from({ length: 600 }, (_, index) =>
    row(`w${index}`, { dueAtMs: start - 5000, nudges: 5, nudgedAtMs: start - 1000 }),
  )
  const store = memoryStore({ nowMs: () => start })
  for (const one of [...waiting, row('page')]) await store.commit([], [{ id: one.id, expect: 0, row: one }])
  const nudges: Nudge[] = []
  const sweep = sweepStep({
    store,
    nowMs: () => start,
    nudge: async (more) => {
      nudges.push(...more)
    },
    inHand: () => false,
    quarantined: () => undefined,
  })
  await sweep()
  expect(nudges.map(({ rowId }) => rowId)).toEqual(['page'])
})

test('what was counted before the store failed is nudged all the same', async () => {
  const { store, nudges } = await world([row('a'), row('b')])
  const failing = sweepStep({
    store: {
      ...store,
      commit: async (changes, rows) => {
        if (rows?.[0]?.id === 'b') throw new Error('locked')
        return store.commit(changes, rows)
      },
    },
    nowMs: () => start,
    nudge: async (more) => {
      nudges.push(...more)
    },
    inHand: () => false,
    quarantined: () => undefined,
  })
  await expect(failing()).rejects.toThrow('locked')
  expect(nudges.map(({ rowId }) => rowId)).toEqual(['a'])
})

test('a row with no room left to count its nudge is nudged, and keeps nobody from theirs', async () => {
  const full = row('a', {
    to: 'correlate',
    body: { kind: 'case-file', incidentId: 'x'.repeat(65_536 - 113) },
  } as Partial<OutboxRow>) // of one member of the union
  const { sweep, nudges } = await world([full, row('b')])
  await sweep()
  expect(nudges.map(({ rowId }) => rowId)).toEqual(['a', 'b'])
})

const question = (askedAtMs: number): OutboxRow => {
  const body = { shard: '0/1', monitorId: 'front', location: 'eu-west-1', askedAtMs }
  return { id: secondOpinionRowId(body), to: 'probe', dueAtMs: askedAtMs + 10_000, nudges: 0, body }
}

test('a second opinion is asked again for a minute, then deleted and never set aside', async () => {
  const [young, old, ahead] = [question(start - 60_000), question(start - 60_001), question(start - 3_600_000)]
  const worn = { ...ahead, nudges: nudgesBeforeQuarantine }
  const { sweep, nudges, aside, store } = await world([young, old, worn])
  expect(await sweep()).toMatchObject({ nudged: 1, dropped: 2, quarantined: 0 })
  expect(nudges.map(({ to, rowId }) => [to, rowId])).toEqual([['probe', young.id]])
  expect(aside).toEqual([])
  expect([await store.row(old.id), await store.row(worn.id)]).toEqual([undefined, undefined])
})

test('what it found is counted, with the age of what has been due for longest', async () => {
  const poison = row('a', { dueAtMs: start - 3_600_000, nudges: nudgesBeforeQuarantine })
  const rows = [
    poison,
    row('b', { dueAtMs: start - 5000 }),
    question(start - 90_000_000),
    row('later', { dueAtMs: start + 1 }),
  ]
  const { sweep } = await world(rows)
  expect(await sweep()).toEqual({ nudged: 1, due: 3, oldestDueAgeMs: 3_600_000, quarantined: 1, dropped: 1 })
  expect(await sweep()).toEqual({ nudged: 1, due: 2, oldestDueAgeMs: 5000, quarantined: 0, dropped: 0 })
})

test('with nothing due nothing is old', async () => {
  const { sweep } = await world([])
  expect(await sweep()).toEqual({ nudged: 0, due: 0, oldestDueAgeMs: 0, quarantined: 0, dropped: 0 })
})
