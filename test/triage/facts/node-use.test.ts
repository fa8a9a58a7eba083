import { expect, test } from '@jest/globals'
import { nodeUseReads, nodeUses } from '../../../triage/facts/node-use.ts'
import { readings, recorded, sharedTest } from './readings.ts'

sharedTest('the recorded node_exporter tells of load, memory, files, disks and network', async () => {
  const at = { kind: 'node', reads: nodeUseReads, labels: { node: 'n1' } }
  const [node, ...others] = nodeUses(await recorded('node_exporter/e2e-output.txt', at))
  expect(others).toEqual([])
  expect(node).toMatchObject({
    node: 'n1',
    cpus: 8,
    load: { one: 0.21, five: 0.37, fifteen: 0.39, onePerCpu: 0.21 / 8 },
    memoryTotalBytes: 3831959552,
    fileDescriptorsUsedRatio: 1024 / 1631329,
    bootedAtMs: 1418183276000,
  })
  expect(node?.swapUsedRatio).toBeCloseTo(1 - 3231088640 / 4294963200)
  expect(node?.disks.map(({ device }) => device)).toContain('sda')
  // One reading is no rate, and what cannot be told is not 0.
  expect(node).not.toHaveProperty('cpuBusyRatio')
  expect(node).not.toHaveProperty('oomKillsPerSecond')
})

const cpu = (idle: number, steal: number) =>
  [0, 1]
    .flatMap((n) => [
      `node_cpu_seconds_total{cpu="${n}",mode="idle"} ${idle}`,
      `node_cpu_seconds_total{cpu="${n}",mode="iowait"} 0`,
      `node_cpu_seconds_total{cpu="${n}",mode="steal"} ${steal}`,
      `node_cpu_seconds_total{cpu="${n}",mode="user"} ${100 - idle - steal}`,
    ])
    .join('\n')

test('two readings tell how busy the processors are', () => {
  const [node] = nodeUses(readings(cpu(0, 0), cpu(15, 6)))
  expect(node).toMatchObject({ cpus: 2, cpuBusyRatio: 0.75, cpuStealRatio: 0.1, ioWaitRatio: 0 })
})

test('two readings tell of traffic, errors, busy disks and processes killed for memory', () => {
  const text = (count: number) =>
    [
      `node_network_receive_bytes_total{device="eth0"} ${count * 600}`,
      `node_network_transmit_bytes_total{device="eth0"} ${count * 60}`,
      `node_network_receive_errs_total{device="eth0"} ${count}`,
      `node_network_transmit_errs_total{device="eth0"} ${count}`,
      `node_network_receive_bytes_total{device="lo"} ${count}`,
      `node_disk_io_time_seconds_total{device="sda"} ${count / 2}`,
      `node_vmstat_oom_kill ${count / 10}`,
    ].join('\n')
  expect(nodeUses(readings(text(0), text(60)))).toMatchObject([
    {
      network: [{ device: 'eth0', receiveBytesPerSecond: 600, transmitBytesPerSecond: 60, errorsPerSecond: 2 }],
      disks: [{ device: 'sda', busyRatio: 0.5 }],
      oomKillsPerSecond: 0.1,
    },
  ])
})

test('a full disk, its inodes and that it can only be read; what lives in memory is no disk', () => {
  const at = 'device="/dev/sda1",mountpoint="/",fstype="ext4"'
  const text = [
    `node_filesystem_size_bytes{${at}} 1000`,
    `node_filesystem_avail_bytes{${at}} 50`,
    `node_filesystem_files{${at}} 100`,
    `node_filesystem_files_free{${at}} 1`,
    `node_filesystem_readonly{${at}} 1`,
    'node_filesystem_size_bytes{device="tmpfs",mountpoint="/run",fstype="tmpfs"} 10',
  ].join('\n')
  const disk = { mountpoint: '/', device: '/dev/sda1', sizeBytes: 1000, usedRatio: 0.95, inodesUsedRatio: 0.99 }
  expect(nodeUses(readings(text))[0]?.filesystems).toEqual([{ ...disk, readOnly: true }])
})

test('machines are told apart by their labels', () => {
  const text = 'node_load1{instance="a:9100"} 1\nnode_load1{node="n2",instance="b:9100"} 2'
  expect(nodeUses(readings(text)).map(({ node, load }) => [node, load?.one])).toEqual([
    ['a:9100', 1],
    ['n2', 2],
  ])
})
