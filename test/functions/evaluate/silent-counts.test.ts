import { expect, test } from '@jest/globals'
import type { AlertChange, Observation } from '../../../functions/contract.ts'
import type { RuleView } from '../../../functions/evaluate/decide.ts'
import { countsSettleMs } from '../../../functions/evaluate/settle.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { timerRowId } from '../../../functions/row-ids.ts'
import { judge, ruleAlerts, ruleSpec } from '../../../rules/registry.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

const minute = 60_000
const shard = '0/1'
const series = { cluster: 'town', total: 'requests_total', bad: 'requests_total{code="500"}' }
const rule = ruleSpec.parse({ kind: 'slo', service: 'shop', series, objectivePercent: 99.9 })

const page: RuleView = {
  ruleId: 'front-slo',
  alertId: 'front-slo',
  service: 'shop',
  severity: 'page',
  judge: (facts) => judge(rule, facts),
  counted: true,
}
const rules = [
  page,
  ...ruleAlerts(rule).map(({ part, severity, judge: judged, afterSilenceMs }) => ({
    ...page,
    alertId: `${page.ruleId}:${part}`,
    severity,
    judge: judged,
    ...(afterSilenceMs === undefined ? {} : { afterSilenceMs }),
  })),
]

/** A hub on a clock of its own that wakes its shard when the timer says so. */
const hub = () => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const told: (Pick<AlertChange, 'alertId' | 'to'> & { minute: number })[] = []
  const begin = (startedAtMs?: number) =>
    evaluateStep({
      store,
      nowMs: () => clock.nowMs,
      nudge: async () => {},
      locations: ['local'],
      rulesOf: () => rules,
      home: { monitor: () => shard, rule: () => shard },
      ...(startedAtMs === undefined ? {} : { startedAtMs }),
    })
  let step = begin()
  let wakes = 0
  const send = async (observation: Observation) => {
    const result = await step(observation)
    if (result.status !== 'evaluated') return
    for (const { alertId, to } of result.changes) told.push({ alertId, to, minute: (clock.nowMs - start) / minute })
  }
  const wake = (rowId: string) => send({ kind: 'timer', id: rowId, shard, rowId })
  const runTo = async (minutes: number) => {
    const untilMs = start + minutes * minute
    for (;;) {
      const timer = await store.row(timerRowId(shard))
      if (!timer || timer.row.dueAtMs > untilMs) break
      clock.nowMs = Math.max(clock.nowMs, timer.row.dueAtMs)
      wakes++
      await wake(timer.row.id)
    }
    clock.nowMs = untilMs
  }
  const count = (events: { good: number; bad: number; unknown: number }) => {
    const counts = [{ ruleId: page.ruleId, minutes: [{ atMs: clock.nowMs, ...events }] }]
    return send({ kind: 'sli-counts', id: `counts:${clock.nowMs}`, shard, counts })
  }
  const restart = async () => {
    step = begin(clock.nowMs)
    await wake('')
  }
  const off = (untilMinute: number) => {
    clock.nowMs = start + untilMinute * minute
  }
  return { told, runTo, count, restart, off, start: () => wake(''), wakes: () => wakes }
}

const served = { good: 100, bad: 0, unknown: 0 }
const blind = 'front-slo:blind'

test('counts that stop coming raise the blind alert after 15 minutes, and those that come again end it', async () => {
  const { told, runTo, count, wakes } = hub()
  for (let at = 0; at <= 5; at++) {
    await runTo(at)
    await count(served)
  }
  await runTo(19)
  expect(told).toEqual([])
  await runTo(60)
  expect(told).toEqual([{ alertId: blind, to: 'firing', minute: 20 }])
  expect(wakes()).toBeLessThan(5)
  await count(served)
  expect(told.slice(1)).toEqual([{ alertId: blind, to: 'inactive', minute: 60 }])
})

test('counts that never came raise it 15 minutes after the rule was first known, also over restarts', async () => {
  const { told, runTo, restart, start: begin } = hub()
  await begin()
  await runTo(10)
  await restart()
  await runTo(14)
  expect(told).toEqual([])
  await runTo(40)
  expect(told).toEqual([{ alertId: blind, to: 'firing', minute: 15 }])
})

test.each([
  { given: 'come', comes: true, then: [] },
  {
    given: 'do not come',
    comes: false,
    then: [{ alertId: blind, to: 'firing', minute: 120 + countsSettleMs / minute }],
  },
])('a hub that was off for two hours gives the counts time; they $given', async ({ comes, then }) => {
  const { told, runTo, count, restart, off } = hub()
  await count(served)
  off(120)
  await restart()
  await runTo(121)
  if (comes) await count(served)
  await runTo(130)
  expect(told).toEqual(then)
})

test('unknown counts are silence, minutes that held no events are none', async () => {
  const { told, runTo, count } = hub()
  for (let at = 0; at < 40; at++) {
    await runTo(at)
    await count(at < 20 ? { good: 0, bad: 0, unknown: 0 } : { good: 0, bad: 0, unknown: 1 })
  }
  expect(told).toEqual([{ alertId: blind, to: 'firing', minute: 34 }])
})
