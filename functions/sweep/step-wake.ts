import type { Store } from '../../stores/contract.ts'
import type { Nudge } from '../contract.ts'
import { timerRow, timerRowId } from '../row-ids.ts'
import { storedShards } from '../shard-count.ts'
import { allShards } from '../shards.ts'

export type WakeWorld = {
  store: Store
  nowMs: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  /** As many shards as the config wants. */
  shards: number
}

/** The others wait for the next sweep. */
const lookedAtOnce = 100

const wake = async ({ store, nowMs, nudge }: WakeWorld, shard: string): Promise<number> => {
  if (await store.row(timerRowId(shard))) return 0
  const row = timerRow(shard, nowMs())
  if ((await store.commit([], [{ id: row.id, expect: 0, row }])) === 'conflict') return 0
  await nudge([{ to: row.to, rowId: row.id, afterMs: 0 }])
  return 1
}

/**
 * Wakes shards that have no timer, each once in the life of a process: what a deployment brings is judged by new
 * processes, so that silence counts from then on. A hub whose probes never look, or a shard whose first rule is of
 * silence, would otherwise have nothing that could say so; a shard that has nothing to judge sleeps on. Answers how
 * many it woke; reads nothing once all have been looked at.
 */
export const wakeShards = (world: WakeWorld): (() => Promise<number>) => {
  let left: string[] | undefined
  return async () => {
    left ??= allShards(Math.max(world.shards, await storedShards(world.store)))
    let woken = 0
    for (const shard of left.slice(0, lookedAtOnce)) woken += await wake(world, shard)
    left = left.slice(lookedAtOnce)
    return woken
  }
}
