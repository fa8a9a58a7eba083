import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { bundleHandler } from '../../cdk/bundle.ts'
import { keys, type Observation } from '../../functions/contract.ts'
import { pulseItem } from '../../functions/pulse.ts'
import { unpackChunk } from '../../functions/window-chunk.ts'
import { quarantinePrefix, type Store } from '../../stores/contract.ts'
import { dynamodbStore } from '../../stores/dynamodb.ts'
import { type Entry, entriesOf, startAws, taken } from '../aws/loopback-aws.ts'
import { published, snsProvider } from '../channels/sns-provider.ts'
import { dynamodbClient, makeTable, startDynamodbLocal } from '../engines/dynamodb-local.ts'
import { startLoopbackS3 } from '../engines/loopback-s3.ts'
import { outcome, seen } from '../functions/builders.ts'
import { configOf, monitor, scratch } from './deployed.ts'
import { fromQueue, invoke } from './invoked.ts'

/** The hub's bundles, each in a Node of its own for every call, over a real DynamoDB engine and loopback services. */
const engine = await startDynamodbLocal()
const engineTest = engine.status === 'running' ? test : test.skip

const { folder, remove } = scratch()
const aws = await startAws((asked) => (asked.operation === 'SendMessageBatch' ? taken(asked) : { body: {} }))
const s3 = await startLoopbackS3()
const sns = await snsProvider()
const source = createServer((_, response) => {
  response.setHeader('content-type', 'text/plain; version=0.0.4')
  response.end(
    '# TYPE kube_deployment_status_replicas_ready gauge\nkube_deployment_status_replicas_ready{namespace="shop",deployment="web"} 0\n',
  )
})
const client = dynamodbClient(engine.status === 'running' ? engine.endpoint : 'http://127.0.0.1:1')

const names = ['evaluate', 'correlate', 'triage', 'deliver', 'publish', 'sweep', 'scrape'] as const
type Name = (typeof names)[number]
const directories = new Map<Name, string>()
let env: Record<string, string> = {}
let store: Store
let dropTable = async () => undefined as unknown

beforeAll(async () => {
  if (engine.status !== 'running') return
  await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve))
  // `as`: a listening TCP server's address is neither null nor a pipe's name.
  const { port } = source.address() as AddressInfo
  const config = configOf({
    monitors: { front: monitor() },
    channels: { oncall: { kind: 'sns' }, terminal: { kind: 'console' } },
    routes: [{ channels: ['oncall'] }],
    clusters: {
      prod: { scrapeIntervalSeconds: 60, sources: [{ kind: 'kube-state-metrics', url: `http://127.0.0.1:${port}/` }] },
    },
    aws: { name: 'shop' },
  })
  for (const name of names) {
    directories.set(name, bundleHandler({ root: process.cwd(), name, outDir: folder, config }).directory)
  }
  const { table, drop } = await makeTable(client)
  dropTable = drop
  store = dynamodbStore({ table, client, nowMs: () => Date.now() })
  const queues = ['observations.fifo', 'alert-changes.fifo', 'triage', 'deliver', 'publish']
  env = {
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_ENDPOINT_URL: aws.options.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_SNS: sns.url,
    WHODUNIT_NAME: 'shop',
    WHODUNIT_HUB_REGION: 'eu-west-1',
    WHODUNIT_TABLE: table,
    WHODUNIT_QUEUES: JSON.stringify(
      Object.fromEntries(queues.map((name) => [name.replace('.fifo', ''), aws.queueUrl(name)])),
    ),
    WHODUNIT_PROBE_QUEUES: '{}',
    WHODUNIT_BUCKETS:
      '{"evidence":"shop-evidence","windows":"shop-windows","status":"shop-status","history":"shop-history"}',
    WHODUNIT_TOPICS: '{"oncall":"arn:aws:sns:eu-west-1:000000000000:shop-oncall"}',
    WHODUNIT_API_URL: 'https://api.example',
    WHODUNIT_STATUS_URL: 'https://status.example',
  }
})

