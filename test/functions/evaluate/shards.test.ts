import { expect, test } from '@jest/globals'
import { keys, type Observation } from '../../../functions/contract.ts'
import type { RuleView } from '../../../functions/evaluate/decide.ts'
import { latestOutcomes } from '../../../functions/latest-outcomes.ts'
import { timerRowId } from '../../../functions/row-ids.ts'
import { storedShards } from '../../../functions/shard-count.ts'
import { unpackShard } from '../../../functions/shard-packing.ts'
import { allShards, shardOf } from '../../../functions/shards.ts'
import type { Store } from '../../../stores/contract.ts'
import { availability, outcome, period, ruleView, seen, start } from '../builders.ts'
import { type Town, townWith } from './hub.ts'

const monitors = ['front', 'cart', 'list', 'pay', 'search', 'login', 'mail', 'vote']
const rules: RuleView[] = monitors.flatMap((monitorId) => [
  ruleView(availability(), { ruleId: `${monitorId}-down`, monitorId }),
  ruleView(
    { kind: 'absence', monitor: monitorId, severity: 'ticket', forSeconds: 300 },
    { ruleId: `${monitorId}-blind`, monitorId },
  ),
])

const looks = (verdict: 'pass' | 'fail', scheduledAtMs: number, count: number, of: readonly string[] = monitors) =>
  allShards(count).flatMap((shard) => {
    const own = of.filter((monitorId) => shardOf(monitorId, count) === shard)
    const outcomes = own.flatMap((monitorId) =>
      (verdict === 'fail' ? ['tick', 'recheck'] : ['tick']).map((look) =>
        outcome({ monitorId, verdict, scheduledAtMs, startedAtMs: scheduledAtMs, look }),
      ),
    )
    return outcomes.length > 0 ? [seen(outcomes, shard)] : []
  })

const alertsIn = async (store: Store, count: number): Promise<string[]> => {
  const items = await store.read(allShards(count).map(keys.shard))
  return [...items.values()].flatMap(({ value }) => Object.keys(unpackShard(value).alerts)).sort()
}

const changesTold = ({ told }: Town) => told.map(({ alertId, to }) => `${alertId} ${to}`).sort()
const all = (what: string) => monitors.map((id) => `${id}-down ${what}`).sort()

test('1, 4, 8 shards and a config of 1 again, with incidents open: state moves once, all resolve, no second page', async () => {
  const town = townWith(rules)
  const { store, clock, told } = town
  let minute = 0
  const tick = async (verdict: 'pass' | 'fail', deployed: ReturnType<Town['deployed']>, scheduled: number) => {
    clock.nowMs = start + minute * period
    for (const one of looks(verdict, clock.nowMs, scheduled))
      expect(await deployed(one)).toMatchObject({ status: 'evaluated' })
    minute++
  }
  await tick('fail', town.deployed(1), 1)
  expect(changesTold(town)).toEqual(all('firing'))
  await tick('fail', town.deployed(4), 1)
  await tick('fail', town.deployed(4), 4)
  await tick('fail', town.deployed(8), 4)
  await tick('fail', town.deployed(8), 8)
  await tick('fail', town.deployed(1), 8)
  await tick('fail', town.deployed(1), 1)
  expect(changesTold(town)).toEqual(all('firing'))
  expect(await storedShards(store)).toBe(8)
  expect(await alertsIn(store, 8)).toEqual(monitors.map((id) => `${id}-down`).sort())
  told.length = 0
  await tick('pass', town.deployed(1), 1)
  expect(changesTold(town)).toEqual(all('inactive'))
  expect(await alertsIn(store, 8)).toEqual([])
})

test('what changed in flight tells its end behind its beginning, across the move', async () => {
  const town = townWith(rules)
  for (const one of looks('fail', start, 1, ['front'])) await town.deployed(1)(one)
  for (const one of looks('pass', start + period, 1, ['front'])) await town.deployed(4)(one)
  const rows = (await town.store.due(start + period, 10)).map(({ row }) => row)
  const changeRow = (to: string) => rows.find(({ body }) => 'changes' in body && body.changes[0]?.to === to)
  expect(changeRow('inactive')?.body).toMatchObject({ after: changeRow('firing')?.id })
})

