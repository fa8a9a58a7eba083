import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { seriesEstimate } from '../../config/window-estimate.ts'
import type { Matcher } from '../../sources/contract.ts'
import { createNameFilter } from '../../sources/exposition/name-filter.ts'
import { createExpositionReader } from '../../sources/exposition/reader.ts'
import { workloadReads, workloadRemembers } from '../../triage/workload-series.ts'

const size = { pods: 1000, nodes: 20, namespaces: 30 }
const estimate = (name: string, ...matchers: Matcher[]) => seriesEstimate({ name, matchers }, size)
const is = (label: string, value: string, op: Matcher['op'] = '='): Matcher => ({ label, op, value })

test.each([
  { given: 'a series for each phase', of: estimate('kube_pod_status_phase'), then: 5000 },
  { given: 'one phase', of: estimate('kube_pod_status_phase', is('phase', 'Failed')), then: 1000 },
  { given: 'two phases', of: estimate('kube_pod_status_phase', is('phase', 'Failed|Pending', '=~')), then: 2000 },
  {
    given: 'a pattern, which may let everything through',
    of: estimate('kube_pod_status_phase', is('phase', '.+', '=~')),
    then: 5000,
  },
  {
    given: 'one namespace, which may be a large one',
    of: estimate('kube_pod_info', is('namespace', 'shop')),
    then: 100,
  },
  { given: 'processor time, by processor and mode', of: estimate('node_cpu_seconds_total'), then: 20 * 64 },
  { given: 'a single value of a machine', of: estimate('node_memory_MemAvailable_bytes'), then: 20 },
  { given: 'file systems of a machine', of: estimate('node_filesystem_avail_bytes'), then: 20 * 20 },
  { given: 'what containers use', of: estimate('container_memory_working_set_bytes'), then: 3400 },
  { given: 'their devices', of: estimate('container_fs_usage_bytes'), then: 8500 },
  { given: 'outcomes of probes', of: estimate('prober_probe_total'), then: 6800 },
  { given: 'the kubelets themselves', of: estimate('kubelet_running_pods'), then: 20 * 20 },
  { given: 'the process of an application', of: estimate('process_open_fds'), then: 1000 },
  { given: 'quantiles of its pauses', of: estimate('go_gc_duration_seconds'), then: 5000 },
  { given: 'what a rule recorded of nodes', of: estimate('node:node_num_cpu:sum'), then: 40 },
  { given: 'what a rule recorded of containers', of: estimate('node_namespace_pod_container:cpu'), then: 1700 },
  { given: 'a metric nobody knows', of: estimate('my_counter_total'), then: 4000 },
])('$given', ({ of, then }) => expect(of).toBe(then))

const recording = fileURLToPath(
  new URL('../../../shared/fixtures/kube/real-cluster/ksm-1000-pods.prom.gz', import.meta.url),
)
const recorded = existsSync(recording) ? test : test.skip

recorded.each([
  { what: 'the questions read', selectors: workloadReads },
  { what: 'the questions remember', selectors: workloadRemembers },
])(
  'for a real cluster of 1,002 pods the estimate of what $what is not too few, nor three times too many',
  ({ selectors }) => {
    let seen = 0
    const reader = createExpositionReader({
      filter: createNameFilter(selectors),
      onSample: () => seen++,
      form: 'text',
      targetLabels: {},
    })
    reader.push(gunzipSync(readFileSync(recording)))
    reader.end()
    const estimated = selectors.reduce((sum, selector) => sum + seriesEstimate(selector, size), 0)
    expect(estimated / seen).toBeGreaterThan(1)
    expect(estimated / seen).toBeLessThan(3)
  },
)
