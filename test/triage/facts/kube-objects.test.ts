import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import {
  autoscalerStates,
  claimStates,
  endpointStates,
  jobStates,
  nodeStates,
  quotaStates,
} from '../../../triage/facts/kube-objects.ts'
import { kubeReads } from '../../../triage/facts/kube-reads.ts'
import { podStates, workloadStates } from '../../../triage/facts/kube-workloads.ts'
import { type Series, seriesOf } from '../../../triage/past.ts'
import { loadScene, loadScrapes } from '../recorded-scenes.ts'
import { noon, parse, testimonyOf } from '../witness-stand.ts'
import { readings, sharedTest } from './readings.ts'

/** A recorded cluster at its last scrape, or at an earlier one. */
const scene = (id: string, nth = 6): Series =>
  seriesOf(testimonyOf(loadScrapes(loadScene(id), kubeReads).slice(0, nth)))

const workload = (series: Series, name: string) => workloadStates(series).find((one) => one.name === name)
const podsOf = (series: Series, name: string) => podStates(series).filter((pod) => pod.name.startsWith(`${name}-`))

sharedTest('s03: a release that does not come up, between two images', () => {
  const series = scene('s03')
  const catalog = workload(series, 'catalog')
  expect(catalog).toMatchObject({ kind: 'Deployment', paused: false, observed: true })
  expect(catalog?.unavailable).toBeGreaterThan(0)
  expect(catalog?.rolledOutAtMs).toBeGreaterThan(1_795_406_000_000)
  const images = new Set(podsOf(series, 'catalog').flatMap(({ containers }) => containers.map(({ image }) => image)))
  expect(images.size).toBeGreaterThan(1)
})

sharedTest('s05: who answers for a Service, and why a container is restarted', () => {
  const [before, now] = [scene('s05', 2), scene('s05')]
  const cart = (series: Series) => endpointStates(series).find(({ service }) => service === 'cart')
  expect(cart(before)).toEqual({ namespace: 'shop', service: 'cart', addresses: 2, ready: 2, terminating: 0 })
  expect(cart(now)).toMatchObject({ addresses: 2, ready: 0 })
  expect(workload(now, 'cart')).toMatchObject({ desired: 2, ready: 0, available: 0 })
  expect(podsOf(now, 'cart')).toMatchObject([
    { phase: 'Running', ready: false, scheduled: true, containers: [{ running: true, ready: false }] },
    { phase: 'Running', ready: false },
  ])
  const [redis] = podsOf(scene('s05', 5), 'redis-cart')
  expect(redis?.containers[0]).toMatchObject({ waiting: 'CrashLoopBackOff', lastExit: { reason: 'Error', code: 1 } })
  expect(workload(now, 'redis-cart')?.revision?.current).toMatch(/^redis-cart-/)
})

