import { describe, expect, test } from '@jest/globals'
import { containerUseReads, containerUses, probeUses } from '../../../triage/facts/container-use.ts'
import { readings, recorded, sharedTest } from './readings.ts'

sharedTest('the recorded cAdvisor tells what its container uses', async () => {
  const at = { kind: 'app', reads: containerUseReads, atMs: 1395066363000 + 15_000 }
  const series = await recorded('cadvisor/lib/metrics/testdata/prometheus_metrics', at)
  expect(containerUses(series)).toEqual([
    {
      namespace: '',
      pod: '',
      container: 'testcontaineralias',
      memoryBytes: 9,
      outOfMemoryEvents: 0,
      filesystemBytes: 61,
      startedAtMs: 1257895000000,
    },
  ])
})

const own = 'namespace="shop",pod="cart-1",container="cart"'
const used = (seconds: number, more = '') =>
  [
    `container_cpu_usage_seconds_total{${own},cpu="total"} ${seconds}`,
    `container_cpu_usage_seconds_total{namespace="shop",pod="cart-1",container="",cpu="total"} ${seconds * 2}`,
    `container_cpu_usage_seconds_total{namespace="shop",pod="cart-1",container="POD",cpu="total"} 1`,
    `container_cpu_cfs_periods_total{${own}} ${seconds * 10}`,
    `container_cpu_cfs_throttled_periods_total{${own}} ${seconds * 4}`,
    `container_spec_cpu_quota{${own}} 50000`,
    `container_spec_cpu_period{${own}} 100000`,
    `container_memory_working_set_bytes{${own}} 900`,
    more,
  ].join('\n')

describe('a container', () => {
  test('is compared with its limits; pods as wholes and sandboxes are none', () => {
    const limit = `container_spec_memory_limit_bytes{${own}} 1000`
    expect(containerUses(readings(used(0, limit), used(24, limit)))).toEqual([
      {
        namespace: 'shop',
        pod: 'cart-1',
        container: 'cart',
        cpuCores: 0.4,
        cpuUsedRatio: 0.8,
        throttledRatio: 0.4,
        memoryBytes: 900,
        memoryLimitBytes: 1000,
        memoryUsedRatio: 0.9,
      },
    ])
  })

  test('without a limit has no share of it, and with one reading no rate', () => {
    const [container] = containerUses(readings(used(9, `container_spec_memory_limit_bytes{${own}} 0`)))
    expect(container).toEqual({ namespace: 'shop', pod: 'cart-1', container: 'cart', memoryBytes: 900 })
  })

  test('that is counted by processor uses their sum', () => {
    const text = (n: number) =>
      [0, 1].map((cpu) => `container_cpu_usage_seconds_total{${own},cpu="cpu0${cpu}"} ${n * (cpu + 1)}`).join('\n')
    expect(containerUses(readings(text(0), text(60)))).toMatchObject([{ cpuCores: 3 }])
  })
})

test('failed probes are told by probe, those of the last five minutes where they can be', () => {
  const probe = (type: string, result: string, count: number) =>
    `prober_probe_total{${own},pod_uid="u",probe_type="${type}",result="${result}"} ${count}`
  const before = [probe('Readiness', 'successful', 100), probe('Readiness', 'failed', 3)]
  const now = [probe('Readiness', 'successful', 101), probe('Readiness', 'failed', 9), probe('Liveness', 'failed', 2)]
  const at = { namespace: 'shop', pod: 'cart-1', container: 'cart' }
  expect(probeUses(readings(before.join('\n'), now.join('\n')))).toEqual([
    { ...at, probe: 'Readiness', failed: 6, succeeded: 1, over: 'five-minutes' },
    { ...at, probe: 'Liveness', failed: 2, succeeded: 0, over: 'all-time' },
  ])
})
