// npm run bench -- storm [--monitors 10000] [--seconds 60] [--store sqlite]: every monitor of 400 services fails within a minute. The
// looks are made up and handed in as `serve` would, shard by shard; evaluate, correlate and deliver are the real steps
// behind the real queues, the channel is a webhook receiver on loopback.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Observations } from '../../cli/hub/observations.ts'
import { Queue } from '../../cli/hub/queue.ts'
import { consumers } from '../../cli/hub/start.ts'
import { startTicker } from '../../cli/hub/ticker.ts'
import { wakefulness } from '../../cli/hub/wakefulness.ts'
import { normalise } from '../../config/normalise.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { evaluateView } from '../../functions/evaluate/config.ts'
import { evaluateStep } from '../../functions/evaluate/step.ts'
import { settleShards } from '../../functions/shard-count.ts'
import { allShards, placeOf, shardOf } from '../../functions/shards.ts'
import { sweepStep } from '../../functions/sweep/step.ts'
import type { ProbeOutcome } from '../../probes/contract.ts'
import { type Store, StoreError } from '../../stores/contract.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import { sqliteStore } from '../../stores/sqlite.ts'
import { pageEvent, signingKey, webhookReceiver } from '../scenes/receivers.ts'
import { atMost } from './figures.ts'
import { alertsByIncident } from './storm-records.ts'

const services = 400
const settleMs = 60_000
const quietMs = 3000
const nowMs = () => Date.now()

const stormConfig = (monitors: number, url: string): Config =>
  normalise(
    configSchema.parse({
      services: Object.fromEntries(Array.from({ length: services }, (_, index) => [`service-${index}`, {}])),
      monitors: Object.fromEntries(
        Array.from({ length: monitors }, (_, index) => [
          `monitor-${index}`,
          { kind: 'http', service: `service-${index % services}`, url: `https://host-${index}.example/health` },
        ]),
      ),
      rules: Object.fromEntries(
        Array.from({ length: monitors }, (_, index) => [
          `monitor-${index}-down`,
          { kind: 'availability', monitor: `monitor-${index}`, failureThreshold: 2 },
        ]),
      ),
      channels: { chat: { kind: 'webhook', url, secret: 'secret:SIGNING_KEY' } },
      routes: [{ channels: ['chat'] }],
    }),
  )

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value) ?? '')

/** Notes the largest thing that was ever to be written, refused or not. */
const metered = (store: Store) => {
  const seen = { largest: { key: '', bytes: 0 }, commits: 0, refused: 0 }
  const note = (key: string, value: unknown) => {
    const bytes = bytesOf(value)
    if (bytes > seen.largest.bytes) seen.largest = { key, bytes }
  }
  const commit: Store['commit'] = async (changes, rows) => {
    for (const { key, value } of changes) note(key, value)
    for (const { id, row } of rows ?? []) note(`row ${id}`, row)
    seen.commits++
    try {
      return await store.commit(changes, rows)
    } catch (error) {
      if (error instanceof StoreError && error.code === 'too-large') seen.refused++
      throw error
    }
  }
  return { seen, store: { ...store, commit } }
}

/** The steps as `serve` wires them, with nothing that looks. */
const startPipeline = (config: Config, store: Store) => {
  const warnings: string[] = []
  const warn = (text: string) => warnings.push(text)
  const options = {
    config,
    store,
    blobs: memoryBlobs(),
    nowMs,
    random: Math.random,
    warn,
    baseUrl: undefined,
    holder: 'bench',
  }
  const nudge: Queue['nudge'] = (nudges) => queue.nudge(nudges)
  const evaluate = evaluateStep({ store, nowMs, nudge, lookingSinceMs: wakefulness(nowMs), ...evaluateView(config) })
  const observations = new Observations(evaluate, ({ id }, why) => warn(`${id} dropped: ${why}`))
  const outside = { ...options, print: async () => undefined, secret: () => signingKey }
  const { lanes } = consumers(outside, nudge, observations.send)
  const queue = new Queue({
    consumers: { ...lanes, probe: { concurrency: 1, batch: 1, consume: async () => [] } },
    failed: (to, rowIds, error) => warn(`${to} ${rowIds.length} rows failed: ${error}`),
  })
  const sweep = sweepStep({
    store,
    nowMs,
    nudge,
    inHand: queue.inHand,
    quarantined: ({ id }) => warn(`${id} set aside`),
  })
  const tick = async () => {
    await sweep()
  }
  const ticker = startTicker({ periodMs: 1000, nowMs, tick, failed: (error) => warn(`sweep: ${error}`) })
  const stop = async () => {
    await ticker.stop()
    await observations.close()
    await queue.close()
  }
  return { send: observations.send, warnings, stop }
}

const failing = (monitorId: string, look: string, scheduledAtMs: number): ProbeOutcome => ({
  monitorId,
  location: 'local',
  scheduledAtMs,
  startedAtMs: nowMs(),
  look,
  verdict: 'fail',
  cause: { phase: 'assert', code: 'assert-status', detail: 'expected status 200, saw 503' },
  timingsMs: { connect: 1, processing: 2, total: 3 },
  attempt: { statusCode: 503 },
})

