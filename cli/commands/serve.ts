import { join } from 'node:path'
import { serve } from '@hono/node-server'
import type { Config } from '../../config/schema.ts'
import { latestOutcomes } from '../../functions/latest-outcomes.ts'
import { monitorViews } from '../../functions/probe/config.ts'
import { fileBlobs } from '../../stores/files.ts'
import { sqliteStore } from '../../stores/sqlite.ts'
import { webApp } from '../../web/app.ts'
import { startHub } from '../hub/start.ts'
import { liveTable, tableLines } from '../table.ts'
import { causeText, took } from './check.ts'

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
  out: NodeJS.WriteStream
  colour: boolean
  warn: (text: string) => void
}

/** The server cannot listen: a sentence for a person. */
export class ListenError extends Error {
  override name = 'ListenError'
  readonly hint: string
  constructor(message: string, hint: string, cause: unknown) {
    super(message, { cause })
    this.hint = hint
  }
}

const listenError = (error: NodeJS.ErrnoException, { host, port }: ServeOptions) => {
  if (error.code === 'EADDRINUSE') {
    return new ListenError(
      `port ${port} on ${host} is taken`,
      'stop what listens there, or choose another with --port',
      error,
    )
  }
  if (error.code === 'EACCES') {
    return new ListenError(`port ${port} needs more rights`, 'choose a port above 1023 with --port', error)
  }
  return new ListenError(`cannot listen on ${host}:${port}: ${error.message}`, 'check --host and --port', error)
}

const listen = (options: ServeOptions, fetch: (request: Request) => Response | Promise<Response>) =>
  new Promise<{ url: string; close: () => Promise<void> }>((resolve, reject) => {
    const server = serve({ fetch, hostname: options.host, port: options.port }, ({ port }) => {
      const close = () => new Promise<void>((closed) => server.close(() => closed()))
      resolve({ url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`, close })
    })
    server.on('error', (error: NodeJS.ErrnoException) => reject(listenError(error, options)))
  })

const tableOf = (options: ServeOptions, store: Parameters<typeof latestOutcomes>[0]) => {
  const monitors = monitorViews(options.config)
  let lines: readonly string[] = []
  const table = liveTable(options.out, () => lines)
  const refresh = async () => {
    const outcomes = await latestOutcomes(store, { ...options.config, monitors })
    const rows = monitors.map(({ monitorId }) => {
      const seen = outcomes.find((outcome) => outcome.monitorId === monitorId)
      return seen
        ? { monitor: monitorId, verdict: seen.verdict, took: took(seen.timingsMs.total), cause: causeText(seen.cause) }
        : { monitor: monitorId, verdict: 'unknown', took: '', cause: 'not looked at yet' }
    })
    lines = ['', ...tableLines(rows, { width: options.out.columns ?? 80, colour: options.colour })]
    table.draw()
  }
  return { table, refresh }
}

export type Served = { url: string; stop: () => Promise<void> }

/** Runs whodunit on this machine until `stop`. Throws {@link ListenError} and StoreError before anything has begun. */
export const serveHere = async (options: ServeOptions): Promise<Served> => {
  const { config, nowMs, random, secret, warn, out } = options
  const store = sqliteStore({ path: join(options.dataDir, 'whodunit.sqlite'), nowMs, exclusive: true })
  const blobs = fileBlobs({ directory: join(options.dataDir, 'blobs') })
  const app = webApp({ store, blobs, nowMs, config: { ...config, monitors: monitorViews(config) } })
  const server = await listen(options, app.fetch).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const baseUrl = options.publicUrl ?? server.url
  const { table, refresh } = tableOf(options, store)
  const say = (text: string) => {
    table.clear()
    warn(text)
    table.draw()
  }
  table.print(
    `whodunit watches ${Object.keys(config.monitors).length} monitors\n` +
      `  status page  ${baseUrl}/\n  incidents    ${baseUrl}/incidents\n  metrics      ${baseUrl}/metrics\n  stop with Ctrl-C`,
  )
  const hub = startHub({
    config,
    store,
    blobs,
    nowMs,
    random,
    secret,
    print: table.print,
    warn: say,
    baseUrl,
    holder: 'serve',
  })
  const redraw = out.isTTY ? setInterval(() => void refresh().catch(() => undefined), 1000) : undefined
  return {
    url: baseUrl,
    stop: async () => {
      clearInterval(redraw)
      await hub.stop()
      await server.close()
      await store.close()
    },
  }
}
