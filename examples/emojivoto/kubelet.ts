// What each kubelet serves below its address: cAdvisor's view of the containers, and how their probes end.
import { type Family, type Labels, writeFamilies } from './exposition-writer.ts'
import { type Container, cpuLimitCores, type Pod } from './kubernetes.ts'
import { digest } from './random-names.ts'
import { cpuSeconds, currentRun, memoryBytes, probeCounts, proxyCores, type Run, throttled } from './usage.ts'
import type { World } from './world.ts'

type Row = readonly [labels: Labels, value: number]
/** A container that runs now, with what it used since it was started. */
type Process = { pod: Pod; container: Container; startedMs: number; cpuSeconds: number; memoryBytes: number; run?: Run }

const idle: Omit<Run, 'pod'> = { fromMs: 0, untilMs: 0, over: false, grows: false }

const processesOf = (world: World, pod: Pod): Process[] => {
  const atMs = world.nowMs()
  return pod.containers.flatMap((container, index): Process[] => {
    const { now } = container.state
    if (now.kind !== 'running') return []
    const { component } = pod
    const run = index === 0 && component ? currentRun(world.story(), component, atMs) : undefined
    if (run && component) {
      const used = { cpuSeconds: cpuSeconds(component, run), memoryBytes: memoryBytes(container, run) }
      return [{ pod, container, startedMs: run.fromMs, ...used, run }]
    }
    const used = (proxyCores * (atMs - now.sinceMs)) / 1000
    return [
      {
        pod,
        container,
        startedMs: now.sinceMs,
        cpuSeconds: used,
        memoryBytes: memoryBytes(container, { ...idle, pod }),
      },
    ]
  })
}

const podsOn = (world: World, node: string): Pod[] =>
  world
    .cluster()
    .deployments.flatMap(({ pods }) => pods)
    .filter((pod) => pod.node === node)

/** The working sets of everything on a node. */
export const nodeWorkingSet = (world: World, node: string): number =>
  podsOn(world, node)
    .flatMap((pod) => processesOf(world, pod))
    .reduce((sum, one) => sum + one.memoryBytes, 0)

const labelsOf = ({ pod, container }: Process): Labels => ({
  container: container.name,
  id: `/kubepods.slice/kubepods-burstable.slice/cri-containerd-${digest(`${pod.uid} ${container.name} ${container.state.restarts}`, 64)}.scope`,
  image: container.image,
  name: digest(`${pod.uid} ${container.name} ${container.state.restarts}`, 64),
  namespace: pod.namespace,
  pod: pod.name,
})

const cadvisor = (processes: readonly Process[]): Family[] => {
  const family = (
    name: string,
    type: Family['type'],
    rows: (one: Process, labels: Labels) => readonly Row[],
  ): Family => ({
    name,
    type,
    help: `${name.replaceAll('_', ' ')}.`,
    samples: processes.flatMap((one) => rows(one, labelsOf(one)).map(([labels, value]) => ({ name, labels, value }))),
  })
  const periods = (one: Process) => (one.run ? throttled(one.run) : { periods: 0, throttled: 0 })
  return [
    family('container_cpu_cfs_periods_total', 'counter', (one, labels) => [[labels, periods(one).periods]]),
    family('container_cpu_cfs_throttled_periods_total', 'counter', (one, labels) => [[labels, periods(one).throttled]]),
    family('container_cpu_usage_seconds_total', 'counter', (one, labels) => [
      [{ ...labels, cpu: 'total' }, one.cpuSeconds],
    ]),
    family('container_memory_working_set_bytes', 'gauge', (one, labels) => [[labels, one.memoryBytes]]),
    family('container_spec_cpu_period', 'gauge', (_, labels) => [[labels, 100_000]]),
    family('container_spec_cpu_quota', 'gauge', (_, labels) => [[labels, cpuLimitCores * 100_000]]),
    family('container_spec_memory_limit_bytes', 'gauge', ({ container }, labels) => [
      [labels, container.memoryLimitBytes],
    ]),
    family('container_start_time_seconds', 'gauge', ({ startedMs }, labels) => [[labels, startedMs / 1000]]),
  ]
}

/** Only programs that somebody calls have a probe. */
const probes = (world: World, pods: readonly Pod[]): Family[] => {
  const name = 'prober_probe_total'
  const samples = pods.flatMap(({ component, containers: [container], namespace, name: pod, uid }) => {
    if (component === undefined || component === 'bot' || container === undefined) return []
    const { passed, failed } = probeCounts(world.story(), component, world.nowMs())
    const labels = { container: container.name, namespace, pod, pod_uid: uid, probe_type: 'Readiness' }
    const counted = (result: string, value: number) =>
      value > 0 ? [{ name, labels: { ...labels, result }, value }] : []
    return [...counted('failed', failed), ...counted('successful', passed)]
  })
  return [{ name, type: 'counter', help: 'Cumulative number of a probe for a container by result.', samples }]
}

/** What the kubelet of a node answers under a path; undefined where it serves nothing. */
export const kubelet = (world: World, node: string, path: string): string | undefined => {
  const pods = podsOn(world, node)
  if (path === '/metrics/cadvisor') return writeFamilies(cadvisor(pods.flatMap((pod) => processesOf(world, pod))))
  return path === '/metrics/probes' ? writeFamilies(probes(world, pods)) : undefined
}
