/**
 * Reads rows that are due; decides which to nudge again; counts the nudge in the row and sends it. What the quick
 * nudges after a commit lost, this finds: the sweep is what makes the outbox certain.
 * Run twice: a row may be nudged twice, which its consumer does not mind.
 */
import { quarantineKeepMs, quarantineKey, type Store, type StoredRow, StoreError } from '../../stores/contract.ts'
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
/** How far behind rows that wait for their next nudge it looks for one that can be nudged. */
const lookAhead = 16 * batch

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
  const counted = { ...row, nudges: row.nudges + 1, nudgedAtMs: world.nowMs() }
  const nudge = { to: row.to, rowId: row.id, afterMs: 0 }
  try {
    const result = await world.store.commit([], [{ id: row.id, expect: version, row: counted }])
    return result === 'committed' ? [nudge] : []
  } catch (error) {
    // No room left in the row to count: it goes uncounted, and must not keep the sweep from the rows behind it.
    if (error instanceof StoreError && error.code === 'too-large') return [nudge]
    throw error
  }
}

type Task = { stored: StoredRow; decision: 'nudge' | 'quarantine' }

/** Rows to act upon, the longest due first; many that only wait do not hide the ones behind them. */
const findTasks = async (world: SweepWorld, nowMs: number): Promise<Task[]> => {
  for (let limit = batch; ; limit *= 4) {
    const due = await world.store.due(nowMs, limit)
    const tasks = due.flatMap((stored): Task[] => {
      const decision = world.inHand(stored.row.id) ? 'wait' : decideSweep(stored.row, nowMs)
      return decision === 'wait' ? [] : [{ stored, decision }]
    })
    if (tasks.length > 0 || due.length < limit || limit >= lookAhead) return tasks.slice(0, batch)
  }
}

const act = async (world: SweepWorld, { stored, decision }: Task): Promise<Nudge[]> => {
  if (decision === 'nudge') return countNudge(world, stored)
  await setAside(world, stored)
  return []
}

/** Moves due rows to their queue; answers how many. */
export const sweepStep = (world: SweepWorld) => async (): Promise<number> => {
  const nudges: Nudge[] = []
  try {
    for (const task of await findTasks(world, world.nowMs())) nudges.push(...(await act(world, task)))
  } finally {
    // Those already counted must be sent though the store failed on the way.
    await world.nudge(nudges)
  }
  return nudges.length
}
