import { expect, test } from '@jest/globals'
import type { Sample } from '../../../sources/contract.ts'
import type { Testimony } from '../../../triage/contract.ts'
import { trafficOkay } from '../../../triage/questions/traffic-okay.ts'
import { briefAbout, noon, type Scraped, serviceIn, testimonyOf, witnessesWho } from '../witness-stand.ts'

const services = {
  front: serviceIn('shop', 'front', { dependsOn: ['mid'] }),
  mid: serviceIn('shop', 'mid', { dependsOn: ['deep'] }),
  deep: serviceIn('shop', 'deep'),
}
const lastMs = noon + 60_000

/** Requests a proxy counted until a scrape: all of them, and how many of them failed. */
type Count = readonly [all: number, failed: number]
const results = (name: string, labels: Record<string, string>, [all, failed]: Count): Sample[] => [
  { name, labels: { ...labels, classification: 'success', status_code: '200' }, value: all - failed },
  ...(failed > 0
    ? [{ name, labels: { ...labels, classification: 'failure', status_code: '500' }, value: failed }]
    : []),
]
const place = (deployment: string) => ({ namespace: 'shop', deployment, pod: `${deployment}-1` })
const inbound = (who: string, count: Count) => results('response_total', { ...place(who), direction: 'inbound' }, count)
const call = (from: string, to: string, count: Count) =>
  results('response_total', { ...place(from), direction: 'outbound', dst_namespace: 'shop', dst_deployment: to }, count)
const route = (who: string, name: string, count: Count) =>
  results('route_response_total', { ...place(who), direction: 'inbound', rt_route: name }, count)
const buckets = (who: string, counts: Record<string, number>): Sample[] =>
  Object.entries(counts).map(([le, value]) => ({
    name: 'response_latency_ms_bucket',
    labels: { ...place(who), direction: 'inbound', le },
    value,
  }))

/** A scrape each half minute; the incident began at noon, the last scrape is a minute later. */
const every = (...each: readonly Sample[][]): Scraped[] =>
  each.map((samples, index) => ({ atMs: lastMs - 30_000 * (each.length - 1 - index), samples }))

const ask = (each: Scraped[], extra: Partial<Testimony> = {}) =>
  trafficOkay.ask(
    briefAbout('front'),
    witnessesWho({ nowMs: lastMs, services, series: { linkerd: testimonyOf(each, extra) } }),
    [],
  )
/** `failed` of each hundred requests, from the eighth scrape on, when the incident begins. */
const story = (make: (all: number, failed: (share: number) => number) => Sample[]) =>
  every(
    ...Array.from({ length: 10 }, (_, index) => {
      const all = 1000 + 100 * index
      const since = Math.max(0, index - 7) * 100
      return make(all, (share) => Math.round(since * share))
    }),
  )
const named = ({ clues }: { clues: { kind: string; about: { name: string; part?: string | undefined } }[] }) =>
  clues.map(({ about, kind }) => `${about.name}${about.part ? `/${about.part}` : ''} ${kind}`)

test('requests that succeed are a yes with their number', async () => {
  const answer = await ask(story((all) => [...inbound('front', [all, 0]), ...inbound('mid', [all, 0])]))
  expect(answer.verdict).toBe('ok')
  expect(answer.headline).toMatch(/^yes: 100 % of 800 requests to front, mid succeed$/)
})

test('the deepest failing workload is the origin, and its callers are victims', async () => {
  const answer = await ask(
    story((all, failed) => [
      ...inbound('front', [all, failed(0.3)]),
      ...call('front', 'mid', [all, failed(0.3)]),
      ...inbound('mid', [all, failed(0.3)]),
      ...call('mid', 'deep', [all, failed(0.3)]),
      ...inbound('deep', [all, failed(0.3)]),
    ]),
  )
  expect(answer.verdict).toBe('bad')
  expect(named(answer)).toEqual(['deep failing-traffic', 'front failing-downstream', 'mid failing-downstream'])
  expect(answer.headline).toBe(
    'no: deep fails 30 % of 100 requests since 12:00:30 UTC (HTTP 500); front, mid pass it on',
  )
})

