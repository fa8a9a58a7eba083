import { expect, test } from '@jest/globals'
import { momentHere, momentOf } from '../../cli/moment.ts'

const nowMs = Date.parse('2026-11-23T06:32:05Z')

test.each([
  { text: '2026-11-23T06:30Z', is: '2026-11-23T06:30:00.000Z' },
  { text: '2026-11-23 06:30', is: '2026-11-23T06:30:00.000Z' },
  { text: '2026-11-23T06:30:15+01:00', is: '2026-11-23T05:30:15.000Z' },
  { text: '2026-11-22', is: '2026-11-22T00:00:00.000Z' },
  { text: '06:30', is: '2026-11-23T06:30:00.000Z' },
  { text: '6:30', is: '2026-11-23T06:30:00.000Z' },
  { text: '23:59', is: '2026-11-22T23:59:00.000Z' },
  { text: '-15m', is: '2026-11-23T06:17:05.000Z' },
  { text: '-2h', is: '2026-11-23T04:32:05.000Z' },
  { text: '-1d', is: '2026-11-22T06:32:05.000Z' },
  { text: '2028-02-29T12:00+14:00', is: '2028-02-28T22:00:00.000Z' },
  { text: '-5s', is: '2026-11-23T06:32:00.000Z' },
])('$text is $is', ({ text, is }) => expect(new Date(momentOf(text, nowMs) ?? 0).toISOString()).toBe(is))

const nothing = ['', 'now', '24:00', '6:60', '-15', '15m', '2026-13-01', '2026-11-23T6:30', '1700000000']
const noDays = ['2026-02-31T10:00', '2026-02-30T10:00Z', '2026-04-31 10:00+02:00', '2026-02-29', '2026-11-00T10:00']
const noHours = [
  '2026-11-23T25:00',
  '2026-11-23T10:60Z',
  '2026-11-23T10:00CET',
  '2026-11-23T10:00+25:00',
  '2026-11-23Z',
]
test.each([...nothing, ...noDays, ...noHours])('%j is no time', (text) => {
  expect(momentOf(text, nowMs)).toBeUndefined()
  expect(momentHere(text)).toBeUndefined()
})

test('a moment without a zone is one of this place, with one it is the same everywhere', () => {
  expect(momentHere('2026-12-24T22:00')).toBe(new Date(2026, 11, 24, 22).getTime())
  expect(momentHere('2026-12-24 22:00:30')).toBe(new Date(2026, 11, 24, 22, 0, 30).getTime())
  expect(momentHere('2026-12-24T22:00-05:00')).toBe(Date.UTC(2026, 11, 25, 3))
})
