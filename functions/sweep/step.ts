/**
 * Reads rows that are due; decides which to nudge again; counts the nudge in the row and sends it. What the quick
 * nudges after a commit lost, this finds: the sweep is what makes the outbox certain. Second opinions that are too old
 * it deletes; what nobody consumed in all its nudges it sets aside, with the rows that tell so, but nothing of
 * `correlate` while that gives no sign of life, and no timer of a shard. Shards without a timer it wakes.
 * Run twice: a row may be nudged twice, which its consumer does not mind.
 */
import { quarantineKeepMs, quarantineKey, type Store, type StoredRow, StoreError } from '../../stores/contract.ts'
import type { Nudge, OutboxRow } from '../contract.ts'
import { deadLetterRows, stuckRow } from '../dead-letter.ts'
import { asksForSign, countedNudges, decideRow, isStuckNow, type SweepDecision } from './decide.ts'
import { signOfLife, signOfLifeId } from './sign-of-life.ts'
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

/** Counts one more nudge; answers what to send, with the rows that are written along. */
const countNudge = async (
  world: SweepWorld,
  { row, version }: StoredRow,
  { lives, along }: { lives: boolean; along: readonly OutboxRow[] },
): Promise<Nudge[]> => {
  const nowMs = world.nowMs()
  const counted: OutboxRow = { ...row, nudges: countedNudges(row, lives), nudgedAtMs: nowMs }
  const nudge = { to: row.to, rowId: row.id, afterMs: 0, nudge: counted.nudges }
  const stuck = isStuckNow(counted) ? await newRows(world.store, [stuckRow(counted, nowMs)]) : []
  const more = [...along, ...stuck]
  try {
    const rows = [
      { id: row.id, expect: version, row: counted },
      ...more.map((one) => ({ id: one.id, expect: 0, row: one })),
    ]
    if ((await world.store.commit([], rows)) === 'conflict') return []
    return [nudge, ...more.map(({ id, to }) => ({ to, rowId: id, afterMs: 0 }))]
  } catch (error) {
    // No room left in the row to count: it goes uncounted, and must not keep the sweep from the rows behind it.
    if (error instanceof StoreError && error.code === 'too-large') return [nudge]
    throw error
  }
}

type Task = { stored: StoredRow; decision: Exclude<SweepDecision, 'wait'> }
/** `lives`: `correlate` applied the sign of life that was sent last. Looked up only when something hangs on it. */
type Tasks = { due: StoredRow[]; tasks: Task[]; lives: boolean }

/** Rows to act upon, the longest due first; many that only wait do not hide the ones behind them. */
const findTasks = async (world: SweepWorld, nowMs: number): Promise<Tasks> => {
  for (let limit = batch; ; limit *= 4) {
    const due = await world.store.due(nowMs, limit)
    const asks = due.some(({ row }) => asksForSign(row))
    const lives = asks && (await world.store.row(signOfLifeId)) === undefined
    const tasks = due.flatMap((stored): Task[] => {
      const decision = world.inHand?.(stored.row.id) ? 'wait' : decideRow(stored.row, { nowMs, lives })
      return decision === 'wait' ? [] : [{ stored, decision }]
    })
    const isEnough = tasks.length >= batch || due.length < limit || limit >= lookAhead
    if (isEnough) return { due, tasks: tasks.slice(0, batch), lives }
  }
}

const ageOf = ({ due, tasks }: Tasks, nowMs: number): number => {
  const over = new Set(tasks.filter(({ decision }) => decision === 'drop').map(({ stored }) => stored.row.id))
  const dueMs = due.filter(({ row }) => !over.has(row.id)).map(({ row }) => row.dueAtMs)
  return dueMs.reduce((oldestMs, dueAtMs) => Math.max(oldestMs, nowMs - dueAtMs), 0)
}

const dropped = async ({ store }: SweepWorld, { row, version }: StoredRow): Promise<boolean> =>
  (await store.commit([], [{ id: row.id, expect: version }])) === 'committed'

const sweepDue = async (world: SweepWorld): Promise<SweepResult> => {
  const nudges: Nudge[] = []
  const nowMs = world.nowMs()
  const found = await findTasks(world, nowMs)
  const { lives } = found
  const counts = { nudged: 0, quarantined: 0, dropped: 0 }
  // One that was applied is sent again, in the transaction that counts the nudge: what hangs on it is never counted without.
  let signs = lives ? [signOfLife(nowMs)] : []
  try {
    for (const { stored, decision } of found.tasks) {
      if (decision === 'nudge') {
        const along = asksForSign(stored.row) ? signs : []
        const sent = await countNudge(world, stored, { lives, along })
        if (sent.some(({ rowId }) => rowId === signOfLifeId)) signs = []
        counts.nudged += sent.length > 0 ? 1 : 0
        nudges.push(...sent)
      } else if (decision === 'quarantine') counts.quarantined += (await setAside(world, stored)) ? 1 : 0
      else counts.dropped += (await dropped(world, stored)) ? 1 : 0
    }
  } finally {
    // Those already counted must be sent though the store failed on the way.
    await world.nudge(nudges)
  }
  return { ...counts, due: found.due.length, oldestDueAgeMs: ageOf(found, nowMs) }
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
