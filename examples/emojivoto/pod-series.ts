import type { Family, Labels } from './exposition-writer.ts'
import { type Container, cpuLimitCores, type Pod } from './kubernetes.ts'
import { digest } from './random-names.ts'

export type Row = readonly [labels: Labels, value: number]

/** One metric over all objects of a kind, as kube-state-metrics groups them. */
export const family = <T>(
  name: string,
  type: 'gauge' | 'counter',
  objects: readonly T[],
  rows: (object: T) => readonly Row[],
): Family => ({
  name,
  type,
  help: `${name.replaceAll('_', ' ')}.`,
  samples: objects.flatMap((object) => rows(object).map(([labels, value]) => ({ name, labels, value }))),
})

export const seconds = (atMs: number): number => Math.floor(atMs / 1000)
const oneHot = (labels: Labels, key: string, all: readonly string[], chosen: string): Row[] =>
  all.map((value) => [{ ...labels, [key]: value }, value === chosen ? 1 : 0])
/** The three rows of a condition. */
export const condition = (labels: Labels, key: string, holds: boolean): Row[] =>
  oneHot(labels, key, ['true', 'false', 'unknown'], String(holds))

const idOf = ({ namespace, name, uid }: Pod): Labels => ({ namespace, pod: name, uid })

type Inhabitant = { pod: Pod; container: Container; labels: Labels }
const inhabitants = (pods: readonly Pod[]): Inhabitant[] =>
  pods.flatMap((pod) =>
    pod.containers.map((container) => ({ pod, container, labels: { ...idOf(pod), container: container.name } })),
  )

const containerInfo = ({ pod, container, labels }: Inhabitant): Row[] => {
  const { image, state } = container
  const repository = image.slice(0, image.lastIndexOf(':'))
  const run = `${pod.uid} ${container.name} ${state.restarts}`
  return [
    [
      {
        ...labels,
        image_spec: image,
        image,
        image_id: `${repository}@sha256:${digest(image, 64)}`,
        container_id: `containerd://${digest(run, 64)}`,
      },
      1,
    ],
  ]
}

const resources = (
  { pod, container, labels }: Inhabitant,
  { cpuCores, share }: { cpuCores: number; share: number },
): Row[] => [
  [{ ...labels, node: pod.node, resource: 'cpu', unit: 'core' }, cpuCores],
  [{ ...labels, node: pod.node, resource: 'memory', unit: 'byte' }, container.memoryLimitBytes * share],
]

const stateStarted = ({ container, labels }: Inhabitant): Row[] => {
  const { now } = container.state
  if (now.kind === 'waiting') return []
  return [[labels, seconds(now.kind === 'running' ? now.sinceMs : now.termination.startedAtMs)]]
}

// A series about a termination or a reason is absent, not 0, while there is none.
const terminationRows = ({ container, labels }: Inhabitant, metric: 'reason' | 'exitcode' | 'timestamp'): Row[] => {
  const { last } = container.state
  if (last === undefined) return []
  if (metric === 'reason') return [[{ ...labels, reason: last.reason }, 1]]
  return [[labels, metric === 'exitcode' ? last.exitCode : seconds(last.finishedAtMs)]]
}

const containerFamilies = (pods: readonly Pod[]): Family[] => {
  const all = inhabitants(pods)
  const gauge = (name: string, rows: (one: Inhabitant) => readonly Row[]): Family =>
    family(`kube_pod_container_${name}`, 'gauge', all, rows)
  const is = (kind: string): Family =>
    gauge(`status_${kind}`, ({ container, labels }) => [[labels, container.state.now.kind === kind ? 1 : 0]])
  return [
    gauge('info', containerInfo),
    gauge('resource_limits', (one) => resources(one, { cpuCores: cpuLimitCores, share: 1 })),
    gauge('resource_requests', (one) => resources(one, { cpuCores: 0.1, share: 0.5 })),
    gauge('state_started', stateStarted),
    gauge('status_last_terminated_reason', (one) => terminationRows(one, 'reason')),
    gauge('status_last_terminated_exitcode', (one) => terminationRows(one, 'exitcode')),
    gauge('status_last_terminated_timestamp', (one) => terminationRows(one, 'timestamp')),
    gauge('status_ready', ({ container, labels }) => [[labels, container.state.ready ? 1 : 0]]),
    family('kube_pod_container_status_restarts_total', 'counter', all, ({ container, labels }) => [
      [labels, container.state.restarts],
    ]),
    is('running'),
    is('terminated'),
    gauge('status_terminated_reason', ({ container: { state }, labels }) =>
      state.now.kind === 'terminated' ? [[{ ...labels, reason: state.now.termination.reason }, 1]] : [],
    ),
    is('waiting'),
    gauge('status_waiting_reason', ({ container: { state }, labels }) =>
      state.now.kind === 'waiting' ? [[{ ...labels, reason: state.now.reason }, 1]] : [],
    ),
  ]
}

