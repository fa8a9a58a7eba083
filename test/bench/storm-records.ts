import { alertPage, incident } from '../../functions/hub-state.ts'
import type { Store } from '../../stores/contract.ts'

const pageSize = 500

const listAll = async (store: Store, prefix: string): Promise<[string, unknown][]> => {
  const all: [string, unknown][] = []
  for (let after: string | undefined; ; ) {
    const page = await store.list(prefix, { limit: pageSize, ...(after === undefined ? {} : { after }) })
    for (const [key, { value }] of page) all.push([key, value])
    after = [...page.keys()].at(-1)
    if (page.size < pageSize) return all
  }
}

/** Which alerts every incident's records hold: all that the storm bench knows of how `correlate` keeps them. */
export const alertsByIncident = async (store: Store): Promise<Map<string, string[]>> => {
  const found = new Map<string, string[]>()
  for (const [, value] of await listAll(store, 'incident/')) {
    const { id, alerts } = incident.parse(value)
    found.set(id, Object.keys(alerts))
  }
  for (const [key, value] of await listAll(store, 'alerts/')) {
    const id = key.split('/')[1] ?? ''
    found.set(id, [...(found.get(id) ?? []), ...Object.keys(alertPage.parse(value))])
  }
  return found
}
