import { expect, test } from '@jest/globals'
import { keys, type OutboxRow } from '../../../functions/contract.ts'
import { timerRowId } from '../../../functions/row-ids.ts'
import { sweepRounds } from '../../../functions/sweep/step-rounds.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

const publish = (id: string): OutboxRow => ({ id, to: 'publish', dueAtMs: start, nudges: 0, body: {} })
const timer: OutboxRow = { id: timerRowId('0/1'), to: 'evaluate', dueAtMs: start, nudges: 0, body: { shard: '0/1' } }

/** A minute in which the rows are applied when their nudge comes for the `consumedAt`th time, if at all. */
const play = async (rows: OutboxRow[], { consumedAt }: { consumedAt?: number } = {}) => {
  let nowMs = start
  const clock = () => nowMs
  const store = memoryStore({ nowMs: clock })
  await store.commit(
    [],
    rows.map((row) => ({ id: row.id, expect: 0, row })),
  )
  const nudgedAtMs: number[] = []
  const run = sweepRounds({
    store,
    nowMs: clock,
    inHand: () => false,
    quarantined: () => undefined,
    waitUntil: async (atMs) => {
      nowMs = atMs
    },
    nudge: async (nudges) => {
      if (nudges.length > 0) nudgedAtMs.push(nowMs - start)
      for (const { rowId } of nudges) {
        const stored = await store.row(rowId)
        if (stored && nudgedAtMs.length === consumedAt) await store.commit([], [{ id: rowId, expect: stored.version }])
      }
    },
  })
  const found = await run()
  return { nudgedAtMs, rounds: found.rounds, tookMs: nowMs - start }
}

test('while nothing is due one sweep a minute is enough', async () => {
  expect(await play([])).toEqual({ nudgedAtMs: [], rounds: 1, tookMs: 0 })
})

test('timers are due by design, and no reason to sweep again', async () => {
  expect(await play([timer])).toEqual({ nudgedAtMs: [0], rounds: 1, tookMs: 0 })
})

test('a row whose nudge was lost is looked after ten seconds later; once it is applied the minute ends', async () => {
  expect(await play([publish('publish:1')], { consumedAt: 1 })).toEqual({ nudgedAtMs: [0], rounds: 2, tookMs: 10_000 })
})

test('a row that nobody applies is nudged again and again, and the next minute takes over in time', async () => {
  const { nudgedAtMs, tookMs } = await play([publish('publish:1')])
  expect(nudgedAtMs).toEqual([0, 10_000, 20_000, 30_000, 40_000])
  expect(tookMs).toBeLessThanOrEqual(50_000)
})

test('once all shards have been looked at, no later minute of a process reads them', async () => {
  const store = memoryStore({ nowMs: () => start })
  const reads: string[] = []
  const run = sweepRounds({
    store: {
      ...store,
      read: async (wanted) => {
        reads.push(...wanted)
        return store.read(wanted)
      },
      row: async (id) => {
        reads.push(id)
        return store.row(id)
      },
    },
    nowMs: () => start,
    shards: 1,
    quarantined: () => undefined,
    waitUntil: async () => undefined,
    nudge: async () => undefined,
  })
  for (let nth = 0; nth < 3; nth++) await run()
  expect(reads).toEqual([keys.shards, timerRowId('0/1')])
})
