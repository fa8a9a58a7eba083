import { expect, test } from '@jest/globals'
import { normalise } from '../../../config/normalise.ts'
import { configSchema } from '../../../config/schema.ts'
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
      const { targets } = clusterView(config, 'main', { nowMs: () => nowMs, secret: () => '', remembers })
      expect(targets.map((target) => [target.kind, target.url])).toEqual([
        ['prometheus', url],
        ['node', url],
      ])
      for (const target of targets) expect(await target.scrape()).toMatchObject({ status: 'read' })
      expect(targets[1]?.remembers({ name: 'node_load1', labels: {}, value: 1 })).toBe(true)
      return requests.map((request) => new URL(request.url ?? '', url).searchParams.get('query'))
    },
  )
  expect(asked).toEqual(['{__name__=~"orders"}', '{__name__=~"node_load1"}'])
})
