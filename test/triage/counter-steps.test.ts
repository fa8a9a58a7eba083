import { describe, expect, test } from '@jest/globals'
import { type Counter, perSecond, recentGrowth, stepsOf } from '../../triage/counter-steps.ts'
import { seriesOf } from '../../triage/past.ts'
import { minute, noon, parse, testimonyOf } from './witness-stand.ts'

const at = (values: Readonly<Record<number, number>>) =>
  Object.entries(values).map(([second, value]) => ({ atMs: Number(second) * 1000, value }))
const grown = (counter: Counter) => stepsOf(counter).map(({ by }) => by)

describe('the steps of a counter', () => {
  test.each<[string, Counter, number[]]>([
    ['it grows, or stays', { points: at({ 0: 5, 30: 7, 60: 7 }) }, [2, 0]],
    ['a fall is a restart from 0', { points: at({ 0: 5, 30: 2 }) }, [2]],
    ['one value is no step', { points: at({ 0: 5 }) }, []],
    [
      'a restart that is past the old value is seen by its creation',
      { points: at({ 0: 5, 30: 9 }), createdAtMs: 20_000 },
      [9],
    ],
    ['a creation before the last point is old news', { points: at({ 0: 5, 30: 9 }), createdAtMs: 0 }, [4]],
    ['a creation that is still to come is a wrong clock', { points: at({ 0: 5, 30: 9 }), createdAtMs: 40_000 }, [4]],
    ['a gap in the readings is a gap', { points: at({ 0: 5, 90: 9 }), readsAtMs: [0, 90_000] }, [4]],
    [
      'an idle series that was dropped begins anew',
      { points: at({ 0: 5, 90: 9 }), readsAtMs: [0, 30_000, 90_000] },
      [9],
    ],
    ['a gap without knowledge of readings is a gap', { points: at({ 0: 5, 90: 9 }) }, [4]],
  ])('%s', (_, counter, expected) => {
    expect(grown(counter)).toEqual(expected)
  })
})

const series = (...texts: readonly string[]) =>
  seriesOf(testimonyOf(texts.map((text, index) => ({ atMs: noon + index * minute, samples: parse(text) }))))

const rateOf = (name: string, ...texts: readonly string[]) => {
  const read = series(...texts)
  return perSecond(read, read.named(name)[0])
}

describe('a rate', () => {
  test('is of the last five minutes, resets included', () => {
    expect(rateOf('a_total', 'a_total 0', 'a_total 60', 'a_total 30')).toBe(0.75)
    const long = Array.from({ length: 11 }, (_, n) => `a_total ${n < 5 ? 0 : (n - 5) * 60}`)
    expect(rateOf('a_total', ...long)).toBe(1)
  })

  test('is unknown with one reading, with none, and where the series is new', () => {
    expect(rateOf('a_total', 'a_total 7')).toBeUndefined()
    expect(rateOf('a_total', 'b 1', 'b 1')).toBeUndefined()
    expect(rateOf('a_total', 'b 1', 'a_total 7')).toBeUndefined()
  })

  test('heeds what OpenMetrics says of the creation, of the series with the same labels', () => {
    const created = (seconds: number) => `a_created{x="1"} ${seconds}\na_created{x="2"} 1`
    const before = `a_total{x="1"} 50\n${created(noon / 1000 - 3600)}`
    expect(rateOf('a_total', before, `a_total{x="1"} 60\n${created(noon / 1000 - 3600)}`)).toBeCloseTo(10 / 60)
    expect(rateOf('a_total', before, `a_total{x="1"} 60\n${created(noon / 1000 + 30)}`)).toBe(1)
    const bucket = (value: number, seconds: number) => `a_bucket{x="1",le="1"} ${value}\n${created(seconds)}`
    expect(rateOf('a_bucket', bucket(50, 1), bucket(60, noon / 1000 + 30))).toBe(1)
  })

  test('a series that is gone has no value now, so nothing grew since', () => {
    const read = series('a_total 0', 'a_total 60', 'b 1')
    const [gone] = read.goneOf('a_total')
    expect(gone && recentGrowth(read, gone)).toEqual({ by: 60, overMs: minute })
  })
})
