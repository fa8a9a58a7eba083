import { expect, test } from '@jest/globals'
import type { Observation } from '../../../functions/contract.ts'
import { probeStep } from '../../../functions/probe/step.ts'
import type { Sighting, Verdict } from '../../../probes/contract.ts'
import { start } from '../builders.ts'

const sighting = (verdict: Verdict): Sighting => ({ verdict, timingsMs: { total: 5 } })

const play = async (answers: Record<string, Verdict[]>) => {
  const sent: Observation[] = []
  const left = structuredClone(answers)
  const probe = probeStep({
    nowMs: () => start + 20,
    location: 'local',
    run: async (monitorId) => sighting(left[monitorId]?.shift() ?? 'unknown'),
    limit: (work) => work(),
    send: async (observation) => {
      sent.push(observation)
    },
  })
  const outcomes = await probe({ shard: '0/1', scheduledAtMs: start, monitorIds: Object.keys(answers) })
  return { sent, outcomes, left }
}

test('a failure is looked at again at once, and each look is sent by itself', async () => {
  const { sent } = await play({ front: ['fail', 'pass'] })
  expect(sent.map(({ id }) => id)).toEqual([`front@local:${start}:tick`, `front@local:${start}:recheck`])
})

test('what passes, degrades or is unknown leaves in one message, looked at once', async () => {
  const { sent, left } = await play({ a: ['pass', 'fail'], b: ['degraded', 'fail'], c: ['unknown', 'fail'] })
  expect(sent).toHaveLength(1)
  expect(sent[0]).toMatchObject({ kind: 'outcomes', id: `0/1@local:${start}` })
  expect(left).toEqual({ a: ['fail'], b: ['fail'], c: ['fail'] })
})

test('every outcome carries the scheduled time, not the time it was started', async () => {
  const { outcomes } = await play({ front: ['fail', 'fail'] })
  expect(outcomes.map(({ scheduledAtMs, startedAtMs, look }) => [scheduledAtMs, startedAtMs, look])).toEqual([
    [start, start + 20, 'tick'],
    [start, start + 20, 'recheck'],
  ])
})
