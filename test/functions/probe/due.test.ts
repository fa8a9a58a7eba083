import { expect, test } from '@jest/globals'
import { dueTicks } from '../../../functions/probe/due.ts'

const noonMs = Date.parse('2026-03-01T12:00:00Z')
const noon = '2026-03-01T12:00:00Z'
const minute = { shard: '0/1', periodSeconds: 60, everySeconds: 60 }
const secondsAfterNoon = (ticksMs: readonly number[]) => ticksMs.map((atMs) => (atMs - noonMs) / 1000)

test.each([
  { given: 'the scheduled time', periodSeconds: 60, everySeconds: 60, late: 20, ticks: [0], skipped: 0 },
  { given: 'a start after the whole minute', periodSeconds: 60, everySeconds: 60, late: 75, ticks: [0], skipped: 0 },
  {
    given: 'a slow period with a schedule of its own',
    periodSeconds: 300,
    everySeconds: 300,
    late: 5,
    ticks: [0],
    skipped: 0,
  },
  { given: 'a period below a minute', periodSeconds: 20, everySeconds: 60, late: 1, ticks: [0, 20, 40], skipped: 0 },
  {
    given: 'ticks that passed before we started',
    periodSeconds: 10,
    everySeconds: 60,
    late: 25,
    ticks: [20, 30, 40, 50],
    skipped: 2,
  },
  { given: 'nothing but ticks that passed', periodSeconds: 10, everySeconds: 60, late: 70, ticks: [50], skipped: 5 },
  {
    given: 'a period that no cron says and that is not due',
    periodSeconds: 11 * 60,
    everySeconds: 60,
    late: 1,
    ticks: [],
    skipped: 0,
  },
])('$given: ticks at $ticks s', ({ periodSeconds, everySeconds, late, ticks, skipped }) => {
  const due = dueTicks({ shard: '0/1', periodSeconds, everySeconds, scheduledAt: noon }, noonMs + late * 1000)
  const lagMs = late * 1000
  expect({ ...due, ticksMs: secondsAfterNoon(due.ticksMs) }).toEqual({
    ticksMs: ticks,
    clock: 'scheduler',
    skipped,
    lagMs,
  })
})

test.each([
  { given: 'no time', scheduledAt: undefined },
  { given: 'the attribute left as it was written', scheduledAt: '<aws.scheduler.scheduled-time>' },
  { given: 'an empty text', scheduledAt: '' },
  { given: 'a time long past', scheduledAt: '2025-03-01T12:00:00Z' },
  { given: 'a time to come', scheduledAt: '2026-03-01T12:05:00Z' },
])('$given: our own clock, floored to the schedule, and said so', ({ scheduledAt }) => {
  const due = dueTicks({ ...minute, scheduledAt }, noonMs + 37_500)
  expect(due).toEqual({ ticksMs: [noonMs], clock: 'own', skipped: 0 })
})

test('the same message gives the same times whenever it comes', () => {
  const at = (late: number) => dueTicks({ ...minute, scheduledAt: noon }, noonMs + late).ticksMs
  expect([at(0), at(59_999), at(61_000), at(300_000)]).toEqual([[noonMs], [noonMs], [noonMs], [noonMs]])
})

test.each([7 * 60, 90, 45, 13])(
  'a period of %i s that fits no schedule loses no tick and repeats none',
  (periodSeconds) => {
    const starts = Array.from({ length: 24 * 60 }, (_, index) => noonMs + index * 60_000)
    const seen = starts.flatMap((atMs) => {
      const scheduledAt = new Date(atMs).toISOString()
      return dueTicks({ shard: '0/1', periodSeconds, everySeconds: 60, scheduledAt }, atMs).ticksMs
    })
    const periodMs = periodSeconds * 1000
    const firstMs = Math.ceil(noonMs / periodMs) * periodMs
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => firstMs + index * periodMs))
    expect(seen.at(-1)).toBeGreaterThan(noonMs + 24 * 3_600_000 - periodMs - 1)
  },
)
