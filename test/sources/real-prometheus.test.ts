import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { cpus, totalmem } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { serve as serveHono } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { alertmanager, service } from '../../config/contract.ts'
import { correlateStep } from '../../functions/correlate/step.ts'
import { incident } from '../../functions/hub-state.ts'
import type { Scrape, Selector } from '../../sources/contract.ts'
import { askPromql, scrapeSource, sourceSpec } from '../../sources/registry.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import { nodeUses } from '../../triage/facts/node-use.ts'
import { processUses } from '../../triage/facts/process-use.ts'
import { seriesForFacts } from '../../triage/facts/registry.ts'
import { seriesOf } from '../../triage/past.ts'
import { webApp } from '../../web/app.ts'
import { prometheusIsHere, type Running, startNodeExporter, startPrometheus } from '../engines/debian-prometheus.ts'
import { hubView } from '../functions/builders.ts'
import { testimonyOf } from '../triage/witness-stand.ts'
import { type Loopback, serve } from './loopback.ts'

const realTest = prometheusIsHere ? test : test.skip
const limitMs = 60_000

const nowMs = () => Date.now()
const world = () => ({ nowMs, secret: () => '', signal: AbortSignal.timeout(10_000) })

const store = memoryStore({ nowMs })
const token = 'correct-horse-battery-staple'
const app = webApp({
  store,
  blobs: memoryBlobs(),
  nowMs,
  nudge: async () => undefined,
  warn: () => undefined,
  config: { locations: [], monitors: [], services: { shop: service.parse({}) }, alertmanager: alertmanager.parse({}) },
  access: { token: async () => token },
})
const whodunit = serveHono({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })

/** The shop's own metrics: as long as `open` is 0 the rule fires. */
let open = 0
let shop: Loopback | undefined
let exporter: Running | undefined
let prometheus: Running | undefined

const host = (url = '') => new URL(url).host

beforeAll(async () => {
  if (!prometheusIsHere) return
  if (!whodunit.listening) await once(whodunit, 'listening')
  const { port } = whodunit.address() as AddressInfo // a TCP server has one
  shop = await serve((_request, response) => response.end(`shop_open ${open}\n`))
  exporter = await startNodeExporter()
  const targets = (url: string | undefined) => [{ targets: [host(url)] }]
  prometheus = await startPrometheus(
    {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      scrape_configs: [
        { job_name: 'shop', static_configs: targets(shop.url) },
        { job_name: 'node', static_configs: targets(exporter.url) },
      ],
      alerting: {
        alertmanagers: [
          {
            static_configs: [{ targets: [`127.0.0.1:${port}`] }],
            authorization: { type: 'Bearer', credentials: token },
          },
        ],
      },
    },
    {
      groups: [
        {
          name: 'shop',
          rules: [
            {
              alert: 'ShopClosed',
              expr: 'shop_open == 0',
              labels: { severity: 'critical', service: 'shop' },
              annotations: { summary: 'the shop at {{ $labels.job }} is closed' },
            },
          ],
        },
      ],
    },
  )
}, limitMs)

afterAll(async () => {
  await prometheus?.stop()
  await exporter?.stop()
  await shop?.close()
  whodunit.close()
})

const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
  for (const sinceMs = performance.now(); performance.now() - sinceMs < limitMs / 2; await wait(100)) {
    const found = await look()
    if (found !== undefined) return found
  }
  throw new Error('it did not happen in time')
}

const read = async (spec: object, keep: readonly Selector[]): Promise<Scrape> => {
  const reading = await scrapeSource(sourceSpec.parse(spec), world(), keep)
  if (reading?.status !== 'read') throw new Error(reading?.why ?? 'no series')
  return reading.value
}

const named = (...names: string[]): Selector[] => names.map((name) => ({ name }))

