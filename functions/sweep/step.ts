/**
 * Reads rows that are due; decides which to nudge again; counts the nudge in the row and sends it. What the quick
 * nudges after a commit lost, this finds: the sweep is what makes the outbox certain.
 * Run twice: a row may be nudged twice, which its consumer does not mind.
 */
import { quarantineKeepMs, quarantineKey, type Store, type StoredRow } from '../../stores/contract.ts'
import type { Nudge } from '../contract.ts'
import { decideSweep } from './decide.ts'

export type SweepWorld = {
  store: Store
  nowMs: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  /** Rows someone in this process works on right now need no nudge. */
  inHand: (rowId: string) => boolean
  /** Tells a person that a row was set aside. */
  quarantined: (row: StoredRow['row']) => void
}

const batch = 500

const setAside = async (world: SweepWorld, { row, version }: StoredRow) => {
  const quarantinedAtMs = world.nowMs()
  const why = `nudged ${row.nudges} times and never consumed`
  const value = { rowId: row.id, text: JSON.stringify(row), reason: why, dueAtMs: row.dueAtMs, quarantinedAtMs }
  const key = quarantineKey(row.id)
  const expect = (await world.store.read([key])).get(key)?.version ?? 0
  const item = { key, expect, value, expiresAtMs: quarantinedAtMs + quarantineKeepMs }
  const result = await world.store.commit([item], [{ id: row.id, expect: version }])
  if (result === 'committed') world.quarantined(row)
}

const countNudge = async (world: SweepWorld, { row, version }: StoredRow): Promise<Nudge[]> => {
  const counted = { ...row, nudges: row.nudges + 1 }
  const result = await world.store.commit([], [{ id: row.id, expect: version, row: counted }])
  return result === 'committed' ? [{ to: row.to, rowId: row.id, afterMs: 0 }] : []
}

/** Moves due rows to their queue; answers how many. */
export const sweepStep = (world: SweepWorld) => async (): Promise<number> => {
  const nowMs = world.nowMs()
  const nudges: Nudge[] = []
  for (const stored of await world.store.due(nowMs, batch)) {
    if (world.inHand(stored.row.id)) continue
    const decision = decideSweep(stored.row, nowMs)
    if (decision === 'quarantine') await setAside(world, stored)
    if (decision === 'nudge') nudges.push(...(await countNudge(world, stored)))
  }
  await world.nudge(nudges)
  return nudges.length
}
