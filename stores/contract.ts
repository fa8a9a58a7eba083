import * as z from 'zod'
import type { OutboxRow } from '../functions/contract.ts'

/** What a value in the store is: plain JSON, parsed with its owner's schema by whoever reads it. Always a fresh copy. */
export type Stored = { value: unknown; version: number }

/**
 * One conditional write of a whole item. `expect` is the version that was read, 0 for "not there".
 * Leaving `value` out deletes the item, which needs the version too; a write without `expiresAtMs` keeps the item for good.
 *
 * An item is not there from `expiresAtMs` on, for `expect` as for reads: then 0 is right and its old version conflicts.
 * An item that was deleted or has expired starts again at version 1, so a version proves "unchanged" only for items
 * that never go away in between. What needs a number that only grows (a lease) is rewritten, not deleted.
 */
export type Change = { key: string; expect: number; value?: unknown; expiresAtMs?: number }

/** An outbox row as it stands in the store, with the version a claim or a delete must expect. */
export type StoredRow = { row: OutboxRow; version: number }

/** One conditional write of an outbox row; without `row` it is deleted, by the consumer that applied it. */
export type RowChange = { id: string; expect: number; row?: OutboxRow }

export type CommitResult = 'committed' | 'conflict'

/**
 * Where state lives. Memory, SQLite and DynamoDB pass the same suite (`test/contract/store.ts`).
 *
 * Guarantees: `read` and `row` are strongly consistent; `commit` is atomic over all its changes and writes nothing on
 * `'conflict'`; a written item's version is `expect + 1`; text is ordered by its UTF-8 bytes.
 * A `commit` that rejects may still have happened (the answer was lost): read again before deciding again.
 *
 * Limits: {@link commitLimit} changes and {@link commitLimitBytes} a commit, {@link itemLimitBytes} of JSON an item or
 * row, {@link keyLimitBytes} a key, {@link quarantineLimitBytes} a row in quarantine; a {@link StoreError} `too-large` beyond. Keys look like `kind/name`. A commit that
 * names a key or row twice, a value that is not JSON (a NaN, a Map), a bad key: `misuse`, and nothing is written.
 *
 * A row that `outboxRow` does not parse (an older version reads what a newer one wrote) never stands in the way: `due`
 * and `row` move it to an item {@link quarantineKey} with its text, as {@link quarantined}, and go on without it; the
 * same commit writes the rows that {@link DeadLetters} makes of it, unless there are rows with their ids.
 */
export type Store = {
  /** The items that are there. Not one snapshot over several keys: the versions in the commit are what makes it safe. */
  read(keys: readonly string[]): Promise<Map<string, Stored>>
  row(id: string): Promise<StoredRow | undefined>
  commit(changes: readonly Change[], rows?: readonly RowChange[]): Promise<CommitResult>
  /**
   * Rows whose `dueAtMs` is not after `nowMs`, the longest due first. It may lag a moment behind a commit (DynamoDB's
   * index does): whoever acts on a row commits with its version.
   */
  due(nowMs: number, limit: number): Promise<StoredRow[]>
  /**
   * Items whose key starts with `prefix`, by key; `after` continues behind that key. `prefix` holds at least the kind
   * and its slash, so that no store has to look at everything.
   */
  list(prefix: string, page: { after?: string; limit: number }): Promise<Map<string, Stored>>
  /** Safe to call twice; any other call afterwards is `misuse`. */
  close(): Promise<void>
}

/** DynamoDB's limit for one transaction, changes and rows together. */
export const commitLimit = 100
export const itemLimitBytes = 64 * 1024
/** DynamoDB takes 4 MB a transaction; the rest is room for keys and its own bookkeeping. */
export const commitLimitBytes = 3 * 1024 * 1024
/** DynamoDB's limit for a sort key, in UTF-8 bytes. */
export const keyLimitBytes = 1024

/** What became of a row nobody could read: its text untouched, and why. Kept {@link quarantineKeepMs}. */
export const quarantined = z.strictObject({
  rowId: z.string(),
  text: z.string(),
  reason: z.string(),
  dueAtMs: z.number(),
  quarantinedAtMs: z.number(),
})
export type Quarantined = z.infer<typeof quarantined>
/** Rows that tell somebody what was set aside. */
export type DeadLetters = (found: Quarantined) => readonly OutboxRow[]
export const quarantinePrefix = 'quarantine/'
export const quarantineKey = (rowId: string): string => `${quarantinePrefix}${rowId}`
/** An item there quotes the JSON of a row once more, which at most doubles it: a row that fitted can always be set aside. */
export const quarantineLimitBytes = 3 * itemLimitBytes
export const quarantineKeepMs = 30 * 24 * 60 * 60 * 1000

/** The store cannot do its work, or was asked wrongly (`misuse`). `hint` says what a person can do about it. */
export class StoreError extends Error {
  override name = 'StoreError'
  readonly code:
    | 'locked'
    | 'disk-full'
    | 'not-a-store'
    | 'unwritable'
    | 'too-large'
    | 'store-failed'
    | 'misuse'
    /** Over a network: asked more than it is allowed to answer, no usable answer in time, not permitted. */
    | 'throttled'
    | 'unreachable'
    | 'forbidden'
  readonly hint: string
  constructor(code: StoreError['code'], message: string, options: { hint: string; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}

/** Nothing is wrong with what was to be written: it fails for everybody, and will work later. */
export const storeIsAway = (error: unknown): boolean =>
  error instanceof StoreError && !['too-large', 'misuse'].includes(error.code)

/** What a deployment must make for `dynamodbStore`: a table of these keys, and an index that holds keys only. */
export const dynamodbTable = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Whole seconds since 1970; enable time to live on it. */
  timeToLive: 'ttl',
  /** Text and number. Only rows have them, so the index holds rows alone. */
  dueIndex: { name: 'due', partitionKey: 'dueBucket', sortKey: 'dueAtMs' },
}

/**
 * Bytes by key, for what is too large for an item: windows, evidence, the status page. `get` of nothing is undefined.
 * A key is a relative path of plain names (`evidence/a1/body.html`): ASCII letters, digits and `._:=@+,-`, a name never
 * starts with a dot, and no key is another key's folder. A key that is not is {@link StoreError} `misuse`.
 */
export type Blobs = {
  get(key: string): Promise<Uint8Array | undefined>
  /** Replaces the whole object at once: a reader sees the old bytes or the new ones. */
  put(key: string, bytes: Uint8Array): Promise<void>
  /**
   * Adds to an object's end, or makes it. Not synced: what a power cut takes, or tears, is the end. One writer at a
   * time. Absent where objects cannot grow, as in S3.
   */
  append?(key: string, bytes: Uint8Array): Promise<void>
  /**
   * Keys that start with `prefix`, in the order of their characters; `after` continues behind that key. `prefix` is a
   * path that ends with a slash, with or without the beginning of a name behind it.
   */
  list(prefix: string, page: { after?: string; limit: number }): Promise<string[]>
  /** What is not there is deleted already. At most {@link blobsAtOnce} keys. */
  delete(keys: readonly string[]): Promise<void>
}

/** As many as S3 lists or deletes with one request. */
export const blobsAtOnce = 1000

export const blobLimitBytes = 64 * 1024 * 1024