afterAll(async () => {
  await dropTable()
  client.destroy()
  source.close()
  await Promise.all([aws.stop(), s3.stop(), sns.close()])
  if (engine.status === 'running') await engine.stop()
  remove()
})

const call = async (name: Name, event: unknown) => {
  const result = await invoke(directories.get(name) ?? '', { event, env })
  expect({ name, code: result.code, stderr: result.code === 0 ? '' : result.stderr }).toEqual({
    name,
    code: 0,
    stderr: '',
  })
  return result
}

let read = 0
/** What was sent since the last time it was asked, by queue. */
const sent = (): Map<string, Entry[]> => {
  const batches = aws.asked.slice(read).filter(({ operation }) => operation === 'SendMessageBatch')
  read = aws.asked.length
  const by = Map.groupBy(batches, ({ body }) => String(body['QueueUrl']).split('/').at(-1) ?? '')
  return new Map([...by].map(([queue, asked]) => [queue, asked.flatMap(entriesOf)]))
}
const bodies = (messages: Map<string, Entry[]>, queue: string) =>
  (messages.get(queue) ?? []).map(({ MessageBody }) => MessageBody)

const deliverBatch = (name: Name, queue: string, messages: Map<string, Entry[]>) =>
  call(name, fromQueue(queue, bodies(messages, queue), queue.endsWith('.fifo') ? 'one' : undefined))

const consumers: Readonly<Record<string, Name>> = {
  'observations.fifo': 'evaluate',
  'alert-changes.fifo': 'correlate',
  triage: 'triage',
  deliver: 'deliver',
  publish: 'publish',
}

/** Works on what was sent until nothing is sent any more. */
const drain = async (first: Map<string, Entry[]>) => {
  let messages = first
  for (let round = 0; messages.size > 0 && round < 10; round++) {
    for (const [queue] of messages) await deliverBatch(consumers[queue] ?? 'evaluate', queue, messages)
    messages = sent()
  }
}

const minuteMs = Math.floor(Date.now() / 60_000) * 60_000
const failing = (minutesAgo: number): Observation => {
  const scheduledAtMs = minuteMs - minutesAgo * 60_000
  return seen([outcome({ verdict: 'fail', scheduledAtMs, startedAtMs: scheduledAtMs })])
}

engineTest(
  'an outage goes from its looks to one page, every function in a process of its own',
  async () => {
    const looks = [3, 2, 1, 0].map((minutesAgo) => JSON.stringify(failing(minutesAgo)))
    await call('evaluate', fromQueue('observations.fifo', looks, '0/1'))
    const told = sent()
    expect([...told.keys()]).toEqual(['alert-changes.fifo'])
    expect([...s3.objects.keys()].filter((key) => key.startsWith('shop-history/history/'))).toHaveLength(4)
    await deliverBatch('correlate', 'alert-changes.fifo', told)
    const decided = sent()
    expect([...decided.keys()].sort()).toEqual(['deliver', 'publish', 'triage'])
    expect(decided.get('deliver')?.map(({ DelaySeconds }) => DelaySeconds)).toEqual([3])
    await deliverBatch('triage', 'triage', decided)
    const answered = sent()
    expect([...answered.keys()].sort()).toEqual(['alert-changes.fifo', 'deliver'])
    const { stdout } = await deliverBatch('deliver', 'deliver', answered)
    expect(stdout).toContain('"PageDelayMs":')
    expect(sns.received.map(published)).toMatchObject([
      { TopicArn: 'arn:aws:sns:eu-west-1:000000000000:shop-oncall', '@event': 'opened', '@service': 'shop' },
    ])
    expect(published(sns.received[0] ?? failed())['Message']).toContain('https://api.example/')
    await drain(sent())
    await drain(new Map([['alert-changes.fifo', answered.get('alert-changes.fifo') ?? []]]))
    await deliverBatch('deliver', 'deliver', decided)
    expect(sns.received).toHaveLength(1)
    await deliverBatch('publish', 'publish', decided)
    expect(s3.objects.get('shop-status/status/index.html')?.bytes.toString()).toContain('outage')
  },
  60_000,
)

