// The cluster as its control plane would see it, at any time: a pure function of names, scene and fault windows.
import { type Component, components, type Names } from './names.ts'
import { digest } from './random-names.ts'
import {
  type ContainerState,
  containerState,
  type FaultWindow,
  failedStart,
  failedStartEvents,
  isOn,
  outOfMemory,
  outOfMemoryEvents,
  pullImageMs,
  type SceneName,
  windowsAt,
} from './scenes.ts'

export type Container = { name: string; image: string; memoryLimitBytes: number; state: ContainerState }
export type Pod = {
  namespace: string
  name: string
  uid: string
  ip: string
  node: string
  deployment: string
  replicaSet: string
  templateHash: string
  serviceAccount: string
  createdMs: number
  containers: Container[]
  ready: boolean
  /** Of a program of the town; a neighbour has none. */
  component?: Component
}
export type ReplicaSet = {
  name: string
  createdMs: number
  replicas: number
  ready: number
  generation: number
  /** Of its main container. */
  image: string
  /** Counts the templates that were rolled out, as `kubectl rollout history` shows them. */
  revision: number
}
export type Deployment = {
  namespace: string
  name: string
  service?: { name: string; port: number }
  createdMs: number
  generation: number
  progressing: 'NewReplicaSetAvailable' | 'ReplicaSetUpdated'
  replicaSets: ReplicaSet[]
  pods: Pod[]
}
export type Cluster = {
  nodes: { name: string; ip: string; createdMs: number }[]
  namespaces: { name: string; createdMs: number }[]
  deployments: Deployment[]
  cronJobs: { namespace: string; name: string; createdMs: number; lastScheduleMs: number }[]
}

const dayMs = 86_400_000
const megabyte = 1_048_576
const nodes = ['worker-01', 'worker-02']
const proxyImage = 'cr.l5d.io/linkerd/proxy:edge-25.8.5'
/** Where each program's container listens. */
export const containerPort = 8080
/** Where voting and emoji serve their metrics, as their pods' annotations say. */
export const metricsPort = 8801
/** Every container may use so many processors. */
export const cpuLimitCores = 0.4
export const servicePort: Readonly<Record<Component, number>> = { web: 80, voting: 8080, emoji: 8080, bot: 0 }

export type Story = { names: Names; scene: SceneName; windows: readonly FaultWindow[]; bornMs: number }

/** How long before the town opened a program's pod was created: long enough ago to be no news. */
const ageMs: Readonly<Record<Component, number>> = {
  web: 3 * dayMs,
  voting: 3 * dayMs + 41_000,
  emoji: 5 * dayMs,
  bot: 9 * dayMs,
}
export const podBornMs = (bornMs: number, component: Component): number => bornMs - ageMs[component]

const uid = (text: string): string => {
  const hex = digest(`uid ${text}`, 32)
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20)].join('-')
}
const templateHash = (names: Names, component: Component, tag: string): string =>
  digest(`template ${names.namespace} ${names.workloads[component].image}:${tag}`, 10)

const running = (sinceMs: number): ContainerState => ({
  now: { kind: 'running', sinceMs },
  restarts: 0,
  ready: true,
})

const proxyContainer = (state: ContainerState): Container => ({
  name: 'linkerd-proxy',
  image: proxyImage,
  memoryLimitBytes: 250 * megabyte,
  state,
})

type PodPlan = {
  namespace: string
  deployment: string
  hash: string
  suffixOf: string
  createdMs: number
  serviceAccount: string
  container: Container
  /** The sidecar's state; it runs since the pod was created when absent. */
  proxy?: ContainerState
  component?: Component
}
const makePod = (plan: PodPlan): Pod => {
  const { namespace, deployment, hash, createdMs, serviceAccount, container } = plan
  const name = `${deployment}-${hash}-${digest(`pod ${namespace} ${deployment} ${plan.suffixOf}`, 5)}`
  const place = Number.parseInt(digest(name, 4), 16)
  return {
    namespace,
    name,
    uid: uid(name),
    ip: `10.42.${place % 2}.${2 + (place % 250)}`,
    node: nodes[place % 2] ?? 'worker-01',
    deployment,
    replicaSet: `${deployment}-${hash}`,
    templateHash: hash,
    serviceAccount,
    createdMs,
    containers: [container, proxyContainer(plan.proxy ?? running(createdMs))],
    ready: container.state.ready,
    ...(plan.component && { component: plan.component }),
  }
}

const containerOf = (story: Story, component: Component, tag: string, state: ContainerState): Container => {
  const { container, image } = story.names.workloads[component]
  return {
    name: container,
    image: `${image}:${tag}`,
    memoryLimitBytes: (component === 'emoji' ? 64 : 128) * megabyte,
    state,
  }
}

const planOf = (story: Story, component: Component): Omit<PodPlan, 'container'> => {
  const { names, bornMs } = story
  const { deployment } = names.workloads[component]
  return {
    namespace: names.namespace,
    deployment,
    hash: templateHash(names, component, names.tags.good),
    suffixOf: 'first',
    createdMs: podBornMs(bornMs, component),
    serviceAccount: component === 'bot' ? 'default' : deployment,
    component,
  }
}

