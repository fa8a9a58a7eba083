import { expect, test } from '@jest/globals'
import { kubeStateMetricsSource } from '../../../sources/kinds/kube-state-metrics.ts'
import { scrapeSource, sourceSpec } from '../../../sources/registry.ts'
import { nowMs, withServer, world } from '../loopback.ts'

const spec = { kind: 'kube-state-metrics', url: 'http://ksm.monitoring:8080/metrics' }

test('the least a config must say', () => {
  expect(kubeStateMetricsSource.schema.parse(spec)).toEqual({ ...spec, labels: {}, bodyLimitMiB: 256 })
})

test.each<[object, string]>([
  [{ ...spec, extra: 1 }, 'an unknown field'],
  [{ kind: spec.kind }, 'no address'],
  [{ ...spec, url: 'http://me:pw@ksm/metrics' }, 'a password in the address'],
  [{ ...spec, auth: { bearer: 's3cr3t' } }, 'a secret instead of its name'],
  [{ ...spec, bodyLimitMiB: 0 }, 'no room for a body'],
])('%j is refused: %s', (input) => {
  expect(kubeStateMetricsSource.schema.safeParse(input).success).toBe(false)
})

test('it is scraped through the registry, its labels added', async () => {
  const text = 'kube_pod_status_ready{namespace="shop",pod="web-1",condition="true"} 1\nkube_node_info{node="n1"} 1\n'
  const reading = await withServer(
    (_request, response) => response.end(text),
    async ({ url }) =>
      scrapeSource(sourceSpec.parse({ ...spec, url, labels: { cluster: 'east' } }), world(), [
        { name: 'kube_pod_status_ready' },
      ]),
  )
  const labels = { namespace: 'shop', pod: 'web-1', condition: 'true', cluster: 'east' }
  const samples = [{ name: 'kube_pod_status_ready', labels, value: 1 }]
  expect(reading).toEqual({ status: 'read', value: { atMs: nowMs, bytes: text.length, seriesSeen: 2, samples } })
})
