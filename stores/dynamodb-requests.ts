import {
  BatchGetItemCommand,
  type ConsumedCapacity,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb'
import { type DeadLetters, StoreError } from './contract.ts'
import type { Attributes, Key } from './dynamodb-record.ts'
import { awsFault } from './failures.ts'
import { type Deadline, type Patience, pause, persist, startDeadline, together } from './retry.ts'

export type Table = {
  name: string
  client: DynamoDBClient
  patience: Patience
  nowMs: () => number
  deadLetters: DeadLetters
  /** What a request used, when somebody asks: counting makes no answer slower, only longer. */
  onConsumed?: (units: { writeUnits: number; readUnits: number }) => void
  /** What each item written weighs in the table. */
  onStored?: (item: { key: string; storedBytes: number }) => void
}

export const describe = ({ name }: Table): string => `the DynamoDB table ${name}`

export const counting = ({ onConsumed }: Table) => (onConsumed ? { ReturnConsumedCapacity: 'TOTAL' as const } : {})

const unitsOf = (consumed: ConsumedCapacity | ConsumedCapacity[] | undefined): number =>
  [consumed ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)

type Consumed = ConsumedCapacity | ConsumedCapacity[] | undefined
export const countRead = ({ onConsumed }: Table, consumed: Consumed): void =>
  onConsumed?.({ readUnits: unitsOf(consumed), writeUnits: 0 })
export const countWritten = ({ onConsumed }: Table, consumed: Consumed): void =>
  onConsumed?.({ readUnits: 0, writeUnits: unitsOf(consumed) })

/** DynamoDB's limit for the keys of one request. */
const batchLimit = 100

const getOne = async (table: Table, Key: Key): Promise<Attributes[]> => {
  const command = new GetItemCommand({ TableName: table.name, Key, ConsistentRead: true, ...counting(table) })
  const answer = await persist(
    startDeadline(table.patience),
    (abortSignal) => table.client.send(command, { abortSignal }),
    (error) => awsFault(error, describe(table)),
  )
  countRead(table, answer.ConsumedCapacity)
  return answer.Item ? [answer.Item] : []
}

const leftOver = (table: Table): StoreError =>
  new StoreError('throttled', `${describe(table)} keeps leaving keys unread`, {
    hint: "Try again later; look at the account's and the table's limits.",
  })

/** Asks again for what the answer left out, be it for its size or because the table is busy. */
const getBatch = async (table: Table, keys: readonly Key[], deadline: Deadline): Promise<Attributes[]> => {
  const found: Attributes[] = []
  let left: Attributes[] = [...keys]
  for (let idle = 0; left.length > 0; ) {
    const command = new BatchGetItemCommand({
      RequestItems: { [table.name]: { Keys: left, ConsistentRead: true } },
      ...counting(table),
    })
    const answer = await persist(
      deadline,
      (abortSignal) => table.client.send(command, { abortSignal }),
      (error) => awsFault(error, describe(table)),
    )
    countRead(table, answer.ConsumedCapacity)
    found.push(...(answer.Responses?.[table.name] ?? []))
    const next = answer.UnprocessedKeys?.[table.name]?.Keys ?? []
    if (next.length > 0) await pause(deadline, next.length < left.length ? 0 : idle++, leftOver(table))
    left = next
  }
  return found
}

/** What is there of `keys`, strongly consistent, in no order. */
export const get = async (table: Table, keys: readonly Key[]): Promise<Attributes[]> => {
  const [first] = keys
  if (first && keys.length === 1) return getOne(table, first)
  const deadline = startDeadline(table.patience)
  const batches = Array.from({ length: Math.ceil(keys.length / batchLimit) }, (_, index) =>
    getBatch(table, keys.slice(index * batchLimit, (index + 1) * batchLimit), deadline),
  )
  return (await together(batches)).flat()
}

type Page = { found: Attributes[]; next?: Attributes }
type Query = Omit<QueryCommandInput, 'TableName' | 'ExclusiveStartKey'>

const page = async (table: Table, query: Query, from: Attributes | undefined): Promise<Page> => {
  const command = new QueryCommand({
    TableName: table.name,
    ...query,
    ...(from ? { ExclusiveStartKey: from } : {}),
    ...counting(table),
  })
  const answer = await persist(
    startDeadline(table.patience),
    (abortSignal) => table.client.send(command, { abortSignal }),
    (error) => awsFault(error, describe(table)),
  )
  countRead(table, answer.ConsumedCapacity)
  const found = answer.Items ?? []
  return answer.LastEvaluatedKey ? { found, next: answer.LastEvaluatedKey } : { found }
}

type Cursor<T> = { query: Query; waiting: T[]; next?: Attributes | undefined }

/** A page may be empty and yet not the last. */
const fill = async <T>(table: Table, cursor: Cursor<T>, read: (attributes: Attributes) => T): Promise<void> => {
  while (cursor.waiting.length === 0 && cursor.next) {
    const { found, next } = await page(table, cursor.query, cursor.next)
    cursor.waiting = found.map(read)
    cursor.next = next
  }
}

/**
 * Asks all queries side by side and gives what they find in one order; each must be in that order by itself.
 * Further pages are fetched only as somebody goes on asking.
 */
export async function* merged<T>(
  table: Table,
  queries: readonly { query: Query; from?: Attributes }[],
  how: { read: (attributes: Attributes) => T; order: (left: T, right: T) => number },
): AsyncGenerator<T> {
  const cursors = await together(
    queries.map(async ({ query, from }): Promise<Cursor<T>> => {
      const { found, next } = await page(table, query, from)
      const cursor = { query, waiting: found.map(how.read), next }
      await fill(table, cursor, how.read)
      return cursor
    }),
  )
  for (;;) {
    let first: { cursor: Cursor<T>; head: T } | undefined
    for (const cursor of cursors) {
      const [head] = cursor.waiting
      if (head !== undefined && (!first || how.order(head, first.head) < 0)) first = { cursor, head }
    }
    if (!first) return
    yield first.head
    first.cursor.waiting.shift()
    await fill(table, first.cursor, how.read)
  }
}
