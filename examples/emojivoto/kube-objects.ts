// The objects a Kubernetes API server would list of this cluster, as far as somebody reads them.
import { type Container, type Deployment, metricsPort, type Pod } from './kubernetes.ts'
import type { Component } from './names.ts'
import { hostIp, phase, readySince } from './pod-series.ts'
import { digest } from './random-names.ts'
import type { Termination } from './scenes.ts'
import type { World } from './world.ts'

export type KubeObject = { metadata: { name: string; namespace?: string; labels?: Readonly<Record<string, string>> } }

/** RFC 3339 in whole seconds, as Kubernetes has it. */
const time = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`

const isCalled = (component: Component | undefined) => component !== undefined && component !== 'bot'
const hasMetrics = (component: Component | undefined) => component === 'voting' || component === 'emoji'
const mebi = (bytes: number, share = 1) => `${Math.floor((bytes * share) / 1_048_576)}Mi`

const readinessProbe = (component: Component | undefined) => {
  const how = component === 'web' ? { httpGet: { path: '/', port: 8080, scheme: 'HTTP' } } : { grpc: { port: 8080 } }
  return { ...how, timeoutSeconds: 1, periodSeconds: 1, successThreshold: 1, failureThreshold: 1 }
}

/** The first container is the program, the second its sidecar. */
const containerSpec = ({ component }: Pod, container: Container, index: number) => {
  const { name, image, memoryLimitBytes } = container
  const own = [
    { name: 'main', containerPort: 8080, protocol: 'TCP' },
    ...(hasMetrics(component) ? [{ name: 'prom', containerPort: metricsPort, protocol: 'TCP' }] : []),
  ]
  return {
    name,
    image,
    ports: index === 0 ? own : [{ name: 'linkerd-admin', containerPort: 4191, protocol: 'TCP' }],
    resources: {
      limits: { cpu: '400m', memory: mebi(memoryLimitBytes) },
      requests: { cpu: '100m', memory: mebi(memoryLimitBytes, 0.5) },
    },
    ...(index === 0 && isCalled(component) && { readinessProbe: readinessProbe(component) }),
  }
}

const terminated = ({ exitCode, reason, startedAtMs, finishedAtMs }: Termination) => ({
  terminated: { exitCode, reason, startedAt: time(startedAtMs), finishedAt: time(finishedAtMs) },
})

const stateNow = (pod: Pod, { name, state: { now } }: Container) => {
  if (now.kind === 'running') return { running: { startedAt: time(now.sinceMs) } }
  if (now.kind === 'terminated') return terminated(now.termination)
  const isBackOff = now.reason === 'CrashLoopBackOff'
  const message = isBackOff ? { message: `back-off restarting failed container=${name} pod=${pod.name}` } : {}
  return { waiting: { reason: now.reason, ...message } }
}

const containerStatus = (pod: Pod, container: Container) => {
  const { name, image, state } = container
  return {
    name,
    image,
    ready: state.ready,
    started: state.now.kind === 'running',
    restartCount: state.restarts,
    state: stateNow(pod, container),
    lastState: state.last === undefined ? {} : terminated(state.last),
  }
}

export const podObject = (pod: Pod) => {
  const { namespace, name, uid, createdMs, component, containers } = pod
  const ready = String(pod.ready).replace(/^./, (letter) => letter.toUpperCase())
  const scraped = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(metricsPort) }
  return {
    metadata: {
      name,
      namespace,
      uid,
      creationTimestamp: time(createdMs),
      labels: {
        app: pod.deployment,
        'linkerd.io/control-plane-ns': 'linkerd',
        'linkerd.io/proxy-deployment': pod.deployment,
        'pod-template-hash': pod.templateHash,
      },
      ...(hasMetrics(component) && { annotations: scraped }),
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: pod.replicaSet, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: {
      nodeName: pod.node,
      serviceAccountName: pod.serviceAccount,
      containers: containers.map((container, index) => containerSpec(pod, container, index)),
    },
    status: {
      phase: phase(pod),
      podIP: pod.ip,
      hostIP: hostIp(pod),
      startTime: time(createdMs),
      conditions: ['Ready', 'ContainersReady'].map((type) => ({
        type,
        status: ready,
        ...(pod.ready && { lastTransitionTime: time(readySince(pod)) }),
      })),
      containerStatuses: containers.map((container) => containerStatus(pod, container)),
    },
  }
}

const replicaSetObjects = (deployment: Deployment) =>
  deployment.replicaSets.map(({ name, createdMs, replicas, ready, image, revision }) => ({
    metadata: {
      name,
      namespace: deployment.namespace,
      creationTimestamp: time(createdMs),
      labels: { app: deployment.name },
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.name, controller: true }],
    },
    spec: {
      replicas,
      template: {
        metadata: { labels: { app: deployment.name } },
        spec: {
          containers: (deployment.pods[0]?.containers ?? []).map((container, index) => ({
            name: container.name,
            image: index === 0 ? image : container.image,
          })),
        },
      },
    },
    status: { replicas, readyReplicas: ready },
  }))

const serviceObjects = ({ namespace, name, service, createdMs }: Deployment) =>
  service === undefined
    ? []
    : [
        {
          metadata: { name: service.name, namespace, creationTimestamp: time(createdMs), labels: { app: name } },
          spec: { type: 'ClusterIP', ports: [{ name: 'main', port: service.port, protocol: 'TCP' }] },
        },
      ]

const sliceObjects = ({ namespace, name, service, pods, createdMs }: Deployment) =>
  service === undefined
    ? []
    : [
        {
          metadata: {
            name: `${service.name}-${digest(service.name, 5)}`,
            namespace,
            creationTimestamp: time(createdMs),
            labels: { app: name, 'kubernetes.io/service-name': service.name },
          },
          addressType: 'IPv4',
          ports: [{ name: 'main', port: 8080, protocol: 'TCP' }],
          endpoints: pods.map((pod) => ({
            addresses: [pod.ip],
            nodeName: pod.node,
            targetRef: { kind: 'Pod', name: pod.name, namespace },
            conditions: { ready: pod.ready, serving: pod.ready, terminating: false },
          })),
        },
      ]

const nodeObject = ({ name, ip, createdMs }: { name: string; ip: string; createdMs: number }) => ({
  metadata: { name, creationTimestamp: time(createdMs), labels: { 'kubernetes.io/hostname': name } },
  spec: {},
  status: {
    addresses: [
      { type: 'InternalIP', address: ip },
      { type: 'Hostname', address: name },
    ],
    conditions: [{ type: 'Ready', status: 'True' }],
  },
})

/** What can be listed besides Events, by resource. */
export const objectsOf = (world: World): Readonly<Record<string, readonly KubeObject[]>> => {
  const { deployments, nodes, namespaces } = world.cluster()
  return {
    namespaces: namespaces.map(({ name, createdMs }) => ({ metadata: { name, creationTimestamp: time(createdMs) } })),
    nodes: nodes.map(nodeObject),
    pods: deployments.flatMap(({ pods }) => pods.map(podObject)),
    services: deployments.flatMap(serviceObjects),
    endpointslices: deployments.flatMap(sliceObjects),
    replicasets: deployments.flatMap(replicaSetObjects),
    // Of StatefulSets and DaemonSets, of which the town has none.
    controllerrevisions: [],
  }
}
