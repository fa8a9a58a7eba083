import type { Store } from '../stores/contract.ts'
import { type AlertTransition, keys } from './contract.ts'
import { storedShards } from './shard-count.ts'
import { unpackShard } from './shard-packing.ts'
import type { Alert } from './shard-state.ts'
import { allShards } from './shards.ts'

/** An alert that is pending or firing now, held or not. */
export type AlertNow = Alert & {
  alertId: string
  standing: AlertTransition['to']
  /** How often it came back within the last hour. */
  flaps: number
}

const shardCounts = (most: number): number[] => Array.from({ length: Math.log2(most) + 1 }, (_, power) => 2 ** power)

/**
 * Every alert there is. A shard that has not taken its part over yet has left it with the one it comes from, so all of
 * them are read; nothing is in two.
 */
export const alertsNow = async (store: Store): Promise<AlertNow[]> => {
  const shards = shardCounts(await storedShards(store)).flatMap(allShards)
  const items = await store.read(shards.map(keys.shard))
  return [...items.values()].flatMap(({ value }) => {
    const { alerts, fired } = unpackShard(value)
    return Object.entries(alerts).map(([alertId, alert]) => {
      const standing = alert.heldSinceMs === undefined ? alert.state : ('held' as const)
      return { ...alert, alertId, standing, flaps: fired[alertId]?.length ?? 0 }
    })
  })
}
