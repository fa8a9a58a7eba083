import { expect, test } from '@jest/globals'
import { countOutcome, historyOf } from '../../../functions/evaluate/counters.ts'
import type { MonitorState } from '../../../functions/shard-state.ts'
import type { ProbeOutcome, Verdict } from '../../../probes/contract.ts'

const minuteMs = 60_000
const startMs = Date.UTC(2026, 10, 23, 6)
const nowMs = startMs + 10 * minuteMs

const pass = (scheduledAtMs: number, more: Partial<ProbeOutcome> = {}): ProbeOutcome => ({
  monitorId: 'front',
  location: 'local',
  look: 'tick',
  scheduledAtMs,
  startedAtMs: scheduledAtMs,
  verdict: 'pass',
  timingsMs: { total: 5 },
  ...more,
})

const opinion = { look: 'probe:0/1:front:local:1', startedAtMs: startMs + 7 * minuteMs }

const after = (outcomes: readonly ProbeOutcome[]) => {
  let state: MonitorState | undefined
  for (const outcome of outcomes) state = countOutcome(state, outcome, nowMs)
  const monitors = state ? { front: state } : {}
  return (atMs: number) =>
    historyOf({ monitors }, { monitorId: 'front', location: 'local', periodSeconds: 60, nowMs: atMs })
}

test.each([
  { given: 'comes last', order: [pass(startMs + 6 * minuteMs), pass(startMs, opinion)] },
  { given: 'comes first', order: [pass(startMs, opinion), pass(startMs + 6 * minuteMs)] },
])('a location is fresh by its latest scheduled look, though a second opinion asked before it $given', ({ order }) => {
  const at = after(order)
  expect(at(startMs + 9 * minuteMs).fresh).toBe(true)
  expect(at(startMs + 9 * minuteMs + 1).fresh).toBe(false)
})

test('a look from far ahead is nobody’s freshness', () => {
  const at = after([pass(startMs), pass(nowMs + 9 * minuteMs)])
  expect(at(startMs + minuteMs)).toMatchObject({ fresh: true, looks: [{ scheduledAtMs: startMs }] })
  expect(at(startMs + 4 * minuteMs).fresh).toBe(false)
})

const letters = ({ looks }: MonitorState) => looks.map(({ verdict }) => verdict[0]).join('')
const lookAt = (index: number, verdict: Verdict) => pass(startMs + index * 1000, { verdict })

test.each([
  { given: 'too many that saw something', seen: `${'f'.repeat(4)}${'p'.repeat(24)}`, kept: 'p'.repeat(24) },
  { given: 'too many that saw nothing', seen: `pf${'u'.repeat(40)}`, kept: `pf${'u'.repeat(22)}` },
  { given: 'both', seen: `fuu${'p'.repeat(23)}`, kept: `f${'p'.repeat(23)}` },
  {
    given: 'as many that saw something, and the newest did not',
    seen: `f${'p'.repeat(24)}u`,
    kept: `${'p'.repeat(23)}u`,
  },
])('what saw nothing is forgotten first: $given', ({ seen, kept }) => {
  const verdicts: Record<string, Verdict> = { p: 'pass', f: 'fail', u: 'unknown' }
  const looks = [...seen].map((letter, index) => lookAt(index, verdicts[letter] ?? 'unknown'))
  let state: MonitorState | undefined
  for (const look of looks) state = countOutcome(state, look, nowMs)
  expect(state && letters(state)).toBe(kept)
  for (const look of looks) expect(countOutcome(state, look, nowMs)).toBe(state)
})

/** Looks that arrive when they end, by the wall: `ahead` is how far the location's clock is ahead by then. */
type Step = { atS: number; aheadS: number; verdict: Verdict; lateS?: number }
const looksOf = (steps: readonly Step[]) =>
  steps.map(({ atS, aheadS, verdict, lateS = 0 }) => {
    const datedMs = startMs + (atS + aheadS) * 1000
    return { outcome: pass(datedMs, { verdict }), arrivesMs: startMs + (atS + lateS) * 1000 }
  })

