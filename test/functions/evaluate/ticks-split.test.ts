import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { keys } from '../../../functions/contract.ts'
import { unpackLocation } from '../../../functions/location-packing.ts'
import { allShards, shardOf } from '../../../functions/shards.ts'
import { sliKeepMs, sliOf } from '../../../functions/sli-state.ts'
import { slisNow } from '../../../functions/slis-now.ts'
import type { ProbeOutcome } from '../../../probes/contract.ts'
import { ruleSli, ruleSpec } from '../../../rules/registry.ts'
import type { Store } from '../../../stores/contract.ts'
import { outcome, period, seen, start } from '../builders.ts'
import { sloView, townWith } from './hub.ts'

const locations = ['local', 'elsewhere']
const monitors = ['front', 'cart', 'list', 'pay', 'search']
const rule = ruleSpec.parse({ kind: 'slo', monitor: 'front', objectivePercent: 99.9 })
const sli = ruleSli(rule)
const rules = monitors.map((monitorId) => sloView(monitorId, { rule, locations }))

const counts = [1, 2, 4, 8] as const
const verdicts = ['pass', 'pass', 'fail', 'unknown'] as const

const look = fc.record({
  who: fc.nat({ max: monitors.length - 1 }),
  where: fc.nat({ max: locations.length - 1 }),
  /** Those of the last forty minutes still wait in their location's item. */
  minute: fc.nat({ max: 120 }),
  verdict: fc.nat({ max: verdicts.length - 1 }),
})

const tickOf = ({ who, where, minute, verdict }: { who: number; where: number; minute: number; verdict: number }) => {
  const scheduledAtMs = start - minute * period
  const monitorId = monitors[who] ?? 'front'
  const location = locations[where] ?? 'local'
  return outcome({
    monitorId,
    location,
    scheduledAtMs,
    startedAtMs: scheduledAtMs,
    verdict: verdicts[verdict] ?? 'pass',
  })
}

/** One tick of each monitor, location and minute; all of them at least twice, in any order. */
const traffic = fc.array(look, { minLength: 4, maxLength: 80 }).chain((given) => {
  const ticks = [...new Map(given.map((one) => [`${one.who} ${one.where} ${one.minute}`, one])).values()].map(tickOf)
  const all = [...ticks, ...ticks]
  return fc.record({
    ticks: fc.constant(ticks),
    order: fc.shuffledSubarray(all, { minLength: all.length }),
    size: fc.integer({ min: 1, max: 7 }),
    /** When the number of shards doubles, as shares of the way. */
    splits: fc.array(fc.nat({ max: 99 }), { minLength: 1, maxLength: 3 }),
    /** Schedules and functions of before, which are still about. */
    late: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 12 }),
  })
})

const countsOf = async (store: Store, nowMs: number) => {
  const ruleIds = rules.map(({ ruleId }) => ruleId)
  const states = await slisNow(store, { ruleIds, locations, nowMs })
  return ruleIds.map((ruleId) => {
    const state = states.get(ruleId)
    const all = { good: 0, bad: 0, unknown: 0 }
    const { minutes, hours } = state ? sliOf(state) : { minutes: [], hours: [] }
    for (const { good, bad, unknown } of [...minutes, ...hours]) {
      all.good += good
      all.bad += bad
      all.unknown += unknown
    }
    return { ruleId, ...all }
  })
}

const expected = (ticks: readonly ProbeOutcome[]) =>
  monitors.map((monitorId) => {
    const all = { good: 0, bad: 0, unknown: 0 }
    for (const tick of ticks) {
      if (tick.monitorId === monitorId && sli) all[sli({ verdict: tick.verdict, tookMs: tick.timingsMs.total })]++
    }
    return { ruleId: `${monitorId}-slo`, ...all }
  })

