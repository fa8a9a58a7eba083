/**
 * Reads the hub's index, its recent incidents and the last outcomes; decides what the public may see; writes the status
 * page, and once more when the hub has moved on meanwhile. It consumes its rows after the page is written.
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

/** `version`: of the index, which every commit of `correlate` moves. What was read is as new as that, or newer. */
export type HubReading = { version: number; components: ReadonlyMap<string, Component>; incidents: Incident[] }

const readIndex = async (store: Store) => (await store.read([keys.hub])).get(keys.hub)

/** Every component and the incidents the hub lists, the newest first; at the end those open for so long that it no longer does. */
export const readHub = async (store: Store): Promise<HubReading> => {
  const stored = await readIndex(store)
  const [groups, components] = await Promise.all([listAll(store, 'group/'), listAll(store, 'component/')])
  const { recent } = stored ? hubIndex.parse(stored.value) : emptyIndex
  const ids = [...new Set([...recent, ...groups.map(([, value]) => group.parse(value).incidentId)])]
  const found = await store.read(ids.map(keys.incident))
  return {
    version: stored?.version ?? 0,
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

/** So often at most for one call: the next minute writes it anyway. */
const writesAtMost = 3

/**
 * Writes the status page; with row ids, because those rows demanded it: one page answers them all. Nobody waits for
 * others who write it too, so each looks afterwards: a page that was slow must not hide newer ones.
 */
export const publishStep = (world: PublishWorld): ((...rowIds: readonly string[]) => Promise<StatusView>) => {
  const { store, config } = world
  const { title, monitors } = config
  const memory = remembered()
  const write = async () => {
    const [hub, outcomes] = await Promise.all([readHub(store), latestOutcomes(store, config, memory)])
    const view = statusView({ title, monitors, nowMs: world.nowMs() }, { ...hub, outcomes })
    await world.blobs.put(statusPageKey, new TextEncoder().encode(world.render(view)))
    const isNewest = ((await readIndex(store))?.version ?? 0) === hub.version
    return { view, isNewest }
  }
  return async (...rowIds) => {
    // The rows first: what is changed after they were read writes them again.
    const rows = await Promise.all(rowIds.map((id) => store.row(id)))
    let written = await write()
    for (let writes = 1; !written.isNewest && writes < writesAtMost; writes++) written = await write()
    for (const row of rows) if (row) await consume(store, row)
    return written.view
  }
}
