import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { KeptOutcome } from '../../functions/history.ts'
import {
  addPacked,
  emptySketch,
  packedSketch,
  packSketch,
  quantilesOf,
  sketchesOf,
} from '../../functions/latency-sketch.ts'
import { outcome, period, start } from './builders.ts'

const look = (nth: number, totalMs: number, more: Partial<KeptOutcome> = {}): KeptOutcome => ({
  ...outcome({ verdict: 'pass', scheduledAtMs: start + nth * period }),
  look: 'tick',
  timingsMs: { total: totalMs },
  ...more,
})

const all = () => true
const textOf = (looks: readonly KeptOutcome[]) => {
  const sketch = sketchesOf(looks, all).get('front')
  return sketch ? packSketch(sketch) : ''
}

const times = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 60_000, noNaN: true })), {
  minLength: 1,
  maxLength: 300,
})

test('any order and any repeats of looks make the same sketch', () => {
  fc.assert(
    fc.property(times, fc.array(fc.nat()), fc.array(fc.nat()), (took, repeats, order) => {
      const looks = took.map((ms, nth) => look(nth, ms))
      const repeated = repeats.flatMap((nth) => looks[nth % looks.length] ?? [])
      const shuffled = [...looks, ...repeated]
        .map((one, nth) => ({ one, key: ((order[nth % Math.max(1, order.length)] ?? 0) * 31 + nth * 7919) % 1009 }))
        .sort((a, b) => a.key - b.key)
        .map(({ one }) => one)
      expect(textOf(shuffled)).toBe(textOf(looks))
    }),
  )
})

test('parts that are kept as text and added up are the whole', () => {
  fc.assert(
    fc.property(times, fc.nat(), (took, seed) => {
      const looks = took.map((ms, nth) => look(nth, ms))
      const parts = [...Map.groupBy(looks, (_, nth) => (nth * 2_654_435_761 + seed) % 5).values()].map(textOf)
      const sum = emptySketch()
      for (const text of parts) addPacked(sum, packedSketch.parse(text))
      expect(packSketch(sum)).toBe(textOf(looks))
      expect(sum.count).toBe(looks.length)
    }),
  )
})

test('a quantile is within two percent of the look it stands for', () => {
  fc.assert(
    fc.property(times, (took) => {
      const sorted = [...took].sort((a, b) => a - b)
      const quantiles = quantilesOf(
        sketchesOf(
          took.map((ms, nth) => look(nth, ms)),
          all,
        ).get('front') ?? emptySketch(),
      )
      const exact = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
      for (const [share, ms] of [
        [0.5, quantiles?.p50Ms],
        [0.95, quantiles?.p95Ms],
        [0.99, quantiles?.p99Ms],
      ] as const) {
        // Three figures are shown, which adds half a percent.
        expect(Math.abs((ms ?? 0) - exact(share))).toBeLessThanOrEqual(0.0251 * exact(share))
      }
    }),
  )
})

test.each([
  { given: 'a look that failed', more: { verdict: 'fail' } as const },
  { given: 'one that could not be looked at', more: { verdict: 'unknown' } as const },
  { given: 'a re-check', more: { look: 'recheck' } as const },
  { given: 'a monitor nobody asked for', more: { monitorId: 'back' } },
])('$given is not in it', ({ more }) => {
  const sketches = sketchesOf([look(0, 100, more), look(1, 200)], (id) => id === 'front')
  expect(sketches.get('front')?.count).toBe(1)
  expect(sketches.size).toBe(1)
})

test('a degraded look was answered, and two locations are two looks', () => {
  const looks = [look(0, 100, { verdict: 'degraded' }), look(0, 200, { location: 'eu' })]
  expect(quantilesOf(sketchesOf(looks, all).get('front') ?? emptySketch())?.looks).toBe(2)
})

test('nothing seen has no quantiles', () => expect(quantilesOf(emptySketch())).toBeUndefined())

test.each(['1:', '=', '1:1  2:2', 'front', '1:1 =1'])('%j is no sketch', (text) =>
  expect(packedSketch.safeParse(text).success).toBe(false),
)
