import { expect, test } from '@jest/globals'
import { isSlower, quantile, total } from '../../triage/latency.ts'

const buckets = (counts: Record<string, number>) =>
  new Map(Object.entries(counts).map(([le, count]) => [le === 'inf' ? Infinity : Number(le), count]))

test.each([
  { q: 0.45, at: 5 },
  { q: 0.81, at: 9 },
  { q: 0.95, at: 55 },
  { q: 1, at: 100 },
])('the $q quantile is interpolated within its bucket', ({ q, at }) => {
  expect(quantile(buckets({ 10: 90, 100: 100, inf: 100 }), q)).toBeCloseTo(at, 6)
})

test('beyond the last bound the last bound is told', () => {
  expect(quantile(buckets({ 10: 1, inf: 100 }), 0.9)).toBe(10)
})

test('nothing counted has no quantile', () => {
  expect(quantile(buckets({}), 0.5)).toBeUndefined()
  expect(quantile(buckets({ 10: 0, inf: 0 }), 0.5)).toBeUndefined()
  expect(total(buckets({}))).toBe(0)
})

test.each([
  { given: 'much slower', now: { 10: 10, 500: 100, inf: 100 }, slower: true },
  { given: 'as before', now: { 10: 100, 500: 100, inf: 100 }, slower: false },
  { given: 'much slower in five requests', now: { 10: 0, 500: 5, inf: 5 }, slower: false },
])('$given', ({ now, slower }) => {
  expect(isSlower({ now: buckets(now), before: buckets({ 10: 100, 500: 100, inf: 100 }) })).toBe(slower)
})
