import { expect, test } from '@jest/globals'
import type { SQSRecord } from 'aws-lambda'
import * as z from 'zod'
import { allMessages, eachMessage, isFromQueue, type PoisonMessage } from '../../aws/batch.ts'

const schema = z.strictObject({ say: z.string() })

const record = (messageId: string, body: string, group?: string): SQSRecord => ({
  messageId,
  body,
  receiptHandle: '',
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: '5000',
    SenderId: '',
    ApproximateFirstReceiveTimestamp: '0',
    ...(group === undefined ? {} : { MessageGroupId: group }),
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-west-1:000000000000:observations.fifo',
  awsRegion: 'eu-west-1',
})
const say = (messageId: string, group?: string) => record(messageId, JSON.stringify({ say: messageId }), group)

const longMs = 60_000
const play = (options: { fails?: string[]; hangs?: string[]; poisonFails?: boolean } = {}) => {
  const done: string[] = []
  const poison: PoisonMessage[] = []
  const failed: string[] = []
  const one = async (text: string) => {
    if (options.hangs?.includes(text)) await new Promise(() => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    if (options.fails?.includes(text)) throw new Error(`${text} is not possible`)
    done.push(text)
  }
  const both = {
    schema,
    poison: async (message: PoisonMessage) => {
      if (options.poisonFails) throw new Error('no table')
      poison.push(message)
    },
    failed: (ids: readonly string[], cause: string) => void failed.push(`${ids.join(' ')}: ${cause}`),
  }
  const each = eachMessage({ ...both, work: (message) => one(message.say) })
  const all = allMessages({
    ...both,
    work: async (messages) => {
      for (const message of messages) await one(message.say)
    },
  })
  return { done, poison, failed, each, all }
}

const leaves = (leftMs = longMs) => ({ getRemainingTimeInMillis: () => leftMs })
const returned = ({ batchItemFailures }: { batchItemFailures: { itemIdentifier: string }[] }) =>
  batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)

test('everything done: nothing comes back', async () => {
  const { each, done } = play()
  expect(returned(await each({ Records: [say('a'), say('b')] }, leaves()))).toEqual([])
  expect(done.sort()).toEqual(['a', 'b'])
})

test.each([
  { given: 'when it was sent', SentTimestamp: '5000', sentAtMs: 5000 },
  { given: 'nothing of that', SentTimestamp: '', sentAtMs: undefined },
])('of a message the queue says $given', async ({ SentTimestamp, sentAtMs }) => {
  const heard: unknown[] = []
  const each = eachMessage({
    schema,
    poison: async () => undefined,
    failed: () => undefined,
    work: async (...all) => void heard.push(all),
  })
  const message = say('a')
  await each({ Records: [{ ...message, attributes: { ...message.attributes, SentTimestamp } }] }, leaves())
  expect(heard).toEqual([[{ say: 'a' }, sentAtMs]])
})

test('after the first failure of a FIFO group the rest of it comes back untouched; other groups go on', async () => {
  const { each, done, failed } = play({ fails: ['a2'] })
  const Records = [say('a1', 'A'), say('b1', 'B'), say('a2', 'A'), say('b2', 'B'), say('a3', 'A')]
  expect(returned(await each({ Records }, leaves()))).toEqual(['a2', 'a3'])
  expect(done.sort()).toEqual(['a1', 'b1', 'b2'])
  expect(failed).toEqual(['a2 a3: Error: a2 is not possible'])
})

test('a group keeps its order while groups go side by side', async () => {
  const { each, done } = play()
  await each({ Records: [say('a1', 'A'), say('b1', 'B'), say('a2', 'A'), say('b2', 'B')] }, leaves())
  expect(done).toEqual(['a1', 'b1', 'a2', 'b2'])
})

test('a message of a standard queue fails alone', async () => {
  const { each, done } = play({ fails: ['a'] })
  expect(returned(await each({ Records: [say('a'), say('b')] }, leaves()))).toEqual(['a'])
  expect(done).toEqual(['b'])
})

test('a message that hangs comes back before Lambda gives up, and what is done stays done', async () => {
  const { each, done, failed } = play({ hangs: ['a1'] })
  const answer = await each({ Records: [say('a1', 'A'), say('b1', 'B'), say('a2', 'A')] }, leaves(1050))
  expect(returned(answer)).toEqual(['a1', 'a2'])
  expect(done).toEqual(['b1'])
  expect(failed).toEqual(['a1 a2: Error: not done within 50 ms'])
})

test('messages of a standard queue wait for none that hangs in their batch', async () => {
  const { each, done } = play({ hangs: ['a'] })
  const answer = each({ Records: [say('a'), say('b'), say('c')] }, leaves(1200))
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(done).toEqual(['b', 'c'])
  expect(returned(await answer)).toEqual(['a'])
})

test.each([
  { given: 'not JSON', body: '{', reason: 'not JSON' },
  { given: 'JSON of another shape', body: '{"say":1}', reason: 'say: Invalid input: expected string, received number' },
])('$given is set aside with its bytes and acknowledged', async ({ body, reason }) => {
  const { each, all, poison, done } = play()
  for (const handler of [each, all]) {
    expect(returned(await handler({ Records: [record('p', body, 'A'), say('a', 'A')] }, leaves()))).toEqual([])
  }
  const message = { messageId: 'p', queue: 'observations.fifo', sentAtMs: 5000, text: body, reason }
  expect(poison).toEqual([message, message])
  expect(done).toEqual(['a', 'a'])
})

test('poison that cannot be kept comes back, with its group behind it', async () => {
  const { each } = play({ poisonFails: true })
  const Records = [record('p', '{', 'A'), say('a', 'A'), say('b', 'B')]
  expect(returned(await each({ Records }, leaves()))).toEqual(['p', 'a'])
})

test('a batch of which nothing could be done is an error, so that the function’s metric shows it', async () => {
  const { each, all } = play({ fails: ['a', 'b'] })
  const event = { Records: [say('a'), say('b')] }
  await expect(each(event, leaves())).rejects.toThrow('all 2 messages of the batch failed: Error: a is not possible')
  await expect(all(event, leaves())).rejects.toThrow('all 2 messages of the batch failed: Error: a is not possible')
})

test('messages that are worked on together come back together', async () => {
  const { all, done } = play({ fails: ['b'] })
  const Records = [say('a', 'hub'), record('p', '{', 'hub'), say('b', 'hub')]
  expect(returned(await all({ Records }, leaves()))).toEqual(['a', 'b'])
  expect(done).toEqual(['a'])
})

test('messages that are worked on together and hang come back before Lambda gives up', async () => {
  const { all } = play({ hangs: ['a'] })
  const answer = all({ Records: [say('a', 'hub'), record('p', '{', 'hub')] }, leaves(1050))
  expect(returned(await answer)).toEqual(['a'])
})

test.each([
  { event: { Records: [] }, then: true },
  { event: {}, then: false },
  { event: null, then: false },
  { event: { shard: '0/1' }, then: false },
])('$event is from a queue: $then', ({ event, then }) => {
  expect(isFromQueue(event)).toBe(then)
})
