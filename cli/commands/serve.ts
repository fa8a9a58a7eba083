import { join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { secretsOf } from '../../config/secret-refs.ts'
import { deadLetterRows } from '../../functions/dead-letter.ts'
import { withoutTopic } from '../../functions/deliver/config.ts'
import { type LatestOutcome, latestOutcomes, type MonitorView } from '../../functions/latest-outcomes.ts'
import { monitorViews } from '../../functions/probe/config.ts'
import type { ScrapeResult, WindowReport } from '../../functions/scrape/step.ts'
import { settleShards } from '../../functions/shard-count.ts'
import type { Store } from '../../stores/contract.ts'
import { fileBlobs } from '../../stores/files.ts'
import { sqliteStore } from '../../stores/sqlite.ts'
import { webApp } from '../../web/app.ts'
import { likelihood, span } from '../../web/layout.ts'
import { accessOf, type Exposure, exposureTroubles } from '../exposure.ts'
import { type Hub, startHub } from '../hub/start.ts'
import { listen } from '../listen.ts'
import { liveLines, liveTable, type Row } from '../table.ts'
import type { Output } from '../terminal.ts'
import { causeText, took } from './check.ts'
import { type Listed, listIncidents } from './incidents.ts'

export type ServeOptions = {
  config: Config
  host: string
  port: number
  dataDir: string
  /** How people reach this server from outside; the listening address when absent. */
  publicUrl?: string
  nowMs: () => number
  random: () => number
  secret: (reference: string) => string
  out: Output
  colour: boolean
  warn: (text: string) => void
}

const worstFirst = ['fail', 'unknown', 'degraded', 'pass']

/** A monitor's row, from its own outcomes: of all locations the one that sees it worst, named where there are several. */
const liveRow = (view: MonitorView, outcomes: readonly LatestOutcome[], nowMs: number): Row => {
  const [seen] = outcomes.toSorted((a, b) => worstFirst.indexOf(a.verdict) - worstFirst.indexOf(b.verdict))
  if (!seen) return { monitor: view.monitorId, verdict: 'unknown', took: '', since: '', cause: 'not looked at yet' }
  const cause = causeText(seen.cause)
  return {
    monitor: view.monitorId,
    verdict: seen.verdict,
    took: took(seen.timingsMs.total),
    since: `for ${span(nowMs - seen.runSinceMs)}`,
    cause: cause !== '' && view.locations.length > 1 ? `${seen.location}: ${cause}` : cause,
  }
}

/** `web open for 2 min: 84 % voting: out of memory` */
const incidentLine = ({ incident, caseFile }: Listed, nowMs: number): string => {
  const [prime] = caseFile?.suspects ?? []
  const known = prime ? `${likelihood(prime.score)} ${prime.headline}` : caseFile?.headline
  const what = known ?? Object.values(incident.alerts)[0]?.summary ?? 'no details yet'
  return `${incident.service} ${incident.status} for ${span(nowMs - incident.sinceMs)}: ${what}`
}

const tableOf = (options: ServeOptions, store: Store) => {
  const { config, out, colour, nowMs } = options
  const monitors = monitorViews(config)
  let lines: readonly string[] = []
  const table = liveTable(out, () => lines)
  const refresh = async () => {
    const outcomes = Map.groupBy(await latestOutcomes(store, { ...config, monitors }), ({ monitorId }) => monitorId)
    const open = (await listIncidents(store)).filter(({ incident }) => incident.status !== 'resolved')
    const seen = {
      rows: monitors.map((view) => liveRow(view, outcomes.get(view.monitorId) ?? [], nowMs())),
      incidents: open.map((one) => incidentLine(one, nowMs())),
    }
    lines = liveLines(seen, { width: out.columns ?? 80, height: (out.rows ?? 24) - 2, colour })
    table.draw()
  }
  return { table, refresh }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const counted = (monitors: number) => (monitors === 1 ? '1 monitor' : `${monitors} monitors`)

const exposureOf = ({ config, host, publicUrl, secret }: ServeOptions): Exposure => {
  const reference = config.api.token
  return {
    host,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(reference === undefined ? {} : { token: async () => secret(reference) }),
  }
}

const topicTroubles = (config: Config): string[] =>
  withoutTopic(config).map((id) => `channel ${id} refuses every page: its topic is made by cdk deploy, not here`)

/** Why a secret that the config names cannot be read: whoever needs it would say so only when it is needed, at night. */
const secretTroubles = ({ config, secret }: Pick<ServeOptions, 'config' | 'secret'>): string[] => {
  const { monitors, clusters, channels, api } = secretsOf(config)
  const named = new Set([...config.locations.flatMap(monitors), ...clusters, ...channels, ...api])
  return [...named].flatMap((reference) => {
    try {
      secret(reference)
      return []
    } catch (error) {
      return [messageOf(error)]
    }
  })
}

export type Served = { url: string; stop: () => Promise<void> }

/** The windows as they were written last. */
const windowsOf = (scrapes: ReadonlyMap<string, ScrapeResult>): ReadonlyMap<string, WindowReport> =>
  new Map([...scrapes].flatMap(([cluster, result]) => (result.status === 'scraped' ? [[cluster, result.window]] : [])))

/** What the process says of itself, once its hub runs. */
const measuresOf = (hub: () => Hub | undefined) => ({
  lag: () => hub()?.lag(),
  windows: () => windowsOf(hub()?.lastScrapes() ?? new Map()),
})

const greeting = ({ monitors }: Config, baseUrl: string) =>
  `whodunit watches ${counted(Object.keys(monitors).length)}\n` +
  `  status page  ${baseUrl}/\n  incidents    ${baseUrl}/incidents\n  metrics      ${baseUrl}/metrics\n  stop with Ctrl-C`

/** Runs whodunit on this machine until `stop`. Throws ListenError and StoreError before anything has begun. */
export const serveHere = async (given: ServeOptions): Promise<Served> => {
  const { nowMs, random, secret, warn, out } = given
  const path = join(given.dataDir, 'whodunit.sqlite')
  const store = sqliteStore({ path, nowMs, exclusive: true, deadLetters: deadLetterRows })
  const config = { ...given.config, shards: await settleShards(store, given.config) }
  const options = { ...given, config }
  const exposure = exposureOf(options)
  const blobs = fileBlobs({ directory: join(options.dataDir, 'blobs') })
  const { table, refresh } = tableOf(options, store)
  const say = (text: string) => {
    table.clear()
    warn(text)
    table.draw()
  }
  let hub: Hub | undefined
  const app = webApp({
    store,
    blobs,
    nowMs,
    // Until the hub runs there is nobody to nudge: its sweep will find what the pages wrote.
    nudge: async (nudges) => hub?.nudge(nudges),
    ...measuresOf(() => hub),
    warn: say,
    config: { ...config, monitors: monitorViews(config) },
    access: accessOf(exposure),
  })
  const server = await listen(options, app.fetch).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const baseUrl = options.publicUrl ?? server.url
  try {
    // What cannot be printed can still be watched, and told to every channel but this one.
    table.print(greeting(config, baseUrl)).catch((error: unknown) => say(`nothing can be printed: ${messageOf(error)}`))
    const troubles = [...exposureTroubles(exposure, baseUrl), ...topicTroubles(config), ...secretTroubles(options)]
    for (const trouble of troubles) say(trouble)
    const { print } = table
    hub = startHub({ config, store, blobs, nowMs, random, secret, print, warn: say, baseUrl, holder: 'serve' })
  } catch (error) {
    await server.close()
    await store.close()
    throw error
  }
  const redraw = out.isTTY ? setInterval(() => void refresh().catch(() => undefined), 1000) : undefined
  return {
    url: baseUrl,
    stop: async () => {
      clearInterval(redraw)
      await hub?.stop()
      await server.close()
      await store.close()
    },
  }
}
