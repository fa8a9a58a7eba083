import { expect, test } from '@jest/globals'
import type { Observation } from '../../../functions/contract.ts'
import { apartMs, probeStep } from '../../../functions/probe/step.ts'
import type { Sighting, Verdict } from '../../../probes/contract.ts'
import { virtualTime } from '../../simulation/virtual-time.ts'
import { start } from '../builders.ts'

const tookMs = { fails: 20, hangs: 10_000, passes: 30, slow: 4000 }
type Answer = keyof typeof tookMs | Verdict

const verdictOf = (answer: Answer): Verdict =>
  answer === 'fails' || answer === 'hangs' ? 'fail' : answer === 'passes' || answer === 'slow' ? 'pass' : answer

const play = async (answers: Record<string, Answer[]>) => {
  const time = virtualTime(start)
  const sent: (Observation & { atMs: number })[] = []
  const begun: number[] = []
  const left = structuredClone(answers)
  const probe = probeStep({
    nowMs: time.nowMs,
    location: 'local',
    run: async (monitorId): Promise<Sighting> => {
      begun.push(time.nowMs() - start)
      const answer = left[monitorId]?.shift() ?? 'unknown'
      const total = answer in tookMs ? tookMs[answer as keyof typeof tookMs] : 5
      await time.sleep(total)
      return { verdict: verdictOf(answer), timingsMs: { total } }
    },
    limit: (work) => work(),
    waitUntil: (atMs) => time.sleep(Math.max(0, atMs - time.nowMs())),
    send: async (observation) => {
      sent.push({ ...observation, atMs: time.nowMs() - start })
    },
  })
  const ended = probe({ shard: '0/1', scheduledAtMs: start, monitorIds: Object.keys(answers) })
  await time.run(start + 60_000)
  return { sent, outcomes: await ended, left, begun }
}

test('a failure is looked at again at once, and each look is sent by itself', async () => {
  const { sent } = await play({ front: ['fail', 'pass'] })
  expect(sent.map(({ id }) => id)).toEqual([`front@local:${start}:tick`, `front@local:${start}:recheck`])
})

test.each([
  { given: 'refuses at once', looks: ['fails', 'fails', 'fails'], begun: [0, 20, 1020], sent: [20, 40, 1040] },
  { given: 'hangs', looks: ['hangs', 'hangs', 'hangs'], begun: [0, 10_000, 11_000], sent: [10_000, 20_000, 21_000] },
  { given: 'passes the first re-check', looks: ['fails', 'passes'], begun: [0, 20], sent: [20, 50] },
  { given: 'passes the second', looks: ['fails', 'fails', 'passes'], begun: [0, 20, 1020], sent: [20, 40, 1050] },
  {
    given: 'passes it while the first hangs',
    looks: ['fails', 'hangs', 'passes'],
    begun: [0, 20, 1020],
    sent: [20, 1050, 10_020],
  },
] satisfies { given: string; looks: Answer[]; begun: number[]; sent: number[] }[])(
  'a target that $given is looked at until a location may call it down, in hardly more than one time-out',
  async ({ looks, begun: beginsAt, sent: sentAt }) => {
    const { sent, begun } = await play({ front: looks })
    expect({ begun, sent: sent.map(({ atMs }) => atMs) }).toEqual({ begun: beginsAt, sent: sentAt })
    expect(begun.slice(2).every((atMs) => atMs - (begun[1] ?? 0) === apartMs)).toBe(true)
  },
)

test('a failure leaves as its look ends, however long the rest of the tick takes', async () => {
  const { sent } = await play({ front: ['fails', 'passes'], cart: ['slow'] })
  expect(sent.map(({ id, atMs }) => [id, atMs])).toEqual([
    [`front@local:${start}:tick`, 20],
    [`front@local:${start}:recheck`, 50],
    [`0/1@local:${start}`, 4000],
  ])
})

test('what passes, degrades or is unknown leaves in one message, looked at once', async () => {
  const { sent, left } = await play({ a: ['pass', 'fail'], b: ['degraded', 'fail'], c: ['unknown', 'fail'] })
  expect(sent).toHaveLength(1)
  expect(sent[0]).toMatchObject({ kind: 'outcomes', id: `0/1@local:${start}` })
  expect(left).toEqual({ a: ['fail'], b: ['fail'], c: ['fail'] })
})

test('every outcome carries the scheduled time, not the time it was started', async () => {
  const { outcomes } = await play({ front: ['fails', 'fails', 'fails'] })
  expect(outcomes.map(({ scheduledAtMs, startedAtMs, look }) => [scheduledAtMs, startedAtMs - start, look])).toEqual([
    [start, 0, 'tick'],
    [start, 20, 'recheck'],
    [start, 1020, 'recheck-2'],
  ])
})
