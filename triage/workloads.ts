import type { Sample } from '../sources/contract.ts'
import { label, type Series } from './past.ts'

export type Exit = { reason?: string; code?: number; atMs?: number }
export type Container = {
  name: string
  image?: string
  ready: boolean
  running: boolean
  /** Why it waits, such as `CrashLoopBackOff`; kept as its series, whose past tells since when. */
  waiting?: { reason: string; series: Sample }
  /** The series that says it lies dead right now, before its restart. */
  dead?: Sample
  restarts?: Sample
  lastExit: Exit
  memoryLimitBytes?: number
}

export type Pod = {
  namespace: string
  name: string
  uid: string
  node?: string
  /** The ReplicaSet, StatefulSet, DaemonSet or Job it is of. */
  owner: string
  phase?: string
  /** The series of its readiness, value 1 or 0. */
  ready?: Sample
  unschedulable?: Sample
  createdAtMs?: number
  beingDeleted: boolean
  evicted?: Sample
  failed?: Sample
  containers: Container[]
}

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'CronJob' | 'Job'
export type Workload = {
  kind: WorkloadKind
  namespace: string
  name: string
  /** Absent where kube-state-metrics did not say: not the same as 0. */
  desired?: Sample
  ready?: Sample
  pods: Pod[]
  replicaSets: ReplicaSet[]
}
export type ReplicaSet = { name: string; createdAtMs?: number; wanted?: Sample }

type Key = { namespace: string; name: string }

/** Reads one cluster's kube-state-metrics: finds a workload with all that belongs to it. */
export type Town = {
  series: Series
  workload: (place: Key) => Workload | undefined
  /** Does kube-state-metrics show any workload of this namespace? */
  knowsNamespace: (namespace: string) => boolean
  /** Every pod, with its containers. */
  pods: () => Pod[]
  /** A pod's series of that name. */
  ofPod: (name: string, pod: Pod) => readonly Sample[]
  /** The sample of that name whose labels are these. */
  find: (name: string, labels: Readonly<Record<string, string>>) => Sample | undefined
}

const controllers: readonly [WorkloadKind, string, string, string][] = [
  ['Deployment', 'deployment', 'kube_deployment_spec_replicas', 'kube_deployment_status_replicas_ready'],
  ['StatefulSet', 'statefulset', 'kube_statefulset_replicas', 'kube_statefulset_status_replicas_ready'],
  ['DaemonSet', 'daemonset', 'kube_daemonset_status_desired_number_scheduled', 'kube_daemonset_status_number_ready'],
]

const seconds = (sample: Sample | undefined): number | undefined =>
  sample && Number.isFinite(sample.value) ? sample.value * 1000 : undefined

type Grouped = (name: string, key: string) => readonly Sample[]

/** Groups each metric by a label set on first use, so that a cluster of thousands of pods is walked once. */
const groupedBy = (series: Series, labels: readonly string[]): Grouped => {
  const cache = new Map<string, Map<string, Sample[]>>()
  return (name, key) => {
    let groups = cache.get(name)
    if (!groups) {
      groups = new Map()
      for (const sample of series.named(name)) {
        const own = labels.map((one) => sample.labels[one] ?? '').join('/')
        const group = groups.get(own)
        if (group) group.push(sample)
        else groups.set(own, [sample])
      }
      cache.set(name, groups)
    }
    return groups.get(key) ?? []
  }
}

const isOn = ({ value }: Sample) => value === 1

