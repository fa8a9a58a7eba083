import { expect, test } from '@jest/globals'
import { readConfigFile } from '../../../config/config-file.ts'
import { loadConfig } from '../../../config/load.ts'
import type { AlertChange } from '../../../functions/contract.ts'
import { evaluateView } from '../../../functions/evaluate/config.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { outcome, seen } from '../../functions/builders.ts'

/** A Monday. */
const startMs = Date.UTC(2026, 10, 23, 6)
const periodMs = 5000
const hourTicks = 720

test('an objective of the town whose budget burns pages with its sentence, and a single failure does not', async () => {
  const loaded = await loadConfig('examples/emojivoto/whodunit.yaml', { readFile: readConfigFile })
  if (!loaded.ok) throw new Error('the example is no config')
  const clock = { nowMs: startMs }
  const nowMs = () => clock.nowMs
  const store = memoryStore({ nowMs })
  const evaluate = evaluateStep({ store, nowMs, nudge: async () => {}, ...evaluateView(loaded.config) })
  const told: AlertChange[] = []
  const look = async (tick: number, verdict: 'pass' | 'fail') => {
    clock.nowMs = startMs + tick * periodMs
    const at = { monitorId: 'vote', scheduledAtMs: clock.nowMs, startedAtMs: clock.nowMs }
    const result = await evaluate(seen([outcome({ ...at, verdict })]))
    if (result.status === 'evaluated') told.push(...result.changes.filter(({ ruleId }) => ruleId === 'vote-slo'))
  }
  for (let tick = 0; tick < hourTicks; tick++) await look(tick, tick === 100 ? 'fail' : 'pass')
  expect(told).toEqual([])
  // One vote in five is lost from now on.
  for (let tick = hourTicks; tick < hourTicks + 360; tick++) await look(tick, tick % 5 === 0 ? 'fail' : 'pass')
  expect(told.map(({ alertId, severity, to, summary }) => [alertId, severity, to, summary])[0]).toEqual([
    'vote-slo',
    'page',
    'firing',
    expect.stringMatching(
      /^vote \(99\.5 %\): [\d.]+ % of the month's budget burnt in [\d.]+ (min|h); empty on \w+ \d\d:\d\d UTC at this rate; the 1 h window fired$/,
    ),
  ])
})