realTest(
  'the node exporter is read whole, and Prometheus says the same of it',
  async () => {
    const steady = named('node_memory_MemTotal_bytes', 'node_boot_time_seconds', 'node_filefd_maximum')
    const own = await read({ kind: 'node', url: `${exporter?.url}/metrics` }, steady)
    expect(own.incomplete).toBeUndefined()
    expect(own.seriesSeen).toBeGreaterThan(100)
    expect(own.samples).toHaveLength(3)
    const theirs = await until(async () => {
      const scrape = await read({ kind: 'prometheus', url: prometheus?.url, holds: ['node'] }, steady)
      return scrape.samples.length === 3 ? scrape : undefined
    })
    const values = ({ samples }: Scrape) => Object.fromEntries(samples.map(({ name, value }) => [name, value]))
    expect(values(theirs)).toEqual(values(own))
    expect(theirs.samples[0]?.labels).toEqual({ job: 'node', instance: host(exporter?.url) })
  },
  limitMs,
)

realTest(
  'two readings of this machine and of the exporter itself make facts that can be true',
  async () => {
    const scrape = (kind: string) =>
      read({ kind, url: `${exporter?.url}/metrics`, labels: { node: 'here' } }, seriesForFacts(kind))
    const first = await scrape('node')
    const [second, machine] = await until(async () => {
      const again = await scrape('node')
      const [found] = nodeUses(seriesOf(testimonyOf([first, again])))
      return found?.cpuBusyRatio !== undefined && again.atMs > first.atMs + 1000 ? ([again, found] as const) : undefined
    })
    expect(second.incomplete).toBeUndefined()
    expect(machine).toMatchObject({ node: 'here', cpus: cpus().length, memoryTotalBytes: totalmem() })
    for (const ratio of [machine.cpuBusyRatio, machine.memoryUsedRatio, machine.fileDescriptorsUsedRatio]) {
      expect(ratio).toBeGreaterThanOrEqual(0)
      expect(ratio).toBeLessThanOrEqual(1)
    }
    expect(machine.load?.one).toBeGreaterThanOrEqual(0)
    const [process] = processUses(seriesOf({ ...(await scrape('app')), before: () => [] }))
    expect(process?.goroutines).toBeGreaterThan(0)
    expect(process?.openFileDescriptors).toBeGreaterThan(0)
    expect(process?.goVersion).toMatch(/^go1/)
  },
  limitMs,
)

realTest(
  'a query over a range has its steps, a query that is none the reason',
  async () => {
    const spec = sourceSpec.parse({ kind: 'prometheus', url: prometheus?.url })
    await until(async () => {
      const untilMs = nowMs()
      const range = { sinceMs: untilMs - 60_000, untilMs, stepSeconds: 1 }
      const answer = await askPromql(spec, world(), { query: 'sum by (job) (up)', range })
      const series = answer?.status === 'read' ? answer.value.series : []
      return series.length === 2 && series.every(({ points }) => points.length > 1) ? true : undefined
    })
    const wrong = await askPromql(spec, world(), { query: 'sum by (' })
    expect(wrong).toMatchObject({ status: 'unreadable', why: expect.stringMatching(/answered 400.*bad_data/) })
  },
  limitMs,
)

/** `aheadMs`: what is due by then is applied now. */
const applied = async (aheadMs = 0) => {
  const view = hubView([{ channels: ['pager'] }])
  const thenMs = () => nowMs() + aheadMs
  const due = (await store.due(thenMs(), 100)).filter(({ row }) => row.to === 'correlate').map(({ row }) => row.id)
  await correlateStep({ store, nowMs: thenMs, nudge: async () => undefined, view })(due)
  const found = [...(await store.list('incident/', { limit: 10 })).values()]
  return found.map(({ value }) => incident.parse(value))
}

realTest(
  'an alert of a real Prometheus opens an incident of its service, and its end resolves it',
  async () => {
    const opened = await until(async () => (await applied())[0])
    expect(opened).toMatchObject({ service: 'shop', severity: 'page', status: 'open' })
    expect(Object.values(opened.alerts)).toMatchObject([
      {
        ruleId: 'ShopClosed',
        summary: 'the shop at shop is closed',
        labels: { alertname: 'ShopClosed', job: 'shop', instance: host(shop?.url), severity: 'page' },
        firing: true,
      },
    ])
    open = 1
    // Its end waits for what another server of a pair may say.
    const over = await until(async () => (await applied(135_000)).find(({ status }) => status === 'resolved'))
    expect(over.id).toBe(opened.id)
    // However often it was repeated, it was told once.
    expect(over.timeline.filter(({ what }) => what.includes('is firing'))).toHaveLength(1)
  },
  limitMs,
)
