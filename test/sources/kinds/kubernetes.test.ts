import { expect, test } from '@jest/globals'
import type { Reading } from '../../../sources/contract.ts'
import { kubernetesSource } from '../../../sources/kinds/kubernetes.ts'
import type { Listed } from '../../../sources/kube/list.ts'
import { isRecorded, kubeAnswers, type Replay, sceneLists, withApiServer } from '../kube/replay.ts'
import { world } from '../loopback.ts'

const spec = { kind: 'kubernetes' as const }

const look = (replay: Replay, at: { namespace: string; sinceMs: number }, own: { namespaces?: string[] } = {}) =>
  withApiServer(kubeAnswers(replay), async ({ url, ca, requests }) => {
    const apiServer = { status: 'read' as const, value: { url, bearer: 'abc', tls: { ca } } }
    const facts = await kubernetesSource.look({ ...spec, ...own }, world({ apiServer }), at)
    return { facts, asked: requests.map((request) => request.url ?? '') }
  })

const items = <T>(reading: Reading<Listed<T>>): T[] => (reading.status === 'read' ? reading.value.items : [])

const meta = (name: string, owner?: { kind: string; name: string }) => ({
  name,
  namespace: 'shop',
  creationTimestamp: '2026-11-23T04:00:00Z',
  ...(owner && { ownerReferences: [{ ...owner, controller: true }] }),
})
const template = (image: string) => ({ spec: { containers: [{ name: 'web', image }] } })
const replicaSet = (name: string, revision: string, image: string) => ({
  metadata: {
    ...meta(name, { kind: 'Deployment', name: 'web' }),
    annotations: { 'deployment.kubernetes.io/revision': revision },
  },
  spec: { replicas: 1, template: template(image) },
})
const crash = { exitCode: 137, reason: 'OOMKilled', finishedAt: '2026-11-23T04:05:00Z' }
const pod = {
  metadata: meta('web-2-x', { kind: 'ReplicaSet', name: 'web-2' }),
  spec: {
    nodeName: 'worker-1',
    containers: [
      {
        name: 'web',
        image: 'web:2',
        livenessProbe: { httpGet: { path: '/live', port: 'http' }, failureThreshold: 5 },
        resources: { limits: { memory: '128Mi', cpu: 1 } },
      },
    ],
  },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'False' }],
    containerStatuses: [
      {
        name: 'web',
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: crash },
      },
    ],
  },
}
const lists = {
  pods: [pod],
  events: [],
  replicasets: [replicaSet('web-1', '9', 'web:1'), replicaSet('web-2', '10', 'web:2')],
  controllerrevisions: [],
}
const at = { namespace: 'shop', sinceMs: Date.parse('2026-11-23T04:00:00Z') }

test('a pod is told with its owner, probes, limits and how it ended', async () => {
  const { facts } = await look({ lists, logs: {} }, at)
  expect(items(facts.pods)).toEqual([
    {
      namespace: 'shop',
      name: 'web-2-x',
      owner: { kind: 'Deployment', namespace: 'shop', name: 'web' },
      node: 'worker-1',
      phase: 'Running',
      ready: false,
      createdAtMs: at.sinceMs,
      containers: [
        {
          name: 'web',
          image: 'web:2',
          init: false,
          status: {
            ready: false,
            restarts: 3,
            state: 'waiting',
            reason: 'CrashLoopBackOff',
            last: { exitCode: 137, reason: 'OOMKilled', finishedAtMs: at.sinceMs + 300_000 },
          },
          probes: {
            liveness: {
              how: 'GET :http/live',
              periodSeconds: 10,
              timeoutSeconds: 1,
              failureThreshold: 5,
              initialDelaySeconds: 0,
            },
          },
          limits: { memory: '128Mi', cpu: '1' },
          requests: {},
        },
      ],
    },
  ])
})

test('the newest revision is the highest number, not the last in the alphabet', async () => {
  const { facts } = await look({ lists }, at)
  expect(items(facts.rollouts)).toMatchObject([
    {
      revisions: [{ revision: 10 }, { revision: 9 }],
      imageChanges: [{ container: 'web', from: 'web:1', to: 'web:2' }],
    },
  ])
})

