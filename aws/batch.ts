import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import type * as z from 'zod'
import { causeOf } from './cause.ts'

/** A message nobody can read. */
export type PoisonMessage = { messageId: string; queue: string; sentAtMs: number; text: string; reason: string }

export type BatchOptions<M> = {
  schema: z.ZodType<M>
  /** Keeps a message that cannot be parsed; then it is acknowledged. When that fails SQS keeps it, in the end among the dead. */
  poison: (message: PoisonMessage) => Promise<unknown>
  /** Told why messages go back to the queue. */
  failed: (messageIds: readonly string[], cause: string) => void
}

/** What a function still has, as Lambda tells it. */
export type Remaining = Pick<Context, 'getRemainingTimeInMillis'>

type Handler = (event: SQSEvent, context: Remaining) => Promise<SQSBatchResponse>

/** Answered this long before Lambda would kill us: then the whole batch would count as failed, and nothing be said. */
const marginMs = 1000

const read = <M>({ schema }: BatchOptions<M>, { body }: SQSRecord): { message: M } | { reason: string } => {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return { reason: 'not JSON' }
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return { message: parsed.data }
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'message'}: ${message}`)
  return { reason: issues.join('; ').slice(0, 500) }
}

const sentAtMsOf = ({ attributes }: SQSRecord): number | undefined => Number(attributes.SentTimestamp) || undefined

const poisonOf = (record: SQSRecord, reason: string): PoisonMessage => ({
  messageId: record.messageId,
  queue: record.eventSourceARN.split(':').at(-1) ?? '',
  sentAtMs: sentAtMsOf(record) ?? 0,
  text: record.body,
  reason,
})

/** Rejects when the function's time is nearly over. `end` releases the timer. */
const deadlineOf = (context: Remaining) => {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => undefined)
  const leftMs = Math.max(0, context.getRemainingTimeInMillis() - marginMs)
  const timer = setTimeout(() => reject(new Error(`not done within ${leftMs} ms`)), leftMs)
  return { over: promise, end: () => clearTimeout(timer) }
}

/** Nothing of this batch could be done; said by failing, so that the function's error metric shows it. */
class BatchFailed extends Error {
  override name = 'BatchFailed'
  readonly code = 'batch-failed'
}

const answer = (records: readonly SQSRecord[], failures: ReadonlyMap<string, string>): SQSBatchResponse => {
  if (failures.size === records.length && records.length > 0) {
    const [cause = ''] = failures.values()
    throw new BatchFailed(`all ${records.length} messages of the batch failed: ${cause}`)
  }
  return { batchItemFailures: [...failures.keys()].map((itemIdentifier) => ({ itemIdentifier })) }
}

/** FIFO groups with their messages in order; a standard queue's messages are each a group of their own. */
const groupsOf = (records: readonly SQSRecord[]): SQSRecord[][] => [
  ...Map.groupBy(records, ({ attributes, messageId }) => attributes.MessageGroupId ?? messageId).values(),
]

/**
 * A function that works on messages one by one: groups side by side, within a group one after the other. After a
 * group's first failure the rest of the group goes back to the queue untouched, in its order; other groups go on.
 * What is not done shortly before Lambda's time-out goes back as well.
 */
export const eachMessage =
  <M>(options: BatchOptions<M> & { work: (message: M, sentAtMs?: number) => Promise<unknown> }): Handler =>
  async ({ Records }, context) => {
    const failures = new Map<string, string>()
    const deadline = deadlineOf(context)
    const one = async (record: SQSRecord): Promise<unknown> => {
      const found = read(options, record)
      return 'message' in found
        ? options.work(found.message, sentAtMsOf(record))
        : options.poison(poisonOf(record, found.reason))
    }
    const group = async (records: readonly SQSRecord[]) => {
      for (const [at, record] of records.entries()) {
        try {
          await Promise.race([one(record), deadline.over])
        } catch (thrown) {
          const rest = records.slice(at).map(({ messageId }) => messageId)
          options.failed(rest, causeOf(thrown))
          for (const messageId of rest) failures.set(messageId, causeOf(thrown))
          return
        }
      }
    }
    await Promise.all(groupsOf(Records).map(group))
    deadline.end()
    return answer(Records, failures)
  }

/** A function that works on all messages of a batch together: they are done together or go back together. */
export const allMessages =
  <M>(options: BatchOptions<M> & { work: (messages: readonly M[]) => Promise<unknown> }): Handler =>
  async ({ Records }, context) => {
    const failures = new Map<string, string>()
    const deadline = deadlineOf(context)
    const within = async (records: readonly SQSRecord[], work: Promise<unknown>) => {
      try {
        await Promise.race([work, deadline.over])
      } catch (thrown) {
        const ids = records.map(({ messageId }) => messageId)
        options.failed(ids, causeOf(thrown))
        for (const messageId of ids) failures.set(messageId, causeOf(thrown))
      }
    }
    const all = Records.map((record) => ({ record, found: read(options, record) }))
    const readable = all.flatMap(({ record, found }) =>
      'message' in found ? [{ record, message: found.message }] : [],
    )
    const messages = readable.map(({ message }) => message)
    if (messages.length > 0) {
      await within(
        readable.map(({ record }) => record),
        options.work(messages),
      )
    }
    for (const { record, found } of all) {
      if ('reason' in found) await within([record], options.poison(poisonOf(record, found.reason)))
    }
    deadline.end()
    return answer(Records, failures)
  }

/** Did a queue call, and not a schedule? */
export const isFromQueue = (event: unknown): event is SQSEvent =>
  typeof event === 'object' && event !== null && 'Records' in event && Array.isArray(event.Records)
