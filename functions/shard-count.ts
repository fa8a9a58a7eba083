import * as z from 'zod'
import type { Config } from '../config/schema.ts'
import { shardsLimit, shardsWanted } from '../config/shard-count.ts'
import type { Store, Stored } from '../stores/contract.ts'
import { keys } from './contract.ts'

const settled = z.object({ count: z.int().min(1).max(shardsLimit) })

/** What item `hub/shards` says; 1 for a store that never said. */
export const countIn = (items: ReadonlyMap<string, Stored>): number =>
  settled.safeParse(items.get(keys.shards)?.value).data?.count ?? 1

/** How many shards this store is split into now, whatever a config says. */
export const storedShards = async (store: Store): Promise<number> => countIn(await store.read([keys.shards]))

const tries = 10

/**
 * Sees to it that the store has at least so many shards, and answers how many it has. Anybody may call it at any time,
 * side by side. Rejects when the store cannot be written.
 */
export const growShards = async (store: Store, wanted: number): Promise<number> => {
  for (let attempt = 1; attempt <= tries; attempt++) {
    const items = await store.read([keys.shards])
    const stored = items.get(keys.shards)
    const before = countIn(items)
    const count = Math.min(shardsLimit, Math.max(before, wanted))
    if (stored && count === before) return count
    const change = { key: keys.shards, expect: stored?.version ?? 0, value: { count } }
    if ((await store.commit([change])) === 'committed') return count
  }
  throw new Error('the number of shards could not be settled: others kept changing it')
}

/**
 * How many shards this hub has: what the config says or needs and what there ever were, whichever is
 * most. The number only grows, since state that moved to a larger count does not come back.
 */
export const settleShards = (store: Store, config: Pick<Config, 'shards' | 'monitors' | 'rules'>): Promise<number> =>
  growShards(store, shardsWanted(config))
