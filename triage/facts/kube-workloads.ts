import type { Sample } from '../../sources/contract.ts'
import type { Series } from '../past.ts'
import { type Pod, townOf, type WorkloadKind } from '../workloads.ts'
import { grouped, known, type Own } from './grouped.ts'
import { type Condition, conditionsOf } from './kube-objects.ts'
import { kubeNames } from './kube-reads.ts'

/** A Deployment, StatefulSet or DaemonSet as its controller counts. What it does not say is left out. */
export type WorkloadState = {
  kind: Extract<WorkloadKind, 'Deployment' | 'StatefulSet' | 'DaemonSet'>
  namespace: string
  name: string
  desired?: number
  ready?: number
  available?: number
  unavailable?: number
  updated?: number
  paused?: boolean
  /** Has the controller seen the newest spec? */
  observed?: boolean
  conditions: Condition[]
  /** Of a StatefulSet: it is between two revisions where they differ. */
  revision?: { current: string; update: string }
  /** When the newest ReplicaSet that is wanted was made: the last roll-out. */
  rolledOutAtMs?: number
}

export type ContainerState = {
  name: string
  image?: string
  ready: boolean
  running: boolean
  waiting?: string
  restarts?: number
  lastExit?: { reason?: string; code?: number; atMs?: number }
  requests: Readonly<Record<string, number>>
  limits: Readonly<Record<string, number>>
}
export type PodState = {
  namespace: string
  name: string
  owner: string
  node?: string
  phase?: string
  ready?: boolean
  scheduled?: boolean
  /** `Evicted`, `NodeLost`, … */
  reason?: string
  beingDeleted: boolean
  createdAtMs?: number
  containers: ContainerState[]
}

type Names = { desired: string; ready: string; available: string; unavailable: string; updated: string }

const kinds: readonly [WorkloadState['kind'], 'deployment' | 'statefulset' | 'daemonset', Names][] = [
  [
    'Deployment',
    'deployment',
    {
      desired: 'spec_replicas',
      ready: 'status_replicas_ready',
      available: 'status_replicas_available',
      unavailable: 'status_replicas_unavailable',
      updated: 'status_replicas_updated',
    },
  ],
  [
    'StatefulSet',
    'statefulset',
    {
      desired: 'replicas',
      ready: 'status_replicas_ready',
      available: 'status_replicas_available',
      unavailable: '',
      updated: 'status_replicas_updated',
    },
  ],
  [
    'DaemonSet',
    'daemonset',
    {
      desired: 'status_desired_number_scheduled',
      ready: 'status_number_ready',
      available: 'status_number_available',
      unavailable: 'status_number_unavailable',
      updated: 'status_updated_number_scheduled',
    },
  ],
]

const isOn = ({ value }: Sample) => value === 1

const revisionOf = ({ named }: Own): WorkloadState['revision'] => {
  const of = (which: string) => named(`kube_statefulset_status_${which}_revision`).find(isOn)?.labels['revision']
  const [current, update] = [of('current'), of('update')]
  return current === undefined || update === undefined ? undefined : { current, update }
}

/** By `namespace/Deployment`: when its newest wanted ReplicaSet was made. */
const rollouts = (series: Series): ReadonlyMap<string, number> => {
  const found = new Map<string, number>()
  const sets = grouped(series, kubeNames.replicaset, ({ labels }) => ({
    namespace: labels['namespace'] ?? '',
    replicaset: labels['replicaset'] ?? '',
  }))
  for (const { key, one, value } of sets) {
    const owner = one('kube_replicaset_owner')?.labels
    const created = value('kube_replicaset_created')
    if (owner?.['owner_kind'] !== 'Deployment' || created === undefined) continue
    if (value('kube_replicaset_spec_replicas') === 0) continue
    const deployment = `${key['namespace']}/${owner['owner_name']}`
    found.set(deployment, Math.max(found.get(deployment) ?? 0, created * 1000))
  }
  return found
}

/** Every workload that kube-state-metrics shows. */
export const workloadStates = (series: Series): WorkloadState[] => {
  const rolledOut = rollouts(series)
  return kinds.flatMap(([kind, label, names]) =>
    grouped(series, kubeNames[label], ({ labels }) => ({
      namespace: labels['namespace'] ?? '',
      name: labels[label] ?? '',
    })).map((own): WorkloadState => {
      const { namespace = '', name = '' } = own.key
      const number = (suffix: string) => own.value(`kube_${label}_${suffix}`)
      const [generation, seen] = [number('metadata_generation'), number('status_observed_generation')]
      const paused = number('spec_paused')
      return known({
        kind,
        namespace,
        name,
        desired: number(names.desired),
        ready: number(names.ready),
        available: number(names.available),
        unavailable: number(names.unavailable),
        updated: number(names.updated),
        paused: paused === undefined ? undefined : paused === 1,
        observed: generation === undefined || seen === undefined ? undefined : seen >= generation,
        conditions: conditionsOf(own.named(`kube_${label}_status_condition`)),
        revision: revisionOf(own),
        rolledOutAtMs: kind === 'Deployment' ? rolledOut.get(`${namespace}/${name}`) : undefined,
      })
    }),
  )
}

type PodKey = (name: string, pod: Pod) => readonly Sample[]

const amounts = (samples: readonly Sample[], container: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    samples
      .filter(({ labels }) => labels['container'] === container)
      .map(({ labels, value }) => [labels['resource'] ?? '', value]),
  )

const podState = (pod: Pod, of: PodKey): PodState => {
  const scheduled = of('kube_pod_status_scheduled', pod).find(({ labels }) => labels['condition'] === 'true')
  const reason = of('kube_pod_status_reason', pod).find(isOn)?.labels['reason']
  const [requests, limits] = (['requests', 'limits'] as const).map((what) =>
    of(`kube_pod_container_resource_${what}`, pod),
  )
  return known({
    namespace: pod.namespace,
    name: pod.name,
    owner: pod.owner,
    node: pod.node,
    phase: pod.phase,
    ready: pod.ready && pod.ready.value === 1,
    scheduled: scheduled && scheduled.value === 1,
    reason,
    beingDeleted: pod.beingDeleted,
    createdAtMs: pod.createdAtMs,
    containers: pod.containers.map(
      ({ name, image, ready, running, waiting, restarts, lastExit }): ContainerState =>
        known({
          name,
          image,
          ready,
          running,
          waiting: waiting?.reason,
          restarts: restarts?.value,
          lastExit: Object.keys(lastExit).length > 0 ? lastExit : undefined,
          requests: amounts(requests ?? [], name),
          limits: amounts(limits ?? [], name),
        }),
    ),
  })
}

/** Every pod that kube-state-metrics shows, with its containers. */
export const podStates = (series: Series): PodState[] => {
  const town = townOf(series)
  return town.pods().map((pod) => podState(pod, town.ofPod))
}
