import { expect, test } from '@jest/globals'
import type { Observation } from '../../../functions/contract.ts'
import { scheduleStep } from '../../../functions/probe/step-schedule.ts'
import type { Sighting } from '../../../probes/contract.ts'

const noonMs = Date.parse('2026-03-01T12:00:00Z')
const message = { shard: '0/1', periodSeconds: 60, everySeconds: 60, scheduledAt: '2026-03-01T12:00:00Z' }
const pass: Sighting = { verdict: 'pass', timingsMs: { total: 1 } }
const fail: Sighting = { verdict: 'fail', timingsMs: { total: 1 } }

const played = async (
  asked: typeof message,
  options: { monitors?: string[]; see?: (id: string) => Sighting; refuse?: (sent: Observation) => boolean } = {},
) => {
  const { monitors = ['a', 'b'], see = () => pass, refuse = () => false } = options
  const sent: Observation[] = []
  const waits: number[] = []
  const step = scheduleStep({
    nowMs: () => noonMs + 1000,
    location: 'local',
    run: async (id) => see(id),
    limit: (work) => work(),
    waitUntil: async (atMs) => {
      waits.push(atMs - noonMs)
    },
    monitorsOf: () => monitors,
    send: async (observation) => {
      if (refuse(observation)) throw new Error('the queue is away')
      sent.push(observation)
    },
  })
  return { result: await step(asked), sent, waits }
}

test('every tick of the minute runs at its time and is told under it', async () => {
  const { sent, waits } = await played({ ...message, periodSeconds: 20 })
  expect(waits).toEqual([0, 20_000, 40_000])
  const times = sent.flatMap((one) =>
    one.kind === 'outcomes' ? one.outcomes.map((seen) => seen.scheduledAtMs - noonMs) : [],
  )
  expect(times).toEqual([0, 0, 20_000, 20_000, 40_000, 40_000])
})

test('two periods of one shard that tick together are two messages', async () => {
  const minute = await played(message)
  const five = await played({ ...message, periodSeconds: 300, everySeconds: 300 })
  expect(minute.sent[0]?.id).not.toBe(five.sent[0]?.id)
})

test('the same message played again has the same ids', async () => {
  const see = (id: string) => (id === 'a' ? fail : pass)
  const ids = async () => (await played(message, { see })).sent.map(({ id }) => id)
  expect(await ids()).toEqual(await ids())
  expect(new Set(await ids()).size).toBe(4)
})

test('a message that cannot be sent loses no other, and is answered', async () => {
  const refuse = ({ id }: Observation) => id.startsWith('a@local') && id.includes(':tick')
  const { result, sent } = await played(message, { see: (id) => (id === 'a' ? fail : pass), refuse })
  expect(
    sent.flatMap((one) =>
      one.kind === 'outcomes' ? one.outcomes.map(({ monitorId, look }) => `${monitorId} ${look}`) : [],
    ),
  ).toEqual(expect.arrayContaining(['a recheck', 'b tick']))
  expect(result.lost).toEqual([{ id: expect.stringContaining('a@local'), cause: 'Error: the queue is away' }])
})

test('a shard without monitors of the period waits for nothing', async () => {
  const { result, sent, waits } = await played({ ...message, periodSeconds: 20 }, { monitors: [] })
  expect({ monitors: result.monitors, sent, waits }).toEqual({ monitors: 0, sent: [], waits: [] })
})
