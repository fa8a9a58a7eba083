import { expect, test } from '@jest/globals'
import { scheduleOf } from '../../config/cron.ts'

const next = (cron: string, count: number, from: string) =>
  scheduleOf(cron, 'Europe/Berlin')
    .next(count, Date.parse(from))
    .map((ms) => new Date(ms).toISOString().slice(5, 16))

test.each([
  { cron: '*/20 2 * * *', then: ['03-29T01:00', '03-30T00:00', '03-30T00:20', '03-30T00:40'] },
  { cron: '10-30/10 2 * * *', then: ['03-29T01:00', '03-30T00:10', '03-30T00:20', '03-30T00:30'] },
  { cron: '5,*/30 2 * * *', then: ['03-29T01:00', '03-30T00:00', '03-30T00:05', '03-30T00:30'] },
  { cron: '0 2,14 * * *', then: ['03-29T01:00', '03-29T12:00', '03-30T00:00', '03-30T12:00'] },
  { cron: '0 */2 * * *', then: ['03-28T23:00', '03-29T02:00', '03-29T04:00', '03-29T06:00'] },
])('$cron over the skipped hour of 29 March', ({ cron, then }) =>
  expect(next(cron, 4, '2026-03-28T22:59Z')).toEqual(then),
)

test.each([
  { cron: '*/20 2 * * *', then: ['10-25T00:00', '10-25T00:20', '10-25T00:40', '10-26T01:00'] },
  { cron: '*/30 * * * *', then: ['10-25T00:00', '10-25T00:30', '10-25T01:00', '10-25T01:30'] },
])('$cron over the doubled hour of 25 October', ({ cron, then }) =>
  expect(next(cron, 4, '2026-10-24T23:59Z')).toEqual(then),
)

test.each(['*/0 2 * * *', '70-80/5 2 * * *', '30-10/5 2 * * *', '* * *', 'x 2 * * *', ''])('%p is none', (cron) =>
  expect(() => scheduleOf(cron, 'UTC')).toThrow(),
)

test('the latest is the one that is right now, to the millisecond', () => {
  const { latest } = scheduleOf('0 2 * * *', 'UTC')
  const at = Date.parse('2026-11-23T02:00Z')
  expect([latest(at), latest(at - 1), latest(at + 1)]).toEqual([at, at - 86_400_000, at])
})
