import { randomBytes } from 'node:crypto'
import type { Config } from '../../config/schema.ts'
import { shardsWanted } from '../../config/shard-count.ts'
import { clusterReader } from '../../functions/cluster-reader.ts'
import type { Nudge, Observation } from '../../functions/contract.ts'
import { hubView } from '../../functions/correlate/config.ts'
import { correlateStep } from '../../functions/correlate/step.ts'
import { deliverChannels, linksOf, worstStatus } from '../../functions/deliver/config.ts'
import { attemptTimeoutMs, deliverStep } from '../../functions/deliver/step.ts'
import { evaluateView } from '../../functions/evaluate/config.ts'
import { evaluateStep } from '../../functions/evaluate/step.ts'
import { forgetHistory, historyKeeper } from '../../functions/history-keeping.ts'
import { forgetLatencies, latencyKeeper } from '../../functions/latency-keeping.ts'
import { monitorViews } from '../../functions/probe/config.ts'
import { publishStep } from '../../functions/publish/step.ts'
import { clusterView } from '../../functions/scrape/config.ts'
import { type ScrapeResult, type ScrapeWorld, scrapeStep } from '../../functions/scrape/step.ts'
import { allShards } from '../../functions/shards.ts'
import { sweepStep } from '../../functions/sweep/step.ts'
import { investigator } from '../../functions/triage/config.ts'
import { triageStep } from '../../functions/triage/step.ts'
import { ruleMonitor } from '../../rules/registry.ts'
import type { Blobs, Store } from '../../stores/contract.ts'
import { releaseLease, takeLease } from '../../stores/lease.ts'
import { seriesToRemember } from '../../triage/registry.ts'
import type { Histogram } from '../../web/metrics.ts'
import { statusPage } from '../../web/status-page.ts'
import { awsCredentials } from './credentials.ts'
import { parseKubeconfig } from './kubeconfig.ts'
import { Observations } from './observations.ts'
import { hubProbes } from './probes.ts'
import { publishLane } from './publish-lane.ts'
import { Queue } from './queue.ts'
import { startTicker } from './ticker.ts'
import { asleepMs, turnMs, wakefulness } from './wakefulness.ts'

export type HubOptions = {
  config: Config
  store: Store
  blobs: Blobs
  nowMs: () => number
  random: () => number
  secret: (reference: string) => string
  /** Where the `console` channel writes. */
  print: (text: string, signal: AbortSignal) => Promise<void>
  /** Something a person should know about our own health. */
  warn: (text: string) => void
  baseUrl: string | undefined
  /** Who holds the leases of this process. */
  holder: string
}

export type Hub = {
  /** Stops the schedules, lets what runs end, and keeps everything else for the next start. */
  stop: () => Promise<void>
  /** How late looks began. */
  lag: () => Histogram
  lastScrapes: () => ReadonlyMap<string, ScrapeResult>
  /** For rows that somebody outside the pipeline wrote, such as an acknowledgement. */
  nudge: (nudges: readonly Nudge[]) => Promise<void>
}

const sweepMs = 1000
/** Often enough to keep pace with ten thousand monitors, a little at a time. */
const forgetMs = 60_000
/** An hour of one shard each time: a hub of 32 shards has made an hour after ten minutes. */
const latencyMs = 20_000
const publishMs = 5000
const lookStopMs = 3000
const workStopMs = attemptTimeoutMs + 2000

const atMost = async (ms: number, work: Promise<unknown>): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([work, promise])
  clearTimeout(timer)
}

const message = (error: unknown) => (error instanceof Error ? error.message : String(error))

const each = (work: (rowId: string) => Promise<unknown>) => async (rowIds: readonly string[]) => {
  await Promise.all(rowIds.map(work))
  return []
}

