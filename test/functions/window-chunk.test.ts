import { expect, test } from '@jest/globals'
import { emptyWindow, remember } from '../../functions/window.ts'
import { packChunk, unpackChunk } from '../../functions/window-chunk.ts'
import { start } from './builders.ts'

const windowOf = (values: readonly (number | undefined)[]) => {
  const window = emptyWindow('town')
  for (const [nth, value] of values.entries()) {
    const other = { name: 'other', labels: {}, value: nth }
    const samples =
      value === undefined ? [other] : [{ name: 'a', labels: { pod: 'x', 'k8s.io/name': 'ü"\n' }, value }, other]
    const targets = [{ target: 'app http://t', kind: 'app', complete: nth !== 1, samples }]
    remember(window, {
      atMs: start + nth * 30_000,
      targets,
      allTargets: () => true,
      longestMs: 3_600_000,
      seriesLimit: 1000,
      keepMs: () => 3_600_000,
    })
  }
  return window
}
const whole = { fromMs: start, untilMs: start + 3_600_000 }

test.each<{ given: string; values: (number | undefined)[] }>([
  { given: 'constant', values: [1, 1, 1] },
  { given: 'whole numbers', values: [0, 5, -3, 2 ** 50, -(2 ** 50)] },
  { given: 'numbers too large to subtract', values: [2 ** 53 - 1, -(2 ** 53 - 1), 1] },
  { given: 'fractions', values: [0.1, 1e-300, 1e300] },
  { given: 'what is no number', values: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0] },
  { given: 'gaps', values: [undefined, 1, undefined, undefined, 2, 3] },
  { given: 'one point', values: [undefined, 7, undefined] },
])('a series of $given comes back as it was', ({ values }) => {
  const chunk = unpackChunk(packChunk(windowOf(values), whole))
  const series = chunk?.targets[0]?.series.find(({ name }) => name === 'a')
  expect(series?.values).toEqual(values.filter((value) => value !== undefined))
  expect(series?.atMs).toEqual(values.flatMap((value, nth) => (value === undefined ? [] : [start + nth * 30_000])))
  expect(series).toMatchObject({ labels: { pod: 'x', 'k8s.io/name': 'ü"\n' }, keepMs: 3_600_000 })
})

test('it holds the points of its span only, and when targets and kinds were read in it', () => {
  const span = { fromMs: start + 30_000, untilMs: start + 90_000 }
  const chunk = unpackChunk(packChunk(windowOf([1, 2, 3, 4]), span))
  expect(chunk?.targets[0]?.series.map(({ values }) => values)).toEqual([
    [2, 3],
    [1, 2],
  ])
  expect(chunk).toMatchObject({
    ...span,
    targets: [{ readAtMs: [start + 60_000] }],
    wholeAtMs: { app: [start + 60_000] },
  })
})

test('bytes that are no chunk are none, not a crash', () => {
  const bytes = packChunk(windowOf([1, 2, 3]), whole)
  expect(unpackChunk(new TextEncoder().encode('not compressed'))).toBeUndefined()
  for (let length = 0; length < bytes.length; length++) expect(unpackChunk(bytes.subarray(0, length))).toBeUndefined()
})
