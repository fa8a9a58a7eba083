import { expect, test } from '@jest/globals'
import { momentOf } from '../../cli/moment.ts'

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
  { text: '-5s', is: '2026-11-23T06:32:00.000Z' },
])('$text is $is', ({ text, is }) => expect(new Date(momentOf(text, nowMs) ?? 0).toISOString()).toBe(is))

test.each(['', 'now', '24:00', '6:60', '-15', '15m', '2026-13-01', '2026-11-23T6:30', '1700000000'])(
  '%j is no time',
  (text) => expect(momentOf(text, nowMs)).toBeUndefined(),
)
