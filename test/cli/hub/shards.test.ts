import { expect, test } from '@jest/globals'
import { settleShards } from '../../../cli/hub/shards.ts'
import type { Config } from '../../../config/schema.ts'
import { memoryStore } from '../../../stores/memory.ts'

const configOf = (monitors: number, shards = 1): Pick<Config, 'shards' | 'monitors'> => ({
  shards,
  // Only how many there are matters here.
  monitors: Object.fromEntries(Array.from({ length: monitors }, (_, index) => [`m${index}`, {}])) as Config['monitors'],
})

test.each([
  { given: 'a few monitors', config: configOf(3), count: 1 },
  { given: 'as many as one shard holds', config: configOf(16), count: 1 },
  { given: 'one more', config: configOf(17), count: 2 },
  { given: 'three hundred', config: configOf(300), count: 32 },
  { given: 'more asked for than needed', config: configOf(3, 8), count: 8 },
  { given: 'no monitor', config: configOf(0), count: 1 },
])('$given: $count shards', async ({ config, count }) => {
  expect(await settleShards(memoryStore({ nowMs: () => 0 }), config)).toBe(count)
})

test('state that was split is never joined again, whatever the config says later', async () => {
  const store = memoryStore({ nowMs: () => 0 })
  expect(await settleShards(store, configOf(100))).toBe(8)
  expect(await settleShards(store, configOf(3))).toBe(8)
  expect(await settleShards(store, configOf(3, 16))).toBe(16)
})