/** What works on the rows of each destination, `probe` aside; `send` takes a shard's timer to `evaluate`. */
export const consumers = (
  options: HubOptions,
  nudge: (nudges: readonly Nudge[]) => Promise<void>,
  send: (observation: Observation) => Promise<void>,
) => {
  const { config, store, blobs, nowMs, random } = options
  const correlate = correlateStep({ store, nowMs, nudge, view: hubView(config), sweptWithinMs: asleepMs })
  const triage = triageStep({
    store,
    nowMs,
    nudge,
    investigate: investigator(config, {
      ...options,
      reader: clusterReader({ ...options, awsCredentials, parseKubeconfig }),
      monitors: monitorViews(config),
    }),
  })
  const channels = deliverChannels(config, {
    ...options,
    links: linksOf({ ...options, randomBytes }),
    statusPageUrl: config.statusPage.url ?? options.baseUrl,
    worst: worstStatus({ ...options, services: Object.keys(config.services) }),
  })
  const deliver = deliverStep({ store, nowMs, random, nudge, ...channels })
  const publish = publishStep({ store, blobs, nowMs, render: statusPage, config: publishConfig(config) })
  return {
    publishNow: () => publish(),
    lanes: {
      correlate: {
        concurrency: 1,
        batch: 10,
        consume: async (rowIds: readonly string[]) => {
          const { status } = await correlate(rowIds)
          return status === 'conflict' ? rowIds.map((rowId) => ({ rowId, afterMs: 100 })) : []
        },
      },
      triage: { concurrency: 16, batch: 1, consume: each(triage) },
      deliver: {
        concurrency: 16,
        batch: 1,
        groupOf: channelOfRow,
        consume: async ([rowId = '']: readonly string[]) => {
          const result = await deliver(rowId)
          return result.status === 'later' ? [{ rowId, afterMs: result.afterMs }] : []
        },
      },
      publish: publishLane(publish, nowMs),
      evaluate: {
        concurrency: 4,
        batch: 1,
        consume: each(async (rowId) => {
          const stored = await store.row(rowId)
          if (stored?.row.to !== 'evaluate') return
          await send({ kind: 'timer', id: rowId, shard: stored.row.body.shard, rowId })
        }),
      },
    },
  }
}

/** A channel that hangs holds up its own deliveries only. Row ids are `deliver:incident:channel:sequence`. */
const channelOfRow = (rowId: string) => rowId.split(':')[2] ?? ''

const publishConfig = (config: Config) => ({
  title: config.statusPage.title,
  shards: config.shards,
  locations: config.locations,
  monitors: monitorViews(config),
})

const startScrapes = (
  options: HubOptions,
  send: (observation: Observation) => Promise<void>,
  results: Map<string, ScrapeResult>,
) => {
  const { config, store, blobs, nowMs, holder } = options
  const reader = clusterReader({ ...options, awsCredentials, parseKubeconfig })
  const held: ScrapeWorld['held'] = new Map()
  return Object.entries(config.clusters).map(([cluster, { scrapeIntervalSeconds }]) => {
    const forMs = scrapeIntervalSeconds * 1000 + 30_000
    const lease = async () => {
      const answer = await takeLease(store, { name: `scrape/${cluster}`, holder, nowMs: nowMs(), forMs })
      if (answer.status !== 'taken') return undefined
      return { fence: answer.lease.fence, release: async () => void (await releaseLease(store, answer.lease)) }
    }
    const scrape = scrapeStep({ blobs, nowMs, send, lease, held })
    const view = clusterView(config, cluster, { reader, remembers: seriesToRemember })
    return startTicker({
      periodMs: scrapeIntervalSeconds * 1000,
      nowMs,
      tick: async () => {
        results.set(cluster, await scrape(view))
      },
      failed: (error) => options.warn(`scrape of ${cluster} failed: ${message(error)}`),
    })
  })
}

const startChore = (
  { nowMs, warn }: HubOptions,
  { what, periodMs, work }: { what: string; periodMs: number; work: () => Promise<unknown> },
) =>
  startTicker({
    periodMs,
    nowMs,
    tick: async () => {
      await work()
    },
    failed: (error) => warn(`${what} failed: ${message(error)}`),
  })

