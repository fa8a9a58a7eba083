import { expect, test } from '@jest/globals'
import { emptyWindow, remember, seriesKey } from '../../functions/window.ts'
import { valueAt } from '../../triage/past.ts'
import { start } from './builders.ts'

/** A reading of one target: the value it gave, nothing where it lacked the series, and how it ended. */
type Read = { second: number; value?: number; ended?: 'whole' | 'broken' | 'unread' | 'not-found' }
type Case = { given: string; reads: Read[]; at: number; prometheus: number | undefined; ours: number | undefined }

const same = (value: number | undefined) => ({ prometheus: value, ours: value })

const cases: Case[] = [
  { given: 'the last value of the five minutes before counts', reads: [{ second: 0, value: 7 }], at: 299, ...same(7) },
  { given: 'five minutes later it is stale', reads: [{ second: 0, value: 7 }], at: 300, ...same(undefined) },
  {
    given: 'a whole reading without the series ends it at once',
    reads: [{ second: 0, value: 7 }, { second: 30 }],
    at: 30,
    ...same(undefined),
  },
  {
    given: 'until that reading it was there',
    reads: [{ second: 0, value: 7 }, { second: 30 }],
    at: 29,
    ...same(7),
  },
  {
    given: 'it is there again when it comes back',
    reads: [{ second: 0, value: 7 }, { second: 30 }, { second: 60, value: 8 }],
    at: 60,
    ...same(8),
  },
  {
    given: 'a target that is not found any more ends with all it had',
    reads: [
      { second: 0, value: 7 },
      { second: 30, ended: 'not-found' },
    ],
    at: 30,
    ...same(undefined),
  },
  {
    given: 'a series that a reading which broke off did give has that value',
    reads: [
      { second: 0, value: 7 },
      { second: 30, value: 8, ended: 'broken' },
    ],
    at: 30,
    // Prometheus throws away all of a scrape that failed.
    prometheus: undefined,
    ours: 8,
  },
  {
    given: 'a reading that broke off before the series proves nothing',
    reads: [
      { second: 0, value: 7 },
      { second: 30, ended: 'broken' },
    ],
    at: 30,
    prometheus: undefined,
    ours: 7,
  },
  {
    given: 'a target that could not be read has said nothing new: for five minutes its word stands',
    reads: [
      { second: 0, value: 7 },
      { second: 30, ended: 'unread' },
    ],
    at: 299,
    prometheus: undefined,
    ours: 7,
  },
  {
    given: 'and no longer',
    reads: [
      { second: 0, value: 7 },
      { second: 270, ended: 'unread' },
    ],
    at: 300,
    ...same(undefined),
  },
]

const sampleOf = (value: number) => ({ name: 'a', labels: { pod: 'x' }, value })

const windowOf = (reads: readonly Read[]) => {
  const window = emptyWindow('town')
  for (const { second, value, ended = 'whole' } of reads) {
    const samples = value === undefined ? [] : [sampleOf(value)]
    const target = { target: 't', kind: 'app', complete: ended === 'whole', samples }
    remember(window, {
      atMs: start + second * 1000,
      targets: ended === 'not-found' ? [] : [target],
      allTargets: () => true,
      longestMs: 3_600_000,
      seriesLimit: 10,
      keepMs: () => 3_600_000,
    })
  }
  return window.targets.get('t')
}

test.each(cases)('$given', ({ reads, at, ours }) => {
  const target = windowOf(reads)
  const series = target?.series.get(seriesKey(sampleOf(0)))
  const points = series?.atMs.map((atMs, nth) => ({ atMs, value: series.values[nth] ?? Number.NaN })) ?? []
  expect(valueAt(points, start + at * 1000, target?.readAtMs)).toBe(ours)
})

test('where we differ from Prometheus it is about readings that failed, and we never forget sooner', () => {
  const differ = cases.filter(({ prometheus, ours }) => prometheus !== ours)
  expect(differ.every(({ reads }) => reads.some(({ ended }) => ended === 'broken' || ended === 'unread'))).toBe(true)
  expect(differ.every(({ prometheus }) => prometheus === undefined)).toBe(true)
})
