import { expect, test } from '@jest/globals'
import { kubeletSource } from '../../../sources/kinds/kubelet.ts'
import { scrapeSource, sourceSpec } from '../../../sources/registry.ts'
import { nowMs, withServer, world } from '../loopback.ts'

const spec = { kind: 'kubelet', url: 'https://10.0.0.7:10250' }
const used = { name: 'container_memory_working_set_bytes' }
const probed = { name: 'prober_probe_total' }

const pages: Readonly<Record<string, string>> = {
  '/api/v1/nodes/n1/proxy/metrics/cadvisor': 'container_memory_working_set_bytes{pod="web-1"} 7\nmachine_cpu_cores 2\n',
  '/api/v1/nodes/n1/proxy/metrics/probes': 'prober_probe_total{pod="web-1",probe_type="Readiness",result="failed"} 3\n',
}

const scrape = (keep: Parameters<typeof kubeletSource.scrape>[2], answers = pages) =>
  withServer(
    (request, response) => {
      const page = answers[request.url ?? '']
      response.writeHead(page === undefined ? 403 : 200).end(page ?? 'Forbidden')
    },
    async ({ url, requests }) => {
      const parsed = sourceSpec.parse({ ...spec, url: `${url}/api/v1/nodes/n1/proxy/`, labels: { node: 'n1' } })
      const reading = await scrapeSource(parsed, world(), keep)
      return { reading: reading ?? { status: 'none' }, paths: requests.map((request) => request.url) }
    },
  )

test('the least a config must say', () => {
  expect(kubeletSource.schema.parse(spec)).toEqual({ ...spec, labels: {}, bodyLimitMiB: 256 })
})

test('each path is read for what it holds, below the address, and the readings are one', async () => {
  const { reading, paths } = await scrape([used, probed])
  expect([...paths].sort()).toEqual(Object.keys(pages))
  expect(reading).toEqual({
    status: 'read',
    value: {
      atMs: nowMs,
      bytes: Object.values(pages).join('').length,
      seriesSeen: 3,
      samples: [
        { name: used.name, labels: { node: 'n1', pod: 'web-1' }, value: 7 },
        {
          name: probed.name,
          labels: { node: 'n1', pod: 'web-1', probe_type: 'Readiness', result: 'failed' },
          value: 3,
        },
      ],
    },
  })
})

test('a path nobody asks anything of is not read; asked nothing, it still has to answer', async () => {
  expect((await scrape([used])).paths).toEqual(['/api/v1/nodes/n1/proxy/metrics/cadvisor'])
  const nothing = await scrape([])
  expect(nothing.paths).toEqual(['/api/v1/nodes/n1/proxy/metrics/probes'])
  expect(nothing.reading).toMatchObject({ status: 'read', value: { samples: [], seriesSeen: 1 } })
  expect((await scrape([], {})).reading.status).toBe('unreadable')
})

test('one path that is refused makes the reading incomplete, all of them unreadable', async () => {
  const [path = '', page = ''] = Object.entries(pages)[0] ?? []
  const partly = await scrape([used, probed], { [path]: page })
  expect(partly.reading).toMatchObject({
    status: 'read',
    value: { samples: [{ value: 7 }], incomplete: expect.stringContaining('answered 403: Forbidden') },
  })
  expect((await scrape([used, probed], {})).reading).toMatchObject({ status: 'unreadable' })
})

test('a node whose pods have no probes is read whole; one that tells nothing of its containers is not', async () => {
  const [cadvisor = '', probes = ''] = Object.keys(pages)
  const bare = await scrape([used, probed], { ...pages, [probes]: '' })
  expect(bare.reading).toMatchObject({ status: 'read', value: { samples: [{ value: 7 }] } })
  expect(bare.reading).not.toHaveProperty('value.incomplete')
  const mute = await scrape([used, probed], { ...pages, [cadvisor]: '' })
  expect(mute.reading).toMatchObject({ value: { incomplete: expect.stringContaining('without a single series') } })
})
