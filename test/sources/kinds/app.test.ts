import { expect, test } from '@jest/globals'
import { appSource } from '../../../sources/kinds/app.ts'
import { scrapeSource, sourceSpec } from '../../../sources/registry.ts'
import { nowMs, withServer, world } from '../loopback.ts'

const spec = { kind: 'app', url: 'http://10.0.0.7:9100/metrics' }

test('the least a config must say', () => {
  expect(appSource.schema.parse(spec)).toEqual({ ...spec, labels: {}, bodyLimitMiB: 256 })
})

test.each<[object, string]>([
  [{ ...spec, extra: 1 }, 'an unknown field'],
  [{ kind: spec.kind }, 'no address'],
])('%j is refused: %s', (input) => {
  expect(appSource.schema.safeParse(input).success).toBe(false)
})

test('a summary is read with its quantiles, sum and count, whose they are added', async () => {
  const text = [
    '# TYPE rpc_duration_seconds summary',
    'rpc_duration_seconds{quantile="0.99"} NaN',
    'rpc_duration_seconds{quantile="0.5"} 0.05',
    'rpc_duration_seconds_sum 1.7e+03',
    'rpc_duration_seconds_count 2693',
    '',
  ].join('\n')
  const keep = ['', '_sum', '_count'].map((suffix) => ({ name: `rpc_duration_seconds${suffix}` }))
  const labels = { namespace: 'shop', deployment: 'frontend' }
  const reading = await withServer(
    (_request, response) => response.end(text),
    async ({ url }) => scrapeSource(sourceSpec.parse({ ...spec, url, labels }), world(), keep),
  )
  expect(reading).toMatchObject({
    status: 'read',
    value: {
      atMs: nowMs,
      samples: [
        { name: 'rpc_duration_seconds', labels: { ...labels, quantile: '0.99' }, value: Number.NaN },
        { name: 'rpc_duration_seconds', labels: { ...labels, quantile: '0.5' }, value: 0.05 },
        { name: 'rpc_duration_seconds_sum', labels, value: 1700 },
        { name: 'rpc_duration_seconds_count', labels, value: 2693 },
      ],
    },
  })
})
