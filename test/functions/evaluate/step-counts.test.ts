import { expect, test } from '@jest/globals'
import { keys } from '../../../functions/contract.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { ruleSpec } from '../../../rules/registry.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { ruleView, start } from '../builders.ts'

const shard = '0/1'
const series = { cluster: 'town', total: 'requests_total', bad: 'requests_total{code="500"}' }
const spec = ruleSpec.parse({ kind: 'slo', service: 'shop', series, objectivePercent: 99.9 })
const objective = ruleView(spec, { ruleId: 'front-slo' })
const rules = [{ ...objective, counted: 'bad' as const, afterSilenceMs: 900_000 }]

const processOn = (store: ReturnType<typeof memoryStore>, nowMs: () => number) => {
  const reads: string[] = []
  const read = async (wanted: readonly string[]) => {
    reads.push(...wanted)
    return store.read(wanted)
  }
  const home = { monitor: () => shard, rule: () => shard }
  const evaluate = evaluateStep({
    store: { ...store, read },
    nowMs,
    nudge: async () => {},
    locations: [],
    rulesOf: () => rules,
    home,
  })
  return { evaluate, blocksRead: () => reads.filter((key) => key === keys.sliBlock(shard, 'minutes', 0)).length }
}

test('timers read what was counted once, as long as nobody counts more', async () => {
  let nowMs = start
  const store = memoryStore({ nowMs: () => nowMs })
  const counting = processOn(store, () => nowMs)
  const minutes = [{ atMs: start, good: 100, bad: 0, unknown: 0 }]
  const count = () =>
    counting.evaluate({ kind: 'sli-counts', id: `${nowMs}`, shard, counts: [{ ruleId: 'front-slo', minutes }] })
  await count()
  const waking = processOn(store, () => nowMs)
  const wake = () => waking.evaluate({ kind: 'timer', id: `timer:${nowMs}`, shard, rowId: '' })
  for (const end = start + 600_000; nowMs < end; nowMs += 60_000) await wake()
  expect(waking.blocksRead()).toBe(1)
  minutes[0] = { atMs: start + 60_000, good: 7, bad: 0, unknown: 0 }
  await count()
  await wake()
  expect(waking.blocksRead()).toBe(2)
})
