import { expect, test } from '@jest/globals'
import { once, testify } from '../../../functions/triage/witnesses.ts'
import { emptyWindow, packWindow, remember, unpackWindow } from '../../../functions/window.ts'
import type { Reading, Sample, Scrape } from '../../../sources/contract.ts'
import { start } from '../builders.ts'

const sample = (value: number, labels = {}): Sample => ({ name: 'a_total', value, labels })
const read = (value: Scrape): Reading<Scrape> => ({ status: 'read', value })
const scrape = (samples: Sample[], atMs = start): Scrape => ({ atMs, samples, bytes: 10, seriesSeen: 1 })
const refused: Reading<Scrape> = { status: 'unreadable', why: 'connection refused' }

const windowWith = (values: number[]) =>
  values.reduce(
    (so, value, index) =>
      remember(
        so,
        { kind: 'linkerd', atMs: start - (values.length - index) * 1000, samples: [sample(value, { b: '2', a: '1' })] },
        60_000,
      ),
    emptyWindow('town'),
  )

test('a series finds its past, whatever the order of its labels', () => {
  const window = unpackWindow(packWindow(windowWith([1, 2])))
  const testimony = testify('linkerd', [read(scrape([sample(3, { a: '1', b: '2' })]))], window)
  expect(testimony).toMatchObject({ status: 'read', value: { windowFromMs: start - 2000 } })
  const before = testimony.status === 'read' ? testimony.value.before(sample(3, { a: '1', b: '2' })) : []
  expect(before.map(({ value }) => value)).toEqual([1, 2])
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
])('$given', ({ readings, then }) => expect(testify('linkerd', readings, undefined)).toMatchObject(then))

test('bytes that are no window are none, not a crash', () => {
  expect(unpackWindow(new TextEncoder().encode('not gzip'))).toBeUndefined()
})

test('two who ask the same share one answer', async () => {
  let asked = 0
  const ask = once(async (key: string) => `${key}${++asked}`)
  expect(await Promise.all([ask('a'), ask('a'), ask('b')])).toEqual(['a1', 'a1', 'b2'])
})
