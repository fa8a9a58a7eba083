import type { RequestListener } from 'node:http'
import { expect, test } from '@jest/globals'
import { discoverSpec } from '../../../config/schema.ts'
import { discoverTargets } from '../../../sources/kube/discovery.ts'
import { findTargets } from '../../../sources/kube/find.ts'
import { listObjects } from '../../../sources/kube/list.ts'
import { discoveredPod, discoveredSlice } from '../../../sources/kube/objects.ts'
import { scrapeSource, sourceSpec } from '../../../sources/registry.ts'
import { world } from '../loopback.ts'
import { kubeAnswers, withApiServer } from './replay.ts'

const bearer = 'a-token-nobody-may-see'
const rule = discoverSpec.parse({ kind: 'app', role: 'pod', port: 9090, targetLimit: 500 })

const podAt = (nth: number) => ({
  metadata: { name: `web-${nth}`, namespace: 'shop' },
  spec: { nodeName: `n${nth % 40}`, containers: [{ name: 'web', ports: [{ containerPort: 9090 }] }] },
  status: { phase: 'Running', podIP: `10.0.${nth >> 8}.${nth & 255}` },
})

const facing = <T>(
  answer: RequestListener,
  use: (at: { url: string; world: ReturnType<typeof world> }) => Promise<T>,
) =>
  withApiServer(answer, ({ url, ca }) =>
    use({ url, world: world({ apiServer: { status: 'read', value: { url, bearer, tls: { ca } } } }) }),
  )
const listPods = (at: ReturnType<typeof world>) =>
  listObjects({ resource: 'pods', shape: discoveredPod }, at, { limit: 10_000 })

test('5,000 pods are found, of which as many become targets as may, and it says so', async () => {
  const pods = Array.from({ length: 5000 }, (_, nth) => podAt(nth))
  const found = await facing(kubeAnswers({ lists: { pods } }), (at) => findTargets(rule, at.world))
  expect(found).toMatchObject({
    status: 'read',
    value: { incomplete: '5000 targets, more than targetLimit 500' },
  })
  expect(found.status === 'read' && found.value.targets.length).toBe(500)
})

test('a list whose continuation is gone is what came, and says so', async () => {
  let asked = 0
  const answer: RequestListener = (_, response) => {
    asked += 1
    const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'The provided continue parameter is too old' }
    const page = { metadata: { continue: 'next' }, items: [podAt(1)] }
    response.writeHead(asked === 1 ? 200 : 410).end(JSON.stringify(asked === 1 ? page : gone))
  }
  const listed = await facing(answer, (at) => listPods(at.world))
  expect(listed).toMatchObject({
    value: { items: [{}], incomplete: expect.stringContaining('410: The provided continue parameter is too old') },
  })
})

test.each([
  { given: 'empty pages without an end', items: [] },
  { given: 'pages of what is no pod without an end', items: [{ kind: 'Riddle' }] },
])('$given are left, and the list is not whole', async ({ items }) => {
  let asked = 0
  const answer: RequestListener = (_, response) => {
    asked += 1
    response.end(JSON.stringify({ metadata: { continue: `page ${asked}` }, items }))
  }
  const listed = await facing(answer, (at) => listPods(at.world))
  expect(listed).toMatchObject({ value: { incomplete: 'there are more pods than the 0 that were read' } })
  expect(asked).toBe(200)
})

test('a proxy that refuses is said with its words, and never with our token', async () => {
  const answer: RequestListener = ({ headers }, response) =>
    response.writeHead(401).end(JSON.stringify({ kind: 'Status', message: `no entry for ${headers.authorization}` }))
  const reading = await facing(answer, ({ url, world }) => {
    const path = `${url}/api/v1/namespaces/shop/pods/web-1:9090/proxy/metrics`
    return Promise.resolve(scrapeSource(sourceSpec.parse({ kind: 'app', url: path }), world, []))
  })
  expect(reading).toEqual({
    status: 'unreadable',
    why: expect.stringMatching(/^127\.0\.0\.1:\d+ answered 401: no entry for Bearer \[secret\]$/),
  })
})

test('an endpoint that says it is where the API server is gets no token shown', () => {
  const apiServer = 'https://10.0.0.1:6443'
  const slice = discoveredSlice.parse({
    metadata: { name: 'trap', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'trap' } },
    addressType: 'IPv4',
    ports: [{ name: 'web', port: 6443 }],
    endpoints: [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.2'] }],
  })
  const direct = discoverSpec.parse({
    kind: 'app',
    role: 'endpoints',
    scheme: 'https',
    through: 'direct',
    path: '/api/v1/secrets',
  })
  const { targets, incomplete } = discoverTargets(direct, { endpoints: [slice] }, apiServer)
  expect(targets.map(({ url }) => url)).toEqual(['https://10.0.0.2:6443/api/v1/secrets'])
  expect(incomplete).toContain('1 targets have no address')
})
