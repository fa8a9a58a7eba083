import { expect, test } from '@jest/globals'
import type { Service } from '../../../config/contract.ts'
import type { Sample } from '../../../sources/contract.ts'
import type { Testimony } from '../../../triage/contract.ts'
import { serviceRunning } from '../../../triage/questions/service-running.ts'
import { cluster, type PodPlan, scrapes } from '../small-cluster.ts'
import { briefAbout, minute, noon, serviceIn, testimonyOf, witnessesWho } from '../witness-stand.ts'

const services = { cart: serviceIn('shop', 'cart', { dependsOn: ['db'] }), db: serviceIn('shop', 'db') }
const ask = (each: Sample[][], options: { services?: Record<string, Service>; extra?: Partial<Testimony> } = {}) =>
  serviceRunning.ask(
    briefAbout('cart'),
    witnessesWho({
      nowMs: noon + 30_000,
      services: options.services ?? services,
      series: { 'kube-state-metrics': testimonyOf(scrapes(...each), options.extra) },
    }),
    [],
  )
const kinds = ({ clues }: { clues: { kind: string; about: { name: string } }[] }) =>
  clues.map(({ about, kind }) => `${about.name} ${kind}`)

const healthy = [{ name: 'cart', pods: [{}, {}] }, { name: 'db' }]
const before = cluster(healthy)
const cartWith = (pod: PodPlan, ready = false) =>
  cluster([{ name: 'cart', pods: [{ ...pod, ready }, {}] }, { name: 'db' }])

test('all pods ready is a yes with their number and names, dependencies included', async () => {
  const { verdict, headline, clues } = await ask([before, before])
  expect([verdict, headline, clues]).toEqual(['ok', 'yes: 3 of 3 pods ready in cart, db', []])
})

test('what the Kubernetes API knows stands in the evidence, what it forbids is unknown there, and neither decides', async () => {
  const part = { status: 'unreadable' as const, why: 'pods is forbidden' }
  const none = { status: 'read' as const, value: { items: [] } }
  const witnesses = witnessesWho({
    nowMs: noon + 30_000,
    services,
    series: { 'kube-state-metrics': testimonyOf(scrapes(before, before)) },
  })
  const asked: string[] = []
  const objects = async (where: string, namespace: string) => {
    asked.push(`${where}/${namespace}`)
    return { pods: part, events: none, rollouts: none, crashes: part }
  }
  const { verdict, evidence } = await serviceRunning.ask(briefAbout('cart'), { ...witnesses, objects }, [])
  expect(verdict).toBe('ok')
  expect(evidence).toContainEqual({ says: 'pods unknown: pods is forbidden' })
  expect(asked).toEqual(['town/shop'])
})

test('a dependency that is down makes it a no, and is accused', async () => {
  const pod = { ready: false, waiting: 'CrashLoopBackOff', restarts: 4, exit: { reason: 'Error', code: 1, atMs: noon } }
  const answer = await ask([
    before,
    cluster([
      { name: 'cart', pods: [{}, {}] },
      { name: 'db', pods: [pod] },
    ]),
  ])
  expect(answer.verdict).toBe('bad')
  expect(answer.headline).toBe('no: db 0 of 1 ready, CrashLoopBackOff (exit 1), 4 restarts since 12:00:00 UTC')
  expect(kinds(answer)).toEqual(['db crash-loop'])
})

test('a ready sidecar does not hide a dead main container', async () => {
  const pod = { ready: false, waiting: 'CrashLoopBackOff', restarts: 3, sidecars: ['linkerd-proxy'] }
  const answer = await ask([before, cluster([{ name: 'cart', pods: [pod] }, { name: 'db' }])])
  expect(answer.verdict).toBe('bad')
  expect(kinds(answer)).toEqual(['cart crash-loop'])
})

test('memory is the cause only of restarts that are new', async () => {
  const now = cartWith({ restarts: 5, exit: { reason: 'OOMKilled', code: 137, atMs: noon } })
  const answer = await ask([before, now])
  expect(answer.clues[0]?.kind).toBe('out-of-memory')
  expect(answer.clues[0]?.says).toBe('container cart out of memory (limit 128Mi), 5 restarts since 12:00:00 UTC')
})

