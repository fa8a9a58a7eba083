import { expect, test } from '@jest/globals'
import { linkerdSource } from '../../../sources/kinds/linkerd.ts'
import { scrapeSource, sourceSpec } from '../../../sources/registry.ts'
import { nowMs, withServer, world } from '../loopback.ts'

const spec = { kind: 'linkerd', url: 'http://prometheus.linkerd-viz:9090/federate?match[]={job="linkerd-proxy"}' }
const keep = [{ name: 'response_total' }]

test('the least a config must say; a query in the address stays', () => {
  expect(linkerdSource.schema.parse(spec)).toEqual({ ...spec, labels: {}, bodyLimitMiB: 256 })
})

const scrapeText = (text: string, labels: Record<string, string>) =>
  withServer(
    (_request, response) => response.end(text),
    async ({ url, requests }) => {
      const path = '/federate?match[]={job="linkerd-proxy"}'
      const reading = await scrapeSource(sourceSpec.parse({ ...spec, url: `${url}${path}`, labels }), world(), keep)
      return { reading, path: decodeURIComponent(requests[0]?.url ?? '') }
    },
  )

test('a proxy does not say whose it is: its labels do', async () => {
  const { reading, path } = await scrapeText('response_total{direction="inbound"} 7\n', {
    namespace: 'shop',
    pod: 'web-1',
  })
  expect(path).toBe('/federate?match[]={job="linkerd-proxy"}')
  expect(reading).toMatchObject({
    value: { samples: [{ labels: { direction: 'inbound', namespace: 'shop', pod: 'web-1' }, value: 7 }] },
  })
})

test('of a federated series its own labels and its own time count', async () => {
  const text = [
    `response_total{namespace="shop",pod="web-1",instance=""} 7 ${nowMs - 10_000}`,
    `response_total{namespace="shop",pod="gone"} 3 ${nowMs - 400_000}`,
    '',
  ].join('\n')
  const { reading } = await scrapeText(text, { namespace: 'other', instance: 'prometheus' })
  const sample = {
    name: 'response_total',
    labels: { namespace: 'shop', pod: 'web-1' },
    value: 7,
    timestampMs: nowMs - 10_000,
  }
  expect(reading).toEqual({
    status: 'read',
    value: { atMs: nowMs, bytes: text.length, seriesSeen: 2, staleDropped: 1, samples: [sample] },
  })
})

test('the Prometheus that scrapes the proxies is asked for what is wanted and nothing else', async () => {
  const federated = { kind: 'linkerd', federate: { selector: 'job="linkerd-proxy",cluster="east"' } }
  const asked = await withServer(
    (_request, response) => response.end('response_total{pod="web-1"} 7\n'),
    async ({ url, requests }) => {
      const source = sourceSpec.parse({ ...federated, url: `${url}/prom/` })
      const wanted = [...keep, ...keep, { name: 'route_response_total' }]
      expect(await scrapeSource(source, world(), wanted)).toMatchObject({ value: { samples: [{ value: 7 }] } })
      await scrapeSource(source, world(), [])
      return requests.map((request) => new URL(request.url ?? '', url))
    },
  )
  expect(asked.map(({ pathname }) => pathname)).toEqual(['/prom/federate', '/prom/federate'])
  expect(asked.map(({ searchParams }) => searchParams.getAll('match[]'))).toEqual([
    [
      '{__name__="response_total",job="linkerd-proxy",cluster="east"}',
      '{__name__="route_response_total",job="linkerd-proxy",cluster="east"}',
    ],
    ['{__name__="process_start_time_seconds",job="linkerd-proxy",cluster="east"}'],
  ])
})
