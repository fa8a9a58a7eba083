import type { Consumer } from './queue.ts'

const notMoreOftenMs = 1000

/** In a storm one status page a second must do: every rendering shows all that was written before it. */
export const publishLane = (publish: (...rowIds: string[]) => Promise<unknown>, nowMs: () => number): Consumer => {
  let againAtMs = 0
  return {
    concurrency: 1,
    batch: 50,
    consume: async (rowIds) => {
      const afterMs = againAtMs - nowMs()
      // Longer than that, and somebody set the clock.
      if (afterMs > 0 && afterMs <= notMoreOftenMs) return rowIds.map((rowId) => ({ rowId, afterMs }))
      againAtMs = nowMs() + notMoreOftenMs
      await publish(...rowIds)
      return []
    },
  }
}
