import { describe, expect, test } from '@jest/globals'
import { periodsOf } from '../../../triage/counters.ts'
import { meshCoverage, meshReads, meshUses, unmeshed } from '../../../triage/facts/mesh.ts'
import { trafficOf } from '../../../triage/flows.ts'
import { type Series, seriesOf } from '../../../triage/past.ts'
import { loadScene, loadScrapes } from '../recorded-scenes.ts'
import { noon, parse, testimonyOf } from '../witness-stand.ts'
import { readings, recorded, sharedTest } from './readings.ts'

const usesOf = (series: Series) => meshUses(trafficOf(series, periodsOf(series, series.atMs)))

sharedTest('the recorded Linkerd proxy tells of the requests it let in', async () => {
  const labels = { namespace: 'linkerd-opaque-ports-test', deployment: 'slow-cooker', pod: 'slow-cooker-1' }
  const uses = usesOf(await recorded('linkerd/sampleMetrics.txt', { kind: 'linkerd', reads: meshReads, labels }))
  expect(uses).toMatchObject([
    { who: 'linkerd-opaque-ports-test/slow-cooker', inbound: { requests: 29, successRatio: 1 }, routes: [], calls: [] },
  ])
  // Without a window there is a count and no pace.
  expect(uses[0]?.inbound).not.toHaveProperty('requestsPerSecond')
  expect(uses[0]?.inbound.latencyMs?.p50).toBeLessThanOrEqual(1)
})

const web = 'namespace="shop",deployment="web",pod="web-1"'
const cart = 'namespace="shop",deployment="cart",pod="cart-1"'
const to = 'dst_namespace="shop",dst_deployment="cart",dst_service="cart"'

const proxies = (count: number) =>
  [
    `response_total{${cart},direction="inbound",classification="success"} ${count * 3}`,
    `response_total{${cart},direction="inbound",classification="failure",status_code="500"} ${count}`,
    `response_latency_ms_bucket{${cart},direction="inbound",le="10"} ${count * 2}`,
    `response_latency_ms_bucket{${cart},direction="inbound",le="100"} ${count * 4}`,
    `response_latency_ms_bucket{${cart},direction="inbound",le="+Inf"} ${count * 4}`,
    `route_response_total{${cart},direction="inbound",rt_route="Pay",classification="failure",status_code="500"} ${count}`,
    `route_response_total{${cart},direction="inbound",rt_route="List",classification="success"} ${count * 3}`,
    `response_total{${web},${to},direction="outbound",classification="success"} ${count * 3}`,
    `response_total{${web},${to},direction="outbound",classification="failure",status_code="500"} ${count}`,
  ].join('\n')

test('success rate, requests per second and latency, by workload, route and destination', () => {
  const uses = usesOf(readings(proxies(0), proxies(0), proxies(30)))
  expect(uses.find(({ who }) => who === 'shop/cart')).toEqual({
    who: 'shop/cart',
    inbound: { requests: 120, successRatio: 0.75, requestsPerSecond: 2, latencyMs: { p50: 10, p95: 91, p99: 98.2 } },
    routes: [
      { route: 'Pay', figures: { requests: 30, successRatio: 0, requestsPerSecond: 0.5 } },
      { route: 'List', figures: { requests: 90, successRatio: 1, requestsPerSecond: 1.5 } },
    ],
    calls: [],
  })
  expect(uses.find(({ who }) => who === 'shop/web')).toMatchObject({
    calls: [{ to: 'shop/cart', figures: { requests: 120, successRatio: 0.75, requestsPerSecond: 2 } }],
  })
})

test('without a request there is no success rate', () => {
  const [still] = usesOf(readings(proxies(5), proxies(5), proxies(5)))
  expect(still?.inbound).toEqual({ requests: 0, requestsPerSecond: 0 })
})

describe('the coverage of the mesh', () => {
  const pod = (name: string, owner: string, containers: string[], phase = 'Running') =>
    [
      `kube_pod_owner{namespace="shop",pod="${name}",uid="${name}",owner_kind="ReplicaSet",owner_name="${owner}"} 1`,
      `kube_pod_status_phase{namespace="shop",pod="${name}",uid="${name}",phase="${phase}"} 1`,
      ...containers.map((container) => {
        const [, initial, own] = /^(init:)?(.*)$/.exec(container) ?? []
        const kind = initial ? 'kube_pod_init_container_info' : 'kube_pod_container_info'
        return `${kind}{namespace="shop",pod="${name}",uid="${name}",container="${own}",image="x"} 1`
      }),
    ].join('\n')
  const cluster = [
    pod('web-1', 'web-abc', ['web', 'linkerd-proxy']),
    pod('web-2', 'web-abc', ['web', 'init:linkerd-proxy']),
    pod('cart-1', 'cart-abc', ['cart', 'linkerd-proxy']),
    pod('cart-2', 'cart-abc', ['cart']),
    pod('job-1', 'job', ['job'], 'Succeeded'),
  ].join('\n')

  test('names who has pods without a proxy, also where it is a native sidecar; what is over does not count', () => {
    const coverage = meshCoverage(readings(cluster))
    expect(coverage).toEqual([
      { namespace: 'shop', owner: 'web-abc', pods: 2, meshed: 2 },
      { namespace: 'shop', owner: 'cart-abc', pods: 2, meshed: 1 },
    ])
    expect(unmeshed(coverage ?? [])).toMatchObject([{ owner: 'cart-abc' }])
  })

  test('is unknown where containers are not told of, or not all of them', () => {
    expect(meshCoverage(readings('kube_pod_owner{namespace="shop",pod="web-1"} 1'))).toBeUndefined()
    const cut = testimonyOf([{ atMs: noon, samples: parse(cluster) }], { incomplete: 'the body was cut' })
    expect(meshCoverage(seriesOf(cut))).toBeUndefined()
  })

  sharedTest('of the recorded cluster is one namespace', () => {
    const coverage = meshCoverage(seriesOf(testimonyOf(loadScrapes(loadScene('s11'))))) ?? []
    const without = unmeshed(coverage)
    expect(without.length).toBeGreaterThan(5)
    expect(new Set(coverage.filter((one) => !without.includes(one)).map(({ namespace }) => namespace))).toEqual(
      new Set(['emojivoto']),
    )
  })
})