/** Every shard at its place in the time there is: each monitor's tick and re-check, one observation each. */
const rage = async (config: Config, pipeline: ReturnType<typeof startPipeline>, overMs: number): Promise<number> => {
  const ids = Map.groupBy(Object.keys(config.monitors), (id) => shardOf(id, config.shards))
  const beganMs = nowMs()
  const sending = allShards(config.shards).map(async (shard) => {
    const atMs = beganMs + placeOf(shard) * overMs
    await sleep(Math.max(0, atMs - nowMs()))
    const looks = (ids.get(shard) ?? []).flatMap((id) => [failing(id, 'tick', atMs), failing(id, 'recheck', atMs)])
    await Promise.all(
      looks.map((one) =>
        pipeline.send({ kind: 'outcomes', id: `${one.monitorId}:${one.look}`, shard, outcomes: [one] }),
      ),
    )
  })
  await Promise.all(sending)
  return beganMs
}

/** Nothing waits for `correlate` or a channel any more. */
const isSettled = async (store: Store) => {
  const rows = await store.due(nowMs() + 3_600_000, 5000)
  return rows.every(({ row }) => row.to === 'evaluate' || row.to === 'publish')
}

const settle = async (store: Store): Promise<number> => {
  const fromMs = nowMs()
  let quietSinceMs: number | undefined
  while (nowMs() - fromMs < settleMs && (quietSinceMs === undefined || nowMs() - quietSinceMs < quietMs)) {
    quietSinceMs = (await isSettled(store)) ? (quietSinceMs ?? nowMs()) : undefined
    await sleep(200)
  }
  return quietSinceMs === undefined ? Number.NaN : (quietSinceMs - fromMs) / 1000
}

const account = async (config: Config, store: Store) => {
  const times = new Map<string, number>()
  for (const alerts of (await alertsByIncident(store)).values())
    for (const alert of alerts) times.set(alert, (times.get(alert) ?? 0) + 1)
  const counts = Object.keys(config.monitors).map((id) => times.get(`${id}-down`) ?? 0)
  return { lost: counts.filter((count) => count === 0).length, doubled: counts.filter((count) => count > 1).length }
}

const measure = async (kind: string, given: Store, at: { monitors: number; overMs: number }): Promise<string[]> => {
  const receiver = await webhookReceiver(pageEvent)
  const { store, seen } = metered(given)
  const written = stormConfig(at.monitors, receiver.url)
  const config = { ...written, shards: await settleShards(store, written) }
  const pipeline = startPipeline(config, store)
  try {
    const cpuBefore = process.cpuUsage()
    const beganMs = await rage(config, pipeline, at.overMs)
    const evaluatedSeconds = (nowMs() - beganMs) / 1000
    const settledSeconds = await settle(store)
    const cpu = process.cpuUsage(cpuBefore)
    const ids = new Set(receiver.arrived.map(({ id, body }) => `${body.type} ${id}`))
    const pages = [...ids].filter((id) => id.startsWith('incident.opened')).length
    const firstMs = receiver.arrived.find(({ body }) => body.type === 'incident.opened')?.atMs ?? Number.NaN
    const { lost, doubled } = await account(config, store)
    return [
      `${kind}: ${at.monitors} alerts of ${services} services in ${evaluatedSeconds.toFixed(1)} s, settled ${settledSeconds.toFixed(1)} s later, ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s of CPU, ${seen.commits} commits`,
      `${kind}: ${ids.size} messages at the channel; ${pipeline.warnings.length} warnings ${JSON.stringify(pipeline.warnings.slice(0, 3))}`,
      atMost(`${kind}: pages`, pages, { limit: 10, unit: 'pages' }),
      atMost(`${kind}: first page after its observation`, (firstMs - beganMs) / 1000, { limit: 2, unit: 's' }),
      atMost(`${kind}: largest item (${seen.largest.key})`, seen.largest.bytes, { limit: 65_536, unit: 'bytes' }),
      atMost(`${kind}: alerts in no incident`, lost, { limit: 0, unit: 'alerts' }),
      atMost(`${kind}: alerts in several incidents`, doubled, { limit: 0, unit: 'alerts' }),
    ]
  } finally {
    await pipeline.stop()
    await receiver.close()
  }
}

/** Runs it; answers the figures as lines. */
export const benchStorm = async (args: readonly string[]): Promise<string[]> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      monitors: { type: 'string', default: '10000' },
      seconds: { type: 'string', default: '60' },
      store: { type: 'string', default: 'sqlite,memory' },
    },
  })
  const at = { monitors: Number(values.monitors), overMs: Number(values.seconds) * 1000 }
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-storm-'))
  const lines: string[] = []
  try {
    for (const kind of values.store.split(',')) {
      const store = kind === 'memory' ? memoryStore({ nowMs }) : sqliteStore({ path: join(folder, 'a.sqlite'), nowMs })
      lines.push(...(await measure(kind, store, at)))
      await store.close()
    }
    return lines
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
