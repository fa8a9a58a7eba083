import type { Sample } from '../sources/contract.ts'
import { growthSince, type Series, sinceWhen } from './past.ts'
import type { ClueKind } from './suspects.ts'
import { clock, count, memory } from './wording.ts'
import { type Container, livePods, type Pod, type Town, type Workload } from './workloads.ts'

/** Something wrong with a workload or its pods, with the clue it is. */
export type Trouble = {
  kind: ClueKind
  says: string
  /** In a few words, for a headline: `CrashLoopBackOff (exit 1), 4 restarts since 06:30:12 UTC`. */
  brief: string
  /** What the pods do, for a sentence about their rollout: `crash (exit 1)`. */
  podsDo?: string
  atMs?: number
  /** It was so before the incident began. */
  longStanding: boolean
  /** Names of the pods that have it; empty for trouble of the whole workload. */
  pods: string[]
}

export type Times = { sinceMs: number; nowMs: number }

/** A cause may begin this long before the outside notices; what was so even earlier is no news. */
export const leadMs = 5 * 60_000

const imageReasons = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
])
const configReasons = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreStartHookError',
  'PostStartHookError',
  'StartError',
  'ContainerCannotRun',
])
const startingReasons = new Set(['ContainerCreating', 'PodInitializing'])
/** Starting is slow when it takes longer than this. */
const slowStartMs = 2 * 60_000

/** Old is what began too early, or what the window found so, before the incident, when it began to watch. */
export const isOld = (run: { atMs: number; seenToBegin: boolean }, { sinceMs }: Times): boolean =>
  run.atMs < sinceMs - leadMs || (!run.seenToBegin && run.atMs < sinceMs)

type Restarts = { by: number; firstAtMs?: number } | 'unknown'

/** Restarts since shortly before the incident: a restart of last week is no evidence. */
export const recentRestarts = (series: Series, pod: Pod, container: Container, times: Times): Restarts => {
  const fromMs = times.sinceMs - leadMs
  if (!container.restarts || container.restarts.value === 0) return { by: 0 }
  const { atMs: exitAtMs } = container.lastExit
  if (exitAtMs !== undefined && exitAtMs < fromMs) return { by: 0 }
  const growth = growthSince(series.points(container.restarts), fromMs, pod.createdAtMs)
  if (!growth) return exitAtMs === undefined ? 'unknown' : { by: 1, firstAtMs: exitAtMs }
  return growth
}

/** Was it crashing before the incident too: waiting in back-off, or restarting, while the window already watched? */
const crashedBefore = (series: Series, container: Container, times: Times): boolean => {
  const untilMs = times.sinceMs - leadMs
  const waited =
    container.waiting?.reason === 'CrashLoopBackOff' &&
    series.points(container.waiting.series).some(({ atMs }) => atMs < untilMs)
  const earlier = container.restarts ? series.points(container.restarts).filter(({ atMs }) => atMs < untilMs) : []
  return waited || (growthSince(earlier, 0)?.by ?? 0) > 0 || backOffSaysOld(container, times)
}

/**
 * The kubelet's back-off doubles from 10 s to 5 min, so many restarts take their time: 10 cannot be younger than about
 * 25 minutes. True when this container's restarts cannot all have happened since the incident began, and it still waits.
 */
const backOffSaysOld = ({ waiting, restarts }: Container, { sinceMs, nowMs }: Times): boolean => {
  if (waiting?.reason !== 'CrashLoopBackOff' || !restarts) return false
  let leastMs = 0
  for (let n = 0; n < Math.min(restarts.value, 1000); n += 1) leastMs += Math.min(10_000 * 2 ** n, 300_000)
  return leastMs * 0.9 > nowMs - sinceMs + 15 * 60_000
}

const exitText = ({ lastExit: { code, reason } }: Container): string => {
  if (code === 137 && reason !== 'OOMKilled') return 'killed, exit 137'
  if (code !== undefined) return `exit ${code}`
  return reason && reason !== 'Error' ? reason : ''
}

type Crash = { pod: Pod; container: Container; restarts: Restarts; old: boolean }

const crashOf = (series: Series, pod: Pod, container: Container, times: Times): Crash | undefined => {
  const restarts = recentRestarts(series, pod, container, times)
  const loops = container.waiting?.reason === 'CrashLoopBackOff'
  const grew = restarts !== 'unknown' && restarts.by > 0
  if (loops || grew) return { pod, container, restarts, old: crashedBefore(series, container, times) }
  // It lies dead and was not restarted yet: the first scrape after a crash sees just that.
  const run = container.dead && sinceWhen(series, container.dead, (value) => value === 1)
  if (!run) return undefined
  return { pod, container, restarts: { by: 0, firstAtMs: run.atMs }, old: isOld(run, times) }
}