test('counters are exact through every split, in any order, with repeats, and with messages of before', async () => {
  await fc.assert(
    fc.asyncProperty(traffic, async ({ ticks, order, size, splits, late }) => {
      const { store, clock, deployed } = townWith(rules, locations)
      clock.nowMs = start
      const hubs = counts.map((count) => deployed(count))
      for (let at = 0; at < order.length; at += size) {
        const level = splits.filter((share) => share <= (at / order.length) * 100).length
        const behind = late[(at / size) % late.length] ?? 0
        const hub = hubs[Math.max(0, level - (behind & 1))]
        const count = counts[Math.max(0, level - (behind >> 1))] ?? 1
        const chunk = order.slice(at, at + size)
        for (const shard of allShards(count)) {
          const own = chunk.filter(({ monitorId }) => shardOf(monitorId, count) === shard)
          if (own.length > 0) expect(await hub?.(seen(own, shard))).toMatchObject({ status: 'evaluated' })
        }
      }
      expect(await countsOf(store, clock.nowMs)).toEqual(expected(ticks))
    }),
    { seed: 20261123, numRuns: 150 },
  )
})

test('what waits when its shard is split is counted once, by whoever has its rule, and goes on to its item', async () => {
  const { store, clock, deployed } = townWith(rules, locations)
  const tickAt = async (minute: number, count: 1 | 2, hub: ReturnType<typeof deployed>) => {
    clock.nowMs = start + minute * period
    for (const shard of allShards(count)) {
      const own = monitors.filter((monitorId) => shardOf(monitorId, count) === shard)
      const at = { scheduledAtMs: clock.nowMs, startedAtMs: clock.nowMs, verdict: 'pass' as const }
      await hub(
        seen(
          own.map((monitorId) => outcome({ ...at, monitorId })),
          shard,
        ),
      )
    }
  }
  const [before, after] = [deployed(1), deployed(2)]
  for (let minute = 0; minute < 20; minute++) await tickAt(minute, 1, before)
  const waiting = await store.read([keys.location('0/1', 'local')])
  expect(Object.keys(unpackLocation(waiting.get(keys.location('0/1', 'local'))?.value).ticks ?? {})).toHaveLength(5)
  for (let minute = 20; minute < 90; minute++) {
    await tickAt(minute, 2, after)
    const all = { good: minute + 1, bad: 0, unknown: 0 }
    expect(await countsOf(store, clock.nowMs)).toEqual(rules.map(({ ruleId }) => ({ ruleId, ...all })))
  }
  for (const shard of allShards(2)) {
    const key = keys.location(shard, 'local')
    const ids = Object.keys(unpackLocation((await store.read([key])).get(key)?.value).ticks ?? {})
    expect(ids).toHaveLength(monitors.filter((monitorId) => shardOf(monitorId, 2) === shard).length)
  }
})

test('the item of a rule that left the config goes when no window reaches what it holds; of one that stays it is kept', async () => {
  const { store, clock, deployed } = townWith(rules, locations)
  const evaluate = deployed(1)
  const tick = (monitorId: string) =>
    evaluate(seen([outcome({ monitorId, verdict: 'pass', scheduledAtMs: clock.nowMs, startedAtMs: clock.nowMs })]))
  const isThere = async (id: string) => (await store.read([keys.slo(id)])).size === 1
  for (const minute of [0, 41]) {
    clock.nowMs = start + minute * period
    for (const monitorId of ['front', 'cart']) await tick(monitorId)
  }
  expect([await isThere('front-slo'), await isThere('cart-slo')]).toEqual([true, true])
  const goneMs = clock.nowMs + sliKeepMs
  for (let day = 1; day <= 93; day++) {
    clock.nowMs = start + day * 86_400_000
    await tick('cart')
  }
  clock.nowMs = goneMs - 1
  expect(await isThere('front-slo')).toBe(true)
  clock.nowMs = goneMs
  expect([await isThere('front-slo'), await isThere('cart-slo')]).toEqual([false, true])
})
