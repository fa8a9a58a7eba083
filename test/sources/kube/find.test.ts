import { expect, test } from '@jest/globals'
import type { DiscoverSpec } from '../../../sources/kube/discover-spec.ts'
import { findTargets } from '../../../sources/kube/find.ts'
import { world } from '../loopback.ts'
import { spec } from './discover-spec.ts'
import { isRecorded, kubeAnswers, type Replay, sceneLists, withApiServer } from './replay.ts'

const find = (replay: Replay, rule: DiscoverSpec) =>
  withApiServer(kubeAnswers(replay), async ({ url, ca, requests }) => {
    const apiServer = { status: 'read' as const, value: { url, bearer: 'abc', tls: { ca } } }
    const found = await findTargets(rule, world({ apiServer }))
    return { found, asked: requests.map(({ url: path }) => path), url }
  })
const pod = (name: string, namespace: string) => ({
  metadata: { name, namespace, labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', ports: [{ name: 'metrics', containerPort: 9090 }] }] },
  status: { phase: 'Running', podIP: '10.0.0.1' },
})

test('namespaces are listed one by one, with the selector, and running pods only', async () => {
  const lists = { pods: [pod('a', 'one'), pod('b', 'two'), pod('c', 'three')] }
  const { found, asked } = await find({ lists }, spec({ namespaces: ['one', 'two'], selector: 'app=web' }))
  expect(found).toMatchObject({ value: { targets: [{ labels: { pod: 'a' } }, { labels: { pod: 'b' } }] } })
  expect(asked.sort()).toEqual(
    ['one', 'two'].map(
      (namespace) =>
        `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3Dweb&fieldSelector=status.phase%3DRunning&limit=500`,
    ),
  )
})

test('long lists come page by page', async () => {
  const pods = Array.from({ length: 1203 }, (_, at) => pod(`p${at}`, 'one'))
  const { found, asked } = await find({ lists: { pods } }, spec({ targetLimit: 500 }))
  expect(found).toMatchObject({ value: { incomplete: '1203 targets, more than targetLimit 500' } })
  expect(asked.length).toBe(3)
})

test('what is forbidden is said in the words of the API server', async () => {
  const { found } = await find({ lists: { pods: [] }, forbidden: ['pods'] }, spec({}))
  expect(found).toMatchObject({ status: 'unreadable', why: expect.stringMatching(/answered 403: pods is forbidden/) })
})

const recorded = isRecorded ? test : test.skip

recorded('in a real cluster the mesh’s proxies, its services and its nodes are found', async () => {
  const { lists } = sceneLists('s01')
  const proxies = await find({ lists }, spec({ kind: 'linkerd', port: 'side-admin', namespaces: ['emojivoto'] }))
  const labels = proxies.found.status === 'read' ? proxies.found.value.targets.map((target) => target.labels) : []
  expect(new Set(labels.map(({ container }) => container))).toEqual(new Set(['linkerd-proxy']))
  expect(labels.map(({ job }) => job)).toContain('voting')
  const endpoints = await find({ lists }, spec({ role: 'endpoints', namespaces: ['emojivoto'] }))
  expect(endpoints.found).toMatchObject({ status: 'read', value: { targets: expect.arrayContaining([]) } })
  const nodes = await find({ lists }, spec({ role: 'node' }))
  const names =
    nodes.found.status === 'read' ? nodes.found.value.targets.map((target) => target.labels['instance']) : []
  expect(names).toEqual(lists['nodes']?.map(({ metadata }) => metadata.name).sort())
})
