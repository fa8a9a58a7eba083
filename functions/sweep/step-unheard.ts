import type { Store } from '../../stores/contract.ts'
import { keys, type Nudge } from '../contract.ts'
import { timerRow } from '../row-ids.ts'
import { storedShards } from '../shard-count.ts'
import { allShards } from '../shards.ts'

export type UnheardWorld = {
  store: Store
  nowMs: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  /** As many shards as the config wants. */
  shards: number
}

/** The others wait for the next sweep. */
const wokenAtOnce = 100

const wake = async ({ store, nowMs, nudge }: UnheardWorld, shard: string): Promise<boolean> => {
  const row = timerRow(shard, nowMs())
  if ((await store.commit([], [{ id: row.id, expect: 0, row }])) === 'conflict') return false
  await nudge([{ to: row.to, rowId: row.id, afterMs: 0 }])
  return true
}

/**
 * Wakes shards `evaluate` never heard of, so that silence counts from the beginning: a hub whose probes never look
 * would otherwise have no timer that could say so. Answers how many it woke; reads nothing once all have been heard of.
 */
export const wakeUnheard = (world: UnheardWorld): (() => Promise<number>) => {
  let allHeard = false
  return async () => {
    if (allHeard) return 0
    const shards = allShards(Math.max(world.shards, await storedShards(world.store)))
    const heard = await world.store.read(shards.map(keys.shard))
    const unheard = shards.filter((shard) => !heard.has(keys.shard(shard)))
    allHeard = unheard.length === 0
    let woken = 0
    for (const shard of unheard.slice(0, wokenAtOnce)) woken += (await wake(world, shard)) ? 1 : 0
    return woken
  }
}