sharedTest('s08: evicted pods, the pressure on their nodes, the limits of the new release', () => {
  const series = scene('s08')
  const pods = podsOf(series, 'fraud-scorer')
  expect(pods.filter(({ reason }) => reason === 'Evicted').length).toBeGreaterThan(1)
  const limits = pods.flatMap(({ containers }) => containers.map((one) => one.limits['memory']))
  expect(limits).toContain(12 * 1024 ** 3)
  const pressed = nodeStates(series).filter(({ pressures }) => pressures.includes('MemoryPressure'))
  expect(pressed.length).toBeGreaterThan(0)
  expect(pressed[0]?.taints).toContainEqual({ key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' })
  expect(nodeStates(series).every(({ ready }) => ready === 'true')).toBe(true)
})

sharedTest('s09: a quota that is used up, and the Deployment that says so', () => {
  const series = scene('s09')
  const quotas = quotaStates(series).filter(({ namespace }) => namespace === 'emojivoto')
  expect(quotas.find(({ resource }) => resource === 'requests.cpu')).toMatchObject({
    hard: 1,
    usedRatio: expect.any(Number),
  })
  expect(workload(series, 'web')).toMatchObject({ desired: 6, ready: 3 })
  expect(workload(series, 'web')?.conditions).toContainEqual({
    condition: 'ReplicaFailure',
    status: 'true',
    // kube-state-metrics' own list of reasons does not have FailedCreate.
    reason: 'unknown',
  })
})

sharedTest('s10: an autoscaler at its maximum', () => {
  const frontend = (series: Series) => autoscalerStates(series).find(({ name }) => name === 'frontend')
  expect(frontend(scene('s10', 1))).toMatchObject({ atMaximum: false })
  const now = frontend(scene('s10'))
  expect(now).toMatchObject({
    namespace: 'shop',
    target: { kind: 'Deployment', name: 'frontend' },
    min: 3,
    max: 6,
    desired: 6,
    atMaximum: true,
  })
  expect(now?.conditions).toContainEqual({ condition: 'ScalingLimited', status: 'true' })
})

sharedTest('s07: a node that stopped reporting is neither ready nor not', () => {
  const states = [1, 2, 3, 4, 5, 6].flatMap((nth) => nodeStates(scene('s07', nth)).map(({ ready }) => ready))
  expect(states).toContain('unknown')
})

sharedTest('s14: a failed job, its owner and why', () => {
  const jobs = jobStates(scene('s14'))
  expect(jobs.find(({ name }) => name === 'settlement-export-manual-1')).toMatchObject({
    namespace: 'payments',
    owner: { kind: 'CronJob', name: 'settlement-export' },
    state: 'failed',
    reason: 'BackoffLimitExceeded',
  })
  expect(jobs.filter(({ state }) => state === 'complete').length).toBeGreaterThan(0)
})

sharedTest('claims have the one phase they are in', () => {
  const claims = claimStates(scene('s12'))
  expect(claims.length).toBeGreaterThan(1)
  expect(new Set(claims.map(({ namespace, name }) => `${namespace}/${name}`)).size).toBe(claims.length)
  expect(claims.map(({ phase }) => phase)).toContain('Bound')
})

sharedTest('s13: DaemonSets count their own way', () => {
  const exporter = workload(scene('s13'), 'node-exporter')
  expect(exporter).toMatchObject({ kind: 'DaemonSet', ready: 0 })
  expect(exporter?.unavailable).toBe(exporter?.desired)
})

sharedTest('s04: two scrapes agree on who exists', () => {
  const series = scene('s04')
  const owners = podStates(series).map(({ owner }) => owner)
  expect(owners).not.toContain('')
  expect(podStates(series)).toHaveLength(series.named('kube_pod_owner').length)
})

test('what is not there is left out, not 0', () => {
  const [web] = workloadStates(readings('kube_deployment_spec_replicas{namespace="shop",deployment="web"} 3'))
  expect(web).toEqual({ kind: 'Deployment', namespace: 'shop', name: 'web', desired: 3, conditions: [] })
  expect(nodeStates(readings('kube_node_info{node="n1"} 1'))).toEqual([{ node: 'n1', pressures: [], taints: [] }])
  expect(
    quotaStates(readings('kube_resourcequota{namespace="a",resourcequota="q",resource="pods",type="hard"} 5')),
  ).toEqual([{ namespace: 'a', name: 'q', resource: 'pods', hard: 5 }])
  const labels = 'namespace="a",horizontalpodautoscaler="h"'
  const [autoscaler] = autoscalerStates(readings(`kube_horizontalpodautoscaler_spec_max_replicas{${labels}} 5`))
  expect(autoscaler).toEqual({ namespace: 'a', name: 'h', max: 5, conditions: [] })
})

test('a Service whose slice has no address is told: nobody answers for it', () => {
  const text = 'kube_endpointslice_endpoints{namespace="shop",endpointslice="cart-x2x9q",address=""} 1'
  expect(endpointStates(readings(text))).toEqual([
    { namespace: 'shop', service: 'cart', addresses: 0, ready: 0, terminating: 0 },
  ])
})

const thousand = new URL('../../../../shared/fixtures/kube/real-cluster/ksm-1000-pods.prom.gz', import.meta.url)

sharedTest('a cluster of a thousand pods has the facts its list of objects has', () => {
  const wanted = new Set(kubeReads.map(({ name }) => name))
  const samples = parse(gunzipSync(readFileSync(thousand)).toString('utf8'), (name) => wanted.has(name))
  const series = seriesOf(testimonyOf([{ atMs: noon, samples }]))
  const pods = podStates(series)
  const inPhase = (phase: string) => pods.filter((pod) => pod.phase === phase).length
  expect([pods.length, inPhase('Pending'), inPhase('Succeeded')]).toEqual([1002, 2, 24])
  expect(nodeStates(series)).toHaveLength(20)
  expect(workloadStates(series).every(({ desired }) => desired !== undefined)).toBe(true)
})
