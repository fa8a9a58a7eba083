import { type Family, type Labels, writeFamilies } from './exposition-writer.ts'
import { nodeWorkingSet } from './kubelet.ts'
import { nodeCpuSeconds, nodeKills } from './usage.ts'
import type { World } from './world.ts'

type Row = readonly [labels: Labels, value: number]

const cpus = 8
const memoryBytes = 34_359_738_368
/** What the system itself takes of a node, its sidecars included. */
const systemCores = 0.45
const systemBytes = 6 * 1024 ** 3
const diskBytes = 100 * 1024 ** 3

const gauge = (name: string, ...rows: readonly Row[]): Family => familyOf(name, 'gauge', rows)
const counter = (name: string, ...rows: readonly Row[]): Family => familyOf(name, 'counter', rows)
const familyOf = (name: string, type: Family['type'], rows: readonly Row[]): Family => ({
  name,
  type,
  help: `${name.replaceAll('_', ' ')}.`,
  samples: rows.map(([labels, value]) => ({ name, labels, value })),
})

/** Its processors' time since it was booted, shared out evenly. */
const processors = (busySeconds: number, upSeconds: number): Row[] =>
  Array.from({ length: cpus }, (_, cpu): Row[] => {
    const busy = busySeconds / cpus
    const wait = upSeconds * 0.0008
    const of = (mode: string, value: number): Row => [{ cpu: String(cpu), mode }, value]
    return [
      of('idle', upSeconds - busy - wait),
      of('iowait', wait),
      of('steal', 0),
      of('system', busy * 0.3),
      of('user', busy * 0.7),
    ]
  }).flat()

const network = (upSeconds: number): Family[] => {
  const device = { device: 'eth0' }
  const total = (what: string, value: number) => counter(`node_network_${what}_total`, [device, value])
  return [
    total('receive_bytes', Math.floor(upSeconds * 21_000)),
    total('receive_drop', 0),
    total('receive_errs', 0),
    total('transmit_bytes', Math.floor(upSeconds * 34_000)),
    total('transmit_drop', 0),
    total('transmit_errs', 0),
  ]
}

const disk = (): Family[] => {
  const root = { device: '/dev/vda1', fstype: 'ext4', mountpoint: '/' }
  const one = (what: string, value: number) => gauge(`node_filesystem_${what}`, [root, value])
  return [
    one('avail_bytes', diskBytes * 0.62),
    one('files', 6_553_600),
    one('files_free', 6_101_044),
    one('readonly', 0),
    one('size_bytes', diskBytes),
  ]
}

/** What a node_exporter on this node would tell. */
export const nodeExporter = (world: World, node: { name: string; createdMs: number }): string => {
  const atMs = world.nowMs()
  const upSeconds = (atMs - node.createdMs) / 1000
  const busySeconds = upSeconds * systemCores + nodeCpuSeconds(world.story(), node.name, atMs)
  const single = (name: string, value: number) => gauge(name, [{}, value])
  return writeFamilies([
    single('node_boot_time_seconds', Math.floor(node.createdMs / 1000)),
    counter('node_cpu_seconds_total', ...processors(busySeconds, upSeconds)),
    counter('node_disk_io_time_seconds_total', [{ device: 'vda' }, upSeconds * 0.011]),
    single('node_filefd_allocated', 2_144),
    single('node_filefd_maximum', 2 ** 63),
    ...disk(),
    single('node_load1', 0.52),
    single('node_load15', 0.49),
    single('node_load5', 0.5),
    single('node_memory_MemAvailable_bytes', memoryBytes - systemBytes - nodeWorkingSet(world, node.name)),
    single('node_memory_MemTotal_bytes', memoryBytes),
    single('node_memory_SwapFree_bytes', 0),
    single('node_memory_SwapTotal_bytes', 0),
    ...network(upSeconds),
    counter('node_vmstat_oom_kill', [{}, nodeKills(world.story(), node.name, atMs)]),
  ])
}
