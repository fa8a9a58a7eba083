import { expect, test } from '@jest/globals'
import { attemptsPerOrder, decideRetry, longestHoldMs, retryAfterMs } from '../../../functions/deliver/backoff.ts'
import { start } from '../builders.ts'

test.each([
  { attempt: 1, random: 0, afterMs: 500 },
  { attempt: 1, random: 0.5, afterMs: 750 },
  { attempt: 1, random: 1, afterMs: 1000 },
  { attempt: 2, random: 0.25, afterMs: 1250 },
  { attempt: 3, random: 0.1, afterMs: 2200 },
  { attempt: 4, random: 1, afterMs: 8000 },
  { attempt: 6, random: 0, afterMs: 16_000 },
  { attempt: 7, random: 0, afterMs: 30_000 },
  { attempt: 30, random: 1, afterMs: 60_000 },
  { attempt: 5000, random: 0.5, afterMs: 45_000 },
])('attempt $attempt with jitter $random waits $afterMs ms', ({ attempt, random, afterMs }) => {
  expect(retryAfterMs(attempt, { random })).toBe(afterMs)
})

test('what the provider asks for is honoured, within an hour', () => {
  expect(retryAfterMs(1, { random: 0, askedMs: 45_000 })).toBe(45_000)
  expect(retryAfterMs(1, { random: 0, askedMs: 9e9 })).toBe(longestHoldMs)
  expect(retryAfterMs(1, { random: 0, askedMs: 1 })).toBe(1000)
})

test('a channel that fails at once is given up within half a minute, so that the fallback is not late', () => {
  const waits = Array.from({ length: attemptsPerOrder - 1 }, (_, index) => retryAfterMs(index + 1, { random: 1 }))
  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(30_000)
})

test.each([0, 1_000, 5_000, 10_000])(
  'a page finds its fallback within 35 s when every attempt takes %s ms',
  (tookMs) => {
    let nowMs = start
    for (let attempts = 1; ; attempts++) {
      nowMs += tookMs
      const next = decideRetry({ event: 'opened', attempts, startedAtMs: start }, { nowMs, random: 1 })
      if (next.status === 'give-up') break
      nowMs += next.afterMs
    }
    expect(nowMs - start).toBeLessThanOrEqual(35_000)
  },
)

test.each([
  { given: 'news wait as long as the provider asks', event: 'updated', askedMs: 3_600_000, then: 'again' },
  { given: 'a resolve too: nobody else was paged', event: 'resolved', askedMs: 3_600_000, then: 'again' },
  { given: 'a page waits five minutes', event: 'opened', askedMs: 300_000, then: 'again' },
  { given: 'a page does not wait longer', event: 'opened', askedMs: 301_000, then: 'give-up' },
  { given: 'nor one that tells what is back', event: 'reopened', askedMs: 301_000, then: 'give-up' },
] as const)('$given', ({ event, askedMs, then }) => {
  const tried = { event, attempts: 1, startedAtMs: start }
  expect(decideRetry(tried, { nowMs: start, random: 0, askedMs }).status).toBe(then)
})

test('two waits that a provider asks for count together', () => {
  const tried = { event: 'opened', attempts: 2, startedAtMs: start } as const
  expect(decideRetry(tried, { nowMs: start + 200_000, random: 0, askedMs: 120_000 })).toEqual({
    status: 'give-up',
    why: '2 attempts failed, and 120 s are asked for, longer than a page can wait',
  })
})
