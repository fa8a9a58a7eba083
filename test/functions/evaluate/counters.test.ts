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
