import { expect, test } from '@jest/globals'
import { nodeSource } from '../../../sources/kinds/node.ts'
import { scrapeSource, sourceSpec } from '../../../sources/registry.ts'
import { nowMs, withServer, world } from '../loopback.ts'

const spec = { kind: 'node', url: 'http://10.0.0.7:9100/metrics' }

test('the least a config must say', () => {
  expect(nodeSource.schema.parse(spec)).toEqual({ ...spec, labels: {}, bodyLimitMiB: 256 })
})

test.each<[object, string]>([
  [{ ...spec, extra: 1 }, 'an unknown field'],
  [{ kind: spec.kind }, 'no address'],
])('%j is refused: %s', (input) => {
  expect(nodeSource.schema.safeParse(input).success).toBe(false)
})

test('it is scraped through the registry, the name of the node added', async () => {
  const text = 'node_load1 0.21\nnode_cpu_seconds_total{cpu="0",mode="idle"} 10870.69\n'
  const reading = await withServer(
    (_request, response) => response.end(text),
    async ({ url }) =>
      scrapeSource(sourceSpec.parse({ ...spec, url, labels: { node: 'n1' } }), world(), [{ name: 'node_load1' }]),
  )
  const samples = [{ name: 'node_load1', labels: { node: 'n1' }, value: 0.21 }]
  expect(reading).toEqual({ status: 'read', value: { atMs: nowMs, bytes: text.length, seriesSeen: 2, samples } })
})