const failed = (): never => {
  throw new Error('nothing was published')
}

/** A page of nobody's incident, as `correlate` would order it. */
const putPage = async (id: string, at: { channel: string; dueAtMs: number }) => {
  const order = {
    id,
    incidentId: 'i',
    channel: at.channel,
    sequence: 1,
    event: 'opened' as const, // one of the events
    service: 'shop',
    severity: 'page' as const, // the same
    sinceMs: minuteMs,
    openedAtMs: minuteMs,
    summaries: [],
    affects: [],
    fallbackFor: [],
  }
  const rowId = `deliver:${id}`
  const body = { order, waitsForCaseFile: false, attempts: 0, leaseUntilMs: 0 }
  const row = { id: rowId, to: 'deliver' as const, dueAtMs: at.dueAtMs, nudges: 0, body }
  await store.commit([], [{ id: rowId, expect: 0, row }])
  sent()
  return rowId
}

engineTest('a console refuses its page, and no page with its links stands in the log', async () => {
  const rowId = await putPage('unread', { channel: 'terminal', dueAtMs: Date.now() })
  const { stdout } = await call('deliver', fromQueue('deliver', [JSON.stringify({ rowId })]))
  expect(stdout).not.toContain('https://api.example')
  const messages = sent()
  const [told] = bodies(messages, 'alert-changes.fifo')
  const receipt = await store.row(JSON.parse(told ?? '').rowId)
  expect(receipt?.row.body).toMatchObject({
    receipt: { status: 'rejected', cause: expect.stringContaining('no terminal') },
  })
  await drain(messages)
})

engineTest('a page that comes too early is delayed again, not lost and not sent', async () => {
  const rowId = await putPage('early', { channel: 'oncall', dueAtMs: Date.now() + 120_000 })
  const before = sns.received.length
  await call('deliver', fromQueue('deliver', [JSON.stringify({ rowId })]))
  const [again] = sent().get('deliver') ?? []
  expect(again).toMatchObject({ MessageBody: JSON.stringify({ rowId }), DelaySeconds: expect.any(Number) })
  expect(again?.DelaySeconds).toBeGreaterThan(100)
  expect(sns.received).toHaveLength(before)
})

engineTest(
  'the sweep’s pulse passes evaluate, correlate and deliver, and the oldest due row is told',
  async () => {
    sent()
    const { stdout } = await call('sweep', {})
    expect(stdout).toContain('"DueRowAgeMs":')
    const pulses = new Map([
      [
        'observations.fifo',
        (sent().get('observations.fifo') ?? []).filter(({ MessageBody }) => MessageBody.includes('"pulse"')),
      ],
    ])
    await deliverBatch('evaluate', 'observations.fifo', pulses)
    await deliverBatch('correlate', 'alert-changes.fifo', sent())
    await deliverBatch('deliver', 'deliver', sent())
    const stages = ['evaluate', 'correlate', 'deliver'].map(keys.pulse)
    const items = await store.read(stages)
    const seenAtMs = stages.map((key) => pulseItem.parse(items.get(key)?.value).atMs)
    expect(new Set(seenAtMs).size).toBe(1)
  },
  30_000,
)

engineTest(
  'what nobody can read is set aside with its bytes, told, acknowledged, and somebody is to be paged',
  async () => {
    for (const name of ['evaluate', 'correlate', 'triage', 'deliver', 'publish'] as const) {
      // `as const`: names of functions
      const { answer, stdout } = await call(name, fromQueue(`poison-${name}`, ['{"rowId":']))
      expect({ name, answer }).toEqual({ name, answer: { batchItemFailures: [] } })
      expect(stdout).toContain('"Quarantined":1')
    }
    const aside = await store.list(quarantinePrefix, { limit: 100 })
    const texts = [...aside].filter(([key]) => key.includes('poison-')).map(([, { value }]) => value)
    expect(texts).toHaveLength(5)
    expect(texts).toEqual(texts.map(() => expect.objectContaining({ text: '{"rowId":', reason: 'not JSON' })))
    const pages = (await store.due(Date.now(), 100)).filter(({ row }) => row.id.startsWith('dead-letter:'))
    expect(pages.map(({ row }) => row.to)).toEqual(Array(5).fill('correlate'))
    // What is to be played from here on is another story.
    await store.commit(
      [],
      pages.map(({ row, version }) => ({ id: row.id, expect: version })),
    )
  },
  30_000,
)

