import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { type ConfigInput, configSchema } from '../../config/schema.ts'
import { clusterReader, discoverMs } from '../../functions/cluster-reader.ts'
import { clusterView } from '../../functions/scrape/config.ts'
import { kubeAnswers, type Replay, withApiServer } from '../sources/kube/replay.ts'
import { serve, withServer } from '../sources/loopback.ts'

const folder = mkdtempSync(join(tmpdir(), 'whodunit-cluster-'))
const pod = (name: string) => ({
  metadata: { name, namespace: 'shop' },
  spec: { containers: [{ name: 'web', ports: [{ name: 'admin', containerPort: 4191 }] }] },
  status: { phase: 'Running', podIP: '10.0.0.1' },
})
type Cluster = NonNullable<ConfigInput['clusters']>[string]
const configOf = (cluster: Cluster) =>
  configSchema.parse({
    services: {},
    monitors: {},
    channels: {},
    routes: [{ channels: ['a'] }],
    clusters: { main: cluster },
  })
const remembers = (kind: string) => (kind === 'linkerd' ? [{ name: 'response_total' }] : [{ name: 'up' }])

/** The cluster `main` with a rule of discovery, whose API server answers what `replay` says at the time. */
const stage = async (replay: Replay) => {
  const clock = { nowMs: 1_000_000 }
  return {
    clock,
    run: <T>(use: (at: { find: ReturnType<typeof clusterView>['find']; asked: () => number }) => Promise<T>) =>
      withApiServer(
        (request, response) => kubeAnswers(replay)(request, response),
        async ({ url, ca, requests }) => {
          const caFile = join(folder, 'ca.crt')
          writeFileSync(caFile, ca)
          const discover = [{ kind: 'linkerd', role: 'pod' as const, namespaces: ['shop'], port: 'admin' }]
          const config = configOf({ apiServer: { kind: 'url', url, token: 'secret:T', caFile }, discover })
          const reader = clusterReader({ nowMs: () => clock.nowMs, secret: () => 'token' })
          return use({ find: clusterView(config, 'main', { reader, remembers }).find, asked: () => requests.length })
        },
      ),
  }
}

test('targets are looked for once a minute, and what is found is read through the proxy with their labels', async () => {
  const replay = { lists: { pods: [pod('web-1')] }, proxied: () => 'response_total{direction="inbound"} 7\n' }
  const { clock, run } = await stage(replay)
  await run(async ({ find, asked }) => {
    const { targets } = await find()
    expect(await targets[0]?.scrape()).toMatchObject({
      value: {
        samples: [{ value: 7, labels: { direction: 'inbound', namespace: 'shop', pod: 'web-1', job: 'linkerd' } }],
      },
    })
    const before = asked()
    await find()
    expect(asked()).toBe(before)
    replay.lists.pods = [pod('web-1'), pod('web-2')]
    clock.nowMs += discoverMs
    expect((await find()).targets.length).toBe(2)
  })
})

test('what cannot be asked now is what it was, and is asked again at once', async () => {
  const replay: { lists: Replay['lists']; forbidden: string[] } = { lists: { pods: [pod('web-1')] }, forbidden: [] }
  const { clock, run } = await stage(replay)
  await run(async ({ find }) => {
    await find()
    clock.nowMs += discoverMs
    replay.forbidden = ['pods']
    expect(await find()).toMatchObject({
      targets: [{ labels: { pod: 'web-1' } }],
      incomplete: expect.stringContaining('pods is forbidden'),
    })
    replay.forbidden = []
    expect((await find()).incomplete).toBeUndefined()
  })
})

test('a rule that is forbidden makes nobody list again what another one found', async () => {
  const asked: string[] = []
  const lists = { pods: [pod('web-1')] }
  await withApiServer(
    (request, response) => {
      asked.push(new URL(request.url ?? '', 'https://api').pathname)
      kubeAnswers({ lists, forbidden: ['services'] })(request, response)
    },
    async ({ url, ca }) => {
      const caFile = join(folder, 'forbidden.crt')
      writeFileSync(caFile, ca)
      const discover = [
        { kind: 'linkerd', role: 'pod' as const, port: 'admin' },
        { kind: 'app', role: 'service' as const },
      ]
      const config = configOf({ apiServer: { kind: 'url', url, token: 'secret:T', caFile }, discover })
      const reader = clusterReader({ nowMs: () => 1_000_000, secret: () => 'token' })
      const { find } = clusterView(config, 'main', { reader, remembers })
      expect(await find()).toMatchObject({
        incomplete: expect.stringContaining('services is forbidden'),
        lacking: ['app'],
      })
      expect((await find()).targets.length).toBe(1)
    },
  )
  expect(asked.sort()).toEqual(['/api/v1/pods', '/api/v1/services', '/api/v1/services'])
})

