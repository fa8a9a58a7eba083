/**
 * Reads rows that are due; decides which to nudge again; counts the nudge in the row and sends it. What the quick
 * nudges after a commit lost, this finds: the sweep is what makes the outbox certain. Second opinions that are too old
 * it deletes; what nobody consumed in all its nudges it sets aside, with the rows that tell so. Shards without a
 * timer it wakes.
 * Run twice: a row may be nudged twice, which its consumer does not mind.
 */
import { quarantineKeepMs, quarantineKey, type Store, type StoredRow, StoreError } from '../../stores/contract.ts'
import type { Nudge, OutboxRow } from '../contract.ts'
import { deadLetterRows } from '../dead-letter.ts'
import { decideRow, type SweepDecision } from './decide.ts'
import { wakeShards } from './step-wake.ts'

export type SweepWorld = {
  store: Store
  nowMs: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  /** Rows someone in this process works on right now need no nudge; without it nobody does. */
  inHand?: (rowId: string) => boolean
  /** As many shards as the config wants; without it none is woken. */
  shards?: number
  /** Tells a person that a row was set aside. */
  quarantined: (row: StoredRow['row']) => void
}

export type SweepResult = {
  nudged: number
  /** Rows that were due, as far as the sweep looked. */
  due: number
  /** How long the first of them has been due, 0 when none is; a question nobody answered does not count. */
  oldestDueAgeMs: number
  /** Rows that were set aside. */
  quarantined: number
  /** Second opinions that came too late to be asked for. */
  dropped: number
}

const batch = 500
/** How far behind rows that wait for their next nudge it looks for one that can be nudged. */
const lookAhead = 16 * batch

/** A row of that id tells it already when the same row was set aside a moment ago. */
const newRows = async (store: Store, rows: readonly OutboxRow[]): Promise<OutboxRow[]> => {
  const there = await Promise.all(rows.map(({ id }) => store.row(id)))
  return rows.filter((_, at) => there[at] === undefined)
}

const setAside = async (world: SweepWorld, { row, version }: StoredRow): Promise<boolean> => {
  const quarantinedAtMs = world.nowMs()
  const why = `nudged ${row.nudges} times and never consumed`
  const value = { rowId: row.id, text: JSON.stringify(row), reason: why, dueAtMs: row.dueAtMs, quarantinedAtMs }
  const key = quarantineKey(row.id)
  const expect = (await world.store.read([key])).get(key)?.version ?? 0
  const item = { key, expect, value, expiresAtMs: quarantinedAtMs + quarantineKeepMs }
  const told = await newRows(world.store, deadLetterRows(value))
  const rows = [{ id: row.id, expect: version }, ...told.map((one) => ({ id: one.id, expect: 0, row: one }))]
  if ((await world.store.commit([item], rows)) === 'conflict') return false
  world.quarantined(row)
  await world.nudge(told.map(({ id, to }) => ({ to, rowId: id, afterMs: 0 })))
  return true
}

const countNudge = async (world: SweepWorld, { row, version }: StoredRow): Promise<Nudge[]> => {
  const counted = { ...row, nudges: row.nudges + 1, nudgedAtMs: world.nowMs() }
  const nudge = { to: row.to, rowId: row.id, afterMs: 0, nudge: counted.nudges }
  try {
    const result = await world.store.commit([], [{ id: row.id, expect: version, row: counted }])
    return result === 'committed' ? [nudge] : []
  } catch (error) {
    // No room left in the row to count: it goes uncounted, and must not keep the sweep from the rows behind it.
    if (error instanceof StoreError && error.code === 'too-large') return [nudge]
    throw error
  }
}

type Task = { stored: StoredRow; decision: Exclude<SweepDecision, 'wait'> }
type Tasks = { due: StoredRow[]; tasks: Task[] }

/** Rows to act upon, the longest due first; many that only wait do not hide the ones behind them. */
const findTasks = async (world: SweepWorld, nowMs: number): Promise<Tasks> => {
  for (let limit = batch; ; limit *= 4) {
    const due = await world.store.due(nowMs, limit)
    const tasks = due.flatMap((stored): Task[] => {
      const decision = world.inHand?.(stored.row.id) ? 'wait' : decideRow(stored.row, nowMs)
      return decision === 'wait' ? [] : [{ stored, decision }]
    })
    if (tasks.length >= batch || due.length < limit || limit >= lookAhead) return { due, tasks: tasks.slice(0, batch) }
  }
}

const ageOf = ({ due, tasks }: Tasks, nowMs: number): number => {
  const over = new Set(tasks.filter(({ decision }) => decision === 'drop').map(({ stored }) => stored.row.id))
  const dueMs = due.filter(({ row }) => !over.has(row.id)).map(({ row }) => row.dueAtMs)
  return dueMs.reduce((oldestMs, dueAtMs) => Math.max(oldestMs, nowMs - dueAtMs), 0)
}

const sweepDue = async (world: SweepWorld): Promise<SweepResult> => {
  const nudges: Nudge[] = []
  const nowMs = world.nowMs()
  const found = await findTasks(world, nowMs)
  let quarantined = 0
  let dropped = 0
  try {
    for (const { stored, decision } of found.tasks) {
      if (decision === 'nudge') nudges.push(...(await countNudge(world, stored)))
      else if (decision === 'quarantine') quarantined += (await setAside(world, stored)) ? 1 : 0
      else {
        const { row, version } = stored
        dropped += (await world.store.commit([], [{ id: row.id, expect: version }])) === 'committed' ? 1 : 0
      }
    }
  } finally {
    // Those already counted must be sent though the store failed on the way.
    await world.nudge(nudges)
  }
  return { nudged: nudges.length, due: found.due.length, oldestDueAgeMs: ageOf(found, nowMs), quarantined, dropped }
}

/** Moves due rows to their queue; answers what it found and did. */
export const sweepStep = (world: SweepWorld): (() => Promise<SweepResult>) => {
  const { shards } = world
  const wake = shards === undefined ? async () => 0 : wakeShards({ ...world, shards })
  return async () => {
    const found = await sweepDue(world)
    return { ...found, nudged: found.nudged + (await wake()) }
  }
}
