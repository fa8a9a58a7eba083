import { incident } from '../../functions/contract.ts'
import type { Store } from '../../stores/contract.ts'

const pageSize = 500

/** Which alerts every incident's record holds: all that the storm bench knows of how `correlate` keeps them. */
export const alertsByIncident = async (store: Store): Promise<Map<string, string[]>> => {
  const found = new Map<string, string[]>()
  for (let after: string | undefined; ; ) {
    const page = await store.list('incident/', { limit: pageSize, ...(after === undefined ? {} : { after }) })
    for (const { value } of page.values()) {
      const { id, alerts } = incident.parse(value)
      found.set(id, Object.keys(alerts))
    }
    after = [...page.keys()].at(-1)
    if (page.size < pageSize) return found
  }
}
