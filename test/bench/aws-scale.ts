// npm run bench -- aws-scale: ten minutes of 10,000 monitors from three locations through the bundled handlers, state in
// a real DynamoDB engine. What the functions send is handed on at once; nothing is probed, so the looks are made up.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundleHandler } from '../../cdk/bundle.ts'
import { normalise } from '../../config/normalise.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { shardsNeeded } from '../../config/shard-count.ts'
import type { Observation } from '../../functions/contract.ts'
import { latestOutcomes } from '../../functions/latest-outcomes.ts'
import { monitorViews } from '../../functions/probe/config.ts'
import { readHub } from '../../functions/publish/step.ts'
import { allShards, shardOf } from '../../functions/shards.ts'
import type { ProbeOutcome } from '../../probes/contract.ts'
import { dynamodbStore } from '../../stores/dynamodb.ts'
import { dynamodbClient, makeTable, startDynamodbLocal } from '../engines/dynamodb-local.ts'
import { startMeter } from './dynamodb-meter.ts'
import { type Queues, startQueues } from './sqs-stand-in.ts'

const minutes = 10
const failingEvery = 500
const locations = ['eu-west-1', 'us-east-1', 'ap-southeast-2']

const scaleConfig = (monitors: number): Config =>
  normalise(
    configSchema.parse({
      services: Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`service-${index}`, {}])),
      monitors: Object.fromEntries(
        Array.from({ length: monitors }, (_, index) => [
          `monitor-${index}`,
          { kind: 'http', service: `service-${index % 100}`, url: `https://host-${index}.example/health` },
        ]),
      ),
      channels: { 'on-call': { kind: 'sns', topicArn: 'arn:aws:sns:eu-west-1:000000000000:on-call' } },
      routes: [{ channels: ['on-call'] }],
      locations,
      shards: shardsNeeded(monitors),
    }),
  )

/** What a probe would have seen: timings that differ from look to look, and every so often a monitor that fails. */
const lookAt = (
  monitorId: string,
  at: { index: number; location: string; scheduledAtMs: number; minute: number },
): ProbeOutcome => {
  const fails = at.index % failingEvery === 0 && at.minute >= 3 && at.minute < 8
  const random = () => Math.round(Math.random() * 100_000) / 1000
  const [resolve, connect, tls, processing, transfer] = [random(), random(), random(), random(), random()]
  const timingsMs = {
    resolve,
    connect,
    tls,
    processing,
    transfer,
    total: resolve + connect + tls + processing + transfer,
  }
  const seen = {
    monitorId,
    location: at.location,
    scheduledAtMs: at.scheduledAtMs,
    startedAtMs: at.scheduledAtMs + 400,
    look: 'tick',
    timingsMs,
  }
  if (!fails) return { ...seen, verdict: 'pass', attempt: { statusCode: 200 } }
  const cause = { phase: 'assert' as const, code: 'assert-status', detail: 'expected status 200, saw 503' }
  return { ...seen, verdict: 'fail', cause, attempt: { statusCode: 503 } }
}

type Handler = (
  event: unknown,
  context: unknown,
) => Promise<{ batchItemFailures?: { itemIdentifier: string }[] } | undefined>

const percentile = (all: readonly number[], share: number) =>
  [...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * share))] ?? 0

