import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import {
  type Change,
  type CommitResult,
  type DeadLetters,
  type RowChange,
  type Store,
  type Stored,
  type StoredRow,
  StoreError,
} from './contract.ts'
import { damaged, sqliteFailure } from './failures.ts'
import { byteOrder, checkKey, checkLimit, checkPrefix, checkRowId, prefixEnd } from './keys.ts'
import { type ItemWrite, prepareCommit, type RowWrite } from './prepare.ts'
import { type HeldRow, type Poison, readRow, setAside, sortOut } from './quarantine.ts'
import { type OpenFile, openSqliteFile } from './sqlite-file.ts'

export type SqliteOptions = {
  /** The file; its folder is created. `-wal`, `-shm` and (exclusive) `.serve.lock` files live beside it. */
  path: string
  nowMs: () => number
  /** Refuse, `locked`, when another process has the file open exclusively: one `serve` a file. */
  exclusive?: boolean
  /** Look without touching, also while another process serves. Unreadable rows are skipped, not quarantined. */
  readOnly?: boolean
  /** How long a write waits for another process, blocking this one. Default 2 s. */
  busyTimeoutMs?: number
  /** The file grows to this and no further: then `disk-full`, before the disk is. Default 4 GiB. */
  maxBytes?: number
  /** What tells of unreadable rows that are set aside; without it they are skipped and stay, for a newer version may read them. */
  deadLetters?: DeadLetters
}

/** How many expired items one commit takes with it. */
const forgetBatch = 20
const duePage = 100

const itemRecord = z.object({ key: z.string(), value: z.string(), version: z.number() })
const rowRecord = z.object({ id: z.string(), text: z.string(), version: z.number(), dueAtMs: z.number() })
const versionRecord = z.object({ version: z.number() })

const prepareStatements = (database: DatabaseSync) => ({
  item: database.prepare(
    'SELECT key, value, version FROM items WHERE key = ? AND (expires_at_ms IS NULL OR expires_at_ms > ?)',
  ),
  itemVersion: database.prepare(
    'SELECT version FROM items WHERE key = ? AND (expires_at_ms IS NULL OR expires_at_ms > ?)',
  ),
  putItem: database.prepare(
    `INSERT INTO items (key, value, version, expires_at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
     SET value = excluded.value, version = excluded.version, expires_at_ms = excluded.expires_at_ms`,
  ),
  dropItem: database.prepare('DELETE FROM items WHERE key = ?'),
  forget: database.prepare(
    'DELETE FROM items WHERE key IN (SELECT key FROM items WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?)',
  ),
  list: database.prepare(
    `SELECT key, value, version FROM items WHERE key >= ? AND key < ? AND key <> ?
     AND (expires_at_ms IS NULL OR expires_at_ms > ?) ORDER BY key LIMIT ?`,
  ),
  row: database.prepare('SELECT id, value AS text, version, due_at_ms AS dueAtMs FROM rows WHERE id = ?'),
  rowVersion: database.prepare('SELECT version FROM rows WHERE id = ?'),
  putRow: database.prepare(
    `INSERT INTO rows (id, value, version, due_at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
     SET value = excluded.value, version = excluded.version, due_at_ms = excluded.due_at_ms`,
  ),
  dropRow: database.prepare('DELETE FROM rows WHERE id = ?'),
  due: database.prepare(
    `SELECT id, value AS text, version, due_at_ms AS dueAtMs FROM rows WHERE due_at_ms <= ?
     ORDER BY due_at_ms, id LIMIT ? OFFSET ?`,
  ),
})

type Context = {
  path: string
  database: DatabaseSync
  statements: ReturnType<typeof prepareStatements>
  nowMs: () => number
  readOnly: boolean
  deadLetters: DeadLetters | undefined
}

/** A record that is not what the table promises means the file was changed behind our back. */
const recordOf = <T>(schema: z.ZodType<T>, record: unknown, path: string): T => {
  const parsed = schema.safeParse(record)
  if (parsed.success) return parsed.data
  throw damaged(path, parsed.error)
}

const stored = (record: unknown, path: string): [string, Stored] => {
  const { key, value, version } = recordOf(itemRecord, record, path)
  try {
    return [key, { value: JSON.parse(value), version }]
  } catch (error) {
    throw damaged(path, error)
  }
}

const rollBack = (database: DatabaseSync): void => {
  try {
    // SQLite has already rolled back by itself after some failures (a full disk, an I/O error).
    if (database.isTransaction) database.exec('ROLLBACK')
  } catch {
    // The failure that led here says more; the next BEGIN fails if the connection is beyond use.
  }
}

/** Runs `work` as the only writer and keeps what it wrote when it answers true. */
const alone = ({ database }: Context, work: () => boolean): boolean => {
  database.exec('BEGIN IMMEDIATE')
  try {
    const keep = work()
    database.exec(keep ? 'COMMIT' : 'ROLLBACK')
    return keep
  } catch (error) {
    rollBack(database)
    throw error
  }
}

const versionOf = (record: unknown, path: string): number =>
  record === undefined ? 0 : recordOf(versionRecord, record, path).version

const writeItem = ({ statements }: Context, { key, expect, text, expiresAtMs }: ItemWrite): void => {
  if (text === undefined) statements.dropItem.run(key)
  else statements.putItem.run(key, text, expect + 1, expiresAtMs ?? null)
}

const writeRow = ({ statements }: Context, { key, expect, text, dueAtMs }: RowWrite): void => {
  if (text === undefined) statements.dropRow.run(key)
  else statements.putRow.run(key, text, expect + 1, dueAtMs)
}

const checkWritable = ({ path, readOnly }: Context): void => {
  if (readOnly)
    throw new StoreError('unwritable', `${path} is open for reading only`, { hint: 'Open it without readOnly.' })
}

