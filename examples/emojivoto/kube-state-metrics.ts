import { type Family, type Labels, writeFamilies } from './exposition-writer.ts'
import type { Cluster, Deployment } from './kubernetes.ts'
import { condition, family, podFamilies, type Row, seconds } from './pod-series.ts'
import { digest } from './random-names.ts'

const replicas = ({ replicaSets }: Deployment): { desired: number; ready: number; updated: number } => ({
  desired: 1,
  ready: replicaSets.reduce((sum, { ready }) => sum + ready, 0),
  updated: 1,
})

const conditions = (deployment: Deployment, labels: Labels): Row[] => {
  const available = replicas(deployment).ready >= 1
  const reason = available ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable'
  return [
    ...condition({ ...labels, reason, condition: 'Available' }, 'status', available),
    ...condition({ ...labels, reason: deployment.progressing, condition: 'Progressing' }, 'status', true),
  ]
}

const deploymentFamilies = (deployments: readonly Deployment[]): Family[] => {
  const gauge = (name: string, rows: (deployment: Deployment, labels: Labels) => readonly Row[]): Family =>
    family(`kube_deployment_${name}`, 'gauge', deployments, (one) =>
      rows(one, { namespace: one.namespace, deployment: one.name }),
    )
  const number = (name: string, value: (deployment: Deployment) => number): Family =>
    gauge(name, (one, labels) => [[labels, value(one)]])
  return [
    gauge('owner', (_, labels) => [[{ ...labels, owner_kind: '', owner_name: '' }, 1]]),
    number('created', ({ createdMs }) => seconds(createdMs)),
    number('status_replicas', (one) => replicas(one).desired),
    number('status_replicas_ready', (one) => replicas(one).ready),
    number('status_replicas_available', (one) => replicas(one).ready),
    number('status_replicas_unavailable', (one) => replicas(one).desired - replicas(one).ready),
    number('status_replicas_updated', (one) => replicas(one).updated),
    number('status_observed_generation', ({ generation }) => generation),
    gauge('status_condition', conditions),
    number('spec_replicas', (one) => replicas(one).desired),
    number('spec_paused', () => 0),
    number('metadata_generation', ({ generation }) => generation),
  ]
}

const replicaSetFamilies = (deployments: readonly Deployment[]): Family[] => {
  const sets = deployments.flatMap((deployment) => deployment.replicaSets.map((set) => ({ deployment, set })))
  type Owned = (typeof sets)[number]
  const labelsOf = ({ deployment, set }: Owned): Labels => ({ namespace: deployment.namespace, replicaset: set.name })
  const number = (name: string, value: (set: Owned['set']) => number): Family =>
    family(`kube_replicaset_${name}`, 'gauge', sets, (one) => [[labelsOf(one), value(one.set)]])
  return [
    number('created', ({ createdMs }) => seconds(createdMs)),
    number('status_replicas', ({ replicas }) => replicas),
    number('status_fully_labeled_replicas', ({ replicas }) => replicas),
    number('status_ready_replicas', ({ ready }) => ready),
    number('status_observed_generation', ({ generation }) => generation),
    number('spec_replicas', ({ replicas }) => replicas),
    number('metadata_generation', ({ generation }) => generation),
    family('kube_replicaset_owner', 'gauge', sets, (one) => {
      const owner = { owner_kind: 'Deployment', owner_name: one.deployment.name, owner_is_controller: 'true' }
      return [[{ ...labelsOf(one), ...owner }, 1]]
    }),
  ]
}

const served = (deployments: readonly Deployment[]) =>
  deployments.flatMap((deployment) =>
    deployment.service === undefined ? [] : [{ deployment, service: deployment.service }],
  )

const endpointFamilies = (deployments: readonly Deployment[]): Family[] => {
  const slices = served(deployments).map(({ deployment, service }) => ({
    deployment,
    port: service.port,
    labels: { endpointslice: `${service.name}-${digest(service.name, 5)}`, namespace: deployment.namespace },
  }))
  type Slice = (typeof slices)[number]
  const gauge = (name: string, rows: (slice: Slice) => readonly Row[]): Family =>
    family(`kube_endpointslice_${name}`, 'gauge', slices, rows)
  return [
    gauge('info', ({ labels }) => [[{ ...labels, addresstype: 'IPv4' }, 1]]),
    gauge('created', ({ labels, deployment }) => [[labels, seconds(deployment.createdMs)]]),
    gauge('endpoints', ({ labels, deployment }) =>
      deployment.pods.map((pod): Row => {
        const ready = String(pod.ready)
        const target = { targetref_kind: 'Pod', targetref_name: pod.name, targetref_namespace: pod.namespace }
        const place = { endpoint_nodename: pod.node, endpoint_zone: 'eu-1a', address: pod.ip }
        const state = { ready, serving: ready, hostname: '', terminating: 'false' }
        return [{ ...labels, ...state, ...target, ...place }, 1]
      }),
    ),
    gauge('ports', ({ labels, port }) => [
      [{ ...labels, port_name: 'main', port_protocol: 'TCP', port_number: String(port === 80 ? 8080 : port) }, 1],
    ]),
  ]
}