/** One restart of one container that runs again is not yet a crash loop. */
const crashKind = (crashes: readonly Crash[], total: number): ClueKind => {
  if (total === 0 && !crashes.some(({ container }) => container.dead)) return 'crash-of-unknown-age'
  if (crashes.some(({ container }) => container.lastExit.reason === 'OOMKilled')) return 'out-of-memory'
  return total === 1 && crashes.every(({ container }) => container.ready) ? 'restarted-once' : 'crash-loop'
}

const crashTrouble = (crashes: readonly Crash[], times: Times): Trouble | undefined => {
  const [first] = crashes
  if (!first) return undefined
  const known = crashes.flatMap(({ restarts }) => (restarts === 'unknown' ? [] : [restarts]))
  const total = known.reduce((sum, { by }) => sum + by, 0)
  const starts = known.flatMap(({ firstAtMs }) => firstAtMs ?? [])
  const exits = crashes.flatMap(({ container }) => container.lastExit.atMs ?? [])
  const atMs =
    starts.length > 0 ? Math.min(...starts, ...exits.filter((at) => at >= times.sinceMs - leadMs)) : undefined
  const when = atMs === undefined ? '' : ` since ${clock(atMs, times.nowMs)}`
  const dead = crashes.some(({ container }) => container.dead) ? `, not restarted yet${when}` : undefined
  const restarted = total > 0 ? `, ${count(total, 'restart')}${when}` : (dead ?? ', when it restarted is not known')
  const outOfMemory = crashes.find(({ container }) => container.lastExit.reason === 'OOMKilled')
  const shown = outOfMemory ?? first
  const exit = exitText(shown.container)
  const limit = shown.container.memoryLimitBytes
  const waits = shown.container.waiting?.reason === 'CrashLoopBackOff' ? 'CrashLoopBackOff' : 'crashes'
  const brief = outOfMemory ? 'out of memory' : `${waits}${exit && ` (${exit})`}`
  const what = outOfMemory
    ? `container ${shown.container.name} out of memory${limit ? ` (limit ${memory(limit)})` : ''}`
    : `container ${shown.container.name} ${total <= 1 ? 'crashed' : 'crashes again and again'}${exit && ` (${exit})`}`
  return {
    kind: crashKind(crashes, total),
    says: `${what}${restarted}`,
    brief: `${brief}${restarted}`,
    podsDo: outOfMemory ? 'run out of memory' : `crash${exit && ` (${exit})`}`,
    longStanding: crashes.every(({ old }) => old),
    pods: crashes.map(({ pod }) => pod.name),
    ...(atMs !== undefined && { atMs }),
  }
}

/**
 * Since when a pod waits. What stops a pod at its start began with the pod, unless the window saw it begin later: a
 * window sees things only at its next scrape.
 */
const waitBegan = (series: Series, sample: Sample, context: { pod: Pod; times: Times }) => {
  const { pod, times } = context
  const run = sinceWhen(series, sample, (value) => value === 1)
  const seenAtMs = run?.atMs ?? times.nowMs
  const young = (pod.createdAtMs ?? 0) >= times.sinceMs - leadMs
  const atMs = run?.seenToBegin && !young ? seenAtMs : Math.min(pod.createdAtMs ?? seenAtMs, seenAtMs)
  return { atMs, old: atMs < times.sinceMs - leadMs }
}

type Waiting = { pod: Pod; container: Container; reason: string; atMs: number; old: boolean }

const waitingTrouble = (waits: readonly Waiting[], kind: ClueKind, what: (one: Waiting) => string): Trouble[] => {
  const [first] = waits
  if (!first) return []
  const atMs = Math.min(...waits.map((one) => one.atMs))
  return [
    {
      kind,
      says: what(first),
      brief: first.reason,
      podsDo: `do not start (${first.reason})`,
      atMs,
      longStanding: waits.every(({ old }) => old),
      pods: waits.map(({ pod }) => pod.name),
    },
  ]
}

const waitingTroubles = (series: Series, pods: readonly Pod[], times: Times): Trouble[] => {
  const waits = pods.flatMap((pod) =>
    pod.containers.flatMap((container): Waiting[] => {
      if (!container.waiting) return []
      const { reason, series: sample } = container.waiting
      const { atMs, old } = waitBegan(series, sample, { pod, times })
      return [{ pod, container, reason, atMs, old }]
    }),
  )
  const of = (reasons: ReadonlySet<string>) => waits.filter(({ reason }) => reasons.has(reason))
  const slow = of(startingReasons).filter(({ pod }) => times.nowMs - (pod.createdAtMs ?? times.nowMs) > slowStartMs)
  const image = ({ container }: Waiting) => container.image ?? `of container ${container.name}`
  return [
    ...waitingTrouble(of(imageReasons), 'image-pull', (one) => `cannot pull image ${image(one)} (${one.reason})`),
    ...waitingTrouble(
      of(configReasons),
      'container-config',
      (one) =>
        `container ${one.container.name} cannot be created (${one.reason}): a Secret, ConfigMap or command it needs is missing or wrong`,
    ),
    ...waitingTrouble(
      slow,
      'stuck-starting',
      (one) => `${one.pod.name} does not get past ${one.reason}: a volume, the network or an init container`,
    ),
  ]
}

