import { expect, test } from '@jest/globals'
import type { Hours } from '../../config/contract.ts'
import { isWithin, isWithinAny } from '../../config/hours.ts'

const berlin = 'Europe/Berlin'
const at = (text: string) => Date.parse(text)
const hours = (from: string, to: string, more: Partial<Hours> = {}): Hours => ({ timeZone: berlin, from, to, ...more })
const workdays: NonNullable<Hours['days']> = ['mon', 'tue', 'wed', 'thu', 'fri']

/** 23 November 2026 is a Monday; Berlin is an hour ahead of UTC. */
test.each([
  { given: 'a minute before it begins', of: hours('08:30', '17:00'), time: '2026-11-23T07:29:59.999Z', then: false },
  { given: 'its first moment', of: hours('08:30', '17:00'), time: '2026-11-23T07:30:00Z', then: true },
  { given: 'its last moment', of: hours('08:30', '17:00'), time: '2026-11-23T15:59:59.999Z', then: true },
  { given: 'its end', of: hours('08:30', '17:00'), time: '2026-11-23T16:00:00Z', then: false },
  { given: 'the last minute of a day', of: hours('08:00', '24:00'), time: '2026-11-23T22:59:59Z', then: true },
  { given: 'midnight, the end of a day', of: hours('08:00', '24:00'), time: '2026-11-23T23:00:00Z', then: false },
  { given: 'midnight, the begin of a day', of: hours('00:00', '24:00'), time: '2026-11-23T23:00:00Z', then: true },
  {
    given: 'a day that is meant',
    of: hours('08:00', '17:00', { days: workdays }),
    time: '2026-11-23T09:00:00Z',
    then: true,
  },
  {
    given: 'a day that is not',
    of: hours('08:00', '17:00', { days: workdays }),
    time: '2026-11-22T09:00:00Z',
    then: false,
  },
  {
    given: 'Monday there, Sunday in UTC',
    of: hours('00:00', '08:00', { days: ['mon'] }),
    time: '2026-11-22T23:30:00Z',
    then: true,
  },
])('within from $of.from to $of.to, at $given: $then', ({ of, time, then }) =>
  expect(isWithin(of, at(time))).toBe(then),
)

test.each([
  { given: 'the evening it begins', time: '2026-11-27T21:00:00Z', then: true },
  { given: 'the morning after', time: '2026-11-28T05:59:59Z', then: true },
  { given: 'its end the morning after', time: '2026-11-28T06:00:00Z', then: false },
  { given: 'the evening after, which is another day', time: '2026-11-28T22:00:00Z', then: false },
  { given: 'the morning of the day it begins, which belongs to Thursday', time: '2026-11-27T05:00:00Z', then: false },
])('a night that begins on Friday, at $given: $then', ({ time, then }) => {
  expect(isWithin(hours('22:00', '07:00', { days: ['fri'] }), at(time))).toBe(then)
})

test('a night that begins on Sunday ends on Monday', () => {
  const night = hours('22:00', '07:00', { days: ['sun'] })
  expect(isWithin(night, at('2026-11-23T05:00:00Z'))).toBe(true)
  expect(isWithin(night, at('2026-11-24T05:00:00Z'))).toBe(false)
})

/** How many minutes of a day (from its midnight in UTC, 48 h) are within. */
const minutesWithin = (of: Hours, from: string) =>
  Array.from({ length: 2880 }, (_, minute) => at(from) + minute * 60_000).filter((time) => isWithin(of, time)).length

test.each([
  // Berlin: 29 March 2026 has no 02:00 to 03:00, 25 October has it twice.
  {
    place: berlin,
    given: 'the skipped hour itself',
    from: '02:00',
    to: '03:00',
    day: '2026-03-28T23:00Z',
    then: 60,
  },
  {
    place: berlin,
    given: 'begins in the skipped hour',
    from: '02:30',
    to: '04:00',
    day: '2026-03-28T23:00Z',
    then: 150,
  },
  { place: berlin, given: 'ends in the skipped hour', from: '01:00', to: '02:30', day: '2026-03-28T23:00Z', then: 150 },
  { place: berlin, given: 'holds the skipped hour', from: '01:00', to: '04:00', day: '2026-03-28T23:00Z', then: 300 },
  { place: berlin, given: 'the doubled hour itself', from: '02:00', to: '03:00', day: '2026-10-24T22:00Z', then: 180 },
  {
    place: berlin,
    given: 'begins in the doubled hour',
    from: '02:30',
    to: '04:00',
    day: '2026-10-24T22:00Z',
    then: 210,
  },
  // New York: 8 March 2026 has no 02:00 to 03:00, 1 November has 01:00 to 02:00 twice.
  { place: 'America/New_York', given: 'skips', from: '02:00', to: '03:00', day: '2026-03-08T05:00Z', then: 60 },
  { place: 'America/New_York', given: 'doubles', from: '01:00', to: '02:00', day: '2026-11-01T04:00Z', then: 180 },
  // Lord Howe moves its clocks by half an hour: no 02:00 to 02:30 on 4 October 2026, 01:30 to 02:00 twice on 4 April 2027.
  { place: 'Australia/Lord_Howe', given: 'skips', from: '02:00', to: '03:00', day: '2026-10-03T13:30Z', then: 90 },
  { place: 'Australia/Lord_Howe', given: 'doubles', from: '01:30', to: '02:00', day: '2027-04-03T13:00Z', then: 90 },
  // Kolkata is five and a half hours ahead and never moves its clocks.
  { place: 'Asia/Kolkata', given: 'no change', from: '09:15', to: '09:45', day: '2026-03-28T18:30Z', then: 60 },
])('in $place, $given: what the clocks show counts ($from to $to)', ({ place, from, to, day, then }) => {
  expect(minutesWithin(hours(from, to, { timeZone: place }), day)).toBe(then)
})

test('a night over the change of the clocks is whole: it ends when the clocks say so', () => {
  expect(minutesWithin(hours('22:00', '06:00', { days: ['sat'] }), '2026-03-28T12:00:00Z')).toBe(7 * 60)
  expect(minutesWithin(hours('22:00', '06:00', { days: ['sat'] }), '2026-10-24T12:00:00Z')).toBe(9 * 60)
})

test('of several hours one is enough, and without any it is always', () => {
  const noon = at('2026-11-23T11:00:00Z')
  const [morning, midday] = [hours('06:00', '09:00'), hours('11:00', '14:00')]
  expect(isWithinAny([morning, midday], noon)).toBe(true)
  expect(isWithinAny([morning], noon)).toBe(false)
  expect(isWithinAny(undefined, noon)).toBe(true)
})
