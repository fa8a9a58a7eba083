import { expect, test } from '@jest/globals'
import { keys, type Nudge } from '../../../functions/contract.ts'
import type { RuleView } from '../../../functions/evaluate/decide.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { unpackLocation } from '../../../functions/location-packing.ts'
import { unpackShard } from '../../../functions/shard-packing.ts'
import type { RuleSpec } from '../../../rules/registry.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { availability, outcome, period, ruleView, seen, start } from '../builders.ts'

const monitors = ['front', 'cart', 'list', 'pay', 'search', 'login']

const hubWith = (options: { rules?: readonly RuleView[] } = {}) => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const nudges: Nudge[] = []
  const deployed = (rules: readonly RuleView[]) =>
    evaluateStep({
      store,
      nowMs: () => clock.nowMs,
      nudge: async (more) => {
        nudges.push(...more)
      },
      locations: ['local'],
      rulesOf: () => rules,
      home: { monitor: () => '0/1', rule: () => '0/1' },
    })
  const all = monitors.map((monitorId) => ruleView(availability(), { ruleId: `${monitorId}-down`, monitorId }))
  return { store, evaluate: deployed(options.rules ?? all), deployed, nudges, clock }
}

const failing = (monitorId: string, scheduledAtMs = start) => [
  outcome({ monitorId, verdict: 'fail', scheduledAtMs }),
  outcome({ monitorId, verdict: 'fail', scheduledAtMs, look: 'recheck' }),
]

test('a firing alert is told in the transaction that decided it, then nudged', async () => {
  const { evaluate, store, nudges } = hubWith()
  await evaluate(seen(failing('front')))
  const [due] = await store.due(start, 10)
  expect(due?.row).toMatchObject({
    to: 'correlate',
    body: { kind: 'alert-changes', changes: [{ alertId: 'front-down', to: 'firing' }] },
  })
  expect(nudges).toEqual([{ to: 'correlate', rowId: due?.row.id, afterMs: 0 }])
})

test('two evaluations of one shard at once lose nothing', async () => {
  const { evaluate, store } = hubWith()
  const untilApplied = async (monitorId: string) => {
    while ((await evaluate(seen(failing(monitorId)))).status === 'conflict');
  }
  await Promise.all(monitors.map(untilApplied))
  const stored = (await store.read([keys.shard('0/1')])).get(keys.shard('0/1'))
  expect(Object.keys(unpackShard(stored?.value).alerts).sort()).toEqual(monitors.map((id) => `${id}-down`).sort())
})

test('when nothing changes nothing is written', async () => {
  const { evaluate, store } = hubWith()
  await evaluate(seen([outcome({ verdict: 'pass' })]))
  const version = async () => (await store.read([keys.shard('0/1')])).get(keys.shard('0/1'))?.version
  const before = await version()
  await evaluate(seen([outcome({ verdict: 'pass' })]))
  expect(await version()).toBe(before)
})

test('a tick that changes no alert writes its own counters alone', async () => {
  const { evaluate, store } = hubWith()
  await evaluate(seen([outcome({ verdict: 'pass' })]))
  const items = [keys.shard('0/1'), keys.location('0/1', 'local')]
  const versions = async () => [...(await store.read(items)).values()].map(({ version }) => version)
  expect(await versions()).toEqual([1, 1])
  await evaluate(seen([outcome({ verdict: 'pass', scheduledAtMs: start + period })]))
  expect(await versions()).toEqual([1, 2])
  await evaluate(seen([outcome({ verdict: 'fail', scheduledAtMs: start + 2 * period })]))
  expect(await versions()).toEqual([2, 3])
})

const blind = (): RuleView[] => {
  const rule: RuleSpec = { kind: 'absence', monitor: 'front', severity: 'ticket', forSeconds: 300 }
  return [ruleView(rule, { ruleId: 'front-blind' })]
}

test('a deadline is one timer row a shard, and firing it leaves one only while there is an alert', async () => {
  const hub = hubWith({ rules: blind() })
  await hub.evaluate(seen([outcome({ verdict: 'pass' })]))
  const later = start + 300_000
  const [timer] = await hub.store.due(later, 10)
  expect(timer?.row).toMatchObject({ id: 'timer:0/1', to: 'evaluate', dueAtMs: later })
  hub.clock.nowMs = later
  const result = await hub.evaluate({ kind: 'timer', id: 'x', shard: '0/1', rowId: 'timer:0/1' })
  expect(result).toMatchObject({
    status: 'evaluated',
    changes: [{ alertId: 'front-blind', to: 'firing', reason: 'silence-too-long' }],
  })
  const again = (await hub.store.row('timer:0/1'))?.row.dueAtMs ?? 0
  expect(again).toBe(later + 900_000)
  hub.clock.nowMs = again
  await hub.deployed([])({ kind: 'timer', id: 'y', shard: '0/1', rowId: 'timer:0/1' })
  expect(await hub.store.row('timer:0/1')).toBeUndefined()
})

