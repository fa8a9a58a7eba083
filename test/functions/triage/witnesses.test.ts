import { expect, test } from '@jest/globals'
import { once, testify } from '../../../functions/triage/witnesses.ts'
import { emptyWindow, remember, type Window } from '../../../functions/window.ts'
import type { Reading, Sample, Scrape } from '../../../sources/contract.ts'
import { start } from '../builders.ts'

const sample = (value: number, labels = {}): Sample => ({ name: 'a_total', value, labels })
const read = (value: Scrape): Reading<Scrape> => ({ status: 'read', value })
const scrape = (samples: Sample[], atMs = start): Scrape => ({ atMs, samples, bytes: 10, seriesSeen: 1 })
const refused: Reading<Scrape> = { status: 'unreadable', why: 'connection refused' }

const kept = { longestMs: 60_000, seriesLimit: 1_000_000, keepMs: () => 60_000, allTargets: () => true }

const windowWith = (values: number[]) => {
  const window = emptyWindow('town')
  for (const [index, value] of values.entries()) {
    const samples = [sample(value, { b: '2', a: '1' })]
    const targets = [{ target: 't', kind: 'linkerd', complete: true, samples }]
    remember(window, { ...kept, atMs: start - (values.length - index) * 1000, targets })
  }
  return window
}

const beforeOf = (window: Window) => {
  const testimony = testify('linkerd', [read(scrape([sample(3, { a: '1', b: '2' })]))], { window })
  expect(testimony).toMatchObject({ status: 'read', value: { windowFromMs: start - 2000 } })
  return testimony.status === 'read' ? testimony.value.before(sample(3, { a: '1', b: '2' })) : []
}

test('a series finds its past, whatever the order of its labels', () => {
  expect(beforeOf(windowWith([1, 2])).map(({ value }) => value)).toEqual([1, 2])
})

test('what is no number is no past', () => {
  expect(beforeOf(windowWith([1, Number.NaN])).map(({ value }) => value)).toEqual([1])
})

test.each([
  {
    given: 'no source of the kind',
    readings: [],
    then: { status: 'unreadable', why: 'no linkerd source is configured for this cluster' },
  },
  { given: 'all unreadable', readings: [refused], then: { status: 'unreadable', why: 'connection refused' } },
  {
    given: 'one of two unreadable',
    readings: [read(scrape([])), refused],
    then: { status: 'read', value: { incomplete: 'connection refused' } },
  },
  {
    given: 'one truncated',
    readings: [read({ ...scrape([]), incomplete: 'cut off' })],
    then: { status: 'read', value: { incomplete: 'cut off' } },
  },
])('$given', ({ readings, then }) => expect(testify('linkerd', readings, { window: undefined })).toMatchObject(then))

test('targets that could not be looked for make a testimony incomplete, and without any it is none', () => {
  const context = { window: undefined, unfound: 'pods is forbidden' }
  expect(testify('linkerd', [read(scrape([]))], context)).toMatchObject({ value: { incomplete: 'pods is forbidden' } })
  expect(testify('linkerd', [], context)).toEqual({ status: 'unreadable', why: 'pods is forbidden' })
})

test('a series that stands twice in an exposition counts once, with its first value', () => {
  const twice = scrape([sample(3, { a: '1' }), sample(4, { a: '2' }), sample(5, { a: '1' })])
  const testimony = testify('linkerd', [read(twice)], { window: undefined })
  expect(testimony).toMatchObject({ value: { samples: [{ value: 3 }, { value: 4 }] } })
})

test('of a kind of which only some sources were asked nothing is gone', () => {
  const window = windowWith([1, 2])
  const goneOf = (isPart: boolean) => testify('linkerd', [read(scrape([]))], { window, isPart })
  expect(goneOf(false)).toMatchObject({ value: { gone: [{ value: 2 }] } })
  expect(goneOf(true)).not.toHaveProperty('value.gone')
})

test('two who ask the same share one answer', async () => {
  let asked = 0
  const ask = once(async (key: string) => `${key}${++asked}`)
  expect(await Promise.all([ask('a'), ask('a'), ask('b')])).toEqual(['a1', 'a1', 'b2'])
})
