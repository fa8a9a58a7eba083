import { expect, test } from '@jest/globals'
import type { Nudge, OutboxRow } from '../../../functions/contract.ts'
import { decideSweep, nudgesBeforeQuarantine } from '../../../functions/sweep/decide.ts'
import { sweepStep } from '../../../functions/sweep/step.ts'
import { quarantined, quarantineKey } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

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
  expect(nudges).toEqual([{ to: 'publish', rowId: 'a', afterMs: 0 }])
  expect((await store.row('a'))?.row.nudges).toBe(1)
})

test('a poisonous row is set aside with its text, told, and nudged no more', async () => {
  const poison = row('a', { dueAtMs: start - 3_600_000, nudges: nudgesBeforeQuarantine })
  const { sweep, nudges, aside, store } = await world([poison])
  await sweep()
  await sweep()
  expect(nudges).toEqual([])
  expect(aside).toEqual(['a'])
  const item = (await store.read([quarantineKey('a')])).get(quarantineKey('a'))
  expect(JSON.parse(quarantined.parse(item?.value).text)).toEqual(poison)
})