const containersOf = (of: Grouped, key: string, prefix: string): Container[] => {
  const about = (name: string, container: string) =>
    of(`${prefix}${name}`, key).filter(({ labels }) => labels['container'] === container)
  const names = [
    ...new Set(
      ['_info', '_status_restarts_total', '_status_ready', '_status_waiting_reason']
        .flatMap((name) => of(`${prefix}${name}`, key))
        .map(({ labels }) => labels['container'] ?? ''),
    ),
  ]
  return names.map((name): Container => {
    const waiting = about('_status_waiting_reason', name).find(isOn)
    const restarts = about('_status_restarts_total', name)[0]
    const dead = about('_status_terminated_reason', name).find(
      (one) => isOn(one) && one.labels['reason'] !== 'Completed',
    )
    const reason = (dead ?? about('_status_last_terminated_reason', name).find(isOn))?.labels['reason']
    // Code and time are those of the exit before the one that lies there now.
    const code = dead ? undefined : about('_status_last_terminated_exitcode', name)[0]?.value
    const atMs = dead ? undefined : seconds(about('_status_last_terminated_timestamp', name)[0])
    const image = label(about('_info', name)[0]?.labels ?? {}, 'image_spec') ?? about('_info', name)[0]?.labels['image']
    const limit = about('_resource_limits', name).find(({ labels }) => labels['resource'] === 'memory')?.value
    return {
      name,
      ready: about('_status_ready', name).some(isOn),
      running: about('_status_running', name).some(isOn),
      ...(image && { image }),
      ...(waiting && { waiting: { reason: waiting.labels['reason'] ?? 'waiting', series: waiting } }),
      ...(dead && { dead }),
      ...(restarts && { restarts }),
      ...(limit !== undefined && { memoryLimitBytes: limit }),
      lastExit: {
        ...(reason && { reason }),
        ...(code !== undefined && { code }),
        ...(atMs !== undefined && { atMs }),
      },
    }
  })
}

const podOf = (of: Grouped, owner: Sample): Pod => {
  const { namespace = '', pod: name = '', uid = '' } = owner.labels
  const key = `${namespace}/${name}/${uid}`
  const first = (metric: string) => of(metric, key)[0]
  const phase = of('kube_pod_status_phase', key).find(isOn)?.labels['phase']
  const node = label(first('kube_pod_info')?.labels ?? {}, 'node')
  const createdAtMs = seconds(first('kube_pod_created'))
  const ready = of('kube_pod_status_ready', key).find(({ labels }) => labels['condition'] === 'true')
  const unschedulable = of('kube_pod_status_unschedulable', key).find(isOn)
  const evicted = of('kube_pod_status_reason', key).find(
    (sample) => isOn(sample) && sample.labels['reason'] === 'Evicted',
  )
  const failed = of('kube_pod_status_phase', key).find((sample) => isOn(sample) && sample.labels['phase'] === 'Failed')
  return {
    namespace,
    name,
    uid,
    owner: owner.labels['owner_name'] ?? '',
    beingDeleted: first('kube_pod_deletion_timestamp') !== undefined,
    containers: [...containersOf(of, key, 'kube_pod_container'), ...containersOf(of, key, 'kube_pod_init_container')],
    ...(phase && { phase }),
    ...(node && { node }),
    ...(createdAtMs !== undefined && { createdAtMs }),
    ...(ready && { ready }),
    ...(unschedulable && { unschedulable }),
    ...(evicted && { evicted }),
    ...(failed && { failed }),
  }
}

const batchKind = (series: Series, { namespace, name }: Key): WorkloadKind | undefined => {
  const has = (metric: string, key: string) =>
    series.named(metric).some(({ labels }) => labels['namespace'] === namespace && labels[key] === name)
  if (has('kube_cronjob_info', 'cronjob')) return 'CronJob'
  if (has('kube_job_info', 'job_name') || has('kube_job_created', 'job_name')) return 'Job'
  return undefined
}

/** The ReplicaSets of a Deployment, or the Jobs of a CronJob. */
const ownedBy = (series: Series, metric: string, { namespace, name }: Key): Sample[] =>
  series.named(metric).filter(({ labels }) => labels['namespace'] === namespace && labels['owner_name'] === name)