test('the last lines of a crash are those of the run before', async () => {
  const { facts, asked } = await look({ lists, logs: { 'web-2-x/web': 'starting\n\nout of memory\n' } }, at)
  const lines = { status: 'read', value: ['starting', 'out of memory'] }
  expect(facts.crashes).toEqual({
    status: 'read',
    value: [{ namespace: 'shop', pod: 'web-2-x', container: 'web', lines }],
  })
  expect(asked).toContain(
    '/api/v1/namespaces/shop/pods/web-2-x/log?container=web&tailLines=20&limitBytes=8192&previous=true',
  )
})

test('a crash before the time asked about is no news', async () => {
  const { facts } = await look({ lists }, { ...at, sinceMs: Date.parse(crash.finishedAt) + 1 })
  expect(facts.crashes).toEqual({ status: 'read', value: [] })
})

test.each([
  { forbidden: 'events', unread: ['events'] },
  { forbidden: 'pods', unread: ['pods', 'crashes'] },
  { forbidden: 'pods/log', unread: [] },
])('without permission for $forbidden only that is unknown', async ({ forbidden, unread }) => {
  const { facts } = await look({ lists, forbidden: [forbidden] }, at)
  const found = Object.entries(facts)
    .filter(([, { status }]) => status === 'unreadable')
    .map(([part]) => part)
  expect(found).toEqual(unread)
  const log = facts.crashes.status === 'read' ? facts.crashes.value[0]?.lines : undefined
  if (forbidden === 'pods/log') expect(log).toMatchObject({ status: 'unreadable', why: expect.stringContaining('403') })
})

test('half of the rollouts is half of the truth, and says so', async () => {
  const { facts } = await look({ lists, forbidden: ['controllerrevisions'] }, at)
  expect(facts.rollouts).toMatchObject({
    value: { items: [{}], incomplete: expect.stringContaining('controllerrevisions is forbidden') },
  })
})

test('a namespace the config leaves out is not looked into', async () => {
  const { facts, asked } = await look({ lists }, at, { namespaces: ['other'] })
  expect([facts.pods.status, asked]).toEqual(['unreadable', []])
})

const recorded = isRecorded ? test : test.skip

recorded('scene s01 of a real cluster: the crash, its message and its events', async () => {
  const { lists, atMs } = sceneLists('s01')
  const { facts } = await look({ lists, logs: {} }, { namespace: 'emojivoto', sinceMs: atMs - 120_000 })
  const voting = items(facts.pods).filter(({ owner }) => owner?.name === 'voting')
  expect(voting.length).toBe(2)
  expect(voting[0]?.containers.find(({ name }) => name === 'voting')).toMatchObject({
    limits: { memory: '128Mi' },
    probes: { liveness: { how: 'gRPC :8080' }, readiness: { how: 'gRPC :8080' } },
    status: {
      ready: false,
      reason: 'CrashLoopBackOff',
      last: { exitCode: 1, message: expect.stringContaining('strconv.Atoi') },
    },
  })
  expect(items(facts.events)).toContainEqual(
    expect.objectContaining({
      reason: 'BackOff',
      message: expect.stringContaining('restarting failed container voting'),
    }),
  )
  expect(facts.crashes).toMatchObject({ value: [{ container: 'voting', lines: { status: 'unreadable' } }] })
})

const scenes = Array.from({ length: 14 }, (_, at) => `s${String(at + 1).padStart(2, '0')}`)

recorded.each(scenes)('every object of scene %s can be read', async (scene) => {
  const { lists, atMs } = sceneLists(scene)
  for (const namespace of new Set(lists['pods']?.map(({ metadata }) => metadata.namespace ?? ''))) {
    const { facts } = await look(
      { lists: { controllerrevisions: [], ...lists } },
      { namespace, sinceMs: atMs - 600_000 },
    )
    for (const part of ['pods', 'events', 'rollouts'] as const)
      expect(facts[part]).toEqual({ status: 'read', value: { items: expect.any(Array) } })
  }
})