const kept = (steps: readonly Step[], state?: MonitorState) => {
  const arrivals = looksOf(steps).toSorted((a, b) => a.arrivesMs - b.arrivesMs)
  return arrivals.reduce((so, { outcome, arrivesMs }) => countOutcome(so, outcome, arrivesMs), state)
}

/** So many looks, one each `everyS`, from a location whose clock is so far ahead. */
const looks = (verdicts: string, at: { fromS: number; everyS: number; aheadS: number }): Step[] =>
  [...verdicts].map((letter, index) => ({
    atS: at.fromS + index * at.everyS,
    aheadS: at.aheadS,
    verdict: letter === 'f' ? 'fail' : 'pass',
  }))

test.each([
  { backS: 60, passes: 10, fails: 4 },
  { backS: 120, passes: 10, fails: 4 },
  { backS: 300, passes: 10, fails: 3 },
  { backS: 600, passes: 24, fails: 3 },
  { backS: 900, passes: 24, fails: 3 },
  { backS: 3600, passes: 24, fails: 3 },
])('a clock that is set back by $backS s hides no outage for longer than two minutes', ({ backS, passes, fails }) => {
  const before = looks('p'.repeat(passes), { fromS: 0, everyS: 60, aheadS: backS })
  const after = looks('f'.repeat(fails), { fromS: passes * 60, everyS: 60, aheadS: 0 })
  const state = kept([...before, ...after])
  expect(state && letters(state)).toMatch(/f{2,}$/)
  expect(state?.last.verdict).toBe('fail')
})

test.each([
  {
    given: 'a location that is always ahead',
    steps: looks('ppppff', { fromS: 0, everyS: 60, aheadS: 300 }),
    then: 'ppppff',
  },
  {
    given: 'a location that is always behind',
    steps: looks('ppppff', { fromS: 0, everyS: 60, aheadS: -300 }),
    then: 'ppppff',
  },
  {
    given: 'two processes whose clocks are five seconds apart, every ten seconds',
    steps: [
      ...looks('pppfff', { fromS: 0, everyS: 10, aheadS: 0 }),
      ...looks('pppfff', { fromS: 3, everyS: 10, aheadS: 5 }),
    ],
    then: 'ppppppffffff',
  },
  {
    given: 'looks of every ten seconds of which one comes fifty seconds late',
    steps: [
      ...looks('pp', { fromS: 0, everyS: 10, aheadS: 0 }),
      { atS: 20, aheadS: 0, verdict: 'fail' as const, lateS: 50 },
      ...looks('pppp', { fromS: 30, everyS: 10, aheadS: 0 }),
    ],
    then: 'ppfpppp',
  },
  {
    given: 'looks of every ten seconds of which one comes minutes late',
    steps: [
      ...looks('pp', { fromS: 0, everyS: 10, aheadS: 0 }),
      { atS: 20, aheadS: 0, verdict: 'fail' as const, lateS: 150 },
      ...looks('p'.repeat(14), { fromS: 30, everyS: 10, aheadS: 0 }),
    ],
    then: `ppf${'p'.repeat(14)}`,
  },
])('nothing is forgotten of $given, and repeats count once', ({ steps, then }) => {
  const state = kept(steps)
  expect(state && letters(state)).toBe(then)
  const arrivals = looksOf(steps)
  const lastMs = Math.max(...arrivals.map(({ arrivesMs }) => arrivesMs))
  for (const { outcome } of arrivals) {
    for (const lateMs of [0, 1000, 30_000, 90_000]) expect(countOutcome(state, outcome, lastMs + lateMs)).toBe(state)
  }
})

test('a look of the corrected clock counts once, though one from before had its name', () => {
  const before = looks('pppp', { fromS: 0, everyS: 60, aheadS: 180 })
  const after = looks('f', { fromS: 240, everyS: 60, aheadS: -60 })
  const state = kept([...before, ...after])
  expect(state?.looks.filter(({ verdict }) => verdict === 'fail')).toHaveLength(1)
  expect(kept(after, state)).toBe(state)
})