const serviceFamilies = (deployments: readonly Deployment[]): Family[] => {
  const services = served(deployments).map(({ deployment, service }) => {
    const place = Number.parseInt(digest(service.name, 4), 16)
    return {
      createdMs: deployment.createdMs,
      clusterIp: `10.43.${place >> 8}.${place & 255}`,
      labels: { namespace: deployment.namespace, service: service.name, uid: digest(`service ${service.name}`, 32) },
    }
  })
  type Service = (typeof services)[number]
  const gauge = (name: string, rows: (service: Service) => readonly Row[]): Family =>
    family(`kube_service_${name}`, 'gauge', services, rows)
  const none = { external_name: '', load_balancer_ip: '', external_traffic_policy: '' }
  return [
    gauge('info', ({ labels, clusterIp }) => [[{ ...labels, cluster_ip: clusterIp, ...none }, 1]]),
    gauge('created', ({ labels, createdMs }) => [[labels, seconds(createdMs)]]),
    gauge('spec_type', ({ labels }) => [[{ ...labels, type: 'ClusterIP' }, 1]]),
  ]
}

const nodeFamilies = ({ nodes }: Cluster): Family[] => {
  type Node = (typeof nodes)[number]
  const gauge = (name: string, rows: (node: Node, labels: Labels) => readonly Row[]): Family =>
    family(`kube_node_${name}`, 'gauge', nodes, (node) => rows(node, { node: node.name }))
  const sizes = [
    ['cpu', 'core', 8],
    ['memory', 'byte', 34_359_738_368],
    ['pods', 'integer', 58],
  ] as const
  const capacity = (labels: Labels): Row[] =>
    sizes.map(([resource, unit, value]): Row => [{ ...labels, resource, unit }, value])
  const system = ({ name, ip }: Node): Labels => ({
    kernel_version: '6.1.141',
    os_image: 'Debian GNU/Linux 12 (bookworm)',
    container_runtime_version: 'containerd://1.7.27',
    kubelet_version: 'v1.33.1',
    kubeproxy_version: 'deprecated',
    provider_id: '',
    pod_cidr: `10.42.${nodes.findIndex((node) => node.name === name)}.0/24`,
    system_uuid: digest(`node ${name}`, 32),
    internal_ip: ip,
  })
  const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure']
  return [
    gauge('created', ({ createdMs }, labels) => [[labels, seconds(createdMs)]]),
    gauge('info', (node, labels) => [[{ ...labels, ...system(node) }, 1]]),
    gauge('spec_unschedulable', (_, labels) => [[labels, 0]]),
    gauge('status_allocatable', (_, labels) => capacity(labels)),
    gauge('status_capacity', (_, labels) => capacity(labels)),
    gauge('status_condition', (_, labels) => [
      ...pressures.flatMap((name) => condition({ ...labels, condition: name }, 'status', false)),
      ...condition({ ...labels, condition: 'Ready' }, 'status', true),
    ]),
  ]
}

const namespaceFamilies = ({ namespaces }: Cluster): Family[] => {
  const labelsOf = ({ name }: { name: string }): Labels => ({ namespace: name })
  return [
    family('kube_namespace_created', 'gauge', namespaces, (one) => [[labelsOf(one), seconds(one.createdMs)]]),
    family('kube_namespace_status_phase', 'gauge', namespaces, (one) => [
      [{ ...labelsOf(one), phase: 'Active' }, 1],
      [{ ...labelsOf(one), phase: 'Terminating' }, 0],
    ]),
  ]
}

const cronJobFamilies = ({ cronJobs }: Cluster): Family[] => {
  type CronJob = (typeof cronJobs)[number]
  const gauge = (name: string, rows: (job: CronJob, labels: Labels) => readonly Row[]): Family =>
    family(`kube_cronjob_${name}`, 'gauge', cronJobs, (job) =>
      rows(job, { namespace: job.namespace, cronjob: job.name }),
    )
  const plan = { schedule: '40 1 * * *', concurrency_policy: 'Forbid', timezone: 'local' }
  return [
    gauge('info', (_, labels) => [[{ ...labels, ...plan }, 1]]),
    gauge('created', ({ createdMs }, labels) => [[labels, seconds(createdMs)]]),
    gauge('status_active', (_, labels) => [[labels, 0]]),
    gauge('status_last_schedule_time', ({ lastScheduleMs }, labels) => [[labels, seconds(lastScheduleMs)]]),
    gauge('spec_suspend', (_, labels) => [[labels, 1]]),
  ]
}

/** What kube-state-metrics would export of this cluster. */
export const kubeStateMetrics = (cluster: Cluster): string => {
  const { deployments } = cluster
  return writeFamilies([
    ...cronJobFamilies(cluster),
    ...deploymentFamilies(deployments),
    ...endpointFamilies(deployments),
    ...namespaceFamilies(cluster),
    ...nodeFamilies(cluster),
    ...podFamilies(deployments.flatMap(({ pods }) => pods)),
    ...replicaSetFamilies(deployments),
    ...serviceFamilies(deployments),
  ])
}
