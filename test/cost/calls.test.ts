import { expect, test } from '@jest/globals'
import { cadenceOf } from '../../config/cadence.ts'
import { callPattern } from '../../cost/calls.ts'

const periods = [
  1, 5, 7, 30, 59, 60, 61, 90, 120, 240, 300, 420, 600, 900, 1800, 3600, 5400, 7200, 10_800, 25_200, 86_400,
]

test.each(periods)('a period of %i s fires as often as the stack schedules it', (period) => {
  expect(callPattern(period).everySeconds).toBe(cadenceOf(period).everySeconds)
})

test.each([
  { period: 60, is: 'one tick, nothing to wait for', pattern: { everySeconds: 60, activeShare: 1, waitSeconds: 0 } },
  {
    period: 5,
    is: 'twelve ticks, the last after 55 s',
    pattern: { everySeconds: 60, activeShare: 1, waitSeconds: 55 },
  },
  { period: 30, is: 'two ticks', pattern: { everySeconds: 60, activeShare: 1, waitSeconds: 30 } },
  { period: 300, is: 'its own schedule', pattern: { everySeconds: 300, activeShare: 1, waitSeconds: 0 } },
  // Minutes 0, 1 and 2 of three hold the ticks at 0 s, at 90 s (30 s into the minute), and none.
  {
    period: 90,
    is: 'two calls of three, one waits 30 s',
    pattern: { everySeconds: 60, activeShare: 2 / 3, waitSeconds: 10 },
  },
  { period: 420, is: 'one call of seven', pattern: { everySeconds: 60, activeShare: 1 / 7, waitSeconds: 0 } },
  // Ticks at 0, 7, …, 56; at 63, …, 119; …: the average of what is left of each of seven minutes.
  {
    period: 7,
    is: 'the last tick anywhere in its last 7 s',
    pattern: { everySeconds: 60, activeShare: 1, waitSeconds: 56 },
  },
])('a period of $period s is $is', ({ period, pattern }) => {
  const found = callPattern(period)
  expect(found.everySeconds).toBe(pattern.everySeconds)
  expect(found.activeShare).toBeCloseTo(pattern.activeShare, 10)
  expect(found.waitSeconds).toBeCloseTo(pattern.waitSeconds, 10)
})

test('a schedule that fires each minute for a slower scrape mostly finds nothing to do', () => {
  expect(callPattern(300, 60)).toEqual({ everySeconds: 60, activeShare: 0.2, waitSeconds: 0 })
})
