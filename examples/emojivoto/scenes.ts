// What happens in each scene, as pure functions of the fault windows and the time: every part of the town that asks
// gets the same answer, so the metrics, the logs and the answers of the programs cannot contradict each other.
import type { Component } from './names.ts'

export const sceneNames = ['healthy', 'doughnut', 'emoji-oom', 'voting-bad-rollout', 'web-cert-expired'] as const
export type SceneName = (typeof sceneNames)[number]

/** When the fault was on; still on while `endedAtMs` is absent. */
export type FaultWindow = { startedAtMs: number; endedAtMs?: number }

export type Death = { reason: string; exitCode: number }
export type Termination = Death & { startedAtMs: number; finishedAtMs: number }
export type ContainerState = {
  now:
    | { kind: 'running'; sinceMs: number }
    | { kind: 'waiting'; reason: string }
    | { kind: 'terminated'; termination: Termination }
  restarts: number
  /** The termination before the state it is in now, as Kubernetes keeps it. */
  last?: Termination
  ready: boolean
}

export type ProcessEvent = { atMs: number; kind: 'start' | 'crash' }

/** The program that cannot serve while the fault is on; the other scenes break no program. */
export const brokenComponent = (scene: SceneName): Component | undefined =>
  ({
    healthy: undefined,
    doughnut: undefined,
    'emoji-oom': 'emoji' as const,
    'voting-bad-rollout': 'voting' as const,
    'web-cert-expired': undefined,
  })[scene]

export const outOfMemory: Death = { reason: 'OOMKilled', exitCode: 137 }
export const failedStart: Death = { reason: 'Error', exitCode: 1 }

/** From its start until the kernel kills it. */
const outOfMemoryAfterMs = 1_500
/** From the rollout until the new container starts, and from its start until it gives up. */
export const pullImageMs = 1_000
const failedStartAfterMs = 500

const showsTerminatedMs = 1_000
/** The kubelet's back-off: at once, then 10 s, doubled up to five minutes. */
const restartDelayMs = (crash: number): number =>
  crash === 1 ? showsTerminatedMs : Math.min(10_000 * 2 ** (crash - 2), 300_000)

/** Windows as they were known at `atMs`. One that was over in the same millisecond never touched a process. */
export const windowsAt = (windows: readonly FaultWindow[], atMs: number): FaultWindow[] =>
  windows
    .filter(({ startedAtMs, endedAtMs }) => startedAtMs <= atMs && startedAtMs !== endedAtMs)
    .map(({ startedAtMs, endedAtMs }) =>
      endedAtMs === undefined || endedAtMs > atMs ? { startedAtMs } : { startedAtMs, endedAtMs },
    )

export const isOn = (windows: readonly FaultWindow[], atMs: number): boolean =>
  windowsAt(windows, atMs).some(({ endedAtMs }) => endedAtMs === undefined)

const crashLoop = (firstCrashMs: number, livesMs: number, beforeMs: number): ProcessEvent[] => {
  const events: ProcessEvent[] = []
  let crashMs = firstCrashMs
  for (let crash = 1; crashMs < beforeMs; crash += 1) {
    events.push({ atMs: crashMs, kind: 'crash' })
    const startMs = crashMs + restartDelayMs(crash)
    if (startMs < beforeMs) events.push({ atMs: startMs, kind: 'start' })
    crashMs = startMs + livesMs
  }
  return events
}

const untilMs = ({ endedAtMs }: FaultWindow, atMs: number): number => Math.min(atMs + 1, endedAtMs ?? Infinity)

/** A container that is killed again and again while the fault is on, and starts well when it ends. */
export const outOfMemoryEvents = (bornMs: number, windows: readonly FaultWindow[], atMs: number): ProcessEvent[] => [
  { atMs: bornMs, kind: 'start' },
  ...windowsAt(windows, atMs).flatMap((window) => [
    ...crashLoop(window.startedAtMs, outOfMemoryAfterMs, untilMs(window, atMs)),
    ...(window.endedAtMs === undefined ? [] : [{ atMs: window.endedAtMs, kind: 'start' as const }]),
  ]),
]

/** The container of the rolled-out version in one window. */
export const failedStartEvents = (window: FaultWindow, atMs: number): ProcessEvent[] => {
  const startMs = window.startedAtMs + pullImageMs
  const beforeMs = untilMs(window, atMs)
  if (startMs >= beforeMs) return []
  return [{ atMs: startMs, kind: 'start' }, ...crashLoop(startMs + failedStartAfterMs, failedStartAfterMs, beforeMs)]
}

const terminations = (events: readonly ProcessEvent[], death: Death): Termination[] =>
  events.flatMap(({ atMs, kind }, index) =>
    kind === 'crash' ? [{ ...death, startedAtMs: events[index - 1]?.atMs ?? atMs, finishedAtMs: atMs }] : [],
  )

/** What Kubernetes says of a container with this history. `ready`: whether one that runs answers its readiness probe. */
export const containerState = (
  events: readonly ProcessEvent[],
  { death, ready, atMs }: { death: Death; ready: boolean; atMs: number },
): ContainerState => {
  const latest = events.at(-1)
  if (latest === undefined) {
    return { now: { kind: 'waiting', reason: 'ContainerCreating' }, restarts: 0, ready: false }
  }
  const restarts = events.filter(({ kind }) => kind === 'start').length - 1
  const died = terminations(events, death)
  const newest = died.at(-1)
  const kept = (last: Termination | undefined): { last?: Termination } => (last === undefined ? {} : { last })
  if (latest.kind === 'start' || newest === undefined) {
    return { now: { kind: 'running', sinceMs: latest.atMs }, restarts, ready, ...kept(newest) }
  }
  if (atMs < latest.atMs + showsTerminatedMs) {
    return { now: { kind: 'terminated', termination: newest }, restarts, ready: false, ...kept(died.at(-2)) }
  }
  return { now: { kind: 'waiting', reason: 'CrashLoopBackOff' }, restarts, ready: false, ...kept(newest) }
}
