import { keys } from '../../functions/contract.ts'
import { idPrefix, stormGroup } from '../../functions/correlate/groups.ts'
import { stamp } from '../../functions/correlate/incident.ts'
import { type Incident, incident } from '../../functions/hub-state.ts'
import type { Store } from '../../stores/contract.ts'

/** An incident that the index no longer lists is still there. */
export const storedIncident = async (store: Store, id: string): Promise<Incident | undefined> => {
  if (!/^[a-z0-9-]{1,100}$/.test(id)) return undefined
  const item = (await store.read([keys.incident(id)])).get(keys.incident(id))
  return item ? incident.parse(item.value) : undefined
}

/** What lasted longer was open for longer than anybody looks back. */
const backMs = 31 * 86_400_000
const limit = 300

/**
 * Looks among the incidents that the hub no longer lists for one that began before a moment: by the names that those of
 * a service have when they are grouped by it, and those of a storm.
 */
export const olderIncident = async (
  store: Store,
  { service, beforeMs }: { service: string | undefined; beforeMs: number },
  isIt: (one: Incident) => boolean,
): Promise<Incident | undefined> => {
  for (const group of [...(service === undefined ? [] : [service]), stormGroup]) {
    const prefix = keys.incident(`${idPrefix(group)}-`)
    const items = await store.list(prefix, { after: `${prefix}${stamp(beforeMs - backMs)}`, limit })
    const found = [...items.values()].map(({ value }) => incident.parse(value)).findLast(isIt)
    if (found) return found
  }
  return undefined
}