test('a message under an old count reaches every shard it is about, and counts once however often it comes', async () => {
  const town = townWith(rules)
  const evaluate = town.deployed(4)
  const [before] = looks('fail', start, 1)
  for (let copy = 0; copy < 3 && before; copy++) await evaluate(before)
  for (const one of looks('fail', start, 4)) await evaluate(one)
  expect(changesTold(town)).toEqual(all('firing'))
})

test('schedules that are split more than the store yet is reach it too', async () => {
  const town = townWith(rules)
  for (const one of looks('fail', start, 8)) await town.deployed(2)(one)
  expect(changesTold(town)).toEqual(all('firing'))
  expect(await storedShards(town.store)).toBe(2)
})

test('rule results under an old count find their rules', async () => {
  const series: RuleView[] = ['a', 'b', 'c', 'd'].map((id) => ({
    ruleId: id,
    alertId: id,
    service: 'shop',
    severity: 'page',
    judge: ({ result }) => {
      const met = (result?.active.length ?? 0) > 0
      const [status, reason] = met ? (['active', 'threshold-met'] as const) : (['inactive', 'condition-gone'] as const)
      return { status, met, reason, summary: id }
    },
  }))
  const town = townWith(series)
  const results = (atMs: number, active: boolean): Observation => ({
    kind: 'rule-results',
    id: String(atMs),
    shard: '0/1',
    results: series.map(({ ruleId }) => ({
      ruleId,
      atMs,
      status: 'ok',
      active: active ? [{ labels: {}, value: 1 }] : [],
    })),
  })
  await town.deployed(1)(results(start, true))
  await town.deployed(4)(results(start + 1000, true))
  await town.deployed(4)(results(start + 2000, false))
  expect(changesTold(town)).toEqual(['a', 'b', 'c', 'd'].flatMap((id) => [`${id} firing`, `${id} inactive`]))
})

test('the timer of a shard that moved wakes all its parts and ends, though nobody looks any more', async () => {
  const town = townWith(rules)
  const { clock, store } = town
  for (const one of looks('pass', start, 1)) await town.deployed(1)(one)
  clock.nowMs = start + 300_000
  const timer: Observation = { kind: 'timer', id: 'x', shard: '0/1', rowId: timerRowId('0/1') }
  expect(await town.deployed(8)(timer)).toMatchObject({ status: 'evaluated' })
  expect(changesTold(town)).toEqual(monitors.map((id) => `${id}-blind firing`).sort())
  expect(await store.row(timerRowId('0/1'))).toBeUndefined()
  expect(await town.deployed(8)(timer)).toEqual({ status: 'evaluated', changes: [] })
})

test('when one part moves, a timer makes the others move too, with what they have open', async () => {
  const town = townWith(rules)
  for (const one of looks('fail', start, 1)) await town.deployed(1)(one)
  const evaluate = town.deployed(4)
  for (const one of looks('fail', start + period, 4, ['front'])) await evaluate(one)
  town.clock.nowMs = start + period
  const due = (await town.store.due(town.clock.nowMs, 100)).filter(({ row }) => row.to === 'evaluate')
  expect(due.map(({ row }) => row.id)).toEqual([timerRowId('0/1')])
  await evaluate({ kind: 'timer', id: 'y', shard: '0/1', rowId: timerRowId('0/1') })
  const moved = unpackShard((await town.store.read([keys.shard('0/1')])).get(keys.shard('0/1'))?.value)
  expect([moved.moved.sort(), moved.alerts]).toEqual([allShards(4), {}])
  expect(await alertsIn(town.store, 4)).toEqual(monitors.map((id) => `${id}-down`).sort())
})