/** After a rollout was undone the old ReplicaSet has a new pod; while the fault is on only the new version has one. */
const rolledOutPod = (story: Story, component: Component, atMs: number): Pod | undefined => {
  const seen = windowsAt(story.windows, atMs)
  const window = seen.at(-1)
  if (window === undefined) return undefined
  const { good, bad } = story.names.tags
  if (window.endedAtMs === undefined) {
    const state = containerState(failedStartEvents(window, atMs), { death: failedStart, ready: false, atMs })
    const pulledMs = window.startedAtMs + pullImageMs
    const creating: ContainerState = {
      now: { kind: 'waiting', reason: 'ContainerCreating' },
      restarts: 0,
      ready: false,
    }
    return makePod({
      ...planOf(story, component),
      hash: templateHash(story.names, component, bad),
      suffixOf: `rollout ${seen.length}`,
      createdMs: window.startedAtMs,
      container: containerOf(story, component, bad, state),
      proxy: atMs < pulledMs ? creating : running(pulledMs),
    })
  }
  return makePod({
    ...planOf(story, component),
    suffixOf: `undo ${seen.length}`,
    createdMs: window.endedAtMs,
    container: containerOf(story, component, good, running(window.endedAtMs)),
  })
}

/** The pod of a program at one time; every Deployment of the town has exactly one. */
export const podAt = (story: Story, component: Component, atMs: number): Pod => {
  const plan = planOf(story, component)
  const { good } = story.names.tags
  if (story.scene === 'voting-bad-rollout' && component === 'voting') {
    const pod = rolledOutPod(story, component, atMs)
    if (pod !== undefined) return pod
  }
  const startedMs = plan.createdMs + 1_000
  if (story.scene === 'emoji-oom' && component === 'emoji') {
    const ready = !isOn(story.windows, atMs)
    const events = outOfMemoryEvents(startedMs, story.windows, atMs)
    const state = containerState(events, { death: outOfMemory, ready, atMs })
    return makePod({ ...plan, container: containerOf(story, component, good, state) })
  }
  return makePod({ ...plan, container: containerOf(story, component, good, running(startedMs)) })
}

const replicaSets = (story: Story, component: Component, pod: Pod, atMs: number): ReplicaSet[] => {
  const { names } = story
  const { deployment, image } = names.workloads[component]
  const set = (tag: string, createdMs: number, at: { generation: number; revision: number }): ReplicaSet => {
    const name = `${deployment}-${templateHash(names, component, tag)}`
    const replicas = pod.replicaSet === name ? 1 : 0
    return { name, createdMs, replicas, ready: pod.ready ? replicas : 0, image: `${image}:${tag}`, ...at }
  }
  const createdMs = podBornMs(story.bornMs, component)
  const rollouts = story.scene === 'voting-bad-rollout' && component === 'voting' ? windowsAt(story.windows, atMs) : []
  const changes = rollouts.length + rollouts.filter(({ endedAtMs }) => endedAtMs !== undefined).length
  const [first] = rollouts
  // Undoing a rollout makes the old template the newest revision.
  const undone = changes % 2 === 0
  const bad = { generation: changes, revision: 2 + changes - (undone ? 1 : 0) }
  return [
    set('previous', createdMs - 20 * dayMs, { generation: 3, revision: 1 }),
    set(names.tags.good, createdMs, { generation: 1 + changes, revision: 2 + changes - (undone ? 0 : 1) }),
    ...(first === undefined ? [] : [set(names.tags.bad, first.startedAtMs, bad)]),
  ]
}

const deploymentAt = (story: Story, component: Component, atMs: number): Deployment => {
  const { deployment, service } = story.names.workloads[component]
  const pod = podAt(story, component, atMs)
  const sets = replicaSets(story, component, pod, atMs)
  const changes = sets.length === 3 ? (sets[1]?.generation ?? 1) - 1 : 0
  return {
    namespace: story.names.namespace,
    name: deployment,
    ...(service === undefined ? {} : { service: { name: service, port: servicePort[component] } }),
    createdMs: podBornMs(story.bornMs, component) - 40 * dayMs,
    generation: 2 + changes,
    progressing: changes % 2 === 1 ? 'ReplicaSetUpdated' : 'NewReplicaSetAvailable',
    replicaSets: sets,
    pods: [pod],
  }
}

/** A neighbour that restarted a few times last week, which is nobody's concern today. */
const neighbour = ({ names, bornMs }: Story): Deployment => {
  const { namespace, workload } = names.noise
  const hash = digest(`template ${namespace} ${workload}`, 10)
  const createdMs = bornMs - 30 * dayMs
  const last = { reason: 'Error', exitCode: 143, startedAtMs: createdMs, finishedAtMs: bornMs - 6 * dayMs }
  const state: ContainerState = {
    now: { kind: 'running', sinceMs: last.finishedAtMs + 2_000 },
    restarts: 2,
    last,
    ready: true,
  }
  const image = `registry.example/${namespace}/${workload}:4.2.0`
  const container = { name: workload, image, memoryLimitBytes: 256 * megabyte, state }
  const plan = { namespace, deployment: workload, hash, suffixOf: 'first', createdMs, serviceAccount: 'default' }
  return {
    namespace,
    name: workload,
    service: { name: workload, port: 80 },
    createdMs,
    generation: 5,
    progressing: 'NewReplicaSetAvailable',
    replicaSets: [{ name: `${workload}-${hash}`, createdMs, replicas: 1, ready: 1, generation: 1, image, revision: 1 }],
    pods: [makePod({ ...plan, container })],
  }
}

export const clusterAt = (story: Story, atMs: number): Cluster => {
  const createdMs = story.bornMs - 60 * dayMs
  const { noise, namespace } = story.names
  return {
    nodes: nodes.map((name, index) => ({ name, ip: `10.20.${index}.7`, createdMs })),
    namespaces: [namespace, noise.namespace, 'kube-system'].map((name) => ({ name, createdMs })),
    deployments: [...components.map((component) => deploymentAt(story, component, atMs)), neighbour(story)],
    cronJobs: [
      { namespace: noise.namespace, name: noise.cronJob, createdMs, lastScheduleMs: story.bornMs - 12 * dayMs },
    ],
  }
}
