import type { Sample } from '../../sources/contract.ts'
import type { Series } from '../past.ts'
import { grouped, known, type Own, ratio } from './grouped.ts'
import { kubeNames } from './kube-reads.ts'

/** Facts of kube-state-metrics about what is no workload. What a series does not say is left out: absence is not 0. */
export type Condition = { condition: string; status: 'true' | 'false' | 'unknown'; reason?: string }

export type NodeState = {
  node: string
  /** Absent where no condition tells. */
  ready?: Condition['status']
  /** Those that are true besides `Ready`: `MemoryPressure`, `DiskPressure`, … */
  pressures: string[]
  cordoned?: boolean
  taints: { key: string; effect: string }[]
}

export type AutoscalerState = {
  namespace: string
  name: string
  target?: { kind: string; name: string }
  min?: number
  max?: number
  current?: number
  desired?: number
  conditions: Condition[]
  /** It wants as many pods as it may have. */
  atMaximum?: boolean
}

export type ClaimState = { namespace: string; name: string; phase: string }
export type JobState = {
  namespace: string
  name: string
  owner?: { kind: string; name: string }
  createdAtMs?: number
  state: 'complete' | 'failed' | 'running'
  failedPods?: number
  reason?: string
}
export type QuotaState = {
  namespace: string
  name: string
  resource: string
  hard?: number
  used?: number
  usedRatio?: number
}
export type EndpointState = {
  namespace: string
  service: string
  addresses: number
  ready: number
  terminating: number
}

const isOn = ({ value }: Sample) => value === 1

const keyed =
  (...names: string[]) =>
  ({ labels }: Sample): Own['key'] | undefined =>
    names.some((name) => labels[name] === undefined)
      ? undefined
      : Object.fromEntries(names.map((name) => [name, labels[name] ?? '']))

const statusOf = (text: string | undefined): Condition['status'] =>
  text === 'true' || text === 'false' ? text : 'unknown'

/** Conditions as they are now: of the three series of each the one that is 1. */
export const conditionsOf = (samples: readonly Sample[]): Condition[] =>
  samples
    .filter(isOn)
    .map(({ labels: { condition = '', status, reason } }) =>
      known({ condition, status: statusOf(status), reason: reason || undefined }),
    )

export const nodeStates = (series: Series): NodeState[] =>
  grouped(series, kubeNames.node, keyed('node')).map(({ key, named, value }): NodeState => {
    const conditions = conditionsOf(named('kube_node_status_condition'))
    const cordoned = value('kube_node_spec_unschedulable')
    return known({
      node: key['node'] ?? '',
      ready: conditions.find(({ condition }) => condition === 'Ready')?.status,
      pressures: conditions
        .filter(({ condition, status }) => condition !== 'Ready' && status === 'true')
        .map(({ condition }) => condition),
      cordoned: cordoned === undefined ? undefined : cordoned === 1,
      taints: named('kube_node_spec_taint')
        .filter(isOn)
        .map(({ labels }) => ({ key: labels['key'] ?? '', effect: labels['effect'] ?? '' })),
    })
  })

export const autoscalerStates = (series: Series): AutoscalerState[] =>
  grouped(series, kubeNames.horizontalpodautoscaler, keyed('namespace', 'horizontalpodautoscaler')).map(
    ({ key, named, one, value }): AutoscalerState => {
      const number = (name: string) => value(`kube_horizontalpodautoscaler_${name}`)
      const info = one('kube_horizontalpodautoscaler_info')?.labels
      const [max, desired] = [number('spec_max_replicas'), number('status_desired_replicas')]
      return known({
        namespace: key['namespace'] ?? '',
        name: key['horizontalpodautoscaler'] ?? '',
        target: info && { kind: info['scaletargetref_kind'] ?? '', name: info['scaletargetref_name'] ?? '' },
        min: number('spec_min_replicas'),
        max,
        current: number('status_current_replicas'),
        desired,
        conditions: conditionsOf(named('kube_horizontalpodautoscaler_status_condition')),
        atMaximum: max === undefined || desired === undefined ? undefined : desired >= max,
      })
    },
  )

export const claimStates = (series: Series): ClaimState[] =>
  series
    .named('kube_persistentvolumeclaim_status_phase')
    .filter(isOn)
    .map(({ labels: { namespace = '', persistentvolumeclaim: name = '', phase = '' } }) => ({ namespace, name, phase }))

const jobState = ({ key, named, one, value }: Own): JobState => {
  const holds = (name: string) => named(name).some((sample) => isOn(sample) && sample.labels['condition'] === 'true')
  const owner = one('kube_job_owner')?.labels
  const created = value('kube_job_created')
  const failed = named('kube_job_status_failed')
  const ended = holds('kube_job_complete') ? 'complete' : 'running'
  const state: JobState['state'] = holds('kube_job_failed') ? 'failed' : ended
  return known({
    namespace: key['namespace'] ?? '',
    name: key['job_name'] ?? '',
    owner: owner?.['owner_name'] ? { kind: owner['owner_kind'] ?? '', name: owner['owner_name'] } : undefined,
    createdAtMs: created === undefined ? undefined : created * 1000,
    state,
    failedPods: failed.length === 0 ? undefined : failed.reduce((all, sample) => all + sample.value, 0),
    reason: failed.find((sample) => sample.value > 0)?.labels['reason'],
  })
}

export const jobStates = (series: Series): JobState[] =>
  grouped(series, kubeNames.job, keyed('namespace', 'job_name')).map(jobState)

export const quotaStates = (series: Series): QuotaState[] =>
  grouped(series, kubeNames.resourcequota, keyed('namespace', 'resourcequota', 'resource')).map(
    ({ key, named }): QuotaState => {
      const of = (type: string) => named('kube_resourcequota').find(({ labels }) => labels['type'] === type)?.value
      const [hard, used] = [of('hard'), of('used')]
      return known({
        namespace: key['namespace'] ?? '',
        name: key['resourcequota'] ?? '',
        resource: key['resource'] ?? '',
        hard,
        used,
        usedRatio: ratio(used, hard),
      })
    },
  )

/** A slice is named by the controller: its Service's name and five characters. */
const serviceOfSlice = (slice: string): string => slice.replace(/-[a-z0-9]{5}$/, '')

/** Who answers for a Service. One that is known with no address at all is told too: nobody answers for it. */
export const endpointStates = (series: Series): EndpointState[] => {
  const services = Map.groupBy(series.named('kube_endpointslice_endpoints'), ({ labels }) =>
    JSON.stringify([labels['namespace'] ?? '', serviceOfSlice(labels['endpointslice'] ?? '')]),
  )
  return [...services].map(([key, samples]): EndpointState => {
    const [namespace, service]: [string, string] = JSON.parse(key)
    const addresses = samples.filter(({ labels }) => labels['address'] !== undefined && labels['address'] !== '')
    const count = (label: string) =>
      new Set(addresses.filter(({ labels }) => labels[label] === 'true').map(({ labels }) => labels['address'])).size
    const all = new Set(addresses.map(({ labels }) => labels['address'])).size
    return { namespace, service, addresses: all, ready: count('ready'), terminating: count('terminating') }
  })
}
