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

/** What an AWS service's refusal, or its silence, means for the one who asked. */
export type AwsFault = {
  /** Worth another try within the same call. */
  again: boolean
  /** The request may have been applied all the same. */
  mayHaveHappened: boolean
  error: StoreError
}

const busy = new Set(['TransactionConflict', 'TransactionConflictException', 'TransactionInProgressException'])
const throttling = new Set([
  'ProvisionedThroughputExceeded',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'SlowDown',
  'ThrottlingError',
  'ThrottlingException',
  'TooManyRequestsException',
])
const denied = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'UnrecognizedClientException',
])
const missing = new Set(['NoSuchBucket', 'PermanentRedirect', 'ResourceNotFoundException'])
const tooLarge = new Set(['EntityTooLarge', 'ItemCollectionSizeLimitExceeded'])
const silent = new Set(['AbortError', 'RequestTimeout', 'TimeoutError'])

/** The names of what went wrong: for a cancelled transaction those of its reasons, else the error's own. */
export const awsNames = (error: unknown): string[] => {
  const reasons = property(error, 'CancellationReasons')
  const codes = Array.isArray(reasons) ? reasons.map((reason: unknown) => property(reason, 'Code')) : []
  const named = codes.filter((code) => typeof code === 'string' && code !== 'None').map(String)
  return named.length > 0 ? named : [String(property(error, 'name'))]
}

const httpStatus = (error: unknown): number => {
  const status =
    property(property(error, '$metadata'), 'httpStatusCode') ?? property(property(error, '$response'), 'statusCode')
  return typeof status === 'number' ? status : 0
}

const gaveNoAnswer = (error: unknown): boolean => {
  const status = httpStatus(error)
  // A 2xx that is an error was an answer cut short.
  if (status !== 0) return status >= 500 || status < 300 || status === 408 || silent.has(awsNames(error)[0] ?? '')
  // With metadata but without a status it was sent, and nothing came back.
  const sent = property(error, '$metadata') !== undefined
  return sent || failureCode(error) !== '' || awsNames(error).some((name) => silent.has(name))
}

const awsFailure = (error: unknown, what: string): StoreError => {
  const names = awsNames(error)
  const any = (known: ReadonlySet<string>) => names.some((name) => known.has(name))
  const status = httpStatus(error)
  if (any(missing))
    return say('not-a-store', `${what} is not there`, 'Deploy the stacks, or check its name and region.')(error)
  if (any(denied) || status === 401 || status === 403)
    return say(
      'forbidden',
      `${what} may not be used: ${messageOf(error)}`,
      "Check the credentials and the role's policy.",
    )(error)
  if (any(tooLarge) || /size has exceeded/i.test(messageOf(error)))
    return say('too-large', `${what} takes nothing that large`, 'Spread it over several items or blobs.')(error)
  if (any(throttling) || status === 429)
    return say(
      'throttled',
      `${what} is throttled`,
      "Try again later; look at the account's and the table's limits.",
    )(error)
  if (any(busy))
    return say(
      'locked',
      `${what} kept being written by others`,
      'Try again; look for what writes the same items.',
    )(error)
  return gaveNoAnswer(error)
    ? say(
        'unreachable',
        `${what} gave no usable answer: ${messageOf(error)}`,
        'Check the network and the health of AWS.',
      )(error)
    : say('store-failed', `${what}: ${names.join(', ')}: ${messageOf(error)}`, 'Look up this error of AWS.')(error)
}

/** What `error`, thrown by a client of the AWS SDK that asked `what`, means. A {@link StoreError} is final. */
export const awsFault = (error: unknown, what: string): AwsFault => {
  if (error instanceof StoreError) return { again: false, mayHaveHappened: false, error }
  const failure = awsFailure(error, what)
  const metadata = property(error, '$metadata')
  // The client has just learnt how wrong our clock is and signs the next attempt with the right time.
  const clockCorrected = property(metadata, 'clockSkewCorrected') === true
  return {
    again: clockCorrected || ['throttled', 'locked', 'unreachable'].includes(failure.code),
    // The client may have retried by itself, behind an attempt that was never answered.
    mayHaveHappened: failure.code === 'unreachable' || Number(property(metadata, 'attempts') ?? 1) > 1,
    error: failure,
  }
}
