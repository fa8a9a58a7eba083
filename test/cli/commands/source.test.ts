import { expect, test } from '@jest/globals'
import {
  listSources,
  readSource,
  sourceExitCode,
  sourceJson,
  sourcesNamed,
  sourceText,
} from '../../../cli/commands/source.ts'
import { configSchema } from '../../../config/schema.ts'
import { nowMs, withServer } from '../../sources/loopback.ts'

const configWith = (sources: object[]) =>
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
    clusters: { main: { sources } },
  })

const at = 'http://10.0.0.7'
const world = { nowMs: () => nowMs, secret: () => '' }

test('a source goes by its cluster and kind, the second of a kind by its number', () => {
  const config = configWith([
    { kind: 'node', url: `${at}/a` },
    { kind: 'loki', url: at },
    { kind: 'node', url: `${at}/b` },
  ])
  const all = listSources(config)
  expect(all.map(({ name }) => name)).toEqual(['main/node', 'main/loki', 'main/node-2'])
  expect(sourcesNamed(all, 'main')).toEqual(all)
  expect(sourcesNamed(all, 'node')).toHaveLength(2)
  expect(sourcesNamed(all, 'main/node-2')).toEqual([all[2]])
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
      const reports = await Promise.all(listSources(config).map((one) => readSource(config, one, world)))
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
