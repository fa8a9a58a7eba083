import type { Sample, Selector } from '../../sources/contract.ts'
import { recentGrowth } from '../counter-steps.ts'
import { label, type Series } from '../past.ts'
import { grouped, known, type Own, ratio, sum } from './grouped.ts'

const names = [
  'container_cpu_usage_seconds_total',
  'container_cpu_cfs_periods_total',
  'container_cpu_cfs_throttled_periods_total',
  'container_spec_cpu_quota',
  'container_spec_cpu_period',
  'container_memory_working_set_bytes',
  'container_spec_memory_limit_bytes',
  'container_oom_events_total',
  'container_fs_usage_bytes',
  'container_start_time_seconds',
]
const probes = 'prober_probe_total'

/** What a kubelet must be asked for. */
export const containerUseReads: readonly Selector[] = [...names, probes].map((name) => ({ name }))

const ofContainers = [{ label: 'container', op: '!=', value: '' }] as const

/** The part of it whose past tells what is new; groups of containers say nothing that these do not. */
export const containerUseRemembers: readonly Selector[] = [
  'container_cpu_usage_seconds_total',
  'container_cpu_cfs_periods_total',
  'container_cpu_cfs_throttled_periods_total',
  'container_memory_working_set_bytes',
].map((name) => ({ name, matchers: ofContainers }))

/** What a container really uses, as cAdvisor measures it: kube-state-metrics knows only what it may. */
export type ContainerUse = {
  namespace: string
  pod: string
  container: string
  cpuCores?: number
  cpuUsedRatio?: number
  /** Of its last five minutes' periods, the share in which it was held back at its limit. */
  throttledRatio?: number
  memoryBytes?: number
  memoryLimitBytes?: number
  memoryUsedRatio?: number
  outOfMemoryEvents?: number
  filesystemBytes?: number
  startedAtMs?: number
}

/** Outcomes of one probe of one container in the last five minutes; all counted since it began where it was read once. */
export type ProbeUse = {
  namespace: string
  pod: string
  container: string
  probe: 'Liveness' | 'Readiness' | 'Startup'
  failed: number
  succeeded: number
  over: 'five-minutes' | 'all-time'
}

/**
 * Only real containers: cAdvisor also counts pods and slices as wholes (no container), and each pod's sandbox (POD). One
 * that runs outside Kubernetes has a name and no pod.
 */
const keyOf = ({ labels }: Sample): Own['key'] | undefined => {
  const pod = label(labels, 'pod')
  const container = label(labels, pod === undefined ? 'name' : 'container')
  if (container === undefined || container === 'POD') return undefined
  return { namespace: labels['namespace'] ?? '', pod: pod ?? '', container }
}

const containerUse = ({ key, named, one, value, rate }: Own): ContainerUse => {
  const { namespace = '', pod = '', container = '' } = key
  // One series a processor where cAdvisor tells them apart, one with `cpu="total"` otherwise.
  const processors = named('container_cpu_usage_seconds_total')
  const whole = processors.filter(({ labels }) => (labels['cpu'] ?? 'total') === 'total')
  const rates = (whole.length > 0 ? whole.slice(0, 1) : processors).flatMap((sample) => rate(sample) ?? [])
  const cpuCores = rates.length > 0 ? rates.reduce((a, b) => a + b, 0) : undefined
  const cpuLimit = ratio(value('container_spec_cpu_quota'), value('container_spec_cpu_period'))
  const memoryBytes = value('container_memory_working_set_bytes')
  // 0 is how cAdvisor writes "no limit".
  const memoryLimitBytes = value('container_spec_memory_limit_bytes') || undefined
  const started = value('container_start_time_seconds')
  return known({
    namespace,
    pod,
    container,
    cpuCores,
    cpuUsedRatio: ratio(cpuCores, cpuLimit),
    throttledRatio: ratio(
      rate(one('container_cpu_cfs_throttled_periods_total')),
      rate(one('container_cpu_cfs_periods_total')),
    ),
    memoryBytes,
    memoryLimitBytes,
    memoryUsedRatio: ratio(memoryBytes, memoryLimitBytes),
    outOfMemoryEvents: value('container_oom_events_total'),
    filesystemBytes: sum(named('container_fs_usage_bytes').map((sample) => sample.value)),
    startedAtMs: started === undefined ? undefined : started * 1000,
  })
}

/** What the containers use of the node whose kubelet was read. */
export const containerUses = (series: Series): ContainerUse[] => grouped(series, names, keyOf).map(containerUse)

const isProbe = (text: string | undefined): text is ProbeUse['probe'] =>
  text === 'Liveness' || text === 'Readiness' || text === 'Startup'

/** How the kubelet's probes ended. */
export const probeUses = (series: Series): ProbeUse[] =>
  grouped(series, [probes], (sample) => {
    const key = keyOf(sample)
    return key && { ...key, probe: sample.labels['probe_type'] ?? '' }
  }).flatMap(({ key, named }): ProbeUse[] => {
    const { namespace = '', pod = '', container = '', probe } = key
    if (!isProbe(probe)) return []
    const of = (result: string) => named(probes).filter(({ labels }) => labels['result'] === result)
    const grown = named(probes).map((sample) => recentGrowth(series, sample))
    const isRecent = grown.every((one) => one !== undefined)
    const counted = (result: string) =>
      of(result).reduce((all, sample) => all + (isRecent ? (recentGrowth(series, sample)?.by ?? 0) : sample.value), 0)
    const over = isRecent ? 'five-minutes' : 'all-time'
    return [{ namespace, pod, container, probe, failed: counted('failed'), succeeded: counted('successful'), over }]
  })
