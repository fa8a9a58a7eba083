import { expect, test } from '@jest/globals'
import type { KubernetesFacts, Sample } from '../../../sources/contract.ts'
import type { Look } from '../../../triage/looks.ts'
import { healthChecksPassing } from '../../../triage/questions/health-checks-passing.ts'
import { cluster, scrapes } from '../small-cluster.ts'
import { briefAbout, minute, noon, parse, serviceIn, testimonyOf, witnessesWho } from '../witness-stand.ts'

const services = { cart: serviceIn('shop', 'cart', { dependsOn: ['db'] }), db: serviceIn('shop', 'db') }
const nowMs = noon + 30_000

const look = (extra: Partial<Look> & { location?: string } = {}): Look => ({
  monitorId: 'home',
  location: 'eu',
  scheduledAtMs: noon,
  startedAtMs: noon,
  look: 'tick',
  verdict: 'pass',
  timingsMs: { total: 12 },
  service: 'cart',
  target: 'GET https://shop.example/',
  ...extra,
})
const fail = (extra: Partial<Look> = {}) =>
  look({ verdict: 'fail', cause: { phase: 'assert', code: 'assert-status', detail: 'wanted 200, got 500' }, ...extra })

const ask = (each: Sample[][] | string, outcomes: Look[] = []) =>
  healthChecksPassing.ask(
    briefAbout('cart'),
    witnessesWho({
      nowMs,
      services,
      outcomes,
      series: { 'kube-state-metrics': typeof each === 'string' ? each : testimonyOf(scrapes(...each)) },
    }),
    [],
  )

const well = cluster([{ name: 'cart', pods: [{}, {}] }, { name: 'db' }])
const unready = cluster([{ name: 'cart', pods: [{ ready: false }, { ready: false }] }, { name: 'db' }])

test('ready pods and passing checks are a yes', async () => {
  const answer = await ask([well, well], [look()])
  expect([answer.verdict, answer.headline]).toEqual([
    'ok',
    'yes: 3 of 3 pods ready in cart, db; 1 of 1 outside check pass',
  ])
})

test('pods that run and are not ready fail their readiness, since when the window saw it', async () => {
  const answer = await ask([well, unready])
  expect(answer.verdict).toBe('bad')
  expect(answer.clues).toEqual([
    {
      about: { kind: 'workload', cluster: 'town', namespace: 'shop', name: 'cart' },
      kind: 'readiness-failing',
      says: 'readiness fails in 2 of 2 pods since 12:00:30 UTC, the containers run',
      service: 'cart',
      atMs: nowMs,
    },
  ])
})

test('readiness that failed before the incident too accuses nobody', async () => {
  expect((await ask([unready, unready, unready])).clues).toEqual([])
})

test('a crashing container is not a failing readiness check', async () => {
  const crashing = cluster([{ name: 'cart', pods: [{ ready: false, waiting: 'CrashLoopBackOff' }] }, { name: 'db' }])
  const answer = await ask([well, crashing])
  expect([answer.verdict, answer.clues]).toEqual(['bad', []])
})

test('readiness that came and went is suspicious although all is ready now', async () => {
  const answer = await ask([well, unready, well])
  expect(answer.verdict).toBe('suspicious')
  expect(answer.headline).toContain('2 pods lost and regained it')
})

test('a failing check is named with its phase, its locations and since when', async () => {
  const outcomes = [
    look({ startedAtMs: noon - 2 * minute, scheduledAtMs: noon - 2 * minute }),
    fail({ startedAtMs: noon - minute, scheduledAtMs: noon - minute }),
    fail(),
    look({ location: 'us' }),
  ]
  const answer = await ask([well, well], outcomes)
  expect(answer.verdict).toBe('bad')
  expect(answer.headline).toBe(
    'no: GET https://shop.example/ fails from eu since 11:59:00 UTC (assert: wanted 200, got 500); passes from us',
  )
  expect(answer.clues).toEqual([])
})

test('since when it fails is told by the run, where only the last look is known', async () => {
  const { headline } = await ask([well, well], [fail({ runSinceMs: noon - 4 * minute })])
  expect(headline).toContain('fails from eu since 11:56:00 UTC')
})

test('a monitor that looks once an hour is not stale after twenty minutes', async () => {
  const rare = look({ startedAtMs: noon - 20 * minute, periodSeconds: 3600 })
  expect((await ask([well, well], [rare])).verdict).toBe('ok')
})

test('one location of three that fails is suspicious', async () => {
  const outcomes = [fail(), look({ location: 'us' }), look({ location: 'asia' })]
  expect((await ask([well, well], outcomes)).verdict).toBe('suspicious')
})

test('checks of services that are not involved do not count', async () => {
  expect((await ask([well, well], [look(), fail({ monitorId: 'blog', service: 'blog' })])).verdict).toBe('ok')
})

test('looks of long ago and looks that saw nothing are unknown, never green', async () => {
  const old = look({ startedAtMs: noon - 60 * minute })
  expect(await ask([well, well], [old])).toMatchObject({ verdict: 'unknown' })
  const blind = look({ verdict: 'unknown', cause: { phase: 'prober', code: 'no-dns', detail: 'our resolver is away' } })
  expect((await ask([well, well], [blind])).headline).toContain('our resolver is away')
})

test('a failing check is told although kube-state-metrics cannot be read', async () => {
  const answer = await ask('connection refused', [fail()])
  expect(answer.verdict).toBe('bad')
  expect(answer.evidence.map(({ says }) => says)).toContain('readiness in cluster town: connection refused')
  expect((await ask('connection refused', [look()])).verdict).toBe('unknown')
})