const listed = (urls: string[], more: Partial<Cluster> = {}) => {
  const config = configOf({ sources: urls.map((url) => ({ kind: 'linkerd' as const, url })), ...more })
  return clusterView(config, 'main', { reader: clusterReader({ nowMs: Date.now, secret: () => '' }), remembers }).find()
}

test('a target that hangs costs its own time and nobody else’s', async () => {
  const hanging = await serve(() => undefined)
  await withServer(
    (_, response) => response.end('response_total 1\n'),
    async ({ url }) => {
      const urls = [...Array.from({ length: 60 }, (_, nth) => `${hanging.url}/${nth}`), url]
      const { targets } = await listed(urls, { scrapeTimeoutSeconds: 1 })
      const startedAt = performance.now()
      const good = targets
        .at(-1)
        ?.scrape()
        .then((reading) => ({ reading, tookMs: performance.now() - startedAt }))
      const all = await Promise.all(targets.slice(0, -1).map((target) => target.scrape()))
      expect(all.every(({ status }) => status === 'unreadable')).toBe(true)
      expect(await good).toMatchObject({ reading: { status: 'read' } })
      expect((await good)?.tookMs).toBeLessThan(1000)
    },
  )
  await hanging.close()
})

test('a target with more series than it may have is cut and says so, one with a larger body too', async () => {
  const body = Array.from({ length: 50 }, (_, nth) => `response_total{route="${nth}"} 1\n`).join('')
  await withServer(
    (_, response) => response.end(body),
    async ({ url }) => {
      const { targets } = await listed([url], { targetSeriesLimit: 10 })
      const reading = await targets[0]?.scrape()
      expect(reading).toMatchObject({
        value: { incomplete: '50 series were asked for, more than targetSeriesLimit 10' },
      })
      expect(reading?.status === 'read' && reading.value.samples.length).toBe(10)
    },
  )
})

test('a listed target says by which job and at which instance it was read, unless its labels do', async () => {
  await withServer(
    (_, response) => response.end('response_total 1\n'),
    async ({ url, port }) => {
      const { targets } = await listed([url])
      expect(targets[0]?.labels).toEqual({ job: 'linkerd', instance: `127.0.0.1:${port}` })
    },
  )
})

test('what nobody looks back to is kept for no time, and everything else as long as its furthest reader', () => {
  const config = configOf({ sources: [{ kind: 'linkerd', url: 'https://x' }], windowSeconds: 600 })
  const view = clusterView(config, 'main', { reader: clusterReader({ nowMs: () => 0, secret: () => '' }), remembers })
  const keep = (kind: string, name: string) => view.keepMs(kind, { name, labels: {}, value: 1 })
  expect([keep('linkerd', 'response_total'), keep('linkerd', 'other'), keep('app', 'response_total')]).toEqual([
    600_000, 0, 0,
  ])
  expect(view.longestMs).toBe(600_000)
})

test('sources that are listed are kept even at the same place, and metrics of a region have that for an instance', async () => {
  const prometheus = { kind: 'prometheus' as const, url: 'https://mimir.test' }
  const metrics = [{ namespace: 'AWS/ELB', metric: 'RequestCount', stat: 'Sum' }]
  const cloudwatch = { kind: 'cloudwatch' as const, region: 'eu-west-1', metrics }
  const sources = [{ ...prometheus, tenant: 'a' }, { ...prometheus, tenant: 'b' }, cloudwatch]
  const { targets } = await listed([], { sources })
  expect(targets.map(({ labels }) => labels['instance'])).toEqual([
    'mimir.test:443',
    'mimir.test:443',
    'CloudWatch in eu-west-1',
  ])
})