test('a timer that fires before the deadline moved sets itself to the new one', async () => {
  const hub = hubWith({ rules: blind() })
  await hub.evaluate(seen([outcome({ verdict: 'pass' })]))
  await hub.evaluate(seen([outcome({ verdict: 'pass', scheduledAtMs: start + 200_000 })]))
  hub.clock.nowMs = start + 300_000
  const result = await hub.evaluate({ kind: 'timer', id: 'x', shard: '0/1', rowId: 'timer:0/1' })
  expect(result).toEqual({ status: 'evaluated', changes: [] })
  expect((await hub.store.row('timer:0/1'))?.row.dueAtMs).toBe(start + 500_000)
})

test('the rows of a shard tell their order, so that an end cannot overtake its beginning', async () => {
  const { evaluate, store } = hubWith()
  await evaluate(seen(failing('front')))
  await evaluate(seen([outcome({ verdict: 'pass', scheduledAtMs: start + period })]))
  const rows = (await store.due(start, 10)).map(({ row }) => row)
  const first = rows.find(({ body }) => 'changes' in body && body.changes[0]?.to === 'firing')
  const second = rows.find(({ body }) => 'changes' in body && body.changes[0]?.to === 'inactive')
  expect(second?.body).toMatchObject({ after: first?.id })
})

test('what is too old to alert judges nothing, so that the next look has all rules judged', async () => {
  const front = ruleView(
    { kind: 'absence', monitor: 'front', severity: 'ticket', forSeconds: 300 },
    { ruleId: 'front-blind' },
  )
  const cart = ruleView(availability(), { ruleId: 'cart-down', monitorId: 'cart' })
  const hub = hubWith({ rules: [front, cart] })
  await hub.evaluate(seen([outcome({ verdict: 'pass' })]))
  hub.clock.nowMs = start + 15 * period
  const late = outcome({ verdict: 'pass', monitorId: 'cart', scheduledAtMs: start + period })
  expect(await hub.evaluate(seen([late]))).toEqual({ status: 'evaluated', changes: [] })
  const look = outcome({ verdict: 'pass', monitorId: 'cart', scheduledAtMs: hub.clock.nowMs })
  expect(await hub.evaluate(seen([look]))).toMatchObject({ changes: [{ alertId: 'front-blind', to: 'firing' }] })
})

const many = (count: number, verdict: 'pass' | 'fail') =>
  Array.from({ length: count }, (_, index) =>
    ['tick', 'recheck'].map((look) =>
      outcome({
        monitorId: `monitor-${index}`,
        verdict,
        look,
        cause: { phase: 'assert', code: 'assert-body', detail: 'ü'.repeat(300) },
      }),
    ),
  ).flat()

test('forty monitors that fail for long in one shard fit its items and are all told', async () => {
  const rules = Array.from({ length: 40 }, (_, index) =>
    ruleView(availability(), { ruleId: `monitor-${index}-down`, monitorId: `monitor-${index}` }),
  )
  const { evaluate, store } = hubWith({ rules })
  for (let tick = 0; tick < 15; tick++) {
    const outcomes = many(40, 'fail').map((one) => ({ ...one, scheduledAtMs: start + tick * 1000 }))
    expect(await evaluate(seen(outcomes))).toMatchObject({ status: 'evaluated' })
  }
  const told = (await store.due(start, 10)).flatMap(({ row }) => ('changes' in row.body ? row.body.changes : []))
  expect(told).toHaveLength(40)
})

test('the counters of a monitor that left the config leave with it', async () => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const watched = new Set(['front', 'cart'])
  const evaluate = evaluateStep({
    store,
    nowMs: () => clock.nowMs,
    nudge: async () => undefined,
    locations: ['local'],
    rulesOf: () => [],
    home: { monitor: () => '0/1', rule: () => '0/1' },
    watches: (monitorId) => watched.has(monitorId),
  })
  await evaluate(seen([outcome({ verdict: 'pass' }), outcome({ verdict: 'pass', monitorId: 'cart' })]))
  watched.delete('cart')
  await evaluate(seen([outcome({ verdict: 'pass', scheduledAtMs: start + period })]))
  const item = (await store.read([keys.location('0/1', 'local')])).get(keys.location('0/1', 'local'))
  expect(Object.keys(unpackLocation(item?.value).monitors)).toEqual(['front'])
})
