import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type DeadLetters, dynamodbTable, type Store, type Stored, type StoredRow, StoreError } from './contract.ts'
import { commitWrites } from './dynamodb-commit.ts'
import {
  type DueKey,
  duePartitions,
  itemKey,
  itemToWrite,
  partitionsOf,
  type ReadItem,
  readDueKey,
  readHeldRow,
  readItem,
  rowKey,
  rowToWrite,
} from './dynamodb-record.ts'
import { get, merged, type Table } from './dynamodb-requests.ts'
import { byteOrder, checkKey, checkLimit, checkPrefix, checkRowId } from './keys.ts'
import { prepareCommit } from './prepare.ts'
import { type HeldRow, type Poison, quarantineBatch, readRow, setAside, sortOut } from './quarantine.ts'

export type DynamodbOptions = {
  /** A table as {@link dynamodbTable} says. */
  table: string
  /** Made once by the caller, best with `maxAttempts: 1`: this store tries again by itself. It is not closed here. */
  client: DynamoDBClient
  nowMs: () => number
  /** How long one request may take, and how long all attempts at it together. Default 2 s and 5 s. */
  requestTimeoutMs?: number
  deadlineMs?: number
  /** None unless given. */
  deadLetters?: DeadLetters
  /** Hears the capacity every answered request used. */
  onConsumed?: (units: { writeUnits: number; readUnits: number }) => void
  /** Hears how much of DynamoDB's 400 KB each written item or row takes. */
  onStored?: (item: { key: string; storedBytes: number }) => void
}

const read = async (table: Table, keys: readonly string[]): Promise<Map<string, Stored>> => {
  keys.forEach(checkKey)
  const wanted = [...new Set(keys)]
  const items = (await get(table, wanted.map(itemKey))).map(readItem)
  const nowMs = table.nowMs()
  const there = new Map(items.filter(({ expiresAtMs }) => expiresAtMs > nowMs).map((item) => [item.key, item]))
  return new Map(
    wanted.flatMap((key): [string, Stored][] => {
      const item = there.get(key)
      return item ? [[key, { value: item.value, version: item.version }]] : []
    }),
  )
}

/** A row that changed since it was read is left to its next reader. */
const quarantineOne = async (table: Table, poison: Poison): Promise<void> => {
  const { item, told } = setAside(poison, { nowMs: table.nowMs(), deadLetters: table.deadLetters })
  const expect = (await read(table, [item.key])).get(item.key)?.version ?? 0
  const there = await get(
    table,
    told.map(({ key }) => rowKey(key)),
  )
  const known = new Set(there.map((row) => readHeldRow(row).id))
  const { id, version, dueAtMs } = poison.held
  await commitWrites(table, [
    itemToWrite({ ...item, expect }),
    rowToWrite({ key: id, expect: version, dueAtMs }),
    ...told.filter(({ key }) => !known.has(key)).map(rowToWrite),
  ])
}

const quarantinesAtOnce = 10

/** A table that cannot be written must not keep the readable rows from going out; the next call tries again. */
const quarantine = async (table: Table, poison: readonly Poison[]): Promise<void> => {
  for (let at = 0; at < poison.length; at += quarantinesAtOnce) {
    const moves = poison.slice(at, at + quarantinesAtOnce).map((one) => quarantineOne(table, one))
    const ends = await Promise.allSettled(moves)
    if (ends.some(({ status }) => status === 'rejected')) return
  }
}

const row = async (table: Table, id: string): Promise<StoredRow | undefined> => {
  checkRowId(id)
  const [held] = (await get(table, [rowKey(id)])).map(readHeldRow)
  if (!held) return undefined
  const answer = readRow(held)
  if (answer.status === 'read') return answer.stored
  await quarantine(table, [answer.poison])
  return undefined
}

type Due = { dueAtMs: number; id: string }
const dueOrder = (left: Due, right: Due): number => left.dueAtMs - right.dueAtMs || byteOrder(left.id, right.id)

const { dueIndex } = dynamodbTable

/** A page that is likely to be enough when what is asked for is spread evenly. */
const pageOf = (limit: number, partitions: number): number => Math.min(250, Math.ceil(limit / partitions) * 2 + 4)

const dueKeys = (table: Table, nowMs: number, limit: number): AsyncGenerator<DueKey> => {
  const queries = duePartitions.map((partition) => ({
    query: {
      IndexName: dueIndex.name,
      KeyConditionExpression: `${dueIndex.partitionKey} = :bucket AND ${dueIndex.sortKey} <= :now`,
      ExpressionAttributeValues: { ':bucket': { S: partition }, ':now': { N: String(nowMs) } },
      Limit: pageOf(limit, duePartitions.length),
    },
  }))
  return merged(table, queries, { read: readDueKey, order: dueOrder })
}

