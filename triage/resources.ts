import type { Sample } from '../sources/contract.ts'
import type { Accused, Answer } from './contract.ts'
import { recentGrowth } from './counter-steps.ts'
import type { ContainerUse } from './facts/container-use.ts'
import type { NodeUse } from './facts/node-use.ts'
import type { ProcessUse } from './facts/process-use.ts'
import { accusedOf, type Placed } from './involved.ts'
import { logOwner } from './log-owner.ts'
import { growthSince, type Series, sinceWhen } from './past.ts'
import type { ClueKind } from './suspects.ts'
import { isOld, type Times } from './troubles.ts'
import { memory, percent } from './wording.ts'

/** Something that is used up, or nearly. `bad` is what stops work, `suspicious` what may slow it. */
export type Pressure = {
  about: Accused
  service?: string
  /** Absent where somebody else accuses for it already. */
  kind?: ClueKind
  verdict: Extract<Answer['verdict'], 'bad' | 'suspicious'>
  says: string
  atMs?: number
  /** It was so before the incident. */
  longStanding: boolean
}

/** At these shares of a limit there is something to say. */
const nearLimit = 0.9
const fullDisk = 0.97
const heldBack = 0.25
/** Ten seconds of scheduling periods: fewer say little of how it goes. */
const periodsEnough = 100
const tooMuchLoadPerCpu = 2
const tooFewIdle = 0.95
const stolen = 0.1
const errorsPerSecond = 1

const isAt =
  (use: Pick<ContainerUse, 'namespace' | 'pod' | 'container'>) =>
  ({ labels }: Sample) =>
    labels['namespace'] === use.namespace && labels['pod'] === use.pod && labels['container'] === use.container

/** Of the periods that were counted until the incident, the share in which it was held back; undefined where none were. */
const heldBackBefore = (series: Series, use: ContainerUse, { sinceMs }: Times): number | undefined => {
  const grown = (name: string) => {
    const sample = series.named(name).find(isAt(use))
    return (
      sample &&
      growthSince(
        series.points(sample).filter(({ atMs }) => atMs <= sinceMs),
        0,
      )?.by
    )
  }
  const [held, all] = [grown('container_cpu_cfs_throttled_periods_total'), grown('container_cpu_cfs_periods_total')]
  return held === undefined || !all ? undefined : held / all
}

/** Which of the placed workloads a pod is of, told by its name. */
export const workloadOf = (placed: readonly Placed[], at: { namespace: string; pod: string }): Placed | undefined => {
  const near = placed.filter(({ namespace }) => namespace === at.namespace)
  const owner = logOwner(
    { pod: at.pod },
    near.map(({ workload }) => workload),
  )
  return owner.known ? near.find(({ workload }) => workload === owner.name) : undefined
}

const containerPressure = (series: Series, use: ContainerUse, at: { placed: Placed; times: Times }): Pressure[] => {
  const { placed, times } = at
  const base = { about: accusedOf(placed), service: placed.service, verdict: 'suspicious' as const }
  const { memoryUsedRatio = 0, throttledRatio = 0, cpuUsedRatio = 0, memoryBytes = 0, memoryLimitBytes = 0 } = use
  const sample = series.named('container_memory_working_set_bytes').find(isAt(use))
  const full = sample && sinceWhen(series, sample, (value) => value >= nearLimit * memoryLimitBytes)
  const before = heldBackBefore(series, use, times)
  const periods = series.named('container_cpu_cfs_periods_total').find(isAt(use))
  const isTold = ((periods && recentGrowth(series, periods)?.by) ?? 0) >= periodsEnough
  return [
    ...(memoryUsedRatio >= nearLimit
      ? [
          {
            ...base,
            kind: 'near-memory-limit' as const,
            says: `container ${use.container} uses ${memory(memoryBytes)} of its ${memory(memoryLimitBytes)} of memory (${percent(memoryUsedRatio)})`,
            longStanding: full !== undefined && isOld(full, times),
          },
        ]
      : []),
    ...(isTold && throttledRatio >= heldBack
      ? [
          {
            ...base,
            kind: 'cpu-throttled' as const,
            says: `container ${use.container} is held back at its processor limit in ${percent(throttledRatio)} of its periods${before === undefined ? '' : `, before the incident in ${percent(before)}`}`,
            longStanding: before !== undefined && before * 2 >= throttledRatio,
          },
        ]
      : cpuUsedRatio >= nearLimit
        ? [
            {
              ...base,
              says: `container ${use.container} uses ${percent(cpuUsedRatio)} of its processor limit`,
              longStanding: false,
            },
          ]
        : []),
  ]
}

