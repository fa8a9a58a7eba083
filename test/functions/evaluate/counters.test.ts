import { expect, test } from '@jest/globals'
import { countOutcome, historyOf } from '../../../functions/evaluate/counters.ts'
import type { MonitorState } from '../../../functions/shard-state.ts'
import type { ProbeOutcome } from '../../../probes/contract.ts'

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
