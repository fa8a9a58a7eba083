import type { Reading } from '../contract.ts'
import type { ContainerObject, ContainerStatusObject, EventObject, PodObject, ProbeObject } from './fact-objects.ts'
import type { Listed } from './list.ts'
import type { RolloutFact } from './rollouts.ts'

export type Workload = { kind: string; namespace: string; name: string }

export type ProbeFact = {
  /** `GET :8080/ready`, `gRPC :8080`, `TCP :5432` or `exec pg_isready`. */
  how: string
  periodSeconds: number
  timeoutSeconds: number
  failureThreshold: number
  initialDelaySeconds: number
}

export type ContainerEnd = { reason?: string; exitCode: number; message?: string; finishedAtMs?: number }

export type ContainerFact = {
  name: string
  image: string
  init: boolean
  /** Absent: the kubelet has not reported yet, which is neither ready nor not. */
  status?: {
    ready: boolean
    restarts: number
    state: 'waiting' | 'running' | 'terminated'
    reason?: string
    message?: string
    /** The run before this one, where there was one. */
    last?: ContainerEnd
  }
  probes: { readiness?: ProbeFact; liveness?: ProbeFact; startup?: ProbeFact }
  limits: Readonly<Record<string, string>>
  requests: Readonly<Record<string, string>>
}

export type PodFact = {
  namespace: string
  name: string
  /** Its controller; of a ReplicaSet's pod the Deployment, when the ReplicaSets could be read. */
  owner?: Workload
  node?: string
  phase: string
  reason?: string
  /** Absent: no such condition was reported. */
  ready?: boolean
  createdAtMs?: number
  deletedAtMs?: number
  containers: ContainerFact[]
}

export type EventFact = {
  namespace: string
  about: { kind: string; name: string }
  type: string
  reason: string
  message: string
  count: number
  firstAtMs?: number
  lastAtMs?: number
}

/** Times are RFC 3339; one that is not is no time, rather than 1970. */
export const timeOf = (text: string | null | undefined): number | undefined => {
  const atMs = text ? Date.parse(text) : Number.NaN
  return Number.isFinite(atMs) ? atMs : undefined
}

export const given = <K extends string, V>(key: K, value: V | null | undefined): { [P in K]?: V } =>
  value === undefined || value === null || value === '' ? {} : ({ [key]: value } as { [P in K]: V })

export const ownerOf = ({ namespace, ownerReferences }: PodObject['metadata']): Workload | undefined => {
  const owner = ownerReferences?.find(({ controller }) => controller === true)
  return owner && { kind: owner.kind, namespace, name: owner.name }
}

const howProbed = ({ httpGet, tcpSocket, grpc, exec }: ProbeObject): string => {
  if (httpGet) return `GET ${httpGet.scheme === 'HTTPS' ? 'https' : ''}:${httpGet.port}${httpGet.path ?? '/'}`
  if (tcpSocket) return `TCP :${tcpSocket.port}`
  if (grpc) return `gRPC :${grpc.port}${grpc.service ? ` ${grpc.service}` : ''}`
  return `exec ${(exec?.command ?? []).join(' ').slice(0, 80)}`.trim()
}

/** The defaults are the API's own (core/v1 Probe). */
const probeOf = (probe: ProbeObject): ProbeFact => ({
  how: howProbed(probe),
  periodSeconds: probe.periodSeconds ?? 10,
  timeoutSeconds: probe.timeoutSeconds ?? 1,
  failureThreshold: probe.failureThreshold ?? 3,
  initialDelaySeconds: probe.initialDelaySeconds ?? 0,
})

const amounts = (quantities: Readonly<Record<string, string | number>> | null | undefined) =>
  Object.fromEntries(Object.entries(quantities ?? {}).map(([name, amount]) => [name, String(amount)]))

const statusOf = ({
  ready,
  restartCount,
  state,
  lastState,
}: ContainerStatusObject): NonNullable<ContainerFact['status']> => {
  const ended = state?.terminated
  const last = lastState?.terminated
  return {
    ready,
    restarts: restartCount,
    state: state?.running ? 'running' : ended ? 'terminated' : 'waiting',
    ...given('reason', state?.waiting?.reason ?? ended?.reason),
    ...given('message', state?.waiting?.message ?? ended?.message),
    ...given(
      'last',
      last && {
        exitCode: last.exitCode,
        ...given('reason', last.reason),
        ...given('message', last.message),
        ...given('finishedAtMs', timeOf(last.finishedAt)),
      },
    ),
  }
}