test.each([
  { dead: 'OOMKilled', kind: 'out-of-memory', says: 'container cart out of memory (limit 128Mi), not restarted yet' },
  { dead: 'Error', kind: 'crash-loop', says: 'container cart crashed, not restarted yet' },
])('a container that lies dead of $dead, not restarted yet, is $kind', async ({ dead, kind, says }) => {
  const answer = await ask([before, cartWith({ dead })])
  expect(answer.clues[0]).toMatchObject({ kind, says: expect.stringContaining(says) })
})

test('a container that lies dead since long before the incident accuses nobody, one that completed is none', async () => {
  const old = cartWith({ dead: 'Error' })
  expect((await ask(Array.from({ length: 8 }, () => old))).clues).toEqual([])
  expect((await ask([before, cartWith({ dead: 'Completed' }, true)])).clues).toEqual([])
})

test('restarts of last week are no evidence, whatever they died of', async () => {
  const old = { restarts: 5, exit: { reason: 'OOMKilled', code: 137, atMs: noon - 7 * 86_400_000 } }
  const scrape = cartWith(old, true)
  const answer = await ask([scrape, scrape])
  expect([answer.verdict, answer.clues]).toEqual(['ok', []])
})

test('old restarts stay old even where the time of the last exit is not exported and there is no window', async () => {
  const answer = await ask([cartWith({ restarts: 5 }, true)])
  expect([answer.verdict, answer.clues]).toEqual(['ok', []])
})

test('a crash loop that was there long before the incident accuses nobody, and the answer is still no', async () => {
  const pod = {
    ready: false,
    waiting: 'CrashLoopBackOff',
    restarts: 280,
    exit: { reason: 'Error', code: 1, atMs: noon },
  }
  const looping = cluster([
    { name: 'cart', pods: [{}, {}] },
    { name: 'db', pods: [pod] },
  ])
  const answer = await ask([looping, looping])
  expect([answer.verdict, answer.clues]).toEqual(['bad', []])
  expect(answer.headline).toContain('already before the incident')
})

test.each([
  ['ImagePullBackOff', 'image-pull', 'cannot pull image registry.example/cart:1 (ImagePullBackOff)'],
  ['CreateContainerConfigError', 'container-config', 'container cart cannot be created (CreateContainerConfigError)'],
])('%s is named', async (waiting, kind, says) => {
  const pod = { waiting, phase: 'Pending', createdAtMs: noon - 10_000 }
  const answer = await ask([before, cartWith(pod)])
  expect(answer.clues[0]?.kind).toBe(kind)
  expect(answer.clues[0]?.says).toContain(says)
})

test('a pod that was stuck since yesterday accuses nobody', async () => {
  const stuck = cartWith({ waiting: 'ImagePullBackOff', phase: 'Pending' })
  expect((await ask([stuck, stuck])).clues).toEqual([])
  expect((await ask([stuck])).clues).toEqual([])
})

const rolledOut = (pod: PodPlan, createdAtMs: number) =>
  cluster([
    {
      name: 'cart',
      pods: [{}, { hash: '6c8d', image: 'registry.example/cart:2', ...pod }],
      createdAtMs: { '6c8d': createdAtMs },
    },
    { name: 'db' },
  ])

test('a rollout whose pods crash is named with its images', async () => {
  const pod = { ready: false, waiting: 'CrashLoopBackOff', restarts: 2, createdAtMs: noon - minute }
  const { clues } = await ask([before, rolledOut(pod, noon - minute)])
  expect(clues.find(({ kind }) => kind === 'bad-rollout')?.says).toBe(
    'rollout at 11:59:00 UTC to image registry.example/cart:2 (was registry.example/cart:1), its pods crash',
  )
})

test('a rollout whose pods are well is a weak clue', async () => {
  const answer = await ask([before, rolledOut({ createdAtMs: noon - minute }, noon - minute)])
  expect([answer.verdict, kinds(answer)]).toEqual(['ok', ['cart rollout']])
})

