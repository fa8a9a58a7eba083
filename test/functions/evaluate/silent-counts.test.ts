import { expect, test } from '@jest/globals'
import type { RuleView } from '../../../functions/evaluate/decide.ts'
import { clusterSettleMs } from '../../../functions/evaluate/settle.ts'
import { judge, ruleAlerts, ruleSpec } from '../../../rules/registry.ts'
import { minute, shard, timedHub } from './timed-hub.ts'

const series = { cluster: 'town', total: 'requests_total', bad: 'requests_total{code="500"}' }
const rule = ruleSpec.parse({ kind: 'slo', service: 'shop', series, objectivePercent: 99.9 })

const page: RuleView = {
  ruleId: 'front-slo',
  alertId: 'front-slo',
  service: 'shop',
  severity: 'page',
  judge: (facts) => judge(rule, facts),
  counted: 'bad',
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

const hub = () => {
  const timed = timedHub(rules)
  const count = (events: { good: number; bad: number; unknown: number }) => {
    const { nowMs } = timed.clock
    const counts = [{ ruleId: page.ruleId, minutes: [{ atMs: nowMs, ...events }] }]
    return timed.send({ kind: 'sli-counts', id: `counts:${nowMs}`, shard, counts })
  }
  return { ...timed, count }
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
    then: [{ alertId: blind, to: 'firing', minute: 120 + clusterSettleMs / minute }],
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
