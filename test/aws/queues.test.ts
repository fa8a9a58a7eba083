import { SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { LostMessages, pulse, sqsNudges, sqsPulse, sqsSender } from '../../aws/queues.ts'
import type { Unsent } from '../../aws/send.ts'
import { acknowledgeRowId } from '../../functions/api/acknowledgement.ts'
import { endRowId } from '../../functions/api/received.ts'
import { type Nudge, observation } from '../../functions/contract.ts'
import { incidentTimerId, secondOpinionRowId, timerRowId } from '../../functions/row-ids.ts'
import { outcome, seen } from '../functions/builders.ts'
import { type Answer, type Asked, entriesOf, startAws, taken } from './loopback-aws.ts'

let answer: (asked: Asked) => Answer = taken
const aws = await startAws((asked) => answer(asked))
const client = new SQSClient({ ...aws.options, maxAttempts: 1 })
beforeEach(() => {
  aws.asked.length = 0
  answer = taken
  clock.nowMs = 7000
})
afterAll(async () => {
  client.destroy()
  await aws.stop()
})

const queues = {
  observations: aws.queueUrl('observations.fifo'),
  'alert-changes': aws.queueUrl('alert-changes.fifo'),
  triage: aws.queueUrl('triage'),
  deliver: aws.queueUrl('deliver'),
  publish: aws.queueUrl('publish'),
}
const probeQueues = { 'us-east-1': { region: 'us-east-1', url: aws.queueUrl('probe-us-east-1') } }
const clock = { nowMs: 7000 }
const nowMs = () => clock.nowMs

const nudgeAll = async (...nudges: Nudge[]) => {
  const lost: Unsent[] = []
  await sqsNudges({ client, queues, probeQueues, nowMs, lost: (unsent) => lost.push(...unsent) })(nudges)
  return lost
}

const sent = () =>
  aws.asked.flatMap((asked) =>
    entriesOf(asked).map(({ Id: _, MessageBody, ...rest }) => ({
      queue: String(asked.body['QueueUrl']).split('/').at(-1),
      message: JSON.parse(MessageBody),
      ...rest,
    })),
  )

const asked = { shard: '0/1', monitorId: 'front', location: 'us-east-1', askedAtMs: 5 }

test.each<{ given: string; nudge: Nudge; then: object }>([
  {
    given: 'a row of correlate',
    nudge: { to: 'correlate', rowId: 'alerts:0/1:4', afterMs: 0 },
    then: {
      queue: 'alert-changes.fifo',
      message: { rowId: 'alerts:0/1:4' },
      MessageGroupId: 'hub',
      MessageDeduplicationId: 'alerts:0/1:4:0:7000',
    },
  },
  {
    given: 'the third nudge of such a row, which is no repeat of the first',
    nudge: { to: 'correlate', rowId: 'alerts:0/1:4', afterMs: 0, nudge: 3 },
    then: {
      queue: 'alert-changes.fifo',
      message: { rowId: 'alerts:0/1:4' },
      MessageGroupId: 'hub',
      MessageDeduplicationId: 'alerts:0/1:4:3:7000',
    },
  },
  {
    given: 'a page that waits three seconds and a bit',
    nudge: { to: 'deliver', rowId: 'deliver:i:sms:1', afterMs: 3001 },
    then: { queue: 'deliver', message: { rowId: 'deliver:i:sms:1' }, DelaySeconds: 4 },
  },
  {
    given: 'a retry later than SQS can wait',
    nudge: { to: 'deliver', rowId: 'deliver:i:sms:1', afterMs: 7_200_000 },
    then: { queue: 'deliver', message: { rowId: 'deliver:i:sms:1' }, DelaySeconds: 900 },
  },
  {
    given: 'a triage at once',
    nudge: { to: 'triage', rowId: 'triage:i', afterMs: 0 },
    then: { queue: 'triage', message: { rowId: 'triage:i' } },
  },
  {
    given: 'a timer, which wakes its shard as an observation',
    nudge: { to: 'evaluate', rowId: timerRowId('3/8'), afterMs: 0, nudge: 1 },
    then: {
      queue: 'observations.fifo',
      message: { kind: 'timer', id: 'timer:3/8:1:7000', shard: '3/8', rowId: 'timer:3/8' },
      MessageGroupId: '3/8',
      MessageDeduplicationId: 'timer:3/8:1:7000',
    },
  },
  {
    given: 'a second opinion, in its location',
    nudge: { to: 'probe', rowId: secondOpinionRowId(asked), afterMs: 0 },
    then: { queue: 'probe-us-east-1', message: { rowId: secondOpinionRowId(asked) } },
  },
])('$given', async ({ nudge, then }) => {
  expect(await nudgeAll(nudge)).toEqual([])
  expect(sent()).toEqual([then])
})

test('a timer’s message is an observation that evaluate understands', async () => {
  await nudgeAll({ to: 'evaluate', rowId: timerRowId('3/8'), afterMs: 0 })
  expect(observation.safeParse(sent()[0]?.message).success).toBe(true)
})

test.each([
  { given: 'an acknowledgement, given again', rowId: acknowledgeRowId({ incidentId: 'shop-1', channel: 'pager' }) },
  { given: 'the next deadline of an incident', rowId: incidentTimerId('shop-1') },
  { given: 'the end of a received alert, which fired again', rowId: endRowId('8f2c') },
])('a row that is written anew within five minutes is heard of anew: $given', async ({ rowId }) => {
  for (const atMs of [7000, 67_000]) {
    clock.nowMs = atMs
    await nudgeAll({ to: 'correlate', rowId, afterMs: 0 })
  }
  expect(sent().map(({ message }) => message)).toEqual([{ rowId }, { rowId }])
  expect(new Set(sent().map(({ MessageDeduplicationId: id }) => id)).size).toBe(2)
})

test('what is sent once more keeps its id, whatever the time', async () => {
  answer = (one) => {
    clock.nowMs += 1000
    return taken(one, aws.asked.length === 1 ? ['receipt:x'] : [])
  }
  await nudgeAll({ to: 'correlate', rowId: 'receipt:x', afterMs: 0 })
  expect(sent().map(({ MessageDeduplicationId: id }) => id)).toEqual(['receipt:x:0:7000', 'receipt:x:0:7000'])
})

test('what a FIFO queue would hand out too early is left to the sweep', async () => {
  const early: Nudge = { to: 'correlate', rowId: 'receipt:x', afterMs: 500 }
  expect(await nudgeAll(early, { ...early, to: 'evaluate', rowId: timerRowId('0/1') })).toEqual([])
  expect(aws.asked).toEqual([])
})

test('an id that SQS would not take is hashed, and stays different for every nudge', async () => {
  const rowId = `acknowledge:${'ü'.repeat(200)}`
  await nudgeAll({ to: 'correlate', rowId, afterMs: 0 }, { to: 'correlate', rowId, afterMs: 0, nudge: 1 })
  const ids = sent().map(({ MessageDeduplicationId = '' }) => MessageDeduplicationId)
  expect(ids.every((id) => /^[0-9a-f]{64}$/.test(id))).toBe(true)
  expect(new Set(ids).size).toBe(2)
})

test('many nudges go ten at a time, one queue beside the other', async () => {
  const many = (to: 'triage' | 'deliver') =>
    Array.from({ length: 23 }, (_, at): Nudge => ({ to, rowId: `${to}:${at}`, afterMs: 0 }))
  await nudgeAll(...many('triage'), ...many('deliver'))
  expect(aws.asked.map((one) => entriesOf(one).length).sort()).toEqual([10, 10, 10, 10, 3, 3])
  expect(new Set(sent().map(({ message }) => message.rowId)).size).toBe(46)
})

test('what SQS takes out of a batch is sent once more, and only that', async () => {
  answer = (one) => taken(one, aws.asked.length === 1 ? ['triage:1'] : [])
  expect(
    await nudgeAll(...['1', '2'].map((id): Nudge => ({ to: 'triage', rowId: `triage:${id}`, afterMs: 0 }))),
  ).toEqual([])
  expect(sent().map(({ message }) => message.rowId)).toEqual(['triage:1', 'triage:2', 'triage:1'])
})

test.each<{ given: string; then: (asked: Asked) => Answer; cause: string }>([
  { given: 'refused twice', then: (one) => taken(one, ['triage:1']), cause: 'InternalError: busy' },
  { given: 'a call that fails', then: () => ({ status: 403, code: 'AccessDenied' }), cause: 'AccessDenied: made up' },
])('$given: told as lost, and never thrown after a commit', async ({ then, cause }) => {
  answer = then
  expect(await nudgeAll({ to: 'triage', rowId: 'triage:1', afterMs: 0 })).toEqual([{ id: 'triage:1', cause }])
})

test('a queue that hangs costs one time-out, however many messages wait for it', async () => {
  answer = () => 'hang'
  const many = Array.from({ length: 35 }, (_, at): Nudge => ({ to: 'triage', rowId: `triage:${at}`, afterMs: 0 }))
  const startedAtMs = performance.now()
  expect(await nudgeAll(...many)).toHaveLength(35)
  expect(performance.now() - startedAtMs).toBeLessThan(6000)
}, 10_000)

test('a location without a queue loses its own nudge and nobody else’s', async () => {
  const elsewhere = secondOpinionRowId({ ...asked, location: 'office' })
  const lost = await nudgeAll({ to: 'probe', rowId: elsewhere, afterMs: 0 }, { to: 'triage', rowId: 't', afterMs: 0 })
  expect(lost).toEqual([{ id: elsewhere, cause: 'no queue is known for location office' }])
  expect(sent().map(({ queue }) => queue)).toEqual(['triage'])
})

test('without anybody to tell, a lost nudge rejects', async () => {
  answer = () => ({ status: 403, code: 'AccessDenied' })
  const nudge = sqsNudges({ client, queues, probeQueues: {}, nowMs })
  await expect(nudge([{ to: 'triage', rowId: 't', afterMs: 0 }])).rejects.toThrow(LostMessages)
})

test('a large observation goes in messages of one group, each under its own id, none together over 256 KiB', async () => {
  const detail = 'x'.repeat(3000)
  const cause = { phase: 'assert' as const, code: 'assert-status', detail } // `as const`: one of the phases, not any text
  const outcomes = Array.from({ length: 200 }, (_, at) => outcome({ monitorId: `m${at}`, verdict: 'fail', cause }))
  await sqsSender({ client, url: queues.observations })({ ...seen(outcomes, '1/2'), id: 'tick' })
  const sizes = aws.asked.map((one) => entriesOf(one).reduce((all, { MessageBody }) => all + MessageBody.length, 0))
  expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024)
  expect(sent().flatMap(({ message }) => message.outcomes)).toHaveLength(200)
  expect(new Set(sent().map(({ MessageGroupId }) => MessageGroupId))).toEqual(new Set(['1/2']))
  expect(new Set(sent().map(({ MessageDeduplicationId: id }) => id)).size).toBe(sent().length)
})

test('an observation that is not taken is an error that names it and not what it says', async () => {
  answer = () => ({ status: 403, code: 'AccessDenied' })
  const send = sqsSender({ client, url: queues.observations })
  const told = send({ ...seen([outcome({ verdict: 'fail' })]), id: 'tick' })
  await expect(told).rejects.toThrow('1 not sent: tick (AccessDenied: made up)')
})

test('a pulse goes from queue to queue, in the hub’s group where there are groups', async () => {
  for (const url of [queues['alert-changes'], queues.deliver]) await sqsPulse({ client, url })(60_000)
  expect(sent()).toEqual([
    {
      queue: 'alert-changes.fifo',
      message: { pulseAtMs: 60_000 },
      MessageGroupId: 'hub',
      MessageDeduplicationId: 'pulse:60000',
    },
    { queue: 'deliver', message: { pulseAtMs: 60_000 } },
  ])
  expect(observation.safeParse(pulse(60_000)).success).toBe(true)
})
