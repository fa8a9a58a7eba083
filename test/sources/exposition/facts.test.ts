import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import type { Sample } from '../../../sources/contract.ts'
import { createNameFilter } from '../../../sources/exposition/name-filter.ts'
import { createExpositionReader } from '../../../sources/exposition/reader.ts'

const shared = fileURLToPath(new URL('../../../../shared/fixtures/', import.meta.url))
const cluster = join(shared, 'kube/real-cluster')
const linkerd = join(shared, 'exposition/linkerd/sampleMetrics.txt')
const clusterTest = existsSync(cluster) ? test : test.skip
const linkerdTest = existsSync(linkerd) ? test : test.skip

const readWhole = (bytes: Buffer): Sample[] => {
  const samples: Sample[] = []
  const onSample = (sample: Sample) => samples.push(sample)
  const reader = createExpositionReader({ filter: createNameFilter('all'), onSample })
  reader.push(bytes)
  expect(reader.end()).toMatchObject({ status: 'complete', kept: samples.length })
  return samples
}
const readZipped = (path: string): Sample[] => readWhole(gunzipSync(readFileSync(path)))

const scenes = existsSync(cluster) ? readdirSync(cluster).filter((name) => /^s\d+$/.test(name)) : []
const scrapesOf = (scene: string): { folder: string; atSeconds: string }[] =>
  readdirSync(join(cluster, scene, 'kube-state-metrics'))
    .sort()
    .map((file) => ({ folder: join(cluster, scene), atSeconds: file.replace('.prom.gz', '') }))
const exposition = ({ folder, atSeconds }: { folder: string; atSeconds: string }): Sample[] =>
  readZipped(join(folder, 'kube-state-metrics', `${atSeconds}.prom.gz`))

/** A scene before its incident and at its end. */
const samplesOf = (scene: string): Sample[] => {
  const scrapes = scrapesOf(scene)
  return [...scrapes.slice(0, 1), ...scrapes.slice(-1)].flatMap(exposition)
}

const named = (samples: readonly Sample[], name: string): Sample[] => samples.filter((sample) => sample.name === name)

/** What triage reads of kube-state-metrics: each series with the labels that tell its object and its state. */
const series: [string, string[]][] = [
  ['kube_deployment_spec_replicas', ['namespace', 'deployment']],
  ['kube_deployment_status_replicas_available', ['namespace', 'deployment']],
  ['kube_deployment_status_replicas_unavailable', ['namespace', 'deployment']],
  ['kube_deployment_status_replicas_updated', ['namespace', 'deployment']],
  ['kube_deployment_metadata_generation', ['namespace', 'deployment']],
  ['kube_deployment_status_observed_generation', ['namespace', 'deployment']],
  ['kube_deployment_status_condition', ['namespace', 'deployment', 'condition', 'status', 'reason']],
  ['kube_deployment_spec_paused', ['namespace', 'deployment']],
  ['kube_replicaset_created', ['namespace', 'replicaset']],
  ['kube_replicaset_owner', ['namespace', 'replicaset', 'owner_kind', 'owner_name']],
  ['kube_replicaset_spec_replicas', ['namespace', 'replicaset']],
  ['kube_pod_info', ['namespace', 'pod', 'uid', 'node', 'created_by_kind', 'created_by_name', 'host_ip']],
  ['kube_pod_owner', ['namespace', 'pod', 'owner_kind', 'owner_name']],
  ['kube_pod_status_phase', ['namespace', 'pod', 'phase']],
  ['kube_pod_status_ready', ['namespace', 'pod', 'condition']],
  ['kube_pod_status_scheduled', ['namespace', 'pod', 'condition']],
  ['kube_pod_container_status_waiting_reason', ['namespace', 'pod', 'container', 'reason']],
  ['kube_pod_container_status_restarts_total', ['namespace', 'pod', 'container']],
  ['kube_pod_container_status_last_terminated_reason', ['namespace', 'pod', 'container', 'reason']],
  ['kube_pod_container_status_last_terminated_exitcode', ['namespace', 'pod', 'container']],
  ['kube_pod_container_status_last_terminated_timestamp', ['namespace', 'pod', 'container']],
  ['kube_pod_container_info', ['namespace', 'pod', 'container', 'image', 'image_id']],
  ['kube_pod_container_resource_requests', ['namespace', 'pod', 'container', 'node', 'resource', 'unit']],
  ['kube_pod_container_resource_limits', ['namespace', 'pod', 'container', 'node', 'resource', 'unit']],
  ['kube_pod_status_reason', ['namespace', 'pod', 'reason']],
  ['kube_pod_status_unschedulable', ['namespace', 'pod']],
  ['kube_node_status_condition', ['node', 'condition', 'status']],
  ['kube_node_spec_unschedulable', ['node']],
  ['kube_node_spec_taint', ['node', 'key', 'effect']],
  ['kube_horizontalpodautoscaler_status_condition', ['namespace', 'horizontalpodautoscaler', 'condition', 'status']],
  ['kube_horizontalpodautoscaler_status_current_replicas', ['namespace', 'horizontalpodautoscaler']],
  ['kube_horizontalpodautoscaler_spec_max_replicas', ['namespace', 'horizontalpodautoscaler']],
  ['kube_endpointslice_endpoints', ['endpointslice', 'address', 'ready', 'serving', 'terminating', 'targetref_name']],
  ['kube_job_status_failed', ['namespace', 'job_name', 'reason']],
  ['kube_statefulset_status_current_revision', ['namespace', 'statefulset', 'revision']],
  ['kube_statefulset_status_update_revision', ['namespace', 'statefulset', 'revision']],
  ['kube_daemonset_status_number_unavailable', ['namespace', 'daemonset']],
  ['kube_resourcequota', ['namespace', 'resourcequota', 'resource', 'type']],
  ['kube_persistentvolumeclaim_status_phase', ['namespace', 'persistentvolumeclaim', 'phase']],
]