const commit = (context: Context, changes: readonly Change[], rowChanges: readonly RowChange[]): CommitResult => {
  const { statements, path } = context
  const { items, rows } = prepareCommit(changes, rowChanges)
  checkWritable(context)
  const committed = alone(context, () => {
    const nowMs = context.nowMs()
    const expected =
      items.every(({ key, expect }) => versionOf(statements.itemVersion.get(key, nowMs), path) === expect) &&
      rows.every(({ key, expect }) => versionOf(statements.rowVersion.get(key), path) === expect)
    if (!expected) return false
    for (const item of items) writeItem(context, item)
    for (const row of rows) writeRow(context, row)
    statements.forget.run(nowMs, forgetBatch)
    return true
  })
  return committed ? 'committed' : 'conflict'
}

/** A row that changed since it was read is left to its next reader. */
const quarantineOne = (context: Context, poison: Poison, deadLetters: DeadLetters): void => {
  const { statements, path } = context
  const nowMs = context.nowMs()
  const { id, version } = poison.held
  if (versionOf(statements.rowVersion.get(id), path) !== version) return
  const { item, told } = setAside(poison, { nowMs, deadLetters })
  const expect = versionOf(statements.itemVersion.get(item.key, nowMs), path)
  statements.dropRow.run(id)
  writeItem(context, { ...item, expect })
  for (const row of told) if (versionOf(statements.rowVersion.get(row.key), path) === 0) writeRow(context, row)
}

const quarantine = (context: Context, poison: readonly Poison[]): void => {
  const { readOnly, deadLetters } = context
  if (poison.length === 0 || readOnly || deadLetters === undefined) return
  try {
    alone(context, () => {
      for (const one of poison) quarantineOne(context, one, deadLetters)
      return true
    })
  } catch {
    // A full disk or a lock must not keep the readable rows from going out; the next call tries again.
  }
}

const row = (context: Context, id: string): StoredRow | undefined => {
  checkRowId(id)
  const record = context.statements.row.get(id)
  if (record === undefined) return undefined
  const answer = readRow(recordOf(rowRecord, record, context.path))
  if (answer.status === 'read') return answer.stored
  quarantine(context, [answer.poison])
  return undefined
}

function* rowsDue({ statements, path }: Context, nowMs: number): Generator<HeldRow> {
  for (let offset = 0; ; offset += duePage) {
    const page = statements.due.all(nowMs, duePage, offset)
    for (const record of page) yield recordOf(rowRecord, record, path)
    if (page.length < duePage) return
  }
}

const due = (context: Context, nowMs: number, limit: number): StoredRow[] => {
  checkLimit(limit)
  const { readable, poison } = sortOut(rowsDue(context, nowMs), limit)
  quarantine(context, poison)
  return readable
}

const read = ({ statements, nowMs, path }: Context, keys: readonly string[]): Map<string, Stored> => {
  keys.forEach(checkKey)
  const records = keys.map((key) => statements.item.get(key, nowMs())).filter((record) => record !== undefined)
  return new Map(records.map((record) => stored(record, path)))
}

const list = (context: Context, prefix: string, { after = '', limit }: { after?: string; limit: number }) => {
  checkPrefix(prefix)
  checkLimit(limit)
  if (after !== '') checkKey(after)
  const { statements, nowMs, path } = context
  const from = byteOrder(after, prefix) > 0 ? after : prefix
  const records = statements.list.all(from, prefixEnd(prefix), after, nowMs(), limit)
  return new Map(records.map((record) => stored(record, path)))
}

const prepareOrClose = (file: OpenFile, busyTimeoutMs: number): Context['statements'] => {
  try {
    return prepareStatements(file.database)
  } catch (error) {
    file.close()
    throw sqliteFailure(error, { path: file.path, busyTimeoutMs })
  }
}

/**
 * A {@link Store} in one SQLite file, synced to disk at every commit.
 *
 * Throws, as do its calls, a {@link StoreError}: `locked`, `disk-full`, `not-a-store` (a folder, another program's
 * database, a newer whodunit's), `unwritable` (permissions, a read-only disk), `store-failed` (a damaged file or disk).
 */
export const sqliteStore = (options: SqliteOptions): Store => {
  const { nowMs, readOnly = false, exclusive = false, busyTimeoutMs = 2000, maxBytes = 4 * 1024 ** 3 } = options
  const file = openSqliteFile({ path: options.path, readOnly, exclusive, busyTimeoutMs, maxBytes })
  const { database, path } = file
  const statements = prepareOrClose(file, busyTimeoutMs)
  const context: Context = { path, database, statements, nowMs, readOnly, deadLetters: options.deadLetters }
  let isOpen = true
  const answer = async <T>(work: () => T | Promise<T>): Promise<T> => {
    if (!isOpen) throw new StoreError('misuse', 'the store is closed', { hint: 'Close it last.' })
    try {
      return await work()
    } catch (error) {
      throw sqliteFailure(error, { path, busyTimeoutMs })
    }
  }
  return {
    read: (keys) => answer(() => read(context, keys)),
    row: (id) => answer(() => row(context, id)),
    commit: (changes, rows = []) =>
      answer(async () => {
        const result = commit(context, changes, rows)
        // Others may read it by now, but whatever they do outside waits for a commit, and so a sync, of their own.
        if (result === 'committed') await file.log.durable()
        return result
      }),
    due: (dueMs, limit) => answer(() => due(context, dueMs, limit)),
    list: (prefix, page) => answer(() => list(context, prefix, page)),
    close: async () => {
      isOpen = false
      await file.log.idle()
      if (database.isOpen) file.close()
    },
  }
}
