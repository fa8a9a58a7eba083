import { expect, test } from '@jest/globals'
import { type Maintenance, maintenance } from '../../config/contract.ts'
import { maintenanceAt } from '../../functions/maintenance.ts'
import { matchAll } from '../../functions/matchers.ts'

const window = (changes: Partial<Maintenance>): Maintenance =>
  maintenance.parse({ services: ['shop'], reason: 'a new database', ...changes })
const at = (text: string) => Date.parse(text)

const once = window({ from: '2026-11-23T22:00:00+01:00', to: '2026-11-24T00:00:00+01:00' })

test.each([
  { given: 'before it', time: '2026-11-23T20:59:59.999Z', then: [] },
  { given: 'at its first moment', time: '2026-11-23T21:00:00Z', then: ['move'] },
  { given: 'at its last moment', time: '2026-11-23T22:59:59.999Z', then: ['move'] },
  { given: 'at its end', time: '2026-11-23T23:00:00Z', then: [] },
])('a window that is once: $given', ({ time, then }) => {
  expect(maintenanceAt({ move: once }, at(time)).map(({ name }) => name)).toEqual(then)
})

test('it says from when to when, what of, and why', () => {
  expect(maintenanceAt({ move: once }, at('2026-11-23T21:30:00Z'))).toEqual([
    {
      name: 'move',
      startsAtMs: at('2026-11-23T21:00:00Z'),
      endsAtMs: at('2026-11-23T23:00:00Z'),
      matchers: ['service="shop"'],
      reason: 'a new database',
    },
  ])
})

test.each([
  { given: 'one service', changes: { services: ['shop'] }, hides: ['shop'], not: ['cart', 'shop-2', ''] },
  {
    given: 'services',
    changes: { services: ['shop', 'cart'] },
    hides: ['shop', 'cart'],
    not: ['shop-2', 'a-cart', ''],
  },
  {
    given: 'a matcher',
    changes: { services: undefined, matchers: ['service=~"s.*"'] },
    hides: ['shop'],
    not: ['cart'],
  },
  {
    given: 'a service and a matcher, which must both match',
    changes: { services: ['shop'], matchers: ['severity=ticket'] },
    hides: [],
    not: ['shop'],
  },
])('$given', ({ changes, hides, not }) => {
  const window = maintenance.parse({ reason: 'x', from: '2026-11-23T00:00Z', to: '2026-11-24T00:00Z', ...changes })
  const [open] = maintenanceAt({ move: window }, at('2026-11-23T12:00:00Z'))
  const matches = (service: string) => matchAll(open?.matchers ?? [], { service, severity: 'page' })
  expect(hides.filter(matches)).toEqual(hides)
  expect(not.filter(matches)).toEqual([])
})

/** Every occurrence of a window, as a hub sees it that looks once a minute. */
const occurrences = (of: Maintenance, from: string, minutes: number) => {
  const found = Array.from({ length: minutes }, (_, minute) => maintenanceAt({ it: of }, at(from) + minute * 60_000))
  const starts = found.flatMap((open) => open.map(({ startsAtMs }) => new Date(startsAtMs).toISOString().slice(0, 16)))
  return { starts: [...new Set(starts)], minutes: found.filter((open) => open.length > 0).length }
}
const threeDays = 3 * 1440

