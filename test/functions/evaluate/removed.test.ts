import { expect, test } from '@jest/globals'
import type { Config } from '../../../config/schema.ts'
import { evaluateView } from '../../../functions/evaluate/config.ts'
import { decideEvaluate, type RuleView } from '../../../functions/evaluate/decide.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { timerRowId } from '../../../functions/row-ids.ts'
import { emptyShard } from '../../../functions/shard-state.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { availability, outcome, period, ruleView, seen, start } from '../builders.ts'
import { shopConfig } from '../shop-config.ts'

const shard = '0/1'

/** A hub whose timers run as they do, and whose config may change. */
const hub = (config: Config) => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const told: string[] = []
  let view = evaluateView(config)
  const step = evaluateStep({
    store,
    nowMs: () => clock.nowMs,
    nudge: async () => {},
    locations: ['local'],
    rulesOf: (name) => view.rulesOf(name),
    watches: (id) => view.watches(id),
    home: view.home,
  })
  const send = async (observation: Parameters<typeof step>[0]) => {
    const result = await step(observation)
    if (result.status !== 'evaluated') return
    const minute = (clock.nowMs - start) / period
    told.push(...result.changes.map(({ alertId, to, severity }) => `${minute} ${alertId} ${to} ${severity}`))
  }
  const rowId = timerRowId(shard)
  const runTo = async (minute: number) => {
    const untilMs = start + minute * period
    for (;;) {
      const timer = await store.row(rowId)
      if (!timer || timer.row.dueAtMs > untilMs) break
      clock.nowMs = Math.max(clock.nowMs, timer.row.dueAtMs)
      await send({ kind: 'timer', id: rowId, shard, rowId })
    }
    clock.nowMs = untilMs
  }
  const look = async (minute: number, verdict: 'pass' | 'fail') => {
    await runTo(minute)
    const scheduledAtMs = clock.nowMs
    await send(seen([outcome({ verdict, scheduledAtMs, startedAtMs: scheduledAtMs })], shard))
  }
  const use = (next: Config) => {
    view = evaluateView(next)
  }
  const timer = async () => (await store.row(rowId))?.row.dueAtMs
  return { told, runTo, look, use, timer }
}

test.each([
  { given: 'alone', left: [] },
  { given: 'and leaves another nobody looked at', left: ['cart'] },
])(
  'a blind monitor that leaves the config $given leaves no alert behind, though nothing is heard of it',
  async ({ left }) => {
    const { told, runTo, look, use, timer } = hub(shopConfig(['front', ...left]))
    for (let minute = 0; minute < 5; minute++) await look(minute, 'fail')
    await runTo(60)
    const before = told.filter((one) => one.includes('front'))
    expect(before).toEqual(['2 front-availability firing page', '9 front-blind firing ticket'])
    use(shopConfig(left))
    await runTo(76)
    const after = told.filter((one) => one.includes('front')).slice(before.length)
    expect(after.map((one) => one.replace(/^\d+ /, ''))).toEqual([
      'front-availability inactive page',
      'front-blind inactive ticket',
    ])
    if (left.length === 0) expect(await timer()).toBeUndefined()
  },
)

test('while all is well no shard wakes for that', () => {
  const pass = seen([outcome({ verdict: 'pass' })])
  const { againAtMs } = decideEvaluate({ shard: emptyShard, locations: new Map() }, pass, {
    rules: [ruleView(availability())],
    nowMs: start,
  })
  expect(againAtMs).toBeUndefined()
})

test('an alert whose rule is gone ends as what it was told as, and of the rule it was of', () => {
  const advisory: RuleView = { ...ruleView(availability()), alertId: 'front-down:advisory', severity: 'advisory' }
  const failing = ['tick', 'recheck'].map((look) => outcome({ verdict: 'fail', look }))
  const fired = decideEvaluate({ shard: emptyShard, locations: new Map() }, seen(failing), {
    rules: [advisory],
    nowMs: start,
  })
  const timer = { kind: 'timer' as const, id: 't', shard, rowId: '' }
  const { changes } = decideEvaluate({ shard: fired.shard, locations: new Map() }, timer, { rules: [], nowMs: start })
  expect(changes).toMatchObject([
    {
      alertId: 'front-down:advisory',
      ruleId: 'front-down',
      severity: 'advisory',
      to: 'inactive',
      reason: 'rule-removed',
    },
  ])
})

test.each([
  { given: 'was counted before', location: 'c' },
  { given: 'nobody knows', location: 'd' },
])(
  'the looks of a location that left the config and $given count for nothing and stop nobody',
  async ({ location }) => {
    const clock = { nowMs: start }
    const store = memoryStore({ nowMs: () => clock.nowMs })
    const passed: string[] = []
    const deployed = (locations: string[]) =>
      evaluateStep({
        store,
        nowMs: () => clock.nowMs,
        nudge: async () => {},
        passedOver: (all) => passed.push(...all),
        ...evaluateView(shopConfig(['front'], { locations })),
      })
    const look = (at: string, verdict: 'pass' | 'fail') =>
      seen(
        ['tick', 'recheck', 'recheck-2'].map((one) =>
          outcome({ verdict, look: one, location: at, scheduledAtMs: clock.nowMs, startedAtMs: clock.nowMs }),
        ),
        shard,
      )
    const before = deployed(['a', 'b', 'c'])
    for (const at of ['a', 'b', 'c']) await before(look(at, 'pass'))
    const after = deployed(['a', 'b'])
    const results: string[] = []
    for (let minute = 1; minute <= 2; minute++) {
      clock.nowMs += period
      for (const at of [location, 'a', 'b']) {
        const result = await after(look(at, at === location ? 'pass' : 'fail'))
        const changes =
          result.status === 'evaluated' ? result.changes.filter(({ severity }) => severity === 'page') : []
        results.push(`${at} ${result.status}`, ...changes.map(({ alertId, to }) => `${alertId} ${to}`))
      }
    }
    const every = [`${location} evaluated`, 'a evaluated', 'b evaluated']
    expect(results).toEqual([...every, 'front-availability firing', ...every])
    expect(passed).toEqual([location, location])
  },
)