const asksFor = (town: Town, pod: Pod): string => {
  const requests = town.series
    .named('kube_pod_container_resource_requests')
    .filter(({ labels }) => labels['namespace'] === pod.namespace && labels['pod'] === pod.name)
  const sum = (resource: string) =>
    requests.filter(({ labels }) => labels['resource'] === resource).reduce((total, { value }) => total + value, 0)
  const parts = [
    ...(sum('cpu') > 0 ? [`${Number(sum('cpu').toFixed(3))} CPU`] : []),
    ...(sum('memory') > 0 ? [memory(sum('memory'))] : []),
  ]
  return parts.length > 0 ? ` (it asks for ${parts.join(' and ')})` : ''
}

const unboundClaims = (town: Town, pod: Pod): string[] =>
  town.series
    .named('kube_pod_spec_volumes_persistentvolumeclaims_info')
    .filter(({ labels }) => labels['namespace'] === pod.namespace && labels['pod'] === pod.name)
    .flatMap(({ labels }) => labels['persistentvolumeclaim'] ?? [])
    .filter((claim) =>
      town.series
        .named('kube_persistentvolumeclaim_status_phase')
        .some(
          (one) =>
            one.value === 1 &&
            one.labels['namespace'] === pod.namespace &&
            one.labels['persistentvolumeclaim'] === claim,
        ),
    )

const unschedulableTrouble = (town: Town, pods: readonly Pod[], times: Times): Trouble[] => {
  const stuck = pods.flatMap((pod) =>
    pod.unschedulable ? [{ pod, ...waitBegan(town.series, pod.unschedulable, { pod, times }) }] : [],
  )
  const [first] = stuck
  if (!first) return []
  const claims = unboundClaims(town, first.pod)
  const why = claims.length > 0 ? `: its volume claim ${claims.join(', ')} is not bound` : asksFor(town, first.pod)
  return [
    {
      kind: 'unschedulable',
      says: `${count(stuck.length, 'pod')} cannot be scheduled, no node takes ${first.pod.name}${why}`,
      brief: 'cannot be scheduled',
      podsDo: 'cannot be scheduled',
      atMs: Math.min(...stuck.map(({ atMs }) => atMs)),
      longStanding: stuck.every(({ old }) => old),
      pods: stuck.map(({ pod }) => pod.name),
    },
  ]
}

const evictedTrouble = (series: Series, workload: Workload, times: Times): Trouble[] => {
  const fromMs = times.sinceMs - leadMs
  const recent = workload.pods.flatMap((pod) => {
    if (!pod.evicted) return []
    const failed = pod.failed && sinceWhen(series, pod.failed, (value) => value === 1)
    if (failed?.seenToBegin && failed.atMs >= fromMs) return [{ pod, atMs: failed.atMs }]
    // It came and went between two scrapes, or the window does not know it: its creation must speak.
    return (pod.createdAtMs ?? 0) >= fromMs ? [{ pod, atMs: pod.createdAtMs ?? fromMs }] : []
  })
  if (recent.length === 0) return []
  const nodes = new Set(recent.map(({ pod }) => pod.node))
  return [
    {
      kind: 'evicted',
      says: `${count(recent.length, 'pod')} evicted from ${count(nodes.size, 'node')} since ${clock(Math.min(...recent.map(({ atMs }) => atMs)), times.nowMs)}`,
      brief: `${count(recent.length, 'pod')} evicted`,
      podsDo: 'get evicted',
      atMs: Math.min(...recent.map(({ atMs }) => atMs)),
      longStanding: false,
      pods: recent.map(({ pod }) => pod.name),
    },
  ]
}

/** What is wrong with the workload's pods, as kube-state-metrics tells it. */
export const podTroubles = (town: Town, workload: Workload, times: Times): Trouble[] => {
  const pods = livePods(workload)
  const crashes = pods.flatMap((pod) =>
    pod.containers.flatMap((container) => crashOf(town.series, pod, container, times) ?? []),
  )
  const crash = crashTrouble(crashes, times)
  return [
    ...(crash ? [crash] : []),
    ...waitingTroubles(town.series, pods, times),
    ...unschedulableTrouble(town, pods, times),
    ...evictedTrouble(town.series, workload, times),
  ]
}