const certificate = (notAfterMs: number) => ({
  url: 'https://shop.example/',
  certificate: { subject: 'shop', issuer: 'ca', names: [], notBeforeMs: 0, notAfterMs },
})

test('an expired certificate is accused with its day', async () => {
  const cause = { phase: 'tls' as const, code: 'certificate-expired', detail: 'it expired' }
  const { clues } = await ask([well, well], [fail({ cause, attempt: certificate(noon - 30 * 3_600_000) })])
  expect(clues[0]).toMatchObject({
    about: { kind: 'certificate', name: 'https://shop.example' },
    kind: 'certificate-invalid',
    says: 'expired on 2026-11-22',
    service: 'cart',
  })
})

test('a certificate that is only about to expire is a weak clue', async () => {
  const cause = { phase: 'tls' as const, code: 'certificate-expires-soon', detail: 'it expires in 9 days' }
  const degraded = look({ verdict: 'degraded', cause, attempt: certificate(noon + 9 * 86_400_000) })
  const answer = await ask([well, well], [degraded])
  expect(answer.verdict).toBe('suspicious')
  expect(answer.clues[0]).toMatchObject({ kind: 'certificate-warning', says: 'is not good: it expires in 9 days' })
})

test('a name that does not resolve from most locations is accused, from one it is not', async () => {
  const cause = { phase: 'resolve' as const, code: 'nxdomain', detail: 'no such name' }
  expect((await ask([well, well], [fail({ cause })])).clues[0]?.kind).toBe('name-not-resolved')
  const others = [look({ location: 'us' }), look({ location: 'asia' })]
  expect((await ask([well, well], [fail({ cause }), ...others])).clues).toEqual([])
})

const pod = 'cart-5b7f6d9c7c-aaaa2'
const probed = (probe: string, failed?: number) =>
  failed === undefined
    ? []
    : parse(
        `prober_probe_total{namespace="shop",pod="${pod}",container="main",probe_type="${probe}",result="failed"} ${failed}`,
      )
const probes = (probe: string, ...counted: (number | undefined)[]) =>
  testimonyOf(scrapes(...counted.map((failed) => probed(probe, failed))))

const read = <T>(value: T) => ({ status: 'read' as const, value })
const eventOf = (message: string, about = pod) => ({
  namespace: 'shop',
  about: { kind: 'Pod', name: about },
  type: 'Warning',
  reason: 'Unhealthy',
  message,
  count: 3,
  firstAtMs: noon - minute,
  lastAtMs: noon,
})
const readiness = { how: 'GET :8080/ready', periodSeconds: 5, timeoutSeconds: 1, failureThreshold: 3 }
const container = { name: 'main', image: 'cart:1', init: false, limits: {}, requests: {} }
const facts = (events: ReturnType<typeof eventOf>[] = []): KubernetesFacts => ({
  pods: read({
    items: [
      {
        namespace: 'shop',
        name: pod,
        phase: 'Running',
        containers: [{ ...container, probes: { readiness: { ...readiness, initialDelaySeconds: 0 } } }],
      },
    ],
  }),
  events: read({ items: events }),
  rollouts: read({ items: [] }),
  crashes: read([]),
})
const inside = (kubelet: ReturnType<typeof probes>, objects = facts()) =>
  healthChecksPassing.ask(
    briefAbout('cart'),
    {
      ...witnessesWho({
        nowMs,
        services,
        series: { 'kube-state-metrics': testimonyOf(scrapes(well, well, well)), kubelet },
      }),
      objects: async () => objects,
    },
    [],
  )

test.each([
  { given: 'one that failed more often since', counted: [4, 4, 9], says: 'failed 5 times' },
  { given: 'one that failed for the first time', counted: [undefined, undefined, 2], says: 'failed 2 times' },
])('the kubelet says which probe fails and what it asks: $given', async ({ counted, says }) => {
  const { verdict, evidence } = await inside(probes('Readiness', ...counted))
  expect(verdict).toBe('ok')
  expect(evidence).toContainEqual({
    says: `readiness probe of main in ${pod} ${says} in the last five minutes (GET :8080/ready every 5 s)`,
  })
})

test.each([
  { given: 'failures of long ago', kubelet: probes('Readiness', 4, 4, 4) },
  { given: 'failures nobody saw begin', kubelet: testimonyOf(scrapes(probed('Readiness', 4))) },
])('$given are no news', async ({ kubelet }) => {
  const { evidence } = await inside(kubelet)
  expect(evidence.filter(({ says }) => says.includes('probe'))).toEqual([])
})

test('an Event says which probe failed in its own words, unless it is of another pod', async () => {
  const message = 'Readiness probe failed: HTTP probe failed with statuscode: 503'
  const { evidence } = await inside(probes('Readiness', 4, 4), facts([eventOf(message), eventOf(message, 'other-1')]))
  expect(evidence.filter(({ quote }) => quote)).toEqual([
    { says: `${pod}: readiness probe failed 3 times, last 12:00:00 UTC`, quote: message },
  ])
})

test('a failing liveness probe is suspicious though every pod is ready, and accuses', async () => {
  const { verdict, headline, clues } = await inside(probes('Liveness', 1, 1, 3))
  expect([verdict, headline]).toEqual(['suspicious', 'partly: liveness probe of cart fails in 1 pod'])
  expect(clues.map(({ kind, about }) => `${about.name} ${kind}`)).toEqual(['cart liveness-failing'])
})
