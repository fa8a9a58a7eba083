import * as z from 'zod'
import type { Config } from '../../config/schema.ts'
import type { Store } from '../../stores/contract.ts'

/** So many monitors are sure to fit the items of one shard, with every one of them failing and ids unevenly spread. */
const monitorsPerShard = 16
const shardsLimit = 1024

const key = 'hub/shards'
const settled = z.object({ count: z.int().min(1).max(shardsLimit) })

/**
 * How many shards this store is split into: what the config says, what its monitors need and what there ever were,
 * whichever is most. The number only grows, since state that moved to a larger count does not come back.
 */
export const settleShards = async (store: Store, config: Pick<Config, 'shards' | 'monitors'>): Promise<number> => {
  const stored = (await store.read([key])).get(key)
  const before = settled.safeParse(stored?.value).data?.count ?? 1
  const needed = 2 ** Math.ceil(Math.log2(Math.max(1, Object.keys(config.monitors).length / monitorsPerShard)))
  const count = Math.min(shardsLimit, Math.max(before, needed, config.shards))
  if (!stored || count !== before) await store.commit([{ key, expect: stored?.version ?? 0, value: { count } }])
  return count
}
