import { expect, test } from '@jest/globals'
import { clock, count, day, list, memory, percent, quoted, span } from '../../triage/wording.ts'
import { noon } from './witness-stand.ts'

test('a time of today has no date, another day’s has', () => {
  expect(clock(noon + 12_000, noon)).toBe('12:00:12 UTC')
  expect(clock(noon - 86_400_000, noon)).toBe('2026-11-22 12:00:00 UTC')
  expect(day(noon)).toBe('2026-11-23')
})

test('what is no time does not break a page', () => {
  expect(clock(Number.NaN, noon)).toBe('an unreadable time')
  expect(day(1e300)).toBe('an unreadable time')
})

test.each([
  [134_217_728, '128Mi'],
  [1_610_612_736, '1.5Gi'],
  [512, '512'],
])('%d bytes are %s', (bytes, text) => expect(memory(bytes)).toBe(text))

test.each([
  [1, '100 %'],
  [0.9999, '> 99.9 %'],
  [0.995, '99.5 %'],
  [0.5, '50 %'],
  [0.034, '3.4 %'],
  [0.0001, '< 0.1 %'],
  [0, '0 %'],
])('%d is %s: nothing is rounded to perfect', (ratio, text) => expect(percent(ratio)).toBe(text))

test('things are counted and listed', () => {
  expect([count(1, 'pod'), count(3, 'pod')]).toEqual(['1 pod', '3 pods'])
  expect(list(['a', 'b', 'c'], 2)).toBe('a, b and 1 more')
  expect([span(4000), span(720_000), span(10_800_000)]).toEqual(['4 s', '12 min', '3 h'])
})

test('a quote is one line of bounded length', () => {
  expect(quoted('a\n\tb\u0007c')).toBe('a b c')
  expect(quoted('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`)
})
