import type { FaultSwitch } from './fault-switch.ts'
import { type Cluster, clusterAt, type Pod, podAt, podBornMs, type Story } from './kubernetes.ts'
import { type LogStore, logStore } from './log-store.ts'
import { type Mesh, mesh } from './mesh.ts'
import { type Component, components, type Names } from './names.ts'
import {
  brokenComponent,
  failedStartEvents,
  outOfMemoryEvents,
  type ProcessEvent,
  type SceneName,
  windowsAt,
} from './scenes.ts'

export type TownLine = { app: string; pod: string; atMs: number; line: string }

/** What every program and every source of the town shares. */
export type World = {
  names: Names
  scene: SceneName
  nowMs: () => number
  random: () => number
  faultOn: () => boolean
  story: () => Story
  cluster: () => Cluster
  pod: (component: Component) => Pod
  /** Whether the program answers now; its sidecar always does. */
  serving: (component: Component) => boolean
  /** Rises when the program was started anew and forgot what it had counted. */
  incarnation: (component: Component) => number
  processStartMs: (component: Component) => number
  /** One line on a program's standard error, with Go's timestamp before it. */
  log: (component: Component, text: string) => void
  logs: LogStore
  /** Writes down what the programs logged while they started and died, up to now. */
  catchUp: () => void
  mesh: Mesh
}

type Moment = ProcessEvent & { component: Component }

const bornMs = (story: Story, component: Component): number => podBornMs(story.bornMs, component) + 1_000

const momentsOf = (story: Story, component: Component, atMs: number): Moment[] => {
  const birth: ProcessEvent = { atMs: bornMs(story, component), kind: 'start' }
  const events = (): ProcessEvent[] => {
    if (brokenComponent(story.scene) !== component) return [birth]
    if (story.scene === 'emoji-oom') return outOfMemoryEvents(birth.atMs, story.windows, atMs)
    const rollouts = windowsAt(story.windows, atMs).flatMap((window) => [
      ...failedStartEvents(window, atMs).filter(({ kind }) => kind === 'crash'),
      ...(window.endedAtMs === undefined ? [] : [{ atMs: window.endedAtMs, kind: 'start' as const }]),
    ])
    return [birth, ...rollouts]
  }
  return events().map((event) => ({ ...event, component }))
}

/** `2026/11/23 03:40:51 `, as Go's log package begins a line. */
const goTime = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')} `

const startLines = ({ texts }: Names, component: Component): string[] =>
  ({
    web: [texts.startWeb],
    voting: [texts.startMetrics, texts.startServer, texts.startVoting],
    emoji: [texts.startMetrics, texts.startServer],
    bot: [],
  })[component]

const linesOf = ({ component, kind, atMs }: Moment, { names, scene }: Story): string[] => {
  if (kind === 'start') return startLines(names, component).map((text) => goTime(atMs) + text)
  // The kernel kills without a word; a program that fails to start says why.
  if (scene === 'emoji-oom') return []
  const trace = ['goroutine 1 [running]:', 'main.main()', '\t/app/cmd/server.go:58 +0x3a5', 'exit status 1']
  return [goTime(atMs) + names.texts.panic, ...trace]
}

export type WorldPlan = {
  names: Names
  scene: SceneName
  faults: FaultSwitch
  nowMs: () => number
  random: () => number
  onLine: (line: TownLine) => void
}

/** A town that opened now. */
export const createWorld = ({ names, scene, faults, nowMs, random, onLine }: WorldPlan): World => {
  const openedMs = nowMs()
  const logs = logStore()
  const story = (): Story => ({ names, scene, windows: faults.windows(), bornMs: openedMs })
  const pod = (component: Component): Pod => podAt(story(), component, nowMs())
  const write = (component: Component, line: string, atMs: number): void => {
    const app = names.workloads[component].deployment
    const { name } = podAt(story(), component, atMs)
    const { namespace } = names
    const { container } = names.workloads[component]
    const job = `${namespace}/${app}`
    logs.write({
      atMs,
      line,
      labels: { app, container, job, namespace, pod: name, service_name: app, stream: 'stderr' },
    })
    onLine({ app, pod: name, atMs, line })
  }
  let caughtUpMs = Number.NEGATIVE_INFINITY
  const catchUp = (): void => {
    const atMs = nowMs()
    const now = story()
    const moments = components
      .flatMap((component) => momentsOf(now, component, atMs))
      .filter((moment) => moment.atMs > caughtUpMs && moment.atMs <= atMs)
      .sort((a, b) => a.atMs - b.atMs)
    caughtUpMs = Math.max(caughtUpMs, atMs)
    for (const moment of moments) {
      for (const line of linesOf(moment, now)) write(moment.component, line, moment.atMs)
    }
  }
  return {
    names,
    scene,
    nowMs,
    random,
    faultOn: faults.isOn,
    story,
    cluster: () => clusterAt(story(), nowMs()),
    pod,
    serving: (component) => !(faults.isOn() && brokenComponent(scene) === component),
    incarnation: (component) => (brokenComponent(scene) === component ? faults.windows().length : 0),
    processStartMs: (component) =>
      momentsOf(story(), component, nowMs())
        .filter(({ kind }) => kind === 'start')
        .at(-1)?.atMs ?? openedMs,
    log: (component, text) => {
      catchUp()
      const atMs = nowMs()
      write(component, goTime(atMs) + text, atMs)
    },
    logs,
    catchUp,
    mesh: mesh(names, pod),
  }
}