/** What the involved containers are short of. */
export const containerPressures = (
  series: Series,
  uses: readonly ContainerUse[],
  at: { placed: readonly Placed[]; times: Times },
): Pressure[] =>
  uses.flatMap((use) => {
    const placed = workloadOf(at.placed, use)
    return placed ? containerPressure(series, use, { placed, times: at.times }) : []
  })

/** What one process is short of: descriptors, which are also its connections. */
export const processPressures = (use: ProcessUse, placed: Placed): Pressure[] => {
  const { fileDescriptorsUsedRatio: share = 0, openFileDescriptors = 0 } = use
  if (share < nearLimit) return []
  return [
    {
      about: accusedOf(placed),
      service: placed.service,
      kind: 'out-of-file-descriptors',
      verdict: share >= fullDisk ? 'bad' : 'suspicious',
      says: `${placed.workload} has ${openFileDescriptors} files and connections open, ${percent(share)} of what it may`,
      longStanding: false,
    },
  ]
}

type Shortage = Pick<Pressure, 'verdict' | 'says'>

const diskShortages = ({ filesystems }: NodeUse): Shortage[] =>
  filesystems.flatMap(({ mountpoint, usedRatio = 0, inodesUsedRatio = 0, readOnly }): Shortage[] => [
    ...(readOnly === true ? [{ verdict: 'bad' as const, says: `${mountpoint} is read-only` }] : []),
    ...[
      { share: usedRatio, what: '' },
      { share: inodesUsedRatio, what: ' of inodes' },
    ]
      .filter(({ share }) => share >= nearLimit)
      .map(({ share, what }): Shortage => {
        const verdict = share >= fullDisk ? 'bad' : 'suspicious'
        return { verdict, says: `${mountpoint} is ${percent(share)} full${what}` }
      }),
  ])

const shortagesOf = (use: NodeUse): Shortage[] => {
  const { load, cpuBusyRatio = 0, cpuStealRatio = 0, memoryUsedRatio = 0, fileDescriptorsUsedRatio = 0 } = use
  const perCpu = load?.onePerCpu ?? 0
  const slow = (holds: boolean, says: string): Shortage[] => (holds ? [{ verdict: 'suspicious', says }] : [])
  return [
    ...diskShortages(use),
    ...slow(cpuBusyRatio >= tooFewIdle, `its processors are busy ${percent(cpuBusyRatio)} of the time`),
    ...slow(cpuStealRatio >= stolen, `${percent(cpuStealRatio)} of its processor time is taken by other machines`),
    ...slow(perCpu >= tooMuchLoadPerCpu, `its load average is ${load?.one}, ${Number(perCpu.toFixed(1))} a processor`),
    ...slow(memoryUsedRatio >= tooFewIdle, `${percent(memoryUsedRatio)} of its memory is used`),
    ...slow(
      (use.oomKillsPerSecond ?? 0) > 0,
      'its kernel killed a process for want of memory in the last five minutes',
    ),
    ...slow(
      fileDescriptorsUsedRatio >= nearLimit,
      `${percent(fileDescriptorsUsedRatio)} of its file descriptors are open`,
    ),
    ...use.network.flatMap(({ device, errorsPerSecond: errors = 0, dropsPerSecond: drops = 0 }) =>
      slow(
        errors + drops >= errorsPerSecond,
        `${device} loses ${Number((errors + drops).toFixed(1))} packets a second`,
      ),
    ),
  ]
}

/** What a node under the involved pods is short of. */
export const nodePressures = (use: NodeUse, cluster: string): Pressure[] =>
  shortagesOf(use).map(({ verdict, says }) => ({
    about: { kind: 'node', cluster, name: use.node },
    kind: 'node-exhausted',
    verdict,
    says: `node ${use.node}: ${says}`,
    longStanding: false,
  }))
