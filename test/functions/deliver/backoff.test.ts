import { expect, test } from '@jest/globals'
import { attemptsPerOrder, retryAfterMs } from '../../../functions/deliver/backoff.ts'

test.each([
  { attempt: 1, random: 0, afterMs: 500 },
  { attempt: 1, random: 1, afterMs: 1000 },
  { attempt: 4, random: 1, afterMs: 8000 },
  { attempt: 30, random: 1, afterMs: 60_000 },
])('attempt $attempt with jitter $random waits $afterMs ms', ({ attempt, random, afterMs }) => {
  expect(retryAfterMs(attempt, { random })).toBe(afterMs)
})

test('what the provider asks for is honoured, within an hour', () => {
  expect(retryAfterMs(1, { random: 0, askedMs: 45_000 })).toBe(45_000)
  expect(retryAfterMs(1, { random: 0, askedMs: 9e9 })).toBe(3_600_000)
})

test('a channel that fails at once is given up within half a minute, so that the fallback is not late', () => {
  const waits = Array.from({ length: attemptsPerOrder - 1 }, (_, index) => retryAfterMs(index + 1, { random: 1 }))
  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(30_000)
})
