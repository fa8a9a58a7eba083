import { expect, test } from '@jest/globals'
import { normalise } from '../../../config/normalise.ts'
import { configSchema } from '../../../config/schema.ts'
import { clusterReader } from '../../../functions/cluster-reader.ts'
import { clusterView } from '../../../functions/scrape/config.ts'
import { nowMs, withServer } from '../../sources/loopback.ts'

const configWith = (sources: object[]) =>
  normalise(
    configSchema.parse({
      services: { shop: {} },
      monitors: {},
      channels: { terminal: { kind: 'console' } },
      routes: [{ channels: ['terminal'] }],
      rules: {
        none: { kind: 'absence', service: 'shop', series: { cluster: 'main', selector: 'orders' }, forSeconds: 60 },
      },
      clusters: { main: { sources } },
    }),
  )

const remembers = (kind: string) => (kind === 'node' ? [{ name: 'node_load1' }] : [])

test('a Prometheus that holds others is read once for each, the rules’ series with its own', async () => {
  const asked = await withServer(
    (_request, response) => response.end('{"status":"success","data":{"resultType":"vector","result":[]}}'),
    async ({ url, requests }) => {
      const config = configWith([
        { kind: 'prometheus', url, holds: ['node'] },
        { kind: 'loki', url },
      ])
      const reader = clusterReader({ nowMs: () => nowMs, secret: () => '' })
      const view = clusterView(config, 'main', { reader, remembers })
      const { targets } = await view.find()
      expect(targets.map((target) => [target.kind, target.url])).toEqual([
        ['prometheus', url],
        ['node', url],
      ])
      for (const target of targets) expect(await target.scrape()).toMatchObject({ status: 'read' })
      expect(targets.map(({ labels }) => labels['job'])).toEqual(['prometheus', 'node'])
      const keptMs = (kind: string) => view.keepMs(kind, { name: 'node_load1', labels: {}, value: 1 })
      expect([keptMs('node'), keptMs('prometheus')]).toEqual([900_000, 0])
      return requests.map((request) => new URL(request.url ?? '', url).searchParams.get('query'))
    },
  )
  expect(asked).toEqual(['{__name__=~"orders"}', '{__name__=~"node_load1"}'])
})
