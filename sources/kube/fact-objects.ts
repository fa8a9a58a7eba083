import * as z from 'zod'
import { meta } from './objects.ts'

const port = z.union([z.int(), z.string()])
const probe = z.object({
  httpGet: z.object({ path: z.string().nullish(), port, scheme: z.string().nullish() }).nullish(),
  tcpSocket: z.object({ port }).nullish(),
  grpc: z.object({ port, service: z.string().nullish() }).nullish(),
  exec: z.object({ command: z.array(z.string()).nullish() }).nullish(),
  initialDelaySeconds: z.number().nullish(),
  periodSeconds: z.number().nullish(),
  timeoutSeconds: z.number().nullish(),
  failureThreshold: z.number().nullish(),
})
export type ProbeObject = z.output<typeof probe>

const quantities = z.record(z.string(), z.union([z.string(), z.number()])).nullish()
const container = z.object({
  name: z.string(),
  image: z.string().nullish(),
  readinessProbe: probe.nullish(),
  livenessProbe: probe.nullish(),
  startupProbe: probe.nullish(),
  resources: z.object({ limits: quantities, requests: quantities }).nullish(),
})
export type ContainerObject = z.output<typeof container>

const terminated = z.object({
  exitCode: z.number(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  finishedAt: z.string().nullish(),
})
const containerState = z.object({
  waiting: z.object({ reason: z.string().nullish(), message: z.string().nullish() }).nullish(),
  running: z.object({ startedAt: z.string().nullish() }).nullish(),
  terminated: terminated.nullish(),
})
const containerStatus = z.object({
  name: z.string(),
  ready: z.boolean().default(false),
  restartCount: z.number().default(0),
  state: containerState.nullish(),
  lastState: containerState.nullish(),
})
export type ContainerStatusObject = z.output<typeof containerStatus>

export const podObject = z.object({
  metadata: meta.extend({ deletionTimestamp: z.string().nullish() }),
  spec: z.object({
    nodeName: z.string().nullish(),
    containers: z.array(container),
    initContainers: z.array(container).nullish(),
  }),
  status: z
    .object({
      phase: z.string().nullish(),
      reason: z.string().nullish(),
      message: z.string().nullish(),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
      containerStatuses: z.array(containerStatus).nullish(),
      initContainerStatuses: z.array(containerStatus).nullish(),
    })
    .default({}),
})
export type PodObject = z.output<typeof podObject>

/** core/v1; events.k8s.io writes the same objects with other times filled in. */
export const eventObject = z.object({
  metadata: meta,
  involvedObject: z.object({ kind: z.string().default(''), name: z.string().default('') }),
  type: z.string().nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  count: z.number().nullish(),
  firstTimestamp: z.string().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  series: z.object({ count: z.number().nullish(), lastObservedTime: z.string().nullish() }).nullish(),
})
export type EventObject = z.output<typeof eventObject>

const template = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).nullish() }).nullish(),
  spec: z.object({ containers: z.array(container), initContainers: z.array(container).nullish() }),
})
export const replicaSetObject = z.object({
  metadata: meta,
  spec: z.object({ replicas: z.number().nullish(), template }),
})
export type ReplicaSetObject = z.output<typeof replicaSetObject>

/** What StatefulSets and DaemonSets keep of their earlier templates. */
export const revisionObject = z.object({
  metadata: meta,
  revision: z.number(),
  data: z.object({ spec: z.object({ template }) }),
})
export type RevisionObject = z.output<typeof revisionObject>
