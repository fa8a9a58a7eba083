import { expect, test } from '@jest/globals'
import { emptyWindow, endedAtMs, remember, seriesKey, type TargetReading, type Window } from '../../functions/window.ts'
import { start } from './builders.ts'

const kept = { longestMs: 600_000, seriesLimit: 1_000_000, keepMs: () => 600_000, allTargets: () => true }
const target = (name: string, series: Record<string, number>, complete = true): TargetReading => ({
  target: name,
  kind: 'app',
  complete,
  samples: Object.entries(series).map(([pod, value]) => ({ name: 'a', labels: { pod }, value })),
})
const read = (
  window: Window,
  atMs: number,
  targets: TargetReading[],
  more: { allTargets?: (kind: string) => boolean } = {},
) => remember(window, { ...kept, ...more, atMs, targets })
const series = (window: Window, name: string, pod: string) =>
  window.targets.get(name)?.series.get(seriesKey({ name: 'a', labels: { pod } }))
const ended = (window: Window, name: string, pod: string) => {
  const [one, other] = [window.targets.get(name), series(window, name, pod)]
  return one && other && endedAtMs(one, other)
}

test('a series ends with the first complete reading that lacks it', () => {
  const window = emptyWindow('town')
  read(window, start, [target('t', { x: 1, y: 1 })])
  read(window, start + 1000, [target('t', { y: 2 })])
  expect([ended(window, 't', 'x'), ended(window, 't', 'y')]).toEqual([start + 1000, undefined])
})

test('a reading that broke off adds what it said and ends nothing', () => {
  const window = emptyWindow('town')
  read(window, start, [target('t', { x: 1, y: 1 })])
  read(window, start + 1000, [target('t', { y: 2 }, false)])
  expect([ended(window, 't', 'x'), series(window, 't', 'y')?.values]).toEqual([undefined, [1, 2]])
})

test('a target that is not found any more ends with all its series, unless it is not known who there is', () => {
  const window = emptyWindow('town')
  read(window, start, [target('t', { x: 1 }), target('u', { x: 1 })])
  read(window, start + 1000, [target('u', { x: 1 })], { allTargets: () => false })
  expect(ended(window, 't', 'x')).toBeUndefined()
  read(window, start + 2000, [target('u', { x: 1 })])
  expect([ended(window, 't', 'x'), ended(window, 'u', 'x')]).toEqual([start + 2000, undefined])
})

test('a kind was read whole when all its targets were', () => {
  const window = emptyWindow('town')
  read(window, start, [target('t', {}), target('u', {}, false)])
  read(window, start + 1000, [target('t', {}), target('u', {})])
  read(window, start + 2000, [target('t', {})], { allTargets: () => false })
  expect(window.wholeAtMs.get('app')).toEqual([start + 1000])
})

test('a kind of which not everybody is known ends nobody, and takes no other kind along', () => {
  const window = emptyWindow('town')
  const node = { ...target('n', { x: 1 }), kind: 'node' }
  read(window, start, [target('t', { x: 1 }), node])
  read(window, start + 1000, [], { allTargets: (kind) => kind !== 'node' })
  expect([ended(window, 't', 'x'), ended(window, 'n', 'x')]).toEqual([start + 1000, undefined])
  expect([window.wholeAtMs.get('app'), window.wholeAtMs.get('node')]).toEqual([[start, start + 1000], [start]])
})

test('what there is no room for is left out and counted', () => {
  const window = emptyWindow('town')
  const reading = {
    ...kept,
    seriesLimit: 2,
    atMs: start,
    targets: [target('t', { x: 1, y: 1 }), target('u', { x: 1, y: 1 })],
  }
  remember(window, reading)
  expect([window.leftOut, series(window, 't', 'y')?.values, series(window, 'u', 'x')]).toEqual([2, [1], undefined])
})

test('each series is kept as long as its own readers look back', () => {
  const window = emptyWindow('town')
  const keepMs = (_: string, { labels }: { labels: Readonly<Record<string, string>> }) =>
    labels['pod'] === 'x' ? 1000 : 60_000
  for (const second of [0, 1, 2, 3])
    remember(window, { ...kept, keepMs, atMs: start + second * 1000, targets: [target('t', { x: second, y: second })] })
  expect([series(window, 't', 'x')?.values, series(window, 't', 'y')?.values]).toEqual([
    [2, 3],
    [0, 1, 2, 3],
  ])
})

test('what nobody looks back to is not kept, and a window left alone empties', () => {
  const window = emptyWindow('town')
  remember(window, { ...kept, keepMs: () => 0, atMs: start, targets: [target('t', { x: 1 })] })
  expect(series(window, 't', 'x')).toBeUndefined()
  read(window, start + 1000, [target('t', { x: 1 })])
  read(window, start + 2_000_000, [])
  read(window, start + 4_000_000, [])
  expect(window.targets.size).toBe(0)
})

test('labels in another order are the same series, and a separator in a value makes no other', () => {
  expect(seriesKey({ name: 'a', labels: { b: '1', c: '2' } })).toBe(
    seriesKey({ name: 'a', labels: { c: '2', b: '1' } }),
  )
  expect(seriesKey({ name: 'a', labels: { b: '1\u0001c\u00022' } })).not.toBe(
    seriesKey({ name: 'a', labels: { b: '1', c: '2' } }),
  )
})