test.each([
  {
    given: 'a skipped time: when the skipped hour is over',
    of: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
    from: '2026-03-27T12:00Z',
    then: ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'],
  },
  {
    given: 'a doubled time: the first of the two',
    of: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
    from: '2026-10-23T12:00Z',
    then: ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'],
  },
  {
    given: 'a skipped time in New York',
    of: { cron: '15 2 * * *', timeZone: 'America/New_York' },
    from: '2026-03-06T18:00Z',
    then: ['2026-03-07T07:15', '2026-03-08T07:00', '2026-03-09T06:15'],
  },
  {
    given: 'a doubled time in New York',
    of: { cron: '15 1 * * *', timeZone: 'America/New_York' },
    from: '2026-10-30T18:00Z',
    then: ['2026-10-31T05:15', '2026-11-01T05:15', '2026-11-02T06:15'],
  },
  {
    given: 'a skipped half hour on Lord Howe',
    of: { cron: '15 2 * * *', timeZone: 'Australia/Lord_Howe' },
    from: '2026-10-02T04:00Z',
    then: ['2026-10-02T15:45', '2026-10-03T15:30', '2026-10-04T15:15'],
  },
  {
    given: 'a doubled half hour on Lord Howe',
    of: { cron: '45 1 * * *', timeZone: 'Australia/Lord_Howe' },
    from: '2027-04-02T04:00Z',
    then: ['2027-04-02T14:45', '2027-04-03T14:45', '2027-04-04T15:15'],
  },
  {
    given: 'a list of hours is of fixed times too',
    of: { cron: '30 2,14 * * *', timeZone: 'Europe/Berlin' },
    from: '2026-10-24T12:00Z',
    then: [
      '2026-10-24T12:30',
      '2026-10-25T00:30',
      '2026-10-25T13:30',
      '2026-10-26T01:30',
      '2026-10-26T13:30',
      '2026-10-27T01:30',
    ],
  },
  {
    given: 'UTC when nothing is said',
    of: { cron: '0 2 * * 0' },
    from: '2026-03-27T12:00Z',
    then: ['2026-03-29T02:00'],
  },
  {
    given: 'a day of the month and a weekday, as crontab(5) has it: either day will do',
    of: { cron: '0 2 1 * sat' },
    from: '2026-10-30T12:00Z',
    then: ['2026-10-31T02:00', '2026-11-01T02:00'],
  },
])('no window is lost and none comes twice: $given', ({ of, from, then }) => {
  const seen = occurrences(window({ ...of, durationSeconds: 1800 }), from, threeDays)
  expect(seen).toEqual({ starts: then, minutes: then.length * 30 })
})

test('every hour is every hour, also in the doubled one', () => {
  const hourly = window({ cron: '0 * * * *', timeZone: 'Europe/Berlin', durationSeconds: 600 })
  expect(occurrences(hourly, '2026-10-24T12:00Z', 1440).starts).toHaveLength(24)
  expect(occurrences(hourly, '2026-03-28T12:00Z', 1440).starts).toHaveLength(24)
})

test('a window lasts as long as it says, over a change of the clocks too', () => {
  const night = window({ cron: '0 22 * * sat', timeZone: 'Europe/Berlin', durationSeconds: 8 * 3600 })
  expect(occurrences(night, '2026-03-28T12:00Z', threeDays).minutes).toBe(480)
  expect(occurrences(night, '2026-10-24T12:00Z', threeDays).minutes).toBe(480)
})

test('asked out of order it answers the same', () => {
  const nightly = window({ cron: '0 2 * * *', durationSeconds: 3600 })
  const open = (text: string) => maintenanceAt({ nightly }, at(text)).map(({ startsAtMs }) => startsAtMs)
  const times = ['2026-11-23T02:30Z', '2026-11-24T02:59:59.999Z', '2026-11-23T02:00Z', '2026-11-22T02:00Z']
  expect(times.flatMap(open)).toEqual([
    at('2026-11-23T02:00Z'),
    at('2026-11-24T02:00Z'),
    at('2026-11-23T02:00Z'),
    at('2026-11-22T02:00Z'),
  ])
  expect(open('2026-11-23T03:00Z')).toEqual([])
})

test('the same config read twice, or by two processes, sees the same occurrence', () => {
  const open = () =>
    maintenanceAt({ it: window({ cron: '*/20 * * * *', durationSeconds: 600 }) }, at('2026-11-23T02:45Z'))
  expect(open()).toEqual(open())
  expect(open()[0]).toMatchObject({ startsAtMs: at('2026-11-23T02:40Z'), endsAtMs: at('2026-11-23T02:50Z') })
})