test.each([
  ['yesterday', noon - 86_400_000],
  ['after the incident began', noon + 2 * minute],
])('a rollout %s is none', async (_, createdAtMs) => {
  expect((await ask([before, rolledOut({ createdAtMs }, createdAtMs)])).clues).toEqual([])
})

test('a pod that no node takes is named with what it asks for', async () => {
  const requests =
    'kube_pod_container_resource_requests{namespace="shop",pod="cart-5b7f6d9c7c-aaaa2",container="cart",resource="cpu",unit="core"} 3.6'
  const pod = { phase: 'Pending', ready: false, unschedulable: true, running: false, createdAtMs: noon - 5000 }
  const { clues } = await ask([before, cluster([{ name: 'cart', pods: [pod] }, { name: 'db' }], requests)])
  expect(clues[0]).toMatchObject({ kind: 'unschedulable' })
  expect(clues[0]?.says).toContain('it asks for 3.6 CPU')
})

test('scaled to nothing during the incident is a cause, for ever is none', async () => {
  const none = cluster([{ name: 'cart', desired: 0, ready: 0, pods: [] }, { name: 'db' }])
  const answer = await ask([before, none])
  expect([answer.verdict, kinds(answer)]).toEqual(['bad', ['cart scaled-to-zero']])
  const always = await ask([none, none])
  expect([always.verdict, always.clues]).toEqual(['bad', []])
})

test('a workload nobody ever saw is no workload, and one that was there is deleted', async () => {
  const without = cluster([{ name: 'cart', pods: [{}, {}] }])
  const answer = await ask([without, without])
  expect(answer).toMatchObject({
    verdict: 'bad',
    headline: 'no: db: no such workload seen in namespace shop',
    clues: [],
  })
  expect(kinds(await ask([before, without]))).toEqual(['db deleted'])
})

test('what an incomplete scrape does not show is unknown, not missing', async () => {
  const without = cluster([{ name: 'cart', pods: [{}, {}] }])
  const answer = await ask([before, without], { extra: { incomplete: 'cut at 32 MiB' } })
  expect(answer).toMatchObject({ verdict: 'unknown', clues: [] })
  expect(answer.headline).toContain('cut at 32 MiB')
})

test('a namespace of which nothing is seen is unknown', async () => {
  const answer = await ask([before, before], { services: { cart: serviceIn('elsewhere', 'cart') } })
  expect(answer.headline).toBe('unknown: cart: kube-state-metrics shows nothing of namespace elsewhere')
})

const node = (ready: 0 | 1) =>
  [
    `kube_node_status_condition{node="n1",condition="Ready",status="true"} ${ready}`,
    `kube_node_status_condition{node="n1",condition="Ready",status="unknown"} ${1 - ready}`,
  ].join('\n')

test('a node that stopped reporting under the pods is accused, and clears them', async () => {
  const lost = cluster(
    [{ name: 'cart', ready: 0, pods: [{ ready: false }, { ready: false }] }, { name: 'db' }],
    node(0),
  )
  const answer = await ask([cluster(healthy, node(1)), lost])
  expect(kinds(answer)).toEqual(['n1 node-not-ready', 'cart victim-of-node'])
  expect(answer.clues[0]?.says).toBe('stopped reporting since 12:00:30 UTC, it carries 3 pods of cart, db')
})

test('an unreadable source is unknown with its reason', async () => {
  const answer = await serviceRunning.ask(
    briefAbout('cart'),
    witnessesWho({ services, series: { 'kube-state-metrics': 'connection refused' } }),
    [],
  )
  expect([answer.verdict, answer.headline]).toEqual([
    'unknown',
    'unknown: cart: connection refused, db: connection refused',
  ])
})

test('a circle of dependencies ends', async () => {
  const circle = {
    cart: serviceIn('shop', 'cart', { dependsOn: ['db'] }),
    db: serviceIn('shop', 'db', { dependsOn: ['cart'] }),
  }
  expect((await ask([before, before], { services: circle })).verdict).toBe('ok')
})