const eventOf = (bodies: readonly string[], queue: string) => ({
  Records: bodies.map((body, index) => ({
    messageId: String(index),
    receiptHandle: 'r',
    body,
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(Date.now()), MessageGroupId: 'g' },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:eu-west-1:000000000000:${queue}`,
    awsRegion: 'eu-west-1',
  })),
})

const context = { functionName: 'bench', awsRequestId: 'bench', getRemainingTimeInMillis: () => 10_000 }

const environmentOf = (
  queues: Queues,
  { meterUrl, table }: { meterUrl: string; table: string },
): Record<string, string> => ({
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL_DYNAMODB: meterUrl,
  AWS_ENDPOINT_URL_SQS: queues.url,
  POWERTOOLS_DEV: 'false',
  POWERTOOLS_LOG_LEVEL: 'ERROR',
  WHODUNIT_NAME: 'bench',
  WHODUNIT_HUB_REGION: 'eu-west-1',
  WHODUNIT_TABLE: table,
  WHODUNIT_QUEUES: JSON.stringify(
    Object.fromEntries(
      ['observations', 'alert-changes', 'triage', 'deliver', 'publish'].map((name) => [name, queues.queueUrl(name)]),
    ),
  ),
  WHODUNIT_PROBE_QUEUES: JSON.stringify(
    Object.fromEntries(locations.map((region) => [region, { region, url: queues.queueUrl(`probe-${region}`) }])),
  ),
})

const realNowMs = Date.now
/** The handlers live in the simulated minute; within it time runs as it does. */
const setClock = (atMs: number) => {
  const sinceMs = realNowMs()
  Date.now = () => atMs + realNowMs() - sinceMs
}

type Timed = { handler: Handler; tookMs: number[]; failed: number }

const loadHandler = async (name: string, at: { root: string; outDir: string; config: Config }): Promise<Timed> => {
  const { directory } = bundleHandler({ ...at, name })
  const loaded: { handler: Handler } = await import(pathToFileURL(join(directory, 'index.mjs')).href)
  return { handler: loaded.handler, tookMs: [], failed: 0 }
}

const call = async (timed: Timed, bodies: readonly string[], queue: string) => {
  const startedMs = performance.now()
  const answer = await timed.handler(eventOf(bodies, queue), context)
  timed.tookMs.push(performance.now() - startedMs)
  timed.failed += answer?.batchItemFailures?.length ?? 0
}

const inTens = (all: readonly string[]) =>
  Array.from({ length: Math.ceil(all.length / 10) }, (_, index) => all.slice(index * 10, index * 10 + 10))

/** Runs it; answers the figures as lines. */
export const awsScale = async (monitors = 10_000): Promise<string[]> => {
  const outDir = mkdtempSync(join(tmpdir(), 'whodunit-scale-'))
  const engine = await startDynamodbLocal()
  if (engine.status === 'skipped') return [`skipped: ${engine.reason}`]
  const { table } = await makeTable(dynamodbClient(engine.endpoint))
  const meter = await startMeter(engine.endpoint)
  const queues = await startQueues()
  const quiet = console.log
  try {
    const config = scaleConfig(monitors)
    Object.assign(process.env, environmentOf(queues, { meterUrl: meter.url, table }))
    console.log = () => undefined
    const at = { root: process.cwd(), outDir, config }
    const [evaluate, correlate] = [await loadHandler('evaluate', at), await loadHandler('correlate', at)]
    const ids = Object.keys(config.monitors).map((id, index) => ({ id, index }))
    const startMs = Math.floor(Date.now() / 60_000) * 60_000 - (minutes - 1) * 60_000
    const calmUnits: number[] = []
    for (let minute = 0; minute < minutes; minute++) {
      const scheduledAtMs = startMs + minute * 60_000
      setClock(scheduledAtMs + 1000)
      for (const shard of allShards(config.shards)) {
        const own = ids.filter(({ id }) => shardOf(id, config.shards) === shard)
        for (const location of locations) {
          const outcomes = own.map(({ id, index }) => lookAt(id, { index, location, scheduledAtMs, minute }))
          const observation: Observation = {
            kind: 'outcomes',
            id: `${shard}@${location}:${scheduledAtMs}`,
            shard,
            outcomes,
          }
          const before = meter.writeUnits()
          await call(evaluate, [JSON.stringify(observation)], 'observations.fifo')
          if (minute === minutes - 1) calmUnits.push(meter.writeUnits() - before)
        }
      }
      for (const batch of inTens(queues.take('alert-changes'))) await call(correlate, batch, 'alert-changes.fifo')
    }
    console.log = quiet
    Date.now = realNowMs
    const store = dynamodbStore({ table, client: dynamodbClient(engine.endpoint), nowMs: () => Date.now() })
    const outcomes = await latestOutcomes(store, { ...config, monitors: monitorViews(config) })
    const last = outcomes.filter(({ scheduledAtMs }) => scheduledAtMs === startMs + (minutes - 1) * 60_000).length
    const { incidents } = await readHub(store)
    const largest = meter.largestItem()
    return [
      `${monitors} monitors x ${locations.length} locations x ${minutes} minutes, ${config.shards} shards`,
      `looks counted in the last minute: ${last} of ${monitors * locations.length}; handler failures: ${evaluate.failed + correlate.failed}`,
      `incidents: ${incidents.length}, still open: ${incidents.filter(({ status }) => status !== 'resolved').length}`,
      `write units per (shard, location, tick) without transitions: median ${percentile(calmUnits, 0.5)}, most ${Math.max(...calmUnits)}`,
      `write units in all: ${meter.writeUnits()}, read units ${meter.readUnits()}`,
      `largest item: ${largest.bytes} bytes (${largest.key})`,
      `evaluate: median ${percentile(evaluate.tookMs, 0.5).toFixed(0)} ms, p99 ${percentile(evaluate.tookMs, 0.99).toFixed(0)} ms of ${evaluate.tookMs.length} calls`,
      `correlate: median ${percentile(correlate.tookMs, 0.5).toFixed(0)} ms, p99 ${percentile(correlate.tookMs, 0.99).toFixed(0)} ms of ${correlate.tookMs.length} calls`,
    ]
  } finally {
    console.log = quiet
    Date.now = realNowMs
    await queues.close()
    await meter.close()
    await engine.stop()
    rmSync(outDir, { recursive: true, force: true })
  }
}