test('a caller that fails far more than its callee is no victim', async () => {
  const answer = await ask(
    story((all, failed) => [
      ...inbound('front', [all, failed(0.6)]),
      ...call('front', 'mid', [all, failed(0.06)]),
      ...inbound('mid', [all, failed(0.06)]),
    ]),
  )
  expect(named(answer)).toContain('front failing-traffic')
})

test('the failing route is named, and that the others are fine', async () => {
  const answer = await ask(
    story((all, failed) => [
      ...inbound('front', [all, failed(0.1)]),
      ...route('front', 'Pay', [all / 10, failed(0.1)]),
      ...route('front', 'Browse', [all * 0.9, 0]),
    ]),
  )
  expect(named(answer)).toEqual(['front/Pay failing-route'])
  expect(answer.clues[0]?.says).toBe(
    'route Pay fails 100 % of 10 requests since 12:00:30 UTC (HTTP 500), all other routes fine',
  )
})

test('where the workload is known to fail, two failures are enough to name the route', async () => {
  const answer = await ask(
    story((all, failed) => [
      ...inbound('front', [all, failed(0.03)]),
      ...route('front', 'Pay', [all * 0.01, failed(0.01)]),
      ...route('front', 'Browse', [all * 0.9, 0]),
    ]),
  )
  expect(named(answer)).toEqual(['front/Pay failing-route'])
})

test('routes are learnt from the callers of newer proxies, where the callee counts none', async () => {
  const status = (name: string, grpc: string, value: number): Sample => ({
    name: 'outbound_grpc_route_request_statuses_total',
    labels: {
      ...place('front'),
      parent_name: 'mid-svc',
      parent_namespace: 'shop',
      route_kind: 'GRPCRoute',
      route_name: name,
      grpc_status: grpc,
    },
    value,
  })
  const answer = await ask(
    story((all, failed) => [
      ...inbound('front', [all, failed(0.1)]),
      ...results(
        'response_total',
        {
          ...place('front'),
          direction: 'outbound',
          dst_namespace: 'shop',
          dst_service: 'mid-svc',
          dst_deployment: 'mid',
        },
        [all, failed(0.1)],
      ),
      ...inbound('mid', [all, failed(0.1)]),
      status('pay', 'OK', all / 10 - failed(0.1)),
      ...(failed(0.1) > 0 ? [status('pay', 'UNKNOWN', failed(0.1))] : []),
      status('browse', 'OK', all * 0.9),
    ]),
  )
  expect(named(answer)).toEqual(['mid/pay failing-route', 'front failing-downstream'])
  expect(answer.headline).toContain('(gRPC status UNKNOWN)')
})

test('when all routes fail, it is the workload', async () => {
  const answer = await ask(
    story((all, failed) => [
      ...inbound('front', [all, failed(1)]),
      ...route('front', 'Pay', [all / 2, failed(0.5)]),
      ...route('front', 'Browse', [all / 2, failed(0.5)]),
    ]),
  )
  expect(named(answer)).toEqual(['front failing-traffic'])
})

test('a dead callee that counts nothing is accused by its callers’ counts', async () => {
  const answer = await ask(
    story((all, failed) => [...inbound('front', [all, failed(1)]), ...call('front', 'mid', [all, failed(1)])]),
  )
  expect(named(answer)).toEqual(['mid failing-calls', 'front failing-downstream'])
})

test('in a circle of failures nobody is accused', async () => {
  const answer = await ask(
    story((all, failed) => [
      ...inbound('front', [all, failed(1)]),
      ...call('front', 'mid', [all, failed(1)]),
      ...inbound('mid', [all, failed(1)]),
      ...call('mid', 'front', [all, failed(1)]),
    ]),
  )
  expect(answer.verdict).toBe('bad')
  expect(named(answer).filter((text) => !text.includes('downstream'))).toEqual([])
})

test('failures as many as before the incident are suspicious, and accuse nobody', async () => {
  const answer = await ask(every(...[0, 1, 2, 3, 4, 5].map((index) => inbound('front', [100 * index, 20 * index]))))
  expect([answer.verdict, answer.clues]).toEqual(['suspicious', []])
  expect(answer.headline).toContain('as before the incident')
})

test('workloads the service does not call are not looked at', async () => {
  const answer = await ask(
    story((all, failed) => [...inbound('front', [all, 0]), ...inbound('wiki', [all, failed(1)])]),
  )
  expect([answer.verdict, answer.clues]).toEqual(['ok', []])
})

