// What the programs use of their nodes, as pure functions of the story and the time, so that cAdvisor, node exporters
// and the programs' own metrics tell the same.
import { type Container, cpuLimitCores, type Pod, podAt, podBornMs, type Story } from './kubernetes.ts'
import { type Component, components } from './names.ts'
import { failedStartEvents, outOfMemoryEvents, type ProcessEvent, windowsAt } from './scenes.ts'

/** One life of a program: from a start to the death that followed, or until now. */
export type Run = { pod: Pod; fromMs: number; untilMs: number; over: boolean; grows: boolean }

const steadyCores: Readonly<Record<Component, number>> = { web: 0.031, voting: 0.018, emoji: 0.012, bot: 0.006 }
const growingCores = 0.3
export const proxyCores = 0.004
const steadyShare = 0.35

const bornMs = ({ bornMs: openedMs }: Story, component: Component): number => podBornMs(openedMs, component) + 1_000

/** Every start and death of a program that happened by then. */
const eventsOf = (story: Story, component: Component, atMs: number): ProcessEvent[] => {
  const fromMs = bornMs(story, component)
  if (story.scene === 'emoji-oom' && component === 'emoji') return outOfMemoryEvents(fromMs, story.windows, atMs)
  const rollouts = story.scene === 'voting-bad-rollout' && component === 'voting' ? windowsAt(story.windows, atMs) : []
  return [
    { atMs: fromMs, kind: 'start' },
    ...rollouts.flatMap((window): ProcessEvent[] => [
      { atMs: window.startedAtMs, kind: 'crash' },
      ...failedStartEvents(window, atMs),
      ...(window.endedAtMs === undefined ? [] : [{ atMs: window.endedAtMs, kind: 'start' as const }]),
    ]),
  ]
}

/** The lives of a program up to a time, the latest last. */
export const runsOf = (story: Story, component: Component, atMs: number): Run[] => {
  const events = eventsOf(story, component, atMs)
  return events.flatMap((event, index): Run[] => {
    if (event.kind === 'crash') return []
    const next = events[index + 1]
    const over = next !== undefined
    const pod = podAt(story, component, event.atMs)
    // One that is not ready when it starts never will be: it runs out of memory, or gives up.
    const grows = story.scene === 'emoji-oom' && !pod.ready
    return [{ pod, fromMs: event.atMs, untilMs: next?.atMs ?? atMs, over, grows }]
  })
}

/** Its life now; undefined while it is dead. */
export const currentRun = (story: Story, component: Component, atMs: number): Run | undefined => {
  const last = runsOf(story, component, atMs).at(-1)
  return last?.over ? undefined : last
}

export const cpuSeconds = (component: Component, { fromMs, untilMs, grows }: Run): number =>
  ((grows ? growingCores : steadyCores[component]) * (untilMs - fromMs)) / 1000

/** Out of the limit in a second and a half when it grows, else steady. */
export const memoryBytes = ({ memoryLimitBytes }: Container, { fromMs, untilMs, grows }: Run): number => {
  const share = grows ? Math.min(1, steadyShare + ((1 - steadyShare) * (untilMs - fromMs)) / 1_500) : steadyShare
  return Math.floor(memoryLimitBytes * share)
}

/** Of its scheduling periods of 0.1 s, those in which it was held back at its limit. */
export const throttled = (run: Run): { periods: number; throttled: number } => {
  const periods = Math.floor((run.untilMs - run.fromMs) / 100)
  return { periods, throttled: run.grows ? Math.floor(periods * (growingCores / cpuLimitCores)) : 0 }
}

/** What all programs together have used of one node since they were born; it never falls. */
export const nodeCpuSeconds = (story: Story, node: string, atMs: number): number =>
  components.reduce((sum, component) => {
    const own = runsOf(story, component, atMs).filter(({ pod }) => pod.node === node)
    return sum + own.reduce((total, run) => total + cpuSeconds(component, run), 0)
  }, 0)

/** Processes the kernel killed on a node for want of memory. */
export const nodeKills = (story: Story, node: string, atMs: number): number => {
  if (story.scene !== 'emoji-oom') return 0
  const deaths = eventsOf(story, 'emoji', atMs).filter(({ kind }) => kind === 'crash')
  return deaths.filter((death) => podAt(story, 'emoji', death.atMs).node === node).length
}

/** How often a readiness probe that asks every second was answered well, and how often not, by the pod of now. */
export const probeCounts = (story: Story, component: Component, atMs: number): { passed: number; failed: number } => {
  const now = podAt(story, component, atMs)
  const lives = runsOf(story, component, atMs).filter(({ pod }) => pod.name === now.name)
  const asked = (runs: readonly Run[]) =>
    runs.reduce((sum, { fromMs, untilMs }) => sum + Math.floor(untilMs / 1000) - Math.floor(fromMs / 1000), 0)
  const [well, sick] = [lives.filter(({ pod }) => pod.ready), lives.filter(({ pod }) => !pod.ready)]
  return { passed: asked(well), failed: asked(sick) }
}
