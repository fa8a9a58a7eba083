import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, type SQSClient } from '@aws-sdk/client-sqs'
import { causeOf } from './cause.ts'
import { inBatches } from './messages.ts'

export type Outgoing = {
  /** Ours, for whoever hears that it was lost. */
  id: string
  body: string
  delaySeconds?: number
  /** Of a FIFO queue. */
  group?: string
  deduplicationId?: string
}

/** What could not be sent, and why. */
export type Unsent = { id: string; cause: string }

type Target = { client: SQSClient; url: string; signal: AbortSignal }

const entryOf = (
  { body, delaySeconds, group, deduplicationId }: Outgoing,
  at: number,
): SendMessageBatchRequestEntry => ({
  Id: String(at),
  MessageBody: body,
  ...(delaySeconds === undefined ? {} : { DelaySeconds: delaySeconds }),
  ...(group === undefined ? {} : { MessageGroupId: group }),
  ...(deduplicationId === undefined ? {} : { MessageDeduplicationId: deduplicationId }),
})

type Refused = { message: Outgoing; cause: string }

const sendBatch = async ({ client, url, signal }: Target, batch: readonly Outgoing[]): Promise<Refused[]> => {
  const command = new SendMessageBatchCommand({ QueueUrl: url, Entries: batch.map(entryOf) })
  const { Failed = [] } = await client.send(command, { abortSignal: signal })
  return Failed.flatMap(({ Id, Code, Message }) => {
    const message = batch[Number(Id)]
    return message ? [{ message, cause: `${Code}: ${Message ?? 'no reason given'}` }] : []
  })
}

const lost = (batch: readonly Outgoing[], cause: string): Unsent[] => batch.map(({ id }) => ({ id, cause }))

/** One batch; what SQS took out of it is tried once more. A call that failed as a whole the client has repeated already. */
const sendOrTell = async (target: Target, batch: readonly Outgoing[]): Promise<Unsent[]> => {
  try {
    const refused = await sendBatch(target, batch)
    if (refused.length === 0) return []
    const again = refused.map(({ message }) => message)
    try {
      const twice = await sendBatch(target, again)
      return twice.map(({ message, cause }) => ({ id: message.id, cause }))
    } catch (thrown) {
      return lost(again, causeOf(thrown))
    }
  } catch (thrown) {
    return lost(batch, causeOf(thrown))
  }
}

/** Sends in order, all within `timeoutMs` however many they are, and answers what was not taken. Never throws. */
export const sendAll = async (
  { client, url, timeoutMs }: { client: SQSClient; url: string; timeoutMs: number },
  messages: readonly Outgoing[],
): Promise<Unsent[]> => {
  const target = { client, url, signal: AbortSignal.timeout(timeoutMs) }
  const unsent: Unsent[] = []
  for (const batch of inBatches(messages)) unsent.push(...(await sendOrTell(target, batch)))
  return unsent
}
