import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import * as z from 'zod'
import { bundleHandler } from '../../cdk/bundle.ts'
import { observation } from '../../functions/contract.ts'
import { configOf, monitor, scratch } from './deployed.ts'

const { folder, remove } = scratch()
const sentShape = z.object({
  QueueUrl: z.string(),
  MessageGroupId: z.string(),
  MessageDeduplicationId: z.string(),
  MessageBody: z.string(),
})
const sent: z.output<typeof sentShape>[] = []
let refused = false

/** What is watched (`/up`, `/down`) and SQS' JSON protocol, in one. */
const server = createServer(async (request, response) => {
  const body = await text(request)
  if (request.method === 'GET') {
    response.statusCode = request.url === '/up' ? 200 : 503
    return response.end('seen')
  }
  if (refused) {
    response.writeHead(403, { 'content-type': 'application/x-amz-json-1.0' })
    return response.end(JSON.stringify({ __type: 'com.amazonaws.sqs#AccessDenied', message: 'no' }))
  }
  const message = sentShape.parse(JSON.parse(body))
  sent.push(message)
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' })
  const MD5OfMessageBody = createHash('md5').update(message.MessageBody).digest('hex')
  return response.end(JSON.stringify({ MessageId: String(sent.length), MD5OfMessageBody, SequenceNumber: '1' }))
})
const origin = () => {
  const address = server.address()
  // `as`: a listening TCP server's address is neither null nor a pipe's name.
  return `http://127.0.0.1:${(address as AddressInfo).port}`
}

type Bundle = ReturnType<typeof bundleHandler>
let bundle: Bundle

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const monitors = { up: monitor({ url: `${origin()}/up` }), down: monitor({ url: `${origin()}/down` }) }
  const config = configOf({ monitors, allowTargets: ['loopback'] })
  bundle = bundleHandler({ root: process.cwd(), name: 'probe', outDir: folder, config })
})

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  remove()
})

/** Invokes the bundle as Lambda does: a bare Node, this folder and the environment, nothing else. */
const invoke = (event: unknown) => {
  const caller = join(folder, 'caller.mjs')
  writeFileSync(
    caller,
    `const { handler } = await import('./bundle.probe/index.mjs')\nawait handler(JSON.parse(process.argv[2]))\n`,
  )
  const env = {
    PATH: process.env['PATH'],
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_SQS: origin(),
    WHODUNIT_LOCATION: 'local',
    WHODUNIT_OBSERVATIONS_URL: `${origin()}/000000000000/observations.fifo`,
    WHODUNIT_PROBES_AT_ONCE: '10',
  }
  return new Promise<{ code: number; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [caller, JSON.stringify(event)],
      { cwd: folder, env, timeout: 20_000 },
      (error, _, stderr) => resolve({ code: error ? Number(error.code ?? -1) : 0, stderr }),
    )
  })
}

const tick = (scheduledAt?: string) => ({ shard: '0/1', periodSeconds: 60, everySeconds: 60, scheduledAt })
const outcomesSent = () =>
  sent.flatMap(({ MessageBody }) => {
    const parsed = observation.parse(JSON.parse(MessageBody))
    return parsed.kind === 'outcomes' ? parsed.outcomes : []
  })

test('the bundle carries its own door and its queue, and no other door’s libraries', () => {
  const inputs = Object.keys(bundle.metafile.inputs)
  const carried = (name: string) => inputs.some((path) => path.includes(`node_modules/${name}/`))
  const others = [
    '@aws-sdk/client-sns',
    'undici',
    'hono',
    '@hono/node-server',
    'yaml',
    'commander',
    'fastest-levenshtein',
  ]
  expect(others.filter(carried)).toEqual([])
  expect(['@aws-sdk/client-sqs', 'zod'].filter(carried)).toEqual(['@aws-sdk/client-sqs', 'zod'])
  const rooms = new Set(inputs.filter((path) => !path.startsWith('node_modules/')).map((path) => path.split('/')[0]))
  expect(
    [...rooms].filter((room) => ['channels', 'sources', 'triage', 'stores', 'cli', 'web'].includes(room ?? '')),
  ).toEqual([])
})

test('the bundle is at most 1.3 MB', () => {
  expect(statSync(join(bundle.directory, 'index.mjs')).size).toBeLessThanOrEqual(1_300_000)
})

test('a tick in a bare Node: failures at once, the rest in one message, under the scheduled time', async () => {
  sent.length = 0
  const scheduledAtMs = Math.floor(Date.now() / 60_000) * 60_000
  expect(await invoke(tick(new Date(scheduledAtMs).toISOString().replace('.000', '')))).toEqual({ code: 0, stderr: '' })
  const seen = outcomesSent().map(({ monitorId, verdict, look }) => `${monitorId} ${look} ${verdict}`)
  expect(seen.sort()).toEqual(['down recheck fail', 'down tick fail', 'up tick pass'])
  expect(new Set(outcomesSent().map((outcome) => outcome.scheduledAtMs))).toEqual(new Set([scheduledAtMs]))
  expect(new Set(sent.map(({ MessageGroupId }) => MessageGroupId))).toEqual(new Set(['0/1']))
  expect(new Set(sent.map(({ MessageDeduplicationId }) => MessageDeduplicationId)).size).toBe(3)
  expect(sent.every(({ MessageDeduplicationId: id }) => /^[0-9a-f]{64}$/.test(id))).toBe(true)
})

test('without a scheduled time the tick runs on its own clock, floored to the period, and says so', async () => {
  sent.length = 0
  const { code, stderr } = await invoke(tick('<aws.scheduler.scheduled-time>'))
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("clock: 'own'") })
  expect(outcomesSent().map(({ scheduledAtMs }) => scheduledAtMs % 60_000)).toEqual([0, 0, 0])
})

test('observations the queue refuses make the invocation fail, so that its error metric shows it', async () => {
  refused = true
  const { code, stderr } = await invoke(tick())
  refused = false
  expect(code).toBe(1)
  expect(stderr).toContain('observations not sent')
})
