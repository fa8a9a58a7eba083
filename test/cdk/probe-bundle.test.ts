import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { bundleHandler } from '../../cdk/bundle.ts'
import { observation } from '../../functions/contract.ts'
import { secondOpinionRowId } from '../../functions/row-ids.ts'
import { entriesOf, startAws, taken } from '../aws/loopback-aws.ts'
import { configOf, monitor, scratch } from './deployed.ts'
import { fromQueue, invoke } from './invoked.ts'

const { folder, remove } = scratch()
let refused = false
const aws = await startAws((asked) => {
  if (refused) return { status: 403, code: 'AccessDenied' }
  if (asked.operation === 'SendMessageBatch') return taken(asked)
  return { body: { Parameters: [{ Name: '/shop/TOKEN', Value: 'Bearer open sesame' }], InvalidParameters: [] } }
})

/** What is watched: `/up`, `/down`, and what only a token opens. */
const target = createServer((request, response) => {
  const isOpen = request.headers.authorization === 'Bearer open sesame'
  response.statusCode = request.url === '/up' || (request.url === '/locked' && isOpen) ? 200 : 503
  response.end('seen')
})
// `as`: a listening TCP server's address is neither null nor a pipe's name.
const origin = () => `http://127.0.0.1:${(target.address() as AddressInfo).port}`

let directory: string
beforeAll(async () => {
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  const monitors = {
    up: monitor({ url: `${origin()}/up` }),
    down: monitor({ url: `${origin()}/down` }),
    locked: monitor({ url: `${origin()}/locked`, headers: { Authorization: 'secret:TOKEN' } }),
  }
  const config = configOf({ monitors, allowTargets: ['loopback'], aws: { name: 'shop' } })
  directory = bundleHandler({ root: process.cwd(), name: 'probe', outDir: folder, config }).directory
})
beforeEach(() => {
  aws.asked.length = 0
  refused = false
})
afterAll(async () => {
  await new Promise((resolve) => target.close(resolve))
  await aws.stop()
  remove()
})

const call = (event: unknown) =>
  invoke(directory, {
    event,
    env: {
      AWS_ENDPOINT_URL: aws.options.endpoint,
      WHODUNIT_NAME: 'shop',
      WHODUNIT_HUB_REGION: 'eu-west-1',
      WHODUNIT_LOCATION: 'local',
      WHODUNIT_OBSERVATIONS_URL: aws.queueUrl('observations.fifo'),
      WHODUNIT_PROBES_AT_ONCE: '10',
    },
  })

const tick = (scheduledAt?: string, shard = '0/1') => ({ shard, periodSeconds: 60, everySeconds: 60, scheduledAt })
const sent = () => aws.asked.filter(({ operation }) => operation === 'SendMessageBatch').flatMap(entriesOf)
const outcomesSent = () =>
  sent().flatMap(({ MessageBody }) => {
    const parsed = observation.parse(JSON.parse(MessageBody))
    return parsed.kind === 'outcomes' ? parsed.outcomes : []
  })
const seen = () => outcomesSent().map(({ monitorId, verdict, look }) => `${monitorId} ${look} ${verdict}`)

test('a tick: failures at once, the rest in one message, under the scheduled time, a secret in its place', async () => {
  const scheduledAtMs = Math.floor(Date.now() / 60_000) * 60_000
  const { code, stdout, stderr } = await call(tick(new Date(scheduledAtMs).toISOString().replace('.000', '')))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(seen().sort()).toEqual([
    'down recheck fail',
    'down recheck-2 fail',
    'down tick fail',
    'locked tick pass',
    'up tick pass',
  ])
  expect(new Set(outcomesSent().map((outcome) => outcome.scheduledAtMs))).toEqual(new Set([scheduledAtMs]))
  expect(new Set(sent().map(({ MessageGroupId }) => MessageGroupId))).toEqual(new Set(['0/1']))
  expect(new Set(sent().map(({ MessageDeduplicationId }) => MessageDeduplicationId)).size).toBe(4)
  expect(stdout).toContain('"ScheduleLagMs":')
  expect(`${stdout}${JSON.stringify(sent())}`).not.toContain('open sesame')
})

test('without a scheduled time the tick runs on its own clock, floored to the period, and says so', async () => {
  const { code, stdout, stderr } = await call(tick('<aws.scheduler.scheduled-time>'))
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('"clock":"own"') })
  expect(outcomesSent().every(({ scheduledAtMs }) => scheduledAtMs % 60_000 === 0)).toBe(true)
  expect(stdout).not.toContain('ScheduleLagMs')
})

test('a schedule that was made for more shards than the config asks for finds its monitors', async () => {
  await call(tick(undefined, '0/2'))
  await call(tick(undefined, '1/2'))
  expect(
    seen()
      .filter((one) => one.includes('tick'))
      .sort(),
  ).toEqual(['down tick fail', 'locked tick pass', 'up tick pass'])
})

test('observations the queue refuses make the invocation fail, so that its error metric shows it', async () => {
  refused = true
  const { code, stderr } = await call(tick())
  expect(code).toBe(1)
  expect(stderr).toContain('observations not sent')
})

const question = (monitorId: string, askedAtMs: number) =>
  JSON.stringify({ rowId: secondOpinionRowId({ shard: '0/1', monitorId, location: 'local', askedAtMs }) })

test('a second opinion is a look, answered under the id of the row that asked, and the re-checks of one that fails', async () => {
  const askedAtMs = Date.now() - 1000
  const { code, answer } = await call(fromQueue('probe-local', [question('down', askedAtMs)]))
  expect({ code, answer }).toEqual({ code: 0, answer: { batchItemFailures: [] } })
  expect(outcomesSent()).toMatchObject([
    { monitorId: 'down', verdict: 'fail', scheduledAtMs: askedAtMs, look: `probe:0/1:down:local:${askedAtMs}` },
    { monitorId: 'down', verdict: 'fail', scheduledAtMs: askedAtMs, look: 'recheck' },
    { monitorId: 'down', verdict: 'fail', scheduledAtMs: askedAtMs, look: 'recheck-2' },
  ])
})

test('one that is older than a minute is dropped without a look', async () => {
  const { answer } = await call(fromQueue('probe-local', [question('down', Date.now() - 61_000)]))
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(sent()).toEqual([])
})

test('where there is no table, what cannot be read stays with its queue, and nothing else does', async () => {
  const { answer } = await call(fromQueue('probe-local', ['{', question('up', Date.now())]))
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }] })
  expect(seen()).toHaveLength(1)
})