test('a proxy that starts anew is not a flood of requests, and its fall no negative number', async () => {
  const counts = [1000, 1100, 30, 130]
  const answer = await ask(every(...counts.map((all) => inbound('front', [all, 0]))))
  expect(answer.headline).toContain('230 requests')
})

test('a series that appears on a proxy read before counts from its first value', async () => {
  const answer = await ask(
    every(inbound('front', [1000, 0]), inbound('front', [1100, 0]), inbound('front', [1200, 40])),
  )
  expect(answer.verdict).toBe('bad')
  expect(answer.headline).toContain('front fails 40 % of 100 requests')
})

test('a proxy that was only out of reach does not count what it counted unseen', async () => {
  const old: Sample = { name: 'process_start_time_seconds', labels: place('front'), value: (noon - 3_600_000) / 1000 }
  const answer = await ask(
    every(
      inbound('mid', [10, 0]),
      inbound('mid', [10, 0]),
      [...inbound('front', [5000, 5000]), old],
      [...inbound('front', [5100, 5000]), old],
    ),
  )
  expect(answer.verdict).toBe('ok')
})

test('the kubelet’s probes are no traffic', async () => {
  const probe = { ...place('front'), direction: 'inbound', route_name: 'probe' }
  const answer = await ask(
    story((all, failed) => [
      ...inbound('front', [all, failed(0.5)]),
      ...results('response_total', probe, [all * 99, 0]),
    ]),
  )
  expect(answer.headline).toContain('fails 50 % of 100 requests')
})

test('too little traffic is said to be too little', async () => {
  const answer = await ask(every(inbound('front', [7, 0]), inbound('front', [7, 0]), inbound('front', [8, 1])))
  expect(answer).toMatchObject({
    verdict: 'suspicious',
    headline: 'too little traffic to say: front failed 1 of 1 request',
    clues: [],
  })
})

test('no request at all is unknown', async () => {
  expect((await ask(every(inbound('front', [7, 0]), inbound('front', [7, 0])))).verdict).toBe('unknown')
})

test('traffic that stopped is news', async () => {
  const answer = await ask(
    every(...[0, 1, 2, 3, 4, 5, 6, 6, 6].map((index) => inbound('front', [1000 + 100 * index, 0]))),
  )
  expect([answer.verdict, answer.headline]).toEqual([
    'suspicious',
    'traffic fell: no request to front since 12:00:00 UTC',
  ])
})

test('without a window the counts are told with a warning and accuse nobody by themselves', async () => {
  const answer = await ask(every(inbound('front', [1000, 400])))
  expect(answer.verdict).toBe('suspicious')
  expect(answer.headline).toContain('age unknown (no window yet)')
  expect(named(answer)).toEqual(['front failures-of-unknown-age'])
  expect((await ask(every(inbound('front', [1000, 0])))).verdict).toBe('unknown')
})

test('answers that became slow are suspicious, and the slow callee is accused', async () => {
  const quick = (all: number) => ({ 10: all, 100: all, 1000: all, '+Inf': all })
  const answer = await ask(
    every(
      ...Array.from({ length: 10 }, (_, index) => {
        const all = 1000 + 100 * index
        const slow = Math.max(0, index - 7) * 100
        return [
          ...inbound('front', [all, 0]),
          ...buckets('front', { 10: all - slow, 100: all - slow, 1000: all, '+Inf': all }),
          ...buckets('mid', quick(all)),
        ]
      }),
    ),
  )
  expect(answer.verdict).toBe('suspicious')
  expect(named(answer)).toEqual(['front slow-answers'])
  expect(answer.headline).toMatch(/^slow: front answers within p50 .* p95 \d+ ms \(was 10 ms\)/)
})

test('an incomplete read is never green', async () => {
  const fine = story((all) => inbound('front', [all, 0]))
  const answer = await ask(fine, { incomplete: 'cut at 32 MiB' })
  expect(answer.verdict).toBe('unknown')
  expect(answer.headline).toContain('cut at 32 MiB')
})

test('a mesh that does not know the service is unknown', async () => {
  const answer = await ask(story((all) => inbound('wiki', [all, 0])))
  expect(answer).toMatchObject({ verdict: 'unknown', clues: [] })
  expect(answer.headline).toContain('Linkerd shows no traffic of front, mid, deep')
})