test('an alert whose rule left with the same deploy that split its shard ends all the same', async () => {
  const before = townWith(rules)
  for (const one of looks('fail', start, 1)) await before.deployed(1)(one)
  const after = townWith(rules.filter(({ ruleId }) => ruleId !== 'pay-down'))
  const evaluate = after.deployed(4, before.store)
  await evaluate({ kind: 'timer', id: 'x', shard: '0/1', rowId: timerRowId('0/1') })
  expect(changesTold(after)).toEqual(['pay-down inactive'])
})

/** A store whose first commit is overtaken by somebody else's work. */
const overtaken = (store: Store, meanwhile: () => Promise<unknown>): Store => {
  let first = true
  return {
    ...store,
    commit: async (changes, rows) => {
      if (first) {
        first = false
        await meanwhile()
      }
      return store.commit(changes, rows)
    },
  }
}

test.each([
  { given: 'a failing look', verdict: 'fail' as const },
  { given: 'a passing look that changes no alert', verdict: 'pass' as const },
])('$given that is written while its shard moves follows it, and is not lost', async ({ verdict }) => {
  const town = townWith(rules)
  for (const one of looks('pass', start, 1)) await town.deployed(1)(one)
  const split = async () => {
    for (const one of looks('pass', start + 1000, 4)) await town.deployed(4)(one)
  }
  const slow = town.deployed(1, overtaken(town.store, split))
  for (const one of looks(verdict, start + period, 1)) await slow(one)
  const config = {
    locations: ['local'],
    monitors: monitors.map((monitorId) => ({
      monitorId,
      service: 's',
      target: 't',
      locations: ['local'],
      periodSeconds: 60,
    })),
  }
  const outcomes = await latestOutcomes(town.store, config)
  expect(outcomes.map(({ scheduledAtMs, verdict: last }) => [scheduledAtMs, last])).toEqual(
    monitors.map(() => [start + period, verdict]),
  )
})

test('pages and questions see what a shard holds that has not moved yet, and each monitor once', async () => {
  const town = townWith(rules)
  for (const one of looks('pass', start, 1)) await town.deployed(1)(one)
  for (const one of looks('fail', start + period, 4, ['front'])) await town.deployed(4)(one)
  const views = monitors.map((monitorId) => ({
    monitorId,
    service: 's',
    target: 't',
    locations: ['local'],
    periodSeconds: 60,
  }))
  const outcomes = await latestOutcomes(town.store, { locations: ['local'], monitors: views })
  expect(outcomes.map(({ monitorId, verdict }) => `${monitorId} ${verdict}`).sort()).toEqual(
    monitors.map((id) => `${id} ${id === 'front' ? 'fail' : 'pass'}`).sort(),
  )
})

test('shards that are split side by side lose nothing', async () => {
  const town = townWith(rules)
  for (const one of looks('fail', start, 1)) await town.deployed(1)(one)
  const evaluate = town.deployed(8)
  const untilApplied = async (one: Observation) => {
    while ((await evaluate(one)).status === 'conflict');
  }
  await Promise.all(looks('pass', start + period, 8).map(untilApplied))
  expect(changesTold(town)).toEqual([...all('firing'), ...all('inactive')].sort())
})

test('a shard of as many locations as a config may have hands its part over, and goes on to judge it', async () => {
  const places = Array.from({ length: 32 }, (_, nth) => `place-${nth}`)
  const town = townWith([ruleView(availability(), { locations: places })], places)
  for (const location of places) await town.deployed(1)(seen([outcome({ verdict: 'pass', location })]))
  const scheduledAtMs = start + period
  town.clock.nowMs = scheduledAtMs
  const two = town.deployed(2)
  for (const location of places) {
    for (const look of ['tick', 'recheck', 'recheck-2']) {
      await two(seen([outcome({ verdict: 'fail', location, look, scheduledAtMs })], shardOf('front', 2)))
    }
  }
  expect(changesTold(town)).toEqual(['front-down firing'])
})
