import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import {
  findSources,
  readSource,
  readWindows,
  sourceExitCode,
  sourceJson,
  sourcesNamed,
  sourceText,
} from '../../../cli/commands/source.ts'
import { configSchema } from '../../../config/schema.ts'
import { clusterReader } from '../../../functions/cluster-reader.ts'
import { emptyWindow, remember } from '../../../functions/window.ts'
import { saveWindow } from '../../../functions/window-blobs.ts'
import { memoryBlobs } from '../../../stores/memory.ts'
import { kubeAnswers, type Replay, withApiServer } from '../../sources/kube/replay.ts'
import { nowMs, withServer } from '../../sources/loopback.ts'

const configWith = (sources: object[], more: object = {}) =>
  configSchema.parse({
    services: { shop: { runsIn: { cluster: 'main', namespace: 'shop', workload: 'web' } } },
    monitors: {},
    channels: { terminal: { kind: 'console' } },
    routes: [{ channels: ['terminal'] }],
    rules: {
      'no-orders': {
        kind: 'absence',
        service: 'shop',
        series: { cluster: 'main', selector: 'orders' },
        forSeconds: 60,
      },
    },
    clusters: { main: { sources, ...more } },
  })

const at = 'http://10.0.0.7'
const world = { nowMs: () => nowMs, reader: clusterReader({ nowMs: () => nowMs, secret: () => '' }) }

test('a source goes by its cluster and kind, the second of a kind by its number', async () => {
  const config = configWith([
    { kind: 'node', url: `${at}/a` },
    { kind: 'loki', url: at },
    { kind: 'node', url: `${at}/b` },
  ])
  const { all, unfound } = await findSources(config, world)
  expect(unfound).toEqual([])
  expect(all.map(({ name }) => name)).toEqual(['main/node', 'main/node-2', 'main/loki'])
  expect(sourcesNamed(all, 'main')).toEqual(all)
  expect(sourcesNamed(all, 'node')).toHaveLength(2)
  expect(sourcesNamed(all, 'main/node-2')).toEqual([all[1]])
  expect(sourcesNamed(all, 'other')).toEqual([])
})

const pages: Readonly<Record<string, string>> = {
  '/metrics': [
    `node_load1 0.5 ${nowMs - 20_000}`,
    'node_memory_MemTotal_bytes 100',
    `node_boot_time_seconds 5 ${nowMs - 900_000}`,
    'orders 7',
    'something_else 1',
    '',
  ].join('\n'),
  '/cut': 'node_load1 0.5\nnode_load5 0',
  '/loki/api/v1/query_range': JSON.stringify({
    status: 'success',
    data: {
      resultType: 'streams',
      result: [{ stream: { namespace: 'shop' }, values: [[`${nowMs - 9000}000000`, 'hello']] }],
    },
  }),
}

const read = (source: Record<string, string>, path = '') =>
  withServer(
    (request, response) => {
      const page = pages[new URL(request.url ?? '', at).pathname]
      response.writeHead(page === undefined ? 404 : 200).end(page ?? 'no such page')
    },
    async ({ url, requests }) => {
      const config = configWith([{ ...source, url: `${url}${path}` }])
      const { all } = await findSources(config, world)
      const reports = await Promise.all(all.map((one) => readSource(config, one, world)))
      return { reports, place: `${url}${path}`, asked: requests.map((request) => request.url ?? '') }
    },
  )

test('what was read, how much skipped, how fresh, and how many facts it makes', async () => {
  const { reports, place } = await read({ kind: 'node' }, '/metrics')
  expect(sourceJson(reports, false)).toEqual([
    {
      name: 'main/node',
      kind: 'node',
      place,
      status: 'read',
      tookMs: 0,
      bytes: pages['/metrics']?.length,
      series: { seen: 5, kept: 3, skipped: 1, stale: 1 },
      ageSeconds: 20,
      facts: { machines: 1 },
    },
  ])
  expect(sourceJson(reports, true)).toMatchObject([{ facts: { machines: [{ memoryTotalBytes: 100 }] } }])
  expect(sourceExitCode(reports)).toBe(0)
  expect(sourceText(reports)).toBe(
    [
      '✓ main/node: read in 0 ms',
      `    ${place}`,
      '    5 series, 3 kept, 1 skipped, 1 stale, 1 kB, newest 20 s old',
      '    facts: 1 machines',
      '',
    ].join('\n'),
  )
})

test('a reading that breaks off is not fine, and says where', async () => {
  const { reports } = await read({ kind: 'node' }, '/cut')
  expect(reports).toMatchObject([{ status: 'incomplete', why: expect.stringContaining('line 2'), series: { seen: 1 } }])
  expect(sourceExitCode(reports)).toBe(1)
  expect(sourceText(reports)).toContain('▲ main/node: incomplete')
})

