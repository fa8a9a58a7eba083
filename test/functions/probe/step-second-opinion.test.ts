import { expect, test } from '@jest/globals'
import type { Observation } from '../../../functions/contract.ts'
import { secondOpinionStep } from '../../../functions/probe/step-second-opinion.ts'
import { secondOpinionRowId } from '../../../functions/row-ids.ts'
import type { Verdict } from '../../../probes/contract.ts'
import { start } from '../builders.ts'

const rowId = secondOpinionRowId({ shard: '3/8', monitorId: 'front', location: 'eu-west-1', askedAtMs: start })

const askedAt = async (id: string, nowMs: number, verdict: Verdict = 'fail') => {
  const sent: Observation[] = []
  const looked: string[] = []
  const step = secondOpinionStep({
    nowMs: () => nowMs,
    location: 'eu-west-1',
    waitUntil: () => new Promise(setImmediate),
    run: async (monitorId) => {
      looked.push(monitorId)
      return { verdict, timingsMs: { total: 5 } }
    },
    send: async (observation) => {
      sent.push(observation)
    },
  })
  return { result: await step(id), sent, looked }
}

test('a question is answered by a look, and by re-checks while it fails: one failure is not yet an opinion', async () => {
  const { result, sent, looked } = await askedAt(rowId, start + 700)
  expect(result).toEqual({ status: 'looked', monitorId: 'front', verdict: 'fail' })
  expect(looked).toEqual(['front', 'front', 'front'])
  const seen = sent.flatMap((one) => (one.kind === 'outcomes' ? one.outcomes : []))
  expect(seen.map(({ look }) => look)).toEqual([rowId, 'recheck', 'recheck-2'])
  expect(new Set(seen.map(({ scheduledAtMs }) => scheduledAtMs))).toEqual(new Set([start]))
  expect(seen[0]).toEqual({
    monitorId: 'front',
    location: 'eu-west-1',
    scheduledAtMs: start,
    startedAtMs: start + 700,
    look: rowId,
    verdict: 'fail',
    timingsMs: { total: 5 },
  })
})

test('an answer that passes is the only look', async () => {
  const { looked } = await askedAt(rowId, start + 700, 'pass')
  expect(looked).toEqual(['front'])
})

test.each([
  { given: 'a minute old', id: rowId, nowMs: start + 60_000, then: 'looked' },
  { given: 'older', id: rowId, nowMs: start + 60_001, then: 'overdue' },
  { given: 'from a clock that is ahead', id: rowId, nowMs: start - 60_001, then: 'overdue' },
  { given: 'for another location', id: rowId.replace('eu-west-1', 'eu-west-2'), nowMs: start, then: 'not-ours' },
  { given: 'no question', id: 'timer:0/1', nowMs: start, then: 'not-a-question' },
])('a question that is $given: $then', async ({ id, nowMs, then }) => {
  const { result, sent } = await askedAt(id, nowMs)
  expect(result.status).toBe(then)
  expect(sent).toHaveLength(then === 'looked' ? 3 : 0)
})

test('an answer that cannot be sent makes the message come again', async () => {
  const step = secondOpinionStep({
    nowMs: () => start,
    location: 'eu-west-1',
    waitUntil: () => new Promise(setImmediate),
    run: async () => ({ verdict: 'pass', timingsMs: { total: 5 } }),
    send: async () => {
      throw new Error('throttled')
    },
  })
  await expect(step(rowId)).rejects.toThrow('throttled')
})
