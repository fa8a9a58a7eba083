import { expect, test } from '@jest/globals'
import type { KubernetesFacts } from '../../../sources/contract.ts'
import { whatChanged } from '../../../triage/questions/what-changed.ts'
import { cluster, type DeploymentPlan, scrapes } from '../small-cluster.ts'
import { briefAbout, minute, noon, serviceIn, testimonyOf, witnessesWho } from '../witness-stand.ts'

const services = { cart: serviceIn('shop', 'cart', { dependsOn: ['db'] }), db: serviceIn('shop', 'db') }
const config = (version: number) =>
  `kube_configmap_metadata_resource_version{namespace="shop",configmap="cart-settings"} ${version}`
const plain: DeploymentPlan[] = [{ name: 'cart' }, { name: 'db' }]
const told = (...each: [DeploymentPlan[], string?][]) =>
  testimonyOf(scrapes(...each.map(([plans, extra]) => cluster(plans, extra))))

type Part<K extends keyof KubernetesFacts> = Extract<KubernetesFacts[K], { status: 'read' }>['value']
const read = <T>(value: T) => ({ status: 'read' as const, value })
const facts = (rollouts: Part<'rollouts'>['items'], events: Part<'events'>['items'] = []): KubernetesFacts => ({
  pods: read({ items: [] }),
  events: read({ items: events }),
  rollouts: read({ items: rollouts }),
  crashes: read([]),
})
const ask = (series: ReturnType<typeof told> | undefined, objects?: KubernetesFacts) =>
  whatChanged.ask(
    briefAbout('cart'),
    {
      ...witnessesWho({
        nowMs: noon + 30_000,
        services,
        ...(series && { series: { 'kube-state-metrics': series } }),
      }),
      ...(objects && { objects: async () => objects }),
    },
    [],
  )
const workload = { kind: 'Deployment', namespace: 'shop', name: 'cart' }
const images = (tag: string) => ({ main: `registry.example/cart:${tag}` })
const rollout = (createdAtMs: number, extra: object = {}) => ({
  workload,
  revisions: [
    { name: 'cart-new', revision: 7, createdAtMs, images: images('12') },
    { name: 'cart-old', revision: 6, createdAtMs: noon - 100 * minute, images: images('11') },
  ],
  imageChanges: [{ container: 'main', from: images('11').main, to: images('12').main }],
  ...extra,
})
const steady = told([plain], [plain], [plain])

test('nothing is said with the names and the time it was looked back to: the window’s, at most a quarter of an hour', async () => {
  const { verdict, headline, clues } = await ask(steady)
  expect([verdict, headline, clues]).toEqual([
    'ok',
    'nothing: no rollout, scaling or config change of cart, db since 11:59:30 UTC',
    [],
  ])
  const long = await ask({ ...steady, windowFromMs: noon - 60 * minute })
  expect(long.headline).toContain('since 11:45:00 UTC')
})

test.each<{ given: string; series: ReturnType<typeof told>; says: string }>([
  {
    given: 'a new ReplicaSet',
    series: told(
      [plain],
      [plain],
      [
        [
          {
            name: 'cart',
            pods: [{ hash: '6c8d7e0f1a', image: 'registry.example/cart:2' }],
            createdAtMs: { '6c8d7e0f1a': noon - minute },
          },
          { name: 'db' },
        ],
      ],
    ),
    says: 'cart rolled out at 11:59:00 UTC to image registry.example/cart:2 (was registry.example/cart:1)',
  },
  {
    given: 'a hand that scaled it',
    series: told([[{ name: 'cart', desired: 3 }, { name: 'db' }]], [plain], [plain]),
    says: 'cart scaled from 3 to 1 before 12:00:00 UTC',
  },
  {
    given: 'a ConfigMap',
    series: told([plain, config(1)], [plain, config(2)], [plain, config(2)]),
    says: 'cart ConfigMap cart-settings changed shortly before 12:00:00 UTC',
  },
])('$given is named with its time', async ({ series, says }) => {
  const { verdict, headline } = await ask(series)
  expect([verdict, headline]).toEqual(['suspicious', says])
})

test('the rollout history says which images, and what series tell of the same is not said twice', async () => {
  const series = told(
    [plain],
    [plain],
    [[{ name: 'cart', pods: [{ hash: '6c8d7e0f1a' }], createdAtMs: { '6c8d7e0f1a': noon - minute } }, { name: 'db' }]],
  )
  const { headline, evidence } = await ask(series, facts([rollout(noon - minute)]))
  const says =
    'cart rolled out revision 7 at 11:59:00 UTC: image of main from registry.example/cart:11 to registry.example/cart:12'
  expect([headline, evidence]).toEqual([says, [{ says }]])
})

test('an undone rollout is dated by its Event, a restart is called one', async () => {
  const scaled = {
    namespace: 'shop',
    about: { kind: 'Deployment', name: 'cart' },
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: 'Scaled up replica set cart-new from 0 to 1',
    count: 1,
    firstAtMs: noon - 2 * minute,
    lastAtMs: noon - 2 * minute,
  }
  const undone = await ask(steady, facts([rollout(noon - 5000 * minute)], [scaled]))
  expect(undone.headline).toContain('cart rolled out revision 7 at 11:58:00 UTC')
  const before = { name: 'b', revision: 6, createdAtMs: noon - 100 * minute, images: images('12') }
  const restart = { ...before, name: 'a', revision: 7, createdAtMs: noon, restartedAtMs: noon - minute }
  const restarted = { workload, revisions: [restart, before], imageChanges: [] }
  expect((await ask(steady, facts([restarted]))).headline).toBe(
    'cart rolled out revision 7 at 12:00:00 UTC: a restart, the images are the same',
  )
})

test('what came after the incident stands in the evidence, and long ago is no change', async () => {
  const { verdict, evidence } = await whatChanged.ask(
    briefAbout('cart', { sinceMs: noon - 10 * minute }),
    {
      ...witnessesWho({
        nowMs: noon + 30_000,
        services,
        series: { 'kube-state-metrics': { ...steady, windowFromMs: noon - 15 * minute } },
      }),
      objects: async () => facts([rollout(noon - 2 * minute)]),
    },
    [],
  )
  expect(verdict).toBe('ok')
  expect(evidence[0]?.says).toMatch(/^cart rolled out revision 7 .*, after the incident began$/)
  expect((await ask(steady, facts([rollout(noon - 60 * minute)]))).verdict).toBe('ok')
})

test.each([
  {
    given: 'nobody to ask',
    series: undefined,
    says: 'unknown: kube-state-metrics of cluster town: no kube-state-metrics',
  },
  { given: 'no window yet', series: told([plain]), says: 'unknown: scaling and config of cluster town: the window' },
  {
    given: 'a reading that broke off',
    series: { ...steady, incomplete: 'cut short' },
    says: 'unknown: kube-state-metrics of cluster town in part: cut short',
  },
])('$given is unknown, never nothing', async ({ series, says }) => {
  const { verdict, headline } = await ask(series)
  expect([verdict, headline]).toEqual(['unknown', expect.stringContaining(says)])
})

test('what the API forbids is unknown beside what series tell', async () => {
  const forbidden = { ...facts([]), rollouts: { status: 'unreadable' as const, why: 'replicasets is forbidden' } }
  const { verdict, headline } = await ask(steady, forbidden)
  expect([verdict, headline]).toEqual(['unknown', 'unknown: rollout history of cluster town: replicasets is forbidden'])
})