const replicaSetsOf = (town: Pick<Town, 'find' | 'series'>, place: Key): ReplicaSet[] =>
  ownedBy(town.series, 'kube_replicaset_owner', place)
    .filter(({ labels }) => labels['owner_kind'] === 'Deployment')
    .map(({ labels }): ReplicaSet => {
      const name = labels['replicaset'] ?? ''
      const own = { namespace: place.namespace, replicaset: name }
      const createdAtMs = seconds(town.find('kube_replicaset_created', own))
      const wanted = town.find('kube_replicaset_spec_replicas', own)
      return { name, ...(createdAtMs !== undefined && { createdAtMs }), ...(wanted && { wanted }) }
    })

/** Where ReplicaSets are not exported, the names of the pods' owners must do: the Deployment's name and a hash. */
const ownersByName = (series: Series, { namespace, name }: Key): string[] => {
  const owners = series
    .named('kube_pod_owner')
    .filter(({ labels }) => labels['namespace'] === namespace && labels['owner_kind'] === 'ReplicaSet')
    .map(({ labels }) => labels['owner_name'] ?? '')
  return [...new Set(owners)].filter(
    (owner) => owner.startsWith(`${name}-`) && /^[a-z0-9]{1,10}$/.test(owner.slice(name.length + 1)),
  )
}

export const townOf = (series: Series): Town => {
  const ofPod = groupedBy(series, ['namespace', 'pod', 'uid'])
  const ofOwner = groupedBy(series, ['namespace', 'owner_kind', 'owner_name'])
  const find: Town['find'] = (name, labels) =>
    series.named(name).find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
  const podsOf = (kind: string, namespace: string, owners: readonly string[]) =>
    owners.flatMap((owner) =>
      ofOwner('kube_pod_owner', `${namespace}/${kind}/${owner}`).map((one) => podOf(ofPod, one)),
    )

  const workload = (place: Key): Workload | undefined => {
    for (const [kind, key, desiredName, readyName] of controllers) {
      const own = { namespace: place.namespace, [key]: place.name }
      const desired = find(desiredName, own)
      const ready = find(readyName, own)
      if (!desired && !ready) continue
      const replicaSets = kind === 'Deployment' ? replicaSetsOf({ find, series }, place) : []
      const named = replicaSets.map(({ name }) => name)
      const pods =
        kind === 'Deployment'
          ? podsOf('ReplicaSet', place.namespace, named.length > 0 ? named : ownersByName(series, place))
          : podsOf(kind, place.namespace, [place.name])
      return { kind, ...place, pods, replicaSets, ...(desired && { desired }), ...(ready && { ready }) }
    }
    const kind = batchKind(series, place)
    if (!kind) return undefined
    const jobs =
      kind === 'Job'
        ? [place.name]
        : ownedBy(series, 'kube_job_owner', place).map(({ labels }) => labels['job_name'] ?? '')
    return { kind, ...place, pods: podsOf('Job', place.namespace, jobs), replicaSets: [] }
  }
  return {
    series,
    workload,
    find,
    pods: () => series.named('kube_pod_owner').map((one) => podOf(ofPod, one)),
    ofPod: (name, { namespace, name: pod, uid }) => ofPod(name, `${namespace}/${pod}/${uid}`),
    knowsNamespace: (namespace) =>
      controllers.some(([, , desired]) =>
        series.named(desired).some(({ labels }) => labels['namespace'] === namespace),
      ),
  }
}

/** Pods that are meant to work: neither over nor on their way out. */
export const livePods = ({ pods }: Workload): Pod[] =>
  pods.filter(({ phase, beingDeleted }) => !beingDeleted && phase !== 'Failed' && phase !== 'Succeeded')

/** How many of how many are ready, as the controller counts them; undefined where it does not say. */
export const readiness = (workload: Workload): { ready: number; desired: number } | undefined => {
  const desired = workload.desired?.value
  const ready = workload.ready?.value ?? livePods(workload).filter((pod) => pod.ready?.value === 1).length
  return desired === undefined ? undefined : { ready, desired }
}
