// What the kubelets and controllers wrote down lately, in their own words; an Event is kept for an hour.
import { type Pod, podAt } from './kubernetes.ts'
import type { Component } from './names.ts'
import { digest } from './random-names.ts'
import { brokenComponent, type FaultWindow, windowsAt } from './scenes.ts'
import { probeCounts, runsOf } from './usage.ts'
import type { World } from './world.ts'

const keptMs = 3_600_000
const time = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`

type About = { kind: 'Pod' | 'Deployment'; namespace: string; name: string; uid?: string; component: string }
type Told = {
  type: 'Warning' | 'Normal'
  reason: string
  message: string
  count: number
  firstMs: number
  lastMs: number
}

const event = (about: About, { type, reason, message, count, firstMs, lastMs }: Told) => {
  const { kind, namespace, name, uid, component } = about
  return {
    metadata: {
      name: `${name}.${digest(`${reason} ${name} ${firstMs}`, 16)}`,
      namespace,
      creationTimestamp: time(firstMs),
    },
    involvedObject: { kind, namespace, name, ...(uid && { uid }) },
    type,
    reason,
    message,
    count,
    firstTimestamp: time(firstMs),
    lastTimestamp: time(lastMs),
    source: { component },
  }
}
export type EventObject = ReturnType<typeof event>

const ofPod = ({ namespace, name, uid }: Pod): About => ({ kind: 'Pod', namespace, name, uid, component: 'kubelet' })

/** The kubelet's complaints about the pod of now: its probe while it ran, its back-off when it died. */
const complaints = (world: World, component: Component): EventObject[] => {
  const atMs = world.nowMs()
  const pod = podAt(world.story(), component, atMs)
  const [container] = pod.containers
  const sick = runsOf(world.story(), component, atMs).filter((run) => run.pod.name === pod.name && !run.pod.ready)
  const deaths = sick.filter(({ over }) => over)
  const [first, last] = [sick[0], sick.at(-1)]
  const { failed } = probeCounts(world.story(), component, atMs)
  if (container === undefined || first === undefined || last === undefined) return []
  const refused = `dial tcp ${pod.ip}:8080: connect: connection refused`
  const backOff = `Back-off restarting failed container ${container.name} in pod ${pod.name}_${pod.namespace}(${pod.uid})`
  const warn = (reason: string, message: string, at: { count: number; firstMs: number; lastMs: number }) =>
    event(ofPod(pod), { type: 'Warning', reason, message, ...at })
  return [
    ...(failed > 0
      ? [
          warn('Unhealthy', `Readiness probe failed: failed to connect service "${pod.ip}:8080": ${refused}`, {
            count: failed,
            firstMs: first.fromMs,
            lastMs: last.untilMs,
          }),
        ]
      : []),
    ...(deaths.length > 1
      ? [
          warn('BackOff', backOff, {
            count: deaths.length - 1,
            firstMs: deaths[0]?.untilMs ?? atMs,
            lastMs: deaths.at(-1)?.untilMs ?? atMs,
          }),
        ]
      : []),
  ]
}

/** What the Deployment did to its ReplicaSets in one rollout, and when it was undone. */
const scalings = (world: World, component: Component, window: FaultWindow): EventObject[] => {
  const { startedAtMs, endedAtMs } = window
  const setAt = (atMs: number) => podAt(world.story(), component, atMs).replicaSet
  const { namespace, workloads } = world.names
  const about: About = {
    kind: 'Deployment',
    namespace,
    name: workloads[component].deployment,
    component: 'deployment-controller',
  }
  const scaled = (atMs: number, what: string) =>
    event(about, {
      type: 'Normal',
      reason: 'ScalingReplicaSet',
      message: what,
      count: 1,
      firstMs: atMs,
      lastMs: atMs,
    })
  const change = (atMs: number, from: string, to: string) => [
    scaled(atMs, `Scaled up replica set ${to} from 0 to 1`),
    scaled(atMs, `Scaled down replica set ${from} from 1 to 0`),
  ]
  const [before, during] = [setAt(startedAtMs - 1), setAt(startedAtMs)]
  return [
    ...change(startedAtMs, before, during),
    ...(endedAtMs === undefined ? [] : change(endedAtMs, during, setAt(endedAtMs))),
  ]
}

/** Every Event of the last hour. */
export const eventsOf = (world: World): EventObject[] => {
  const component = brokenComponent(world.scene)
  if (component === undefined) return []
  const atMs = world.nowMs()
  const windows = windowsAt(world.story().windows, atMs)
  const rollouts = world.scene === 'voting-bad-rollout' ? windows.flatMap((one) => scalings(world, component, one)) : []
  return [...complaints(world, component), ...rollouts].filter(
    ({ lastTimestamp }) => Date.parse(lastTimestamp) > atMs - keptMs,
  )
}
