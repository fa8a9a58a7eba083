/**
 * Reads an incident and the row that would acknowledge it; decides whether there is anything to take on; writes that
 * row, for `correlate`, which alone changes incidents.
 * Run twice: the row has one id for all who got the same page, and `correlate` heeds the first.
 */
import type { Store } from '../../stores/contract.ts'
import { keys, type Nudge } from '../contract.ts'
import { type Incident, incident } from '../hub-state.ts'
import { acknowledgeRow, acknowledgeRowId, type Standing, standingOf, type Taker } from './acknowledgement.ts'

export type ApiWorld = {
  store: Store
  nowMs: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  /** Something a person should know about our own health. */
  warn: (text: string) => void
}

/** Whatever else somebody asks for is no incident, and no key of the store either. */
const isIncidentId = (id: string): boolean => /^[a-z0-9-]{1,100}$/.test(id)

export const findIncident = async (store: Store, id: string): Promise<Incident | undefined> => {
  if (!isIncidentId(id)) return undefined
  const item = (await store.read([keys.incident(id)])).get(keys.incident(id))
  return item && incident.parse(item.value)
}

/** How the incident stands, as far as it is written. */
export const standing = async (store: Store, taker: Taker): Promise<Standing> => {
  if (!isIncidentId(taker.incidentId)) return { status: 'gone' }
  // The row first: `correlate` deletes it in the transaction that changes the incident, so "neither" cannot be seen.
  const row = await store.row(acknowledgeRowId(taker))
  return standingOf(await findIncident(store, taker.incidentId), row !== undefined)
}

/** Makes a row quick; the sweep makes it certain. */
export const nudgeCorrelate = async ({ nudge, warn }: ApiWorld, rowId: string): Promise<void> => {
  try {
    await nudge([{ to: 'correlate', rowId, afterMs: 0 }])
  } catch (error) {
    warn(`nudge of ${rowId} lost, the sweep will bring it: ${error instanceof Error ? error.message : error}`)
  }
}

/** Takes an incident on if it is open. Whatever it answers, pressing again is safe. */
export const acknowledgeStep =
  (world: ApiWorld) =>
  async (taker: Taker): Promise<Standing> => {
    const now = await standing(world.store, taker)
    if (now.status !== 'open') return now
    const row = acknowledgeRow(taker, world.nowMs())
    // A conflict is the same row: somebody with the same page was quicker.
    await world.store.commit([], [{ id: row.id, expect: 0, row }])
    await nudgeCorrelate(world, row.id)
    return { ...now, status: 'pending' }
  }
