import { expect, test } from '@jest/globals'
import type { RuleView } from '../../../functions/evaluate/decide.ts'
import { judge, ruleAlerts, ruleSpec } from '../../../rules/registry.ts'
import { shard, timedHub } from './timed-hub.ts'

const rule = ruleSpec.parse({
  kind: 'absence',
  service: 'shop',
  series: { cluster: 'town', selector: 'kube_pod_info{namespace="shop"}' },
  forSeconds: 600,
})

const gone: RuleView = {
  ruleId: 'gone',
  alertId: 'gone',
  service: 'shop',
  severity: 'page',
  sourceFreshMs: 180_000,
  judge: (facts) => judge(rule, facts),
}
const rules = [
  gone,
  ...ruleAlerts(rule).map(({ part, judge: judged, ...more }): RuleView => {
    return { ...gone, ...more, alertId: `gone:${part}`, judge: judged }
  }),
]

const hub = () => {
  const timed = timedHub(rules)
  /** Reads the cluster once a minute, up to and with that one. */
  const read = async (toMinute: number, status: 'ok' | 'unknown', isThere = true) => {
    for (let minute = timed.minuteNow() + 1; minute <= toMinute; minute++) {
      await timed.runTo(minute)
      const { nowMs } = timed.clock
      const active = isThere ? [] : [{ labels: {}, value: 1 }]
      const results = [{ ruleId: 'gone', atMs: nowMs, status, active }]
      await timed.send({ kind: 'rule-results', id: `results:${nowMs}`, shard, results })
    }
  }
  const told = () => timed.told.map(({ alertId, to, minute }) => `${minute} ${alertId} ${to}`)
  return { ...timed, read, heard: told }
}

test('a series that is gone is told after its time, as long as its cluster is read', async () => {
  const { read, heard } = hub()
  await read(5, 'ok')
  await read(20, 'ok', false)
  await read(21, 'ok')
  expect(heard()).toEqual(['16 gone firing', '21 gone inactive'])
})

test('nobody reads its cluster any more: nothing is made of the last reading, and that is told', async () => {
  const { read, runTo, heard } = hub()
  await read(5, 'ok')
  await read(8, 'ok', false)
  await runTo(60)
  expect(heard()).toEqual(['23 gone:blind firing'])
  await read(62, 'ok', false)
  expect(heard().slice(1)).toEqual(['61 gone firing', '61 gone:blind inactive'])
})

test('what was told stays so while nobody can read', async () => {
  const { read, runTo, heard } = hub()
  await read(12, 'ok', false)
  await read(40, 'unknown')
  await runTo(50)
  expect(heard()).toEqual(['11 gone firing', '28 gone:blind firing'])
  await read(51, 'ok')
  expect(heard().slice(2)).toEqual(['51 gone inactive', '51 gone:blind inactive'])
})

test('a reading that fails now and then blinds nobody', async () => {
  const { read, heard } = hub()
  for (let minute = 2; minute < 60; minute += 4) {
    await read(minute, 'ok')
    await read(minute + 2, 'unknown')
  }
  expect(heard()).toEqual([])
})

test('a cluster that was never read is told, a quarter of an hour after the rule was first known', async () => {
  const { start, runTo, heard } = hub()
  await start()
  await runTo(30)
  expect(heard()).toEqual(['15 gone:blind firing'])
})

test('after a start the first reading has its time, whatever lies between', async () => {
  const { read, off, restart, heard } = hub()
  await read(5, 'ok')
  off(120)
  await restart()
  await read(125, 'ok')
  expect(heard()).toEqual([])
})
