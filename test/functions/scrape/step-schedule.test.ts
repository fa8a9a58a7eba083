import { expect, test } from '@jest/globals'
import type { ScrapeResult } from '../../../functions/scrape/step.ts'
import { scheduleStep } from '../../../functions/scrape/step-schedule.ts'
import { start } from '../builders.ts'

type Play = { periodSeconds: number; lateMs?: number; takesMs?: number; answers?: (ScrapeResult | Error)[] }

const window = { series: 0, leftOut: 0, bytes: 0 }
const scraped: ScrapeResult = { status: 'scraped', targets: [], window }

const play = async ({ periodSeconds, lateMs = 0, takesMs = 100, answers = [] }: Play) => {
  let nowMs = start + lateMs
  const atMs: number[] = []
  const run = scheduleStep({
    nowMs: () => nowMs,
    waitUntil: async (time) => {
      nowMs = Math.max(nowMs, time)
    },
    scrape: async () => {
      atMs.push(nowMs - start)
      nowMs += takesMs
      const answer = answers.shift() ?? scraped
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  return { ...(await run({ periodSeconds })), atMs }
}

test.each([
  { given: 'once a minute', periodSeconds: 60, atMs: [0] },
  { given: 'twice a minute', periodSeconds: 30, atMs: [0, 30_000] },
  { given: 'every ten seconds', periodSeconds: 10, atMs: [0, 10_000, 20_000, 30_000, 40_000, 50_000] },
])('$given: read at its times', async ({ periodSeconds, atMs }) => {
  expect((await play({ periodSeconds })).atMs).toEqual(atMs)
})

test('an interval of five minutes is read in one minute of five', async () => {
  const minutes = await Promise.all([0, 1, 2, 3, 4].map((n) => play({ periodSeconds: 300, lateMs: n * 60_000 })))
  expect(minutes.map(({ atMs }) => atMs.length)).toEqual([1, 0, 0, 0, 0])
})

test('a reading that outlasts its interval takes the next one’s place', async () => {
  const { atMs, skipped } = await play({ periodSeconds: 10, takesMs: 25_000 })
  expect(atMs).toEqual([0, 25_000, 50_000])
  expect(skipped).toBe(3)
})

test('a reading that fails takes no other along, and is told', async () => {
  const { atMs, failed, scraped: read } = await play({ periodSeconds: 30, answers: [new Error('no table')] })
  expect(atMs).toEqual([0, 30_000])
  expect({ failed: failed.map(String), read }).toEqual({ failed: ['Error: no table'], read: 1 })
})

test('what somebody else reads is counted apart', async () => {
  const { leaseTaken, scraped: read } = await play({ periodSeconds: 30, answers: [{ status: 'lease-taken' }] })
  expect({ leaseTaken, read }).toEqual({ leaseTaken: 1, read: 1 })
})

test('targets that cannot be read are told with their reason', async () => {
  const down = {
    kind: 'linkerd',
    url: 'http://linkerd.example/',
    up: false,
    why: 'refused',
    samples: 0,
    bytes: 0,
    tookMs: 1,
  }
  const { unread } = await play({
    periodSeconds: 60,
    answers: [{ status: 'scraped', window, targets: [down, { ...down, up: true }] }],
  })
  expect(unread).toEqual([down])
})