/** The index may lag behind: a row is as the table has it, and gone or put off it is not due. */
const heldOf = async (table: Table, keys: readonly DueKey[], nowMs: number): Promise<HeldRow[]> => {
  const rows = await get(
    table,
    keys.map(({ key }) => key),
  )
  return rows
    .map(readHeldRow)
    .filter(({ dueAtMs }) => dueAtMs <= nowMs)
    .sort(dueOrder)
}

const fewest = 25
const most = 100

const due = async (table: Table, nowMs: number, limit: number): Promise<StoredRow[]> => {
  checkLimit(limit)
  if (Number.isNaN(nowMs)) throw new StoreError('misuse', 'rows due at no time', { hint: 'Give a time.' })
  const found: StoredRow[] = []
  const poison: Poison[] = []
  const take = async (keys: readonly DueKey[]) => {
    const sorted = sortOut(await heldOf(table, keys, nowMs), limit - found.length)
    found.push(...sorted.readable)
    poison.push(...sorted.poison)
  }
  const size = () => Math.max(fewest, Math.min(most, limit - found.length))
  let keys: DueKey[] = []
  for await (const key of dueKeys(table, nowMs, limit)) {
    keys.push(key)
    if (keys.length < size()) continue
    await take(keys)
    keys = []
    if (found.length === limit) break
  }
  if (keys.length > 0) await take(keys)
  await quarantine(table, poison.slice(0, quarantineBatch))
  return found.sort((left, right) => dueOrder(left.row, right.row))
}

const list = async (table: Table, prefix: string, { after = '', limit }: { after?: string; limit: number }) => {
  checkPrefix(prefix)
  checkLimit(limit)
  if (after !== '') checkKey(after)
  const found = new Map<string, Stored>()
  const behind = byteOrder(after, prefix) >= 0
  // Behind everything that begins with the prefix there is nothing, and DynamoDB would refuse to start there.
  if (behind && !after.startsWith(prefix)) return found
  const queries = partitionsOf(prefix).map((partition) => ({
    query: {
      KeyConditionExpression: 'pk = :partition AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':partition': { S: partition }, ':prefix': { S: prefix } },
      ConsistentRead: true,
      Limit: pageOf(limit, partitionsOf(prefix).length),
    },
    ...(behind ? { from: { pk: { S: partition }, sk: { S: after } } } : {}),
  }))
  const nowMs = table.nowMs()
  const order = (left: ReadItem, right: ReadItem) => byteOrder(left.key, right.key)
  for await (const item of merged(table, queries, { read: readItem, order })) {
    if (item.expiresAtMs > nowMs) found.set(item.key, { value: item.value, version: item.version })
    if (found.size === limit) break
  }
  return found
}

/**
 * A {@link Store} in one DynamoDB table; `dynamodb-record.ts` says how things lie in it.
 *
 * Its calls throw a {@link StoreError}: `throttled`, `locked` (transactions of others in the way) or `unreachable` when
 * all attempts failed until the deadline, `forbidden` (credentials, policy), `not-a-store` (no such table),
 * `too-large`, `store-failed` (something else wrote what was read), `misuse`.
 */
export const dynamodbStore = (options: DynamodbOptions): Store => {
  const { table: name, client, nowMs, requestTimeoutMs = 2000, deadlineMs = 5000, onConsumed, onStored } = options
  const { deadLetters = () => [] } = options
  const table: Table = {
    name,
    client,
    nowMs,
    patience: { requestTimeoutMs, deadlineMs },
    deadLetters,
    ...(onConsumed ? { onConsumed } : {}),
    ...(onStored ? { onStored } : {}),
  }
  let closed = false
  const open = (): Table => {
    if (closed) throw new StoreError('misuse', 'the store is closed', { hint: 'Close it last.' })
    return table
  }
  return {
    read: async (keys) => read(open(), keys),
    row: async (id) => row(open(), id),
    commit: async (changes, rows = []) => {
      const prepared = prepareCommit(changes, rows)
      return commitWrites(open(), [...prepared.items.map(itemToWrite), ...prepared.rows.map(rowToWrite)])
    },
    due: async (dueMs, limit) => due(open(), dueMs, limit),
    list: async (prefix, page) => list(open(), prefix, page),
    close: async () => {
      closed = true
    },
  }
}
