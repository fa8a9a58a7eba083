import { expect, test } from '@jest/globals'
import { keys, type Nudge, type OutboxRow } from '../../../functions/contract.ts'
import { triageStep } from '../../../functions/triage/step.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { type CaseFile, caseFile } from '../../../triage/contract.ts'
import { start } from '../builders.ts'

const answered: CaseFile = { incidentId: 'shop-1', atMs: start, headline: 'the answer', answers: [], suspects: [] }
const row: OutboxRow = {
  id: 'triage:shop-1',
  to: 'triage',
  dueAtMs: start,
  nudges: 0,
  body: {
    brief: { incidentId: 'shop-1', service: 'shop', severity: 'page', sinceMs: start, summaries: [] },
    nudge: ['deliver:shop-1:pager:1'],
    answerByMs: start + 2600,
  },
}

const world = async (nowMs: () => number = () => start) => {
  const store = memoryStore({ nowMs })
  await store.commit([], [{ id: row.id, expect: 0, row }])
  const nudges: Nudge[] = []
  const deadlines: number[] = []
  const triage = triageStep({
    store,
    nowMs,
    nudge: async (more) => {
      nudges.push(...more)
    },
    investigate: async (_, deadlineMs) => {
      deadlines.push(deadlineMs)
      return answered
    },
  })
  return { store, nudges, deadlines, triage }
}

test('the case file is stored, its row consumed, the waiting page nudged and correlate told', async () => {
  const { store, nudges, triage } = await world()
  expect(await triage(row.id)).toEqual({ status: 'stored', caseFile: answered })
  const key = keys.caseFile('shop-1')
  expect(caseFile.parse((await store.read([key])).get(key)?.value)).toEqual(answered)
  expect(await store.row(row.id)).toBeUndefined()
  expect(nudges.map(({ to, rowId }) => `${to} ${rowId}`)).toEqual([
    'deliver deliver:shop-1:pager:1',
    'correlate case-file:shop-1:1',
  ])
})

test('run again it finds no row and does nothing', async () => {
  const { triage, nudges } = await world()
  await triage(row.id)
  expect(await triage(row.id)).toEqual({ status: 'gone' })
  expect(nudges).toHaveLength(2)
})

test('two at once store one case file', async () => {
  const { triage } = await world()
  const results = await Promise.all([triage(row.id), triage(row.id)])
  expect(results.map(({ status }) => status).sort()).toEqual(['lost-race', 'stored'])
})

test.each([
  { given: 'in time', nowMs: start, deadlineMs: 2600 },
  { given: 'late', nowMs: start + 60_000, deadlineMs: 1000 },
])('started $given it asks for $deadlineMs ms', async ({ nowMs, deadlineMs }) => {
  const { triage, deadlines } = await world(() => nowMs)
  await triage(row.id)
  expect(deadlines).toEqual([deadlineMs])
})

test('nobody is asked for longer than the page waits when the clock was set back meanwhile', async () => {
  const { triage, deadlines } = await world(() => start - 1_800_000)
  await triage(row.id)
  expect(deadlines).toEqual([3000])
})
