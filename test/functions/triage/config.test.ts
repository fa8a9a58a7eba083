import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import { normalise } from '../../../config/normalise.ts'
import { type Config, configSchema } from '../../../config/schema.ts'
import { clusterReader } from '../../../functions/cluster-reader.ts'
import { investigator } from '../../../functions/triage/config.ts'
import { memoryBlobs, memoryStore } from '../../../stores/memory.ts'

const nowMs = () => Date.now()

/** kube-state-metrics of one pod on node n1. */
const kube = [
  'kube_deployment_spec_replicas{namespace="shop",deployment="cart"} 1',
  'kube_deployment_status_replicas_ready{namespace="shop",deployment="cart"} 1',
  'kube_replicaset_owner{namespace="shop",replicaset="cart-5b7f6d9c7c",owner_kind="Deployment",owner_name="cart"} 1',
  'kube_pod_owner{namespace="shop",pod="cart-5b7f6d9c7c-aaaa2",uid="u",owner_kind="ReplicaSet",owner_name="cart-5b7f6d9c7c"} 1',
  'kube_pod_info{namespace="shop",pod="cart-5b7f6d9c7c-aaaa2",uid="u",node="n1"} 1',
].join('\n')

/** The answers about cart, within a deadline. */
const answersOf = async (config: Config, deadlineMs: number) => {
  const reader = clusterReader({ nowMs, secret: () => '' })
  const store = memoryStore({ nowMs })
  const investigate = investigator(config, { store, blobs: memoryBlobs(), nowMs, reader, monitors: [] })
  const brief = { incidentId: 'i', service: 'cart', severity: 'page' as const, sinceMs: nowMs(), summaries: [] }
  return (await investigate(brief, deadlineMs)).answers
}

test('of many nodes only those under the pods are read, each once for all questions', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end(request.url === '/kube' ? `${kube}\n` : 'node_load1 1\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens on TCP has an address of this shape.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const node = (name: string) => ({ kind: 'node' as const, url: `${url}/${name}`, labels: { node: name } })
  const config = normalise(
    configSchema.parse({
      services: { cart: { runsIn: { cluster: 'main', namespace: 'shop', workload: 'cart' } } },
      monitors: {},
      clusters: {
        main: {
          sources: [
            { kind: 'kube-state-metrics', url: `${url}/kube` },
            ...['n1', 'n2', 'n3'].map(node),
            { kind: 'node', url: `${url}/somewhere` },
          ],
        },
      },
      channels: { terminal: { kind: 'console' } },
      routes: [{ channels: ['terminal'] }],
    }),
  )
  const answers = await answersOf(config, 2000)
  server.close()
  expect(asked.sort()).toEqual(['/kube', '/n1', '/somewhere'])
  const resources = answers.find(({ question }) => question === 'resources-okay')
  // Nobody reads what containers use here.
  expect(resources?.verdict).toBe('unknown')
})

test('an API server that hangs keeps no answer from whoever needs no discovery', async () => {
  const hanging = createServer(() => undefined)
  const server = createServer((_, response) => response.end(`${kube}\n`))
  const open = async (one: typeof server) => {
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(one.address() as AddressInfo).port}`
  }
  const [api, url] = [await open(hanging), await open(server)]
  const config = normalise(
    configSchema.parse({
      services: { cart: { runsIn: { cluster: 'main', namespace: 'shop', workload: 'cart' } } },
      monitors: {},
      clusters: {
        main: {
          apiServer: { kind: 'url', url: `https://${api}` },
          sources: [{ kind: 'kube-state-metrics', url: `http://${url}/kube` }],
          discover: [{ kind: 'kubelet', role: 'node' }],
        },
      },
      channels: { terminal: { kind: 'console' } },
      routes: [{ channels: ['terminal'] }],
    }),
  )
  const answers = await answersOf(config, 300)
  for (const one of [hanging, server]) one.close().closeAllConnections()
  const running = answers.find(({ question }) => question === 'service-running')
  expect([running?.verdict, running?.headline]).toEqual(['ok', 'yes: 1 of 1 pods ready in cart'])
})

test('behind a neighbour who talks a lot the service itself is asked for by name', async () => {
  const linesOf = (query: string): [app: string, count: number] => {
    if (query.includes('|~')) return ['cart', 0]
    return query.includes(' or app=~"(?:cart)(?:-.+)?"') ? ['cart', 1] : ['wiki', 300]
  }
  const server = createServer((request, response) => {
    const [app, count] = linesOf(new URL(request.url ?? '', 'http://loki').searchParams.get('query') ?? '')
    const values = Array.from({ length: count }, () => [`${nowMs() - 1000}000000`, 'served'])
    response.end(
      JSON.stringify({
        status: 'success',
        data: { resultType: 'streams', result: [{ stream: { namespace: 'shop', app }, values }] },
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens on TCP has an address of this shape.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = normalise(
    configSchema.parse({
      services: { cart: { runsIn: { cluster: 'main', namespace: 'shop', workload: 'cart' } } },
      monitors: {},
      clusters: { main: { sources: [{ kind: 'loki', url }] } },
      channels: { terminal: { kind: 'console' } },
      routes: [{ channels: ['terminal'] }],
    }),
  )
  const answers = await answersOf(config, 2000)
  server.close()
  expect(answers.find(({ question }) => question === 'logs-look-okay')?.headline).toBe('yes: no error line')
})
