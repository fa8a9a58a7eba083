import { expect, test } from '@jest/globals'
import { clusterFindings } from '../../config/cluster-checks.ts'
import { type ConfigInput, configSchema } from '../../config/schema.ts'

const found = (cluster: NonNullable<ConfigInput['clusters']>[string]) => {
  const parts = { services: {}, monitors: {}, channels: {}, routes: [{ channels: ['a'] }] }
  return clusterFindings(configSchema.parse({ ...parts, clusters: { main: cluster } })).map(({ code, path }) => [
    code,
    path.join('.'),
  ])
}
const url = 'https://ksm.example.com/metrics'

test.each<{ given: string; cluster: Parameters<typeof found>[0]; then: string[][] }>([
  { given: 'only a URL', cluster: { sources: [{ kind: 'kube-state-metrics', url }] }, then: [] },
  { given: 'nothing to read', cluster: {}, then: [['empty-cluster', 'clusters.main']] },
  {
    given: 'discovery without an API server',
    cluster: { discover: [{ kind: 'linkerd', role: 'pod' }] },
    then: [['no-api-server', 'clusters.main.discover']],
  },
  {
    given: 'the kubernetes source without an API server',
    cluster: { sources: [{ kind: 'kubernetes' }] },
    then: [['no-api-server', 'clusters.main.sources.0']],
  },
  {
    given: 'both with one',
    cluster: { apiServer: { kind: 'in-cluster' }, discover: [{ kind: 'linkerd', role: 'pod' }] },
    then: [],
  },
])('a cluster with $given', ({ cluster, then }) => expect(found(cluster)).toEqual(then))

test('a service by its name needs to be said where and at which port', () => {
  const rule = { kind: 'linkerd', role: 'service', name: 'x' } as const
  expect(() => found({ discover: [rule] })).toThrow(
    'a target by its name needs role: service, one of namespaces, and a port',
  )
})
