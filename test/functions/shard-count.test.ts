import { expect, test } from '@jest/globals'
import type { Config } from '../../config/schema.ts'
import { shardsNeeded } from '../../config/shard-count.ts'
import { growShards, settleShards, storedShards } from '../../functions/shard-count.ts'
import { allShards, ancestors, kinOf, placeOf, shardOf } from '../../functions/shards.ts'
import { ruleSpec } from '../../rules/registry.ts'
import { memoryStore } from '../../stores/memory.ts'

const counted = ruleSpec.parse({
  kind: 'slo',
  service: 'shop',
  series: { cluster: 'town', total: 'a_total', bad: 'b_total' },
  objectivePercent: 99,
})

const configOf = (monitors: number, shards = 1, objectives = 0): Pick<Config, 'shards' | 'monitors' | 'rules'> => ({
  shards,
  rules: Object.fromEntries(Array.from({ length: objectives }, (_, index) => [`o${index}`, counted])),
  // Only how many there are matters here.
  monitors: Object.fromEntries(Array.from({ length: monitors }, (_, index) => [`m${index}`, {}])) as Config['monitors'],
})
const emptyStore = () => memoryStore({ nowMs: () => 0 })

test.each([
  { given: 'a few monitors', config: configOf(3), count: 1 },
  { given: 'as many as one shard holds', config: configOf(250), count: 1 },
  { given: 'one more', config: configOf(251), count: 2 },
  { given: 'ten thousand', config: configOf(10_000), count: 64 },
  { given: 'more asked for than needed', config: configOf(3, 8), count: 8 },
  { given: 'no monitor', config: configOf(0), count: 1 },
  { given: 'a thousand objectives over counters', config: configOf(3, 1, 1000), count: 4 },
])('$given: $count shards', async ({ config, count }) => {
  const store = emptyStore()
  expect(await settleShards(store, config)).toBe(count)
  expect(await storedShards(store)).toBe(count)
})

test('state that was split is never joined again, whatever the config says later', async () => {
  const store = emptyStore()
  expect(await settleShards(store, configOf(1000))).toBe(4)
  expect(await settleShards(store, configOf(3))).toBe(4)
  expect(await settleShards(store, configOf(3, 16))).toBe(16)
})

test('all who settle it at the same time end up with the largest', async () => {
  const store = emptyStore()
  await Promise.all([1, 8, 2, 4].map((count) => growShards(store, count)))
  expect(await storedShards(store)).toBe(8)
})

test('hashes spread ids so evenly that the fullest shard has at most a third more than the average', () => {
  for (const monitors of [500, 1000, 10_000, 64_000]) {
    const count = shardsNeeded(monitors)
    const all = Array.from({ length: monitors }, (_, index) => shardOf(`checkout-${index}-api`, count))
    const fullest = Math.max(...[...Map.groupBy(all, (shard) => shard).values()].map(({ length }) => length))
    expect(fullest).toBeLessThanOrEqual(330)
  }
})

test('a shard knows whom it is split from and into', () => {
  expect(ancestors('5/8')).toEqual(['1/4', '1/2', '0/1'])
  expect([kinOf('1/2', 8), kinOf('5/8', 2), kinOf('1/2', 2), kinOf('nonsense', 2)]).toEqual([
    ['1/8', '3/8', '5/8', '7/8'],
    ['1/2'],
    ['1/2'],
    [],
  ])
})

test('an id belongs to one of the shards that its shard is split into', () => {
  for (const id of ['front', 'cart', 'pay', 'search']) expect(kinOf(shardOf(id, 2), 16)).toContain(shardOf(id, 16))
})

test('shards of one count stand evenly apart, and the first one stays where it is', () => {
  expect(allShards(4).map(placeOf)).toEqual([0, 0.25, 0.5, 0.75])
  expect(placeOf('0/1024')).toBe(0)
})
