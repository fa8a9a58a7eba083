// npm run bench -- page-latency [--incidents 200]: many incidents one after the other through a real `whodunit serve`.
// From the end of the answer that was the first failing look until the receiver has the whole page. Alone, then beside
// a channel that never answers and one that trickles, then also with a source of triage that hangs.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { pageEvent, signingKey, webhookReceiver } from '../scenes/receivers.ts'
import { startServe, stopServe } from './child.ts'
import { atMost, most, percentile } from './figures.ts'

const everyMs = 250
const warmUpMs = 5000
const lastPageMs = 15_000

const listen = async (answer: RequestListener): Promise<{ url: string; server: Server }> => {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server has one
  return { url: `http://127.0.0.1:${port}`, server }
}

/** Endpoints by name that work until they are broken; when each answered its first failure is remembered. */
const startEndpoints = async () => {
  const broken = new Set<string>()
  const failedAtMs = new Map<string, number>()
  const { url, server } = await listen((request, response) => {
    const name = (request.url ?? '').slice(1)
    response.writeHead(broken.has(name) ? 503 : 200, { connection: 'close' }).end()
    if (broken.has(name) && !failedAtMs.has(name)) failedAtMs.set(name, Date.now())
  })
  return { url, server, failedAtMs, break: (name: string) => broken.add(name) }
}

/** Nobody behind it ever answers. */
const startSilent = () => listen(() => undefined)

/** Its answers come a byte at a time and never end. */
const startTrickle = () =>
  listen((_, response) => {
    const timer = setInterval(() => response.socket?.write('H'), 500)
    response.on('close', () => clearInterval(timer))
  })

type Around = { endpoints: string; good: string; bad: Record<string, string>; source?: string }

const configOf = (services: readonly string[], { endpoints, good, bad, source }: Around) => {
  // Each receiver takes every page, at the rate they come.
  const webhook = (url: string) => ({ kind: 'webhook', url, secret: 'secret:SIGNING_KEY', ratePerMinute: 600 })
  const channels = Object.fromEntries(Object.entries({ good, ...bad }).map(([id, url]) => [id, webhook(url)]))
  const runsIn = (workload: string) => ({ runsIn: { cluster: 'inside', namespace: 'shop', workload } })
  return {
    services: Object.fromEntries(services.map((id) => [id, source === undefined ? {} : runsIn(id)])),
    monitors: Object.fromEntries(
      services.map((service) => [
        `${service}-front`,
        { kind: 'http', service, url: `${endpoints}/${service}`, periodSeconds: 1, timeoutSeconds: 0.9 },
      ]),
    ),
    rules: Object.fromEntries(
      services.map((service) => [
        `${service}-down`,
        { kind: 'availability', monitor: `${service}-front`, failureThreshold: 2 },
      ]),
    ),
    ...(source === undefined
      ? {}
      : { clusters: { inside: { sources: [{ kind: 'kube-state-metrics', url: `${source}/metrics` }] } } }),
    channels,
    routes: [{ channels: Object.keys(channels) }],
    // Each is to be a page of its own, however many there are a minute.
    grouping: { stormIncidents: 0 },
    allowTargets: ['loopback'],
  }
}

type Measured = { pagesMs: number[]; withCaseFile: number; repeats: number }

const measure = async (incidents: number, bad: Record<string, string>, source?: string): Promise<Measured> => {
  const services = Array.from({ length: incidents }, (_, index) => `service-${index}`)
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-latency-'))
  const endpoints = await startEndpoints()
  const good = await webhookReceiver(pageEvent)
  const around = { endpoints: endpoints.url, good: good.url, bad, ...(source === undefined ? {} : { source }) }
  writeFileSync(join(folder, 'whodunit.json'), JSON.stringify(configOf(services, around)))
  const { process: child } = await startServe(folder, { SIGNING_KEY: signingKey })
  try {
    await sleep(warmUpMs)
    for (const service of services) {
      endpoints.break(service)
      await sleep(everyMs)
    }
    const opened = () => good.arrived.filter(({ body }) => body.type === 'incident.opened')
    for (const untilMs = Date.now() + lastPageMs; Date.now() < untilMs && opened().length < incidents; )
      await sleep(100)
    const pages = new Map(opened().map((page) => [page.body.data.incident.service, page]))
    return {
      pagesMs: services.map(
        (service) => (pages.get(service)?.atMs ?? Number.NaN) - (endpoints.failedAtMs.get(service) ?? Number.NaN),
      ),
      withCaseFile: [...pages.values()].filter(({ body }) => body.data.caseFile).length,
      repeats: opened().length - pages.size,
    }
  } finally {
    await stopServe(child)
    await good.close()
    endpoints.server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const report = (what: string, measured: Measured, limitSeconds: number): string[] => {
  const { pagesMs, withCaseFile, repeats } = measured
  const came = pagesMs.filter(Number.isFinite)
  const figures = `p50 ${percentile(came, 0.5)} ms, most ${most(came)} ms; ${withCaseFile} with case file, ${repeats} repeats`
  return [
    `${what}: ${came.length} of ${pagesMs.length} pages, ${figures}`,
    atMost(`${what}: pages that never came`, pagesMs.length - came.length, { limit: 0, unit: 'pages' }),
    atMost(`${what}: p99`, percentile(came, 0.99) / 1000, { limit: limitSeconds, unit: 's' }),
  ]
}

/** Runs it; answers the figures as lines. */
export const benchPageLatency = async (args: readonly string[]): Promise<string[]> => {
  const { values } = parseArgs({ args: [...args], options: { incidents: { type: 'string', default: '200' } } })
  const incidents = Number(values.incidents)
  const [silent, trickle, source] = [await startSilent(), await startTrickle(), await startSilent()]
  const bad = { hangs: silent.url, trickles: trickle.url }
  try {
    return [
      `${incidents} incidents, one every ${everyMs} ms, each of a monitor that fails twice in a row (tick and re-check)`,
      ...report('without triage', await measure(incidents, {}), 1),
      ...report('beside channels that hang and trickle', await measure(incidents, bad), 1),
      ...report('with triage of a source that hangs', await measure(incidents, bad, source.url), 4),
    ]
  } finally {
    for (const { server } of [silent, trickle, source]) {
      server.closeAllConnections()
      server.close()
    }
  }
}