const keptIn = ({ config, blobs, warn }: HubOptions) => {
  const lost = (key: string, cause: string) => warn(`history ${key} not kept: ${cause}`)
  return config.history.retentionDays > 0 ? { keep: historyKeeper({ blobs, lost }) } : {}
}

/** The monitors whose latencies are worth keeping: those somebody promised something of. */
const withObjectives = ({ rules }: Config): ReadonlySet<string> =>
  new Set(Object.values(rules).flatMap((rule) => (rule.kind === 'slo' ? (ruleMonitor(rule) ?? []) : [])))

/** What becomes of the history: hours of latencies while it is there, and room for what is new. */
const historyChores = (options: HubOptions) => {
  const { config, blobs, nowMs } = options
  const { retentionDays } = config.history
  const monitors = withObjectives(config)
  const makeHour = latencyKeeper({ blobs, nowMs, shards: shardsWanted(config), monitors })
  const forget = async () => {
    await forgetHistory(blobs, { nowMs: nowMs(), retentionDays })
    await forgetLatencies(blobs, nowMs())
  }
  return [
    startChore(options, { what: 'forgetting old history', periodMs: forgetMs, work: forget }),
    ...(retentionDays > 0 && monitors.size > 0
      ? [startChore(options, { what: 'an hour of latencies', periodMs: latencyMs, work: makeHour })]
      : []),
  ]
}

/** Runs the whole pipeline in this process: the same steps as on AWS over in-process queues and timers. */
export const startHub = (options: HubOptions): Hub => {
  const { config, store, nowMs, warn } = options
  const lookingSinceMs = wakefulness(nowMs)
  const evaluate = evaluateStep({
    store,
    nowMs,
    nudge: (nudges) => queue.nudge(nudges),
    lookingSinceMs,
    ...keptIn(options),
    ...evaluateView(config),
  })
  const observations = new Observations(evaluate, ({ id }, why) => warn(`observation ${id} dropped: ${message(why)}`))
  const stopping = new AbortController()
  const probes = hubProbes({
    ...options,
    send: observations.send,
    stopped: stopping.signal,
    failed: (location, error) => warn(`probes from ${location} failed: ${message(error)}`),
  })
  const { lanes, publishNow } = consumers(options, (nudges) => queue.nudge(nudges), observations.send)
  const queue: Queue = new Queue({
    consumers: { ...lanes, probe: { concurrency: 16, batch: 1, consume: each(probes.secondOpinion) } },
    failed: (to, rowIds, error) => warn(`${to} ${rowIds.join(', ')} failed, will be tried again: ${message(error)}`),
  })
  const sweep = sweepStep({
    store,
    nowMs,
    nudge: queue.nudge,
    shards: config.shards,
    inHand: queue.inHand,
    quarantined: (row) => warn(`row ${row.id} was set aside: nobody could apply it`),
  })
  for (const shard of allShards(config.shards)) {
    void observations.send({ kind: 'timer', id: `start:${shard}`, shard, rowId: '' })
  }
  const scrapes = new Map<string, ScrapeResult>()
  const tickers = [
    ...startScrapes(options, observations.send, scrapes),
    ...probes.start(),
    startChore(options, { what: 'a turn', periodMs: turnMs, work: async () => lookingSinceMs() }),
    startChore(options, { what: 'sweep', periodMs: sweepMs, work: sweep }),
    startChore(options, { what: 'status page', periodMs: publishMs, work: publishNow }),
    ...historyChores(options),
  ]
  return {
    lag: probes.lag,
    lastScrapes: () => scrapes,
    nudge: queue.nudge,
    stop: async () => {
      // A look or a scrape that hangs is abandoned, since the next start looks again; a delivery ends within its time-out.
      stopping.abort()
      await atMost(lookStopMs, Promise.all(tickers.map((ticker) => ticker.stop())))
      await atMost(workStopMs, observations.close())
      await atMost(workStopMs, queue.close())
    },
  }
}
