import { type OutboxRow, outboxRow } from '../functions/contract.ts'
import { type DeadLetters, type Quarantined, quarantineKeepMs, quarantineKey, type StoredRow } from './contract.ts'
import { prepareCommit, type RowWrite } from './prepare.ts'

/** An outbox row as a store holds it: its JSON, not read yet. */
export type HeldRow = { id: string; text: string; version: number; dueAtMs: number }
export type Poison = { held: HeldRow; reason: string }
export type ReadRow = { status: 'read'; stored: StoredRow } | { status: 'poison'; poison: Poison }

/** How many unreadable rows one call moves away; the next call goes on. */
export const quarantineBatch = 100
const reasonLimit = 500

const parseJson = (text: string): { value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const understand = (held: HeldRow): OutboxRow | { reason: string } => {
  const json = parseJson(held.text)
  if (!json) return { reason: 'not JSON' }
  const parsed = outboxRow.safeParse(json.value)
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'row'}: ${issue.message}`)
    return { reason: issues.join('; ').slice(0, reasonLimit) }
  }
  return parsed.data.id === held.id ? parsed.data : { reason: 'it carries the id of another row' }
}

export const readRow = (held: HeldRow): ReadRow => {
  const understood = understand(held)
  return 'reason' in understood
    ? { status: 'poison', poison: { held, reason: understood.reason } }
    : { status: 'read', stored: { row: understood, version: held.version } }
}

/** Takes readable rows until there are `limit`, however many unreadable ones lie between them. */
export const sortOut = (rows: Iterable<HeldRow>, limit: number): { readable: StoredRow[]; poison: Poison[] } => {
  const readable: StoredRow[] = []
  const poison: Poison[] = []
  for (const held of rows) {
    const answer = readRow(held)
    if (answer.status === 'read') readable.push(answer.stored)
    else if (poison.length < quarantineBatch) poison.push(answer.poison)
    if (readable.length === limit) break
  }
  return { readable, poison }
}

/** Which of the rows that tell of a poison row are there already is the store's to say. */
export type SetAside = { item: { key: string; text: string; expiresAtMs: number }; told: RowWrite[] }

/** What becomes of a poison row. */
export const setAside = ({ held, reason }: Poison, at: { nowMs: number; deadLetters: DeadLetters }): SetAside => {
  const { nowMs, deadLetters } = at
  const value: Quarantined = {
    rowId: held.id,
    text: held.text,
    reason,
    dueAtMs: held.dueAtMs,
    quarantinedAtMs: nowMs,
  }
  const item = { key: quarantineKey(held.id), text: JSON.stringify(value), expiresAtMs: nowMs + quarantineKeepMs }
  const rows = deadLetters(value).map((row) => ({ id: row.id, expect: 0, row }))
  return { item, told: prepareCommit([], rows).rows }
}
