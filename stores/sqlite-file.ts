import { closeSync, fdatasync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { StoreError } from './contract.ts'
import { notAStore, sqliteFailure } from './failures.ts'
import { makeFolder } from './folder.ts'
import { type GroupSync, groupSync } from './group-sync.ts'

export type SqliteFile = {
  path: string
  readOnly: boolean
  exclusive: boolean
  busyTimeoutMs: number
  maxBytes: number
}

/**
 * An open file, by its absolute path: `close` brings the log into it and gives up the guard, once no sync of the `log`
 * is under way.
 */
export type OpenFile = { path: string; database: DatabaseSync; log: GroupSync; close: () => void }

/** "whod": marks a SQLite file as ours (https://www.sqlite.org/pragma.html#pragma_application_id). */
const applicationId = 0x77686f64

/**
 * Each step takes the file from `user_version` n to n + 1, and is never edited once released.
 * Plain rowid tables: values of up to 64 KB in the tree itself, as WITHOUT ROWID keeps them, would slow every look-up.
 * Text compares as UTF-8 bytes (BINARY); times are REAL since a due time need not be a whole millisecond.
 */
const migrations = [
  `CREATE TABLE items (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL, expires_at_ms REAL) STRICT;
   CREATE INDEX items_by_expiry ON items (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
   CREATE TABLE rows (id TEXT PRIMARY KEY NOT NULL, due_at_ms REAL NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL) STRICT;
   CREATE INDEX rows_by_due ON rows (due_at_ms, id);
   PRAGMA application_id = ${applicationId};`,
]

const figure = (database: DatabaseSync, sql: string): unknown => Object.values(database.prepare(sql).get() ?? {})[0]

/** Refuses every file that is not ours before anything is written to it; answers its schema version, 0 when blank. */
const schemaVersion = (database: DatabaseSync, path: string): number => {
  const version = Number(figure(database, 'PRAGMA user_version'))
  const application = figure(database, 'PRAGMA application_id')
  if (application === applicationId && version > migrations.length)
    throw new StoreError('not-a-store', `${path} is not a whodunit store of this version: a newer one wrote it`, {
      hint: `Its schema is ${version}, this whodunit knows ${migrations.length}: install the newer one.`,
    })
  if (application === applicationId && version > 0) return version
  const tables = figure(database, 'SELECT count(*) FROM sqlite_schema')
  if (application !== 0 || version !== 0 || tables !== 0) throw notAStore(path, 'it is the database of something else')
  return 0
}

/** Writes the version even when it is right already: a file that may only be read is found out now, not by a page. */
const migrate = (database: DatabaseSync, path: string): void => {
  database.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have migrated while this one waited for the lock.
    const from = schemaVersion(database, path)
    for (const step of migrations.slice(from)) database.exec(step)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/**
 * WAL lets `whodunit incidents` read while `serve` writes. NORMAL leaves syncing the log at every commit to us
 * (https://www.sqlite.org/pragma.html#pragma_synchronous): FULL would do it while this thread stands still, for each
 * commit alone. A page that was promised survives a power cut because no commit is answered before its sync.
 */
const prepareForWriting = (database: DatabaseSync, { path, maxBytes }: SqliteFile): void => {
  schemaVersion(database, path)
  const mode = figure(database, 'PRAGMA journal_mode = WAL')
  if (mode !== 'wal')
    throw new StoreError('unwritable', `${path} is on a disk without shared memory (journal mode ${mode})`, {
      hint: 'Keep the store on a local disk, not on a network share.',
    })
  database.exec('PRAGMA synchronous = NORMAL')
  database.exec('PRAGMA journal_size_limit = 67108864')
  database.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / Number(figure(database, 'PRAGMA page_size')))}`)
  migrate(database, path)
}

const prepareForReading = (database: DatabaseSync, { path }: SqliteFile): void => {
  if (schemaVersion(database, path) === migrations.length) return
  throw notAStore(path, 'it is empty or was written by an older whodunit; "whodunit serve" brings it up to date')
}

/** Held here, since a connection that nothing refers to is collected, and its lock would go with it. */
const guards = new Set<DatabaseSync>()

const dropGuard = (guard: DatabaseSync | undefined): void => {
  if (!guard) return
  guards.delete(guard)
  guard.close()
}

/**
 * One process serves from a file. The guard is a lock the operating system holds on a file beside it, so it goes with
 * the process, kill -9 included, and is never stale. A lock on the store itself would keep readers out.
 */
const takeGuard = (path: string): DatabaseSync => {
  const guardPath = `${path}.serve.lock`
  const guard = new DatabaseSync(guardPath, { timeout: 0 })
  try {
    guard.exec('BEGIN IMMEDIATE')
    guards.add(guard)
    return guard
  } catch (error) {
    guard.close()
    const failure = sqliteFailure(error, { path: guardPath, busyTimeoutMs: 0 })
    if (failure.code !== 'locked') throw failure
    throw new StoreError('locked', `another whodunit serves from ${path}`, {
      hint: `Stop it first ("fuser ${guardPath}" names its process), or give this one a file of its own.`,
      cause: error,
    })
  }
}

/** Is there a file yet? */
const checkPlace = ({ path, readOnly }: SqliteFile): boolean => {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory()) throw notAStore(path, 'it is a folder')
  if (!there && readOnly) throw notAStore(path, 'there is no such file')
  return there !== undefined
}

const retryMs = 20
const pause = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

/**
 * Changing to WAL needs the file alone for a moment and does not wait for it as other statements do (SQLite's busy
 * handler is not asked), so two that create a file at the same time take turns here.
 */
const openDatabase = (file: SqliteFile): DatabaseSync => {
  const tries = Math.ceil(file.busyTimeoutMs / retryMs)
  for (let attempt = 1; ; attempt++) {
    try {
      return openOnce(file)
    } catch (error) {
      if (attempt >= tries || sqliteFailure(error, file).code !== 'locked') throw error
      pause(retryMs)
    }
  }
}

const openOnce = (file: SqliteFile): DatabaseSync => {
  const { path, readOnly, busyTimeoutMs } = file
  const database = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs })
  try {
    if (readOnly) prepareForReading(database, file)
    else prepareForWriting(database, file)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** With a reader still there ours is not the last connection, and only then would SQLite do this by itself. */
const checkpoint = (database: DatabaseSync): void => {
  try {
    database.exec('PRAGMA wal_checkpoint(PASSIVE)')
  } catch {
    // Nothing is lost: the next one to open the file reads the log.
  }
}

const syncFile = promisify(fdatasync)
const nothingToSync: GroupSync = { durable: async () => undefined, idle: async () => undefined }

type OpenLog = { log: GroupSync; close: () => void }

/** SQLite keeps one log file as long as a connection is open, and no locks on it that closing our descriptor would drop. */
const openLog = ({ path, readOnly }: SqliteFile, database: DatabaseSync): OpenLog => {
  if (readOnly) return { log: nothingToSync, close: () => undefined }
  try {
    const descriptor = openSync(`${path}-wal`, 'r+')
    return { log: groupSync(() => syncFile(descriptor)), close: () => closeSync(descriptor) }
  } catch (error) {
    database.close()
    throw error
  }
}

const guarded = (file: SqliteFile): OpenFile => {
  const guard = file.exclusive ? takeGuard(file.path) : undefined
  try {
    const database = openDatabase(file)
    const { log, close: closeLog } = openLog(file, database)
    const close = () => {
      if (!file.readOnly) checkpoint(database)
      closeLog()
      database.close()
      dropGuard(guard)
    }
    return { path: file.path, database, log, close }
  } catch (error) {
    dropGuard(guard)
    throw error
  }
}

/** Opens, or creates, the file of a store. Throws a {@link StoreError}: see `sqliteStore`. */
export const openSqliteFile = (options: SqliteFile): OpenFile => {
  // An absolute path also keeps ":memory:" and "file:…?mode=" from meaning something else to SQLite.
  const path = resolve(options.path)
  try {
    if (options.readOnly && options.exclusive)
      throw new StoreError('misuse', 'a reader cannot serve', { hint: 'Ask for readOnly or exclusive, not both.' })
    if (!options.readOnly) makeFolder(dirname(path))
    const there = checkPlace({ ...options, path })
    // Through a symbolic link and directly it is one store, so it must be one guard.
    return guarded({ ...options, path: there ? realpathSync(path) : path })
  } catch (error) {
    throw sqliteFailure(error, { ...options, path })
  }
}
