import { StoreError } from './contract.ts'

/** By shape and not by class: an error of another realm (a test runner's sandbox, a worker) is no `instanceof Error`. */
const property = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined

/** The system's name for what went wrong (`ENOSPC`), or '' when it gave none. */
export const failureCode = (error: unknown): string => {
  const code = property(error, 'code')
  return typeof code === 'string' ? code : ''
}

const messageOf = (error: unknown): string => {
  const message = property(error, 'message')
  return typeof message === 'string' ? message : String(error)
}

const say = (code: StoreError['code'], message: string, hint: string) => (cause: unknown) =>
  new StoreError(code, message, { hint, cause })

const diskFull = (path: string) =>
  say('disk-full', `no room left to write ${path}`, 'Free space on its disk, or raise the limit set for the store.')

const unwritable = (path: string) =>
  say('unwritable', `${path} cannot be written`, 'Check its owner, its permissions and whether its disk is read-only.')

/** Turns a file system's error into a sentence about `path`. A {@link StoreError} passes through. */
export const fileFailure = (error: unknown, path: string): StoreError => {
  if (error instanceof StoreError) return error
  switch (failureCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(path)(error)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return unwritable(path)(error)
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
      return say(
        'unwritable',
        `${path} cannot be written`,
        'A file is where a folder should be, or the other way.',
      )(error)
    default:
      return say('store-failed', `${path}: ${messageOf(error)}`, 'Check the disk it is on.')(error)
  }
}

const primaryCode = (error: unknown): number => {
  const extended = property(error, 'errcode')
  return typeof extended === 'number' ? extended & 0xff : 0
}

type SqliteContext = { path: string; busyTimeoutMs: number }

/**
 * Turns SQLite's result code (https://www.sqlite.org/rescode.html) into a sentence about the file at `path`.
 * A {@link StoreError} passes through.
 */
export const sqliteFailure = (error: unknown, { path, busyTimeoutMs }: SqliteContext): StoreError => {
  if (error instanceof StoreError) return error
  switch (primaryCode(error)) {
    case 0: // Not SQLite's: the file system's.
      return fileFailure(error, path)
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return say(
        'locked',
        `${path} was locked by another process for ${busyTimeoutMs} ms`,
        'Stop what else writes to it (a backup, a sqlite3 shell, another whodunit).',
      )(error)
    case 13: // SQLITE_FULL
      return diskFull(path)(error)
    case 26: // SQLITE_NOTADB
      return notAStore(path, 'it is not a SQLite file', error)
    case 11: // SQLITE_CORRUPT
      return damaged(path, error)
    case 3: // SQLITE_PERM
    case 8: // SQLITE_READONLY
    case 14: // SQLITE_CANTOPEN
    case 23: // SQLITE_AUTH
      return unwritable(path)(error)
    default:
      return say('store-failed', `${path}: ${messageOf(error)}`, 'Check the disk it is on.')(error)
  }
}

export const damaged = (path: string, cause?: unknown): StoreError =>
  say(
    'store-failed',
    `${path} is damaged`,
    'Restore a backup, or move it away with its -wal file and start afresh.',
  )(cause)

export const notAStore = (path: string, why: string, cause?: unknown): StoreError =>
  say(
    'not-a-store',
    `${path} is not a whodunit store: ${why}`,
    'Name another file; whodunit creates it when it is not there.',
  )(cause)