const containerOf = (
  container: ContainerObject,
  init: boolean,
  status: ContainerStatusObject | undefined,
): ContainerFact => ({
  name: container.name,
  image: container.image ?? '',
  init,
  ...(status && { status: statusOf(status) }),
  probes: {
    ...given('readiness', container.readinessProbe && probeOf(container.readinessProbe)),
    ...given('liveness', container.livenessProbe && probeOf(container.livenessProbe)),
    ...given('startup', container.startupProbe && probeOf(container.startupProbe)),
  },
  limits: amounts(container.resources?.limits),
  requests: amounts(container.resources?.requests),
})

/** A pod as facts; `owners` tells which Deployment a ReplicaSet belongs to. */
export const podFact = (pod: PodObject, owners: ReadonlyMap<string, Workload>): PodFact => {
  const { metadata, spec, status } = pod
  const direct = ownerOf(metadata)
  const owner = direct && (owners.get(`${direct.namespace}/${direct.name}`) ?? direct)
  const statuses = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]
  const all = [
    ...(spec.initContainers ?? []).map((one) => ({ one, init: true })),
    ...spec.containers.map((one) => ({ one, init: false })),
  ]
  const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    ...given('owner', owner),
    ...given('node', spec.nodeName),
    phase: status.phase ?? 'Unknown',
    ...given('reason', status.reason),
    ...(ready === 'True' || ready === 'False' ? { ready: ready === 'True' } : {}),
    ...given('createdAtMs', timeOf(metadata.creationTimestamp)),
    ...given('deletedAtMs', timeOf(metadata.deletionTimestamp)),
    containers: all.map(({ one, init }) =>
      containerOf(
        one,
        init,
        statuses.find(({ name }) => name === one.name),
      ),
    ),
  }
}

export const eventFact = (event: EventObject): EventFact => {
  const createdAt = event.metadata.creationTimestamp
  return {
    namespace: event.metadata.namespace,
    about: event.involvedObject,
    type: event.type ?? '',
    reason: event.reason ?? '',
    message: (event.message ?? '').slice(0, 1000),
    count: event.series?.count ?? event.count ?? 1,
    ...given('firstAtMs', timeOf(event.firstTimestamp) ?? timeOf(event.eventTime) ?? timeOf(createdAt)),
    ...given(
      'lastAtMs',
      timeOf(event.series?.lastObservedTime) ??
        timeOf(event.lastTimestamp) ??
        timeOf(event.eventTime) ??
        timeOf(createdAt),
    ),
  }
}

/** The last lines of a container that ended badly. */
export type CrashLines = { namespace: string; pod: string; container: string; lines: Reading<string[]> }

/** What the Kubernetes API says of a namespace; each part by itself, since each may be forbidden by itself. */
export type KubernetesFacts = {
  pods: Reading<Listed<PodFact>>
  events: Reading<Listed<EventFact>>
  rollouts: Reading<Listed<RolloutFact>>
  /** Of containers that crashed since the time asked about; empty when none did, unreadable when the pods are. */
  crashes: Reading<CrashLines[]>
}

const badEnd = ({ reason, exitCode }: ContainerEnd): boolean => exitCode !== 0 || reason === 'OOMKilled'

/** Containers whose run before this one ended badly since then, the latest crash first, one of each workload's kind of container. */
export const crashed = (pods: readonly PodFact[], sinceMs: number): { pod: PodFact; container: string }[] => {
  const all = pods.flatMap((pod) =>
    pod.containers.flatMap(({ name, status }) => {
      const end = status?.last
      const atMs = end?.finishedAtMs ?? 0
      return end && badEnd(end) && atMs >= sinceMs ? [{ pod, container: name, atMs }] : []
    }),
  )
  all.sort((a, b) => b.atMs - a.atMs)
  const seen = new Set<string>()
  return all.filter(({ pod, container }) => {
    const key = `${pod.owner?.name ?? pod.name}/${container}`
    return !seen.has(key) && seen.add(key)
  })
}
