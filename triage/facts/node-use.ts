import type { Sample, Selector } from '../../sources/contract.ts'
import { label, type Series } from '../past.ts'
import { grouped, known, type Own, ratio, sum } from './grouped.ts'

const names = [
  'node_cpu_seconds_total',
  'node_load1',
  'node_load5',
  'node_load15',
  'node_memory_MemTotal_bytes',
  'node_memory_MemAvailable_bytes',
  'node_memory_SwapTotal_bytes',
  'node_memory_SwapFree_bytes',
  'node_vmstat_oom_kill',
  'node_filefd_allocated',
  'node_filefd_maximum',
  'node_filesystem_size_bytes',
  'node_filesystem_avail_bytes',
  'node_filesystem_files',
  'node_filesystem_files_free',
  'node_filesystem_readonly',
  'node_disk_io_time_seconds_total',
  'node_network_receive_bytes_total',
  'node_network_transmit_bytes_total',
  'node_network_receive_errs_total',
  'node_network_transmit_errs_total',
  'node_network_receive_drop_total',
  'node_network_transmit_drop_total',
  'node_boot_time_seconds',
]

/** What node_exporter must be asked for. */
export const nodeUseReads: readonly Selector[] = names.map((name) => ({ name }))

export type Filesystem = {
  mountpoint: string
  device: string
  sizeBytes?: number
  usedRatio?: number
  inodesUsedRatio?: number
  readOnly?: boolean
}
export type NetworkUse = {
  device: string
  receiveBytesPerSecond?: number
  transmitBytesPerSecond?: number
  errorsPerSecond?: number
  dropsPerSecond?: number
}

/** How one machine is used. A share of the processors needs two readings; what is unknown is left out. */
export type NodeUse = {
  node: string
  cpus?: number
  cpuBusyRatio?: number
  cpuStealRatio?: number
  ioWaitRatio?: number
  load?: { one: number; five?: number; fifteen?: number; onePerCpu?: number }
  memoryTotalBytes?: number
  memoryUsedRatio?: number
  swapUsedRatio?: number
  /** Processes killed for want of memory in the last five minutes, per second. */
  oomKillsPerSecond?: number
  fileDescriptorsUsedRatio?: number
  filesystems: Filesystem[]
  /** The share of time in which a disk was busy. */
  disks: { device: string; busyRatio?: number }[]
  network: NetworkUse[]
  bootedAtMs?: number
}

/** A node goes by the name its labels give it, else by where it was read. */
const keyOf = ({ labels }: Sample) => {
  const node = label(labels, 'node') ?? label(labels, 'nodename') ?? label(labels, 'instance')
  return { node: node ?? '' }
}

/** Kept in memory, made anew with each start, or one device seen twice: their fullness says nothing of a disk. */
const isDisk = ({ labels }: Sample): boolean =>
  !/^(?:tmpfs|devtmpfs|ramfs|overlay|squashfs|iso9660|nsfs|autofs|rootfs|efivarfs)$/.test(labels['fstype'] ?? '')

const isReal = ({ labels }: Sample): boolean =>
  !/^(?:lo|veth|cali|cni|docker|flannel|tunl)/.test(labels['device'] ?? '')

const same =
  (...keys: string[]) =>
  (sample: Sample) =>
  (other: Sample) =>
    keys.every((key) => other.labels[key] === sample.labels[key])

const filesystemsOf = ({ named }: Own): Filesystem[] =>
  named('node_filesystem_size_bytes')
    .filter(isDisk)
    .map((size): Filesystem => {
      const about = (name: string) => named(name).find(same('mountpoint', 'device')(size))?.value
      const used = (all: number | undefined, free: number | undefined) =>
        ratio(all === undefined || free === undefined ? undefined : all - free, all)
      const { mountpoint = '', device = '' } = size.labels
      const readOnly = about('node_filesystem_readonly')
      return known({
        mountpoint,
        device,
        sizeBytes: size.value,
        usedRatio: used(size.value, about('node_filesystem_avail_bytes')),
        inodesUsedRatio: used(about('node_filesystem_files'), about('node_filesystem_files_free')),
        readOnly: readOnly === undefined ? undefined : readOnly === 1,
      })
    })

const networkOf = ({ named, rate }: Own): NetworkUse[] =>
  named('node_network_receive_bytes_total')
    .filter(isReal)
    .map((received): NetworkUse => {
      const about = (name: string) => rate(named(`node_network_${name}_total`).find(same('device')(received)))
      return known({
        device: received.labels['device'] ?? '',
        receiveBytesPerSecond: rate(received),
        transmitBytesPerSecond: about('transmit_bytes'),
        errorsPerSecond: sum([about('receive_errs'), about('transmit_errs')]),
        dropsPerSecond: sum([about('receive_drop'), about('transmit_drop')]),
      })
    })

const cpuOf = ({ named, rate }: Own) => {
  const modes = named('node_cpu_seconds_total')
  const cpus = new Set(modes.map(({ labels }) => labels['cpu'])).size
  const share = (...wanted: string[]) => {
    const spent = modes.filter(({ labels }) => wanted.includes(labels['mode'] ?? '')).map(rate)
    return ratio(sum(spent), cpus)
  }
  const idle = share('idle', 'iowait')
  return {
    cpus: cpus || undefined,
    cpuBusyRatio: idle === undefined ? undefined : Math.min(1, Math.max(0, 1 - idle)),
    cpuStealRatio: share('steal'),
    ioWaitRatio: share('iowait'),
  }
}

const loadOf = ({ value }: Own, cpus: number | undefined): NodeUse['load'] => {
  const one = value('node_load1')
  if (one === undefined) return undefined
  return known({ one, five: value('node_load5'), fifteen: value('node_load15'), onePerCpu: ratio(one, cpus) })
}

const nodeUse = (own: Own): NodeUse => {
  const { value, rate, one, named } = own
  const used = (all: number | undefined, free: number | undefined) =>
    ratio(all === undefined || free === undefined ? undefined : all - free, all)
  const cpu = cpuOf(own)
  const total = value('node_memory_MemTotal_bytes')
  const booted = value('node_boot_time_seconds')
  return known({
    node: own.key['node'] ?? '',
    ...cpu,
    load: loadOf(own, cpu.cpus),
    memoryTotalBytes: total,
    memoryUsedRatio: used(total, value('node_memory_MemAvailable_bytes')),
    swapUsedRatio: used(value('node_memory_SwapTotal_bytes'), value('node_memory_SwapFree_bytes')),
    oomKillsPerSecond: rate(one('node_vmstat_oom_kill')),
    fileDescriptorsUsedRatio: ratio(value('node_filefd_allocated'), value('node_filefd_maximum')),
    filesystems: filesystemsOf(own),
    disks: named('node_disk_io_time_seconds_total').map((sample) =>
      known({ device: sample.labels['device'] ?? '', busyRatio: rate(sample) }),
    ),
    network: networkOf(own),
    bootedAtMs: booted === undefined ? undefined : booted * 1000,
  })
}

/** How the machines are used that a node_exporter was read of. */
export const nodeUses = (series: Series): NodeUse[] => grouped(series, names, keyOf).map(nodeUse)
