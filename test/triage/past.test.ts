import { expect, test } from '@jest/globals'
import { growthSince, seriesOf, sinceWhen, valueAt } from '../../triage/past.ts'
import { minute, noon, parse, testimonyOf } from './witness-stand.ts'

const points = (...values: number[]) => values.map((value, index) => ({ atMs: noon + index * minute, value }))

test.each([
  { given: 'it stood still', values: [3, 3, 3], by: 0 },
  { given: 'it grew', values: [3, 4, 6], by: 3, first: noon + minute },
  { given: 'it was reset on the way', values: [3, 5, 1], by: 3, first: noon + minute },
])('a counter’s growth is known when $given', ({ values, by, first }) => {
  expect(growthSince(points(...values), noon)).toEqual({ by, ...(first !== undefined && { firstAtMs: first }) })
})

test('the growth of what nobody watched is unknown, not zero', () => {
  expect(growthSince(points(7), noon - minute)).toBeUndefined()
})

test('what was born after the start counts in full from its first value', () => {
  expect(growthSince(points(2), noon - minute, noon - 1000)).toEqual({ by: 2, firstAtMs: noon })
})

test('growth before the asked time is not counted', () => {
  expect(growthSince(points(1, 5, 6), noon + minute)).toEqual({ by: 1, firstAtMs: noon + 2 * minute })
})

const scrape = (index: number, text: string) => ({ atMs: noon + index * minute, samples: parse(text) })

test('a series that appears inside the window was seen to begin', () => {
  const series = seriesOf(testimonyOf([scrape(0, 'other 1'), scrape(1, 'waits 1'), scrape(2, 'waits 1')]))
  const [waits] = series.named('waits')
  expect(waits && sinceWhen(series, waits, (value) => value === 1)).toEqual({ atMs: noon + minute, seenToBegin: true })
})

test('a series as old as the window was not', () => {
  const series = seriesOf(testimonyOf([scrape(0, 'waits 1'), scrape(1, 'waits 1')]))
  const [waits] = series.named('waits')
  expect(waits && sinceWhen(series, waits, (value) => value === 1)).toEqual({ atMs: noon, seenToBegin: false })
})

test('a window that holds the scrape itself counts it once', () => {
  const { samples } = scrape(1, 'up 1')
  const series = seriesOf({ atMs: noon, samples, before: () => points(5) })
  expect(series.points(samples[0] ?? { name: '', labels: {}, value: 0 })).toEqual([{ atMs: noon, value: 1 }])
})

test('before the window there is no value', () => {
  expect(valueAt(points(1, 2), noon - 1)).toBeUndefined()
  expect(valueAt(points(1, 2), noon + minute / 2)).toBe(1)
})

test.each<[string, number, readonly number[], number | undefined]>([
  ['the last one counts', 4 * minute, [], 1],
  ['five minutes later it is stale', 5 * minute, [], undefined],
  ['a reading without the series makes it stale', 2 * minute, [noon, noon + minute], undefined],
  ['a reading that comes later does not', 2 * minute, [noon, noon + 3 * minute], 1],
])('of what the value was: %s', (_, afterMs, readsAtMs, expected) => {
  expect(valueAt(points(1), noon + afterMs, readsAtMs)).toBe(expected)
})
