import { expect, test } from '@jest/globals'
import { monthOf } from '../../../rules/slo/calendar.ts'

test.each([
  { given: 'a leap year', zone: 'UTC', at: '2028-02-10T00:00Z', from: '2028-02-01T00:00Z', to: '2028-03-01T00:00Z' },
  {
    given: 'a month that loses an hour',
    zone: 'Europe/Berlin',
    at: '2026-03-31T22:00Z',
    from: '2026-03-31T22:00Z',
    to: '2026-04-30T22:00Z',
  },
  {
    given: 'clocks that go back on its first day',
    zone: 'America/New_York',
    at: '2026-11-15T00:00Z',
    from: '2026-11-01T04:00Z',
    to: '2026-12-01T05:00Z',
  },
  {
    given: 'clocks that skip its first midnight',
    zone: 'America/Asuncion',
    at: '2023-10-15T00:00Z',
    from: '2023-10-01T04:00Z',
    to: '2023-11-01T03:00Z',
  },
  {
    given: 'the month before such a midnight',
    zone: 'America/Asuncion',
    at: '2023-10-01T03:59Z',
    from: '2023-09-01T04:00Z',
    to: '2023-10-01T04:00Z',
  },
])('$given: the month of $at in $zone is $from to $to', ({ zone, at, from, to }) => {
  expect(monthOf(zone, Date.parse(at))).toEqual({ fromMs: Date.parse(from), toMs: Date.parse(to) })
})