engineTest('each minute the status page is written and the services’ metrics are put', async () => {
  s3.objects.clear()
  await call('publish', {})
  expect([...s3.objects.keys()]).toEqual(['shop-status/status/index.html'])
  const put = aws.asked.filter(({ operation }) => operation === 'PutMetricData')
  expect(put).toMatchObject([
    {
      body: { Namespace: 'Whodunit/Services', MetricData: [{ MetricName: 'Availability', Values: [0], Counts: [1] }] },
    },
  ])
})

engineTest(
  'a cluster is read into its window, by one run at a time',
  async () => {
    await call('scrape', { cluster: 'prod' })
    const chunks = [...s3.objects].flatMap(([key, { bytes }]) =>
      key.startsWith('shop-windows/windows/prod/') ? (unpackChunk(bytes)?.targets ?? []) : [],
    )
    const names = chunks.flatMap(({ series }) => series.map(({ name }) => name))
    expect(names).toContain('kube_deployment_status_replicas_ready')
    const { code, stderr } = await invoke(directories.get('scrape') ?? '', { event: { cluster: 'gone' }, env })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('no cluster gone in the config') })
  },
  30_000,
)

engineTest(
  'a queue that takes nothing loses no row: the commit stands, the loss is told, the message is acknowledged',
  async () => {
    const late = {
      ...env,
      WHODUNIT_QUEUES: env['WHODUNIT_QUEUES']?.replaceAll(aws.options.endpoint, 'http://127.0.0.1:1') ?? '',
    }
    const recovered = [0, 1].map((later) => {
      const scheduledAtMs = minuteMs + (later + 1) * 1000
      return JSON.stringify(seen([outcome({ verdict: 'pass', scheduledAtMs, startedAtMs: scheduledAtMs })]))
    })
    const event = fromQueue('observations.fifo', recovered, '0/1')
    const { answer, stdout } = await invoke(directories.get('evaluate') ?? '', { event, env: late })
    expect(answer).toEqual({ batchItemFailures: [] })
    expect(stdout).toContain('"LostNudges":1')
    const due = await store.due(Date.now() + 1000, 100)
    expect(due.filter(({ row }) => row.to === 'correlate' && row.body.kind === 'alert-changes')).toHaveLength(1)
  },
  30_000,
)

/** What a restore from a backup makes: another table with the same items, rows and versions. */
const restoredCopy = async (from: string) => {
  const copy = await makeTable(client)
  for await (const { Items = [] } of paginateScan({ client }, { TableName: from, ConsistentRead: true })) {
    for (const Item of Items) await client.send(new PutItemCommand({ TableName: copy.table, Item }))
  }
  return copy
}

engineTest(
  'a table restored from a copy goes on with its open incident: one resolve, and no second page',
  async () => {
    const restored = await restoredCopy(env['WHODUNIT_TABLE'] ?? '')
    const before = sns.received.length
    env = { ...env, WHODUNIT_TABLE: restored.table }
    const there = dynamodbStore({ table: restored.table, client, nowMs: () => Date.now() })
    const due = (await there.due(Date.now() + 1000, 100)).filter(({ row }) => row.to === 'correlate')
    sent()
    for (const { row } of due) {
      await call('correlate', fromQueue('alert-changes.fifo', [JSON.stringify({ rowId: row.id })], 'hub'))
      await drain(sent())
    }
    expect(sns.received.slice(before).map(published)).toMatchObject([{ '@event': 'resolved', '@service': 'shop' }])
    await restored.drop()
  },
  60_000,
)