clusterTest('every series triage reads is there in a real cluster, with its labels', () => {
  const seen = new Map<string, Set<string>>()
  for (const scene of scenes) {
    for (const { name, labels } of samplesOf(scene)) {
      const known = seen.get(name) ?? new Set()
      for (const label of Object.keys(labels)) known.add(label)
      seen.set(name, known)
    }
  }
  const missing = series.flatMap(([name, labels]) =>
    labels.filter((label) => !seen.get(name)?.has(label)).map((label) => `${name}{${label}}`),
  )
  expect(missing).toEqual([])
})

type Pod = {
  metadata: { namespace: string; name: string; uid: string }
  status: { phase: string; containerStatuses?: { name: string; restartCount: number }[] }
}

clusterTest.each(scenes)('in scene %s the exposition and the API server say the same of every pod', (scene) => {
  const last = scrapesOf(scene).at(-1)
  if (last === undefined) throw new Error('no scrape')
  const list = gunzipSync(readFileSync(join(last.folder, 'kubernetes', last.atSeconds, 'pods.json.gz'))).toString()
  const pods: Pod[] = JSON.parse(list).items
  const samples = exposition(last)
  // The two were not asked in the same instant: what changed between them is not compared.
  const phaseOf = new Map(
    named(samples, 'kube_pod_status_phase')
      .filter(({ value }) => value === 1)
      .map(({ labels }) => [labels['uid'], labels['phase']]),
  )
  const restartsOf = new Map(
    named(samples, 'kube_pod_container_status_restarts_total').map(({ labels, value }) => [
      `${labels['uid']} ${labels['container']}`,
      value,
    ]),
  )
  const both = pods.filter(({ metadata }) => phaseOf.has(metadata.uid))
  expect(both.length).toBeGreaterThan(pods.length * 0.9)
  const samePhase = both.filter(({ metadata, status }) => phaseOf.get(metadata.uid) === status.phase)
  expect(samePhase.length).toBeGreaterThanOrEqual(both.length - 1)
  const containers = both.flatMap(({ metadata, status }) =>
    (status.containerStatuses ?? []).map(({ name, restartCount }) => ({ id: `${metadata.uid} ${name}`, restartCount })),
  )
  expect(containers.length).toBeGreaterThan(10)
  for (const { id, restartCount } of containers) {
    expect(Math.abs((restartsOf.get(id) ?? Number.NaN) - restartCount)).toBeLessThanOrEqual(1)
  }
})

clusterTest('reasons are there only while they are true, phases always', () => {
  for (const scene of scenes) {
    const samples = samplesOf(scene)
    const reasons = samples.filter(({ name }) => /^kube_pod_container_status_\w+_reason$/.test(name))
    expect(reasons.every(({ value }) => value === 1)).toBe(true)
    const phases = named(samples, 'kube_pod_status_phase')
    expect(phases.reduce((sum, { value }) => sum + value, 0) * 5).toBe(phases.length)
  }
})

clusterTest('a cluster of a thousand pods is read whole', () => {
  const samples = readZipped(join(cluster, 'ksm-1000-pods.prom.gz'))
  expect(samples).toHaveLength(52_829)
  expect(named(samples, 'kube_pod_info')).toHaveLength(1002)
  const inPhase = (phase: string) =>
    named(samples, 'kube_pod_status_phase').filter(({ labels, value }) => labels['phase'] === phase && value === 1)
  expect([inPhase('Pending').length, inPhase('Succeeded').length]).toEqual([2, 24])
})

linkerdTest('a Linkerd proxy tells successes from failures, and latencies in milliseconds without telling', () => {
  const samples = readWhole(readFileSync(linkerd))
  const [response] = named(samples, 'response_total')
  expect(response).toMatchObject({
    labels: { direction: 'inbound', tls: 'no_identity', status_code: '200', classification: 'success' },
    value: 29,
  })
  const buckets = named(samples, 'response_latency_ms_bucket')
  expect(buckets).toHaveLength(26)
  expect(
    buckets.every(({ labels }) => 'le' in labels && 'status_code' in labels && !('classification' in labels)),
  ).toBe(true)
  expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: 29 })
  for (const name of ['request_total', 'tcp_open_total', 'tcp_open_connections', 'tcp_read_bytes_total']) {
    expect(named(samples, name)[0]?.labels).toHaveProperty('direction')
  }
  expect(named(samples, 'inbound_http_authz_allow_total')).toHaveLength(1)
})
