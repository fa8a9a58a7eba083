/**
 * Reads the hub's index, its recent incidents and the last outcomes; decides what the public may see; writes the status
 * page. It consumes its rows after the page is written.
 * Run twice: the same page is written again.
 */
import type { Blobs, Store, StoredRow } from '../../stores/contract.ts'
import { keys, statusPageKey } from '../contract.ts'
import { type Component, component, emptyIndex, group, hubIndex, type Incident, incident } from '../hub-state.ts'
import { latestOutcomes, type MonitorView } from '../latest-outcomes.ts'
import { remembered } from '../remembered.ts'
import { type StatusView, statusView } from './view.ts'

export type PublishWorld = {
  store: Store
  blobs: Blobs
  nowMs: () => number
  config: { title: string; shards: number; locations: readonly string[]; monitors: readonly MonitorView[] }
  render: (view: StatusView) => string
}

const pageSize = 500

const listAll = async (store: Store, prefix: string): Promise<[string, unknown][]> => {
  const all: [string, unknown][] = []
  for (let after = ''; ; ) {
    const page = await store.list(prefix, { limit: pageSize, after })
    for (const [key, { value }] of page) all.push([key.slice(prefix.length), value])
    if (page.size < pageSize) return all
    after = `${prefix}${all.at(-1)?.[0]}`
  }
}

export type HubReading = { components: ReadonlyMap<string, Component>; incidents: Incident[] }

/** Every component and the incidents the hub lists, the newest first; at the end those open for so long that it no longer does. */
export const readHub = async (store: Store): Promise<HubReading> => {
  const [items, groups, components] = await Promise.all([
    store.read([keys.hub]),
    listAll(store, 'group/'),
    listAll(store, 'component/'),
  ])
  const stored = items.get(keys.hub)
  const { recent } = stored ? hubIndex.parse(stored.value) : emptyIndex
  const ids = [...new Set([...recent, ...groups.map(([, value]) => group.parse(value).incidentId)])]
  const found = await store.read(ids.map(keys.incident))
  return {
    components: new Map(components.map(([service, value]) => [service, component.parse(value)])),
    incidents: ids.flatMap((id) => {
      const item = found.get(keys.incident(id))
      return item ? [incident.parse(item.value)] : []
    }),
  }
}

/** A row that was written again meanwhile demands a newer page than ours: it stays, and whoever wrote it nudged it. */
const consume = async (store: Store, { row, version }: StoredRow) => {
  await store.commit([], [{ id: row.id, expect: version }])
}

/** Writes the status page; with row ids, because those rows demanded it: one page answers them all. */
export const publishStep = (world: PublishWorld): ((...rowIds: readonly string[]) => Promise<StatusView>) => {
  const memory = remembered()
  return async (...rowIds) => {
    const { store, config } = world
    // The rows first: what is changed after they were read writes them again.
    const rows = await Promise.all(rowIds.map((id) => store.row(id)))
    const [hub, outcomes] = await Promise.all([readHub(store), latestOutcomes(store, config, memory)])
    const { title, monitors } = config
    const view = statusView({ title, monitors, nowMs: world.nowMs() }, { ...hub, outcomes })
    await world.blobs.put(statusPageKey, new TextEncoder().encode(world.render(view)))
    for (const row of rows) if (row) await consume(store, row)
    return view
  }
}