test('a source that cannot be read says why', async () => {
  const { reports } = await read({ kind: 'node' }, '/nowhere')
  expect(reports).toMatchObject([{ status: 'unreadable', why: expect.stringContaining('answered 404: no such page') }])
  expect(sourceExitCode(reports)).toBe(1)
})

test('logs are asked for in a namespace that some service runs in', async () => {
  const { reports, asked } = await read({ kind: 'loki' })
  expect(new URL(asked[0] ?? '', at).searchParams.get('query')).toBe('{namespace="shop"}')
  expect(reports).toMatchObject([{ status: 'read', lines: { read: 1, more: false }, ageSeconds: 9 }])
})

const pod = (name: string) => ({
  metadata: { name, namespace: 'shop' },
  spec: { containers: [{ name: 'web', ports: [{ name: 'admin', containerPort: 9100 }] }] },
  status: { phase: 'Running', podIP: '10.0.0.1', conditions: [] },
})

const inCluster = (replay: Replay) =>
  withApiServer(kubeAnswers(replay), async ({ url, ca }) => {
    const caFile = join(mkdtempSync(join(tmpdir(), 'whodunit-source-')), 'ca.crt')
    writeFileSync(caFile, ca)
    const config = configWith([{ kind: 'kubernetes' }], {
      apiServer: { kind: 'url', url, token: 'secret:T', caFile },
      discover: [{ kind: 'node', role: 'pod', namespaces: ['shop'], port: 'admin' }],
    })
    const given = { nowMs: () => nowMs, reader: clusterReader({ nowMs: () => nowMs, secret: () => 'token' }) }
    const { all, unfound } = await findSources(config, given)
    return { unfound, reports: await Promise.all(all.map((one) => readSource(config, one, given))) }
  })

test('what discovery finds is read through the API server, and so are objects', async () => {
  const pods = [pod('node-1'), pod('node-2')]
  const lists = { pods, events: [], replicasets: [], controllerrevisions: [] }
  const { reports, unfound } = await inCluster({ lists, proxied: () => 'node_memory_MemTotal_bytes 7\n' })
  expect(unfound).toEqual([])
  expect(sourceJson(reports, false)).toMatchObject([
    { name: 'main/node', status: 'read', facts: { machines: 1 } },
    { name: 'main/node-2', status: 'read', facts: { machines: 1 } },
    { name: 'main/kubernetes', status: 'read', facts: { pods: 2, events: 0, rollouts: 0, crashes: 0 } },
  ])
})

test('what may not be asked is said, of discovery and of objects', async () => {
  const { reports, unfound } = await inCluster({ lists: { events: [], replicasets: [] }, forbidden: ['pods'] })
  expect(unfound).toMatchObject([{ name: 'main/discover', status: 'incomplete' }])
  expect(unfound[0]?.why).toContain('pods is forbidden')
  expect(reports).toMatchObject([{ name: 'main/kubernetes', status: 'incomplete' }])
  expect(reports[0]?.why).toMatch(/^pods: .*forbidden/)
})

test('a window that is kept is told of by its bytes, its series and its age, one that is not by nothing', async () => {
  const config = configWith([{ kind: 'kube-state-metrics', url: at }])
  const blobs = memoryBlobs()
  const asked = { nowMs: () => nowMs, blobs, place: '.whodunit' }
  expect(await readWindows(config, ['main'], asked)).toEqual([])
  const window = emptyWindow('main')
  const samples = ['a', 'b', 'c'].map((pod) => ({ name: 'kube_pod_owner', labels: { pod }, value: 1 }))
  const targets = [{ target: 't', kind: 'kube-state-metrics', complete: true, samples }]
  const longestMs = 900_000
  remember(window, {
    atMs: nowMs - 30_000,
    targets,
    allTargets: () => true,
    longestMs,
    seriesLimit: 2,
    keepMs: () => longestMs,
  })
  const { bytes } = await saveWindow(blobs, window, { longestMs, nowMs: nowMs - 30_000 })
  const reports = await readWindows(config, ['main'], asked)
  expect(reports).toEqual([
    {
      name: 'main/window',
      kind: 'window',
      place: '.whodunit',
      status: 'incomplete',
      why: 'it is full: 1 series had no room (windowBudgetMiB)',
      tookMs: 0,
      bytes,
      series: { seen: 3, kept: 2, skipped: 1, stale: 0 },
      ageSeconds: 30,
    },
  ])
  expect(sourceText(reports)).toContain('3 series, 2 kept, 1 skipped, 0 stale, 1 kB, newest 30 s old')
})
