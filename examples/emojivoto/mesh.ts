// The Linkerd proxies beside the programs: they count every real request, as the caller's side and the callee's side
// saw it, with the labels linkerd2-proxy gives and the ones linkerd-viz' Prometheus adds when it scrapes them.
import type { Labels, Sample } from './exposition-writer.ts'
import { type Cluster, containerPort, type Pod, servicePort } from './kubernetes.ts'
import { type MetricSet, metricSet } from './metric-set.ts'
import type { Component, Names } from './names.ts'

/** How a request ended. `grpcStatus` only for gRPC. */
export type Ending = { statusCode: number; grpcStatus?: number; latencyMs: number }

export type Outbound = { from: Component; to: Component; route?: string }
/** `clientId` is absent for a caller outside the mesh. */
export type Inbound = { to: Component; route?: string; clientId?: string }

export type Mesh = {
  /** Counts a request now; the function it gives counts its response. */
  outbound: (call: Outbound) => (ending: Ending) => void
  inbound: (call: Inbound) => (ending: Ending) => void
  /** All series of the proxies whose pod is there. */
  samples: (cluster: Cluster) => Sample[]
  identity: (component: Component) => string
}

/** linkerd2-proxy's buckets. */
const boundsMs = [1, 10, 100, 1_000, 10_000].flatMap((decade) => [1, 2, 3, 4, 5].map((step) => step * decade))

const classify = ({ statusCode, grpcStatus }: Ending): Labels => ({
  status_code: String(statusCode),
  classification: (grpcStatus ?? (statusCode >= 500 ? 1 : 0)) === 0 ? 'success' : 'failure',
  ...(grpcStatus === undefined ? {} : { grpc_status: String(grpcStatus) }),
})

const countRequest = (metrics: MetricSet, labels: Labels, route: Labels | undefined): ((ending: Ending) => void) => {
  metrics.add('request_total', labels)
  if (route !== undefined) metrics.add('route_request_total', route)
  return (ending) => {
    const seen = classify(ending)
    // The histogram knows the HTTP status only.
    const status = { status_code: String(ending.statusCode) }
    metrics.add('response_total', { ...labels, ...seen })
    metrics.observe('response_latency_ms', { ...labels, ...status }, ending.latencyMs)
    if (route === undefined) return
    metrics.add('route_response_total', { ...route, ...seen })
    metrics.observe('route_response_latency_ms', { ...route, ...status }, ending.latencyMs)
  }
}

/** Labels that the scrape adds, sorted into the series' own. Prometheus drops empty labels, so there are none. */
const targetLabels = (pod: Pod): Labels => ({
  control_plane_ns: 'linkerd',
  deployment: pod.deployment,
  instance: `${pod.ip}:4191`,
  job: 'linkerd-proxy',
  namespace: pod.namespace,
  pod: pod.name,
  pod_template_hash: pod.templateHash,
  workload_ns: pod.namespace,
})

const sorted = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))

const inboundLabels = (pod: Pod, clientId: string | undefined): Labels => ({
  direction: 'inbound',
  target_addr: `${pod.ip}:${containerPort}`,
  target_ip: pod.ip,
  target_port: String(containerPort),
  ...(clientId === undefined
    ? { tls: 'no_identity', no_tls_reason: 'no_tls_from_remote' }
    : { tls: 'true', client_id: clientId }),
  srv_kind: 'default',
  srv_name: 'all-unauthenticated',
  route_kind: 'default',
  route_name: 'default',
  authz_kind: 'default',
  authz_name: 'all-unauthenticated',
})

const outboundLabels = (pod: Pod, { service, authority, serverId }: Record<string, string>): Labels => ({
  direction: 'outbound',
  authority: authority ?? '',
  target_addr: `${pod.ip}:${containerPort}`,
  target_ip: pod.ip,
  target_port: String(containerPort),
  tls: 'true',
  server_id: serverId ?? '',
  dst_control_plane_ns: 'linkerd',
  dst_deployment: pod.deployment,
  dst_namespace: pod.namespace,
  dst_pod: pod.name,
  dst_pod_template_hash: pod.templateHash,
  dst_service: service ?? '',
  dst_serviceaccount: pod.serviceAccount,
})

/** `podOf` gives a program's pod now. */
export const mesh = (names: Names, podOf: (component: Component) => Pod): Mesh => {
  // A proxy lives as long as its pod, so its counters are the pod's.
  const proxies = new Map<string, { pod: Pod; metrics: MetricSet }>()
  const metricsOf = (pod: Pod): MetricSet => {
    const proxy = proxies.get(pod.name) ?? { pod, metrics: metricSet(boundsMs) }
    proxies.set(pod.name, proxy)
    return proxy.metrics
  }
  const identity = (component: Component): string => {
    const { serviceAccount, namespace } = podOf(component)
    return `${serviceAccount}.${namespace}.serviceaccount.identity.linkerd.cluster.local`
  }
  const authorityOf = (component: Component): string =>
    `${names.workloads[component].service ?? ''}.${names.namespace}.svc.cluster.local:${servicePort[component]}`
  const routeLabels = (direction: string, to: Component, route: string | undefined): Labels | undefined =>
    route === undefined ? undefined : { direction, dst: authorityOf(to), rt_route: route }
  return {
    identity,
    outbound: ({ from, to, route }) => {
      const service = names.workloads[to].service ?? ''
      const labels = outboundLabels(podOf(to), { service, authority: authorityOf(to), serverId: identity(to) })
      return countRequest(metricsOf(podOf(from)), labels, routeLabels('outbound', to, route))
    },
    inbound: ({ to, route, clientId }) => {
      const pod = podOf(to)
      return countRequest(metricsOf(pod), inboundLabels(pod, clientId), routeLabels('inbound', to, route))
    },
    samples: ({ deployments }) => {
      const alive = new Set(deployments.flatMap(({ pods }) => pods.map(({ name }) => name)))
      // What a pod's proxy counted goes with the pod.
      for (const name of proxies.keys()) if (!alive.has(name)) proxies.delete(name)
      return [...proxies.values()].flatMap(({ pod, metrics }) => {
        const target = targetLabels(pod)
        return metrics
          .families()
          .flatMap(({ samples }) => samples)
          .map((sample) => ({ ...sample, labels: sorted({ ...sample.labels, ...target }) }))
      })
    },
  }
}
