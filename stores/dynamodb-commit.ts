import { randomUUID } from 'node:crypto'
import { DeleteItemCommand, PutItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb'
import { type CommitResult, StoreError } from './contract.ts'
import { storedBytes, type Write } from './dynamodb-record.ts'
import { counting, countWritten, describe, type Table } from './dynamodb-requests.ts'
import { awsFault, awsNames } from './failures.ts'
import { persist, startDeadline } from './retry.ts'

/** An item that has expired is not there, whether DynamoDB has cleared it away or not. */
const condition = (expect: number, nowMs: number) =>
  expect === 0
    ? {
        ConditionExpression: 'attribute_not_exists(pk) OR expiresAtMs <= :now',
        ExpressionAttributeValues: { ':now': { N: String(nowMs) } },
      }
    : {
        ConditionExpression: 'version = :version AND (attribute_not_exists(expiresAtMs) OR expiresAtMs > :now)',
        ExpressionAttributeValues: { ':now': { N: String(nowMs) }, ':version': { N: String(expect) } },
      }

const conditionFailed = (error: unknown): boolean =>
  awsNames(error).some((name) => name === 'ConditionalCheckFailed' || name === 'ConditionalCheckFailedException')

const unsure = (table: Table, { key }: Write, cause: unknown): StoreError =>
  new StoreError('unreachable', `${describe(table)} did not say whether it wrote ${key.sk.S}, which is others' now`, {
    hint: 'Read it again before deciding again.',
    cause,
  })

const commandFor = (table: Table, { key, expect, attributes }: Write) => {
  const asked = { TableName: table.name, ...condition(expect, table.nowMs()), ...counting(table) }
  return attributes
    ? new PutItemCommand({ ...asked, Item: attributes, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })
    : new DeleteItemCommand({ ...asked, Key: key })
}

const commitIdFound = (error: unknown): unknown => {
  const item: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'Item') : undefined
  const attribute: unknown = typeof item === 'object' && item !== null ? Reflect.get(item, 'commitId') : undefined
  return typeof attribute === 'object' && attribute !== null ? Reflect.get(attribute, 'S') : undefined
}

/**
 * One conditional write of what is there already: half the write units of a transaction. DynamoDB, the SDK and we may
 * each have sent it before, so a failed condition is a conflict only if what stands there is not our own write, and
 * no earlier attempt may have been written over since.
 */
const commitOne = async (table: Table, write: Write): Promise<CommitResult> => {
  const command = commandFor(table, write)
  const commitId = write.attributes?.['commitId']?.S
  let mayHaveHappened = false
  const attempt = async (abortSignal: AbortSignal): Promise<CommitResult> => {
    try {
      // Two branches, since the overloads of `send` take no union.
      const { ConsumedCapacity } =
        command instanceof PutItemCommand
          ? await table.client.send(command, { abortSignal })
          : await table.client.send(command, { abortSignal })
      countWritten(table, ConsumedCapacity)
      return 'committed'
    } catch (error) {
      if (!conditionFailed(error)) throw error
      if (commitId !== undefined && commitIdFound(error) === commitId) return 'committed'
      if (mayHaveHappened || awsFault(error, '').mayHaveHappened) throw unsure(table, write, error)
      return 'conflict'
    }
  }
  return persist(startDeadline(table.patience), attempt, (error) => {
    const fault = awsFault(error, describe(table))
    mayHaveHappened ||= fault.mayHaveHappened
    return fault
  })
}

/** The token makes every repeat of the same transaction, for ten minutes, the one that was. */
const commitAll = async (table: Table, writes: readonly Write[]): Promise<CommitResult> => {
  const nowMs = table.nowMs()
  const command = new TransactWriteItemsCommand({
    ClientRequestToken: randomUUID(),
    TransactItems: writes.map(({ key, expect, attributes }) => {
      const asked = { TableName: table.name, ...condition(expect, nowMs) }
      return attributes ? { Put: { ...asked, Item: attributes } } : { Delete: { ...asked, Key: key } }
    }),
    ...counting(table),
  })
  const attempt = async (abortSignal: AbortSignal): Promise<CommitResult> => {
    try {
      countWritten(table, (await table.client.send(command, { abortSignal })).ConsumedCapacity)
      return 'committed'
    } catch (error) {
      if (conditionFailed(error)) return 'conflict'
      throw error
    }
  }
  return persist(startDeadline(table.patience), attempt, (error) => awsFault(error, describe(table)))
}

/** What tells this write from every other, were it to meet it in the table. */
const signed = (write: Write): Write =>
  write.attributes ? { ...write, attributes: { ...write.attributes, commitId: { S: randomUUID() } } } : write

/**
 * Writes all of it or nothing. One update or delete goes alone. One creation does not: nothing of what was there
 * stops a late repeat of it, which would bring back a row that was consumed meanwhile; the token of a transaction does.
 */
export const commitWrites = async (table: Table, writes: readonly Write[]): Promise<CommitResult> => {
  const [first] = writes
  if (!first) return 'committed'
  const one = writes.length === 1 && first.expect > 0 ? signed(first) : undefined
  const result = await (one ? commitOne(table, one) : commitAll(table, writes))
  if (table.onStored && result === 'committed')
    for (const { key, attributes } of one ? [one] : writes)
      if (attributes) table.onStored({ key: key.sk.S, storedBytes: storedBytes(attributes) })
  return result
}