export const hostIp = (pod: Pod): string => `10.20.${pod.node === 'worker-01' ? 0 : 1}.7`
const phases = ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Running']
/** A pod is `Pending` until each of its containers has been created. */
export const phase = (pod: Pod): string =>
  pod.containers.some(({ state: { now } }) => now.kind === 'waiting' && now.reason === 'ContainerCreating')
    ? 'Pending'
    : 'Running'
export const readySince = (pod: Pod): number => {
  const starts = pod.containers.map(({ state: { now } }) => (now.kind === 'running' ? now.sinceMs : 0))
  return Math.max(...starts)
}

/** Everything kube-state-metrics says of pods and their containers. */
export const podFamilies = (pods: readonly Pod[]): Family[] => {
  const gauge = (name: string, rows: (pod: Pod) => readonly Row[]): Family =>
    family(`kube_pod_${name}`, 'gauge', pods, rows)
  const time = (name: string, atMs: (pod: Pod) => number | undefined): Family =>
    gauge(name, (pod) => {
      const at = atMs(pod)
      return at === undefined ? [] : [[idOf(pod), seconds(at)]]
    })
  const owner = (pod: Pod): Labels => ({ owner_kind: 'ReplicaSet', owner_name: pod.replicaSet })
  return [
    ...containerFamilies(pods),
    time('created', ({ createdMs }) => createdMs),
    gauge('info', (pod) => {
      const { node } = pod
      const addresses = { host_ip: hostIp(pod), pod_ip: pod.ip, node }
      const creator = { created_by_kind: 'ReplicaSet', created_by_name: pod.replicaSet }
      return [[{ ...idOf(pod), ...addresses, ...creator, priority_class: '', host_network: 'false' }, 1]]
    }),
    gauge('ips', (pod) => [[{ ...idOf(pod), ip: pod.ip, ip_family: '4' }, 1]]),
    gauge('owner', (pod) => [[{ ...idOf(pod), ...owner(pod), owner_is_controller: 'true' }, 1]]),
    gauge('restart_policy', (pod) => [[{ ...idOf(pod), type: 'Always' }, 1]]),
    time('start_time', ({ createdMs }) => createdMs),
    gauge('status_phase', (pod) => oneHot(idOf(pod), 'phase', phases, phase(pod))),
    gauge('status_qos_class', (pod) =>
      oneHot(idOf(pod), 'qos_class', ['BestEffort', 'Burstable', 'Guaranteed'], 'Burstable'),
    ),
    gauge('status_ready', (pod) => condition(idOf(pod), 'condition', pod.ready)),
    time('status_ready_time', (pod) => (pod.ready ? readySince(pod) : undefined)),
    time('status_initialized_time', ({ createdMs }) => createdMs),
    time('status_container_ready_time', (pod) => (pod.ready ? readySince(pod) : undefined)),
    gauge('status_scheduled', (pod) => condition(idOf(pod), 'condition', true)),
    time('status_scheduled_time', ({ createdMs }) => createdMs),
    gauge('service_account', (pod) => [[{ ...idOf(pod), service_account: pod.serviceAccount }, 1]]),
    gauge('scheduler', (pod) => [[{ ...idOf(pod), name: 'default-scheduler' }, 1]]),
  ]
}
