import type { Store } from '../stores/contract.ts'
import { keys } from './contract.ts'
import { emptyIndex, hubIndex, type Incident, incident } from './hub-state.ts'

/** The incidents that the hub's index lists, the newest first; none when there is no hub yet. */
export const recentIncidents = async (store: Store): Promise<Incident[]> => {
  const stored = (await store.read([keys.hub])).get(keys.hub)
  const { recent } = stored ? hubIndex.parse(stored.value) : emptyIndex
  const items = await store.read(recent.map(keys.incident))
  return recent.flatMap((id) => {
    const item = items.get(keys.incident(id))
    return item ? [incident.parse(item.value)] : []
  })
}
