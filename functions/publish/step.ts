/**
 * Reads the hub's index, its recent incidents and the last outcomes; decides what the public may see; writes the status
 * page. It consumes its rows after the page is written.
 * Run twice: the same page is written again.
 */
import type { Blobs, Store } from '../../stores/contract.ts'
import { emptyIndex, type HubIndex, hubIndex, type Incident, incident, keys, statusPageKey } from '../contract.ts'
import { latestOutcomes, type MonitorView } from '../latest-outcomes.ts'
import { type StatusView, statusView } from './view.ts'

export type PublishWorld = {
  store: Store
  blobs: Blobs
  nowMs: () => number
  config: { title: string; shards: number; locations: readonly string[]; monitors: readonly MonitorView[] }
  render: (view: StatusView) => string
}

/** The hub's index and the incidents it lists, the newest first; at the end those open for so long that it no longer does. */
export const readHub = async (store: Store): Promise<{ index: HubIndex; incidents: Incident[] }> => {
  const stored = (await store.read([keys.hub])).get(keys.hub)
  const index = stored ? hubIndex.parse(stored.value) : emptyIndex
  const ids = [...new Set([...index.recent, ...Object.values(index.open)])]
  const items = await store.read(ids.map(keys.incident))
  const incidents = ids.flatMap((id) => {
    const item = items.get(keys.incident(id))
    return item ? [incident.parse(item.value)] : []
  })
  return { index, incidents }
}

const consume = async (store: Store, rowId: string) => {
  const row = await store.row(rowId)
  if (row) await store.commit([], [{ id: row.row.id, expect: row.version }])
}

/** Writes the status page; with row ids, because those rows demanded it: one page answers them all. */
export const publishStep =
  (world: PublishWorld) =>
  async (...rowIds: readonly string[]): Promise<StatusView> => {
    const { title, monitors } = world.config
    const [hub, outcomes] = await Promise.all([readHub(world.store), latestOutcomes(world.store, world.config)])
    const seen = { incidents: hub.incidents, outcomes }
    const view = statusView({ title, monitors, nowMs: world.nowMs() }, hub.index, seen)
    await world.blobs.put(statusPageKey, new TextEncoder().encode(world.render(view)))
    for (const rowId of rowIds) await consume(world.store, rowId)
    return view
  }
