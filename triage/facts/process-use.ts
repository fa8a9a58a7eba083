import type { Sample, Selector } from '../../sources/contract.ts'
import type { Series } from '../past.ts'
import { type Distribution, summariesOf } from './distributions.ts'
import { grouped, known, type Own, ratio } from './grouped.ts'

const single = [
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'process_start_time_seconds',
  'go_goroutines',
  'go_threads',
  'go_memstats_heap_inuse_bytes',
  'go_info',
]
const collections = 'go_gc_duration_seconds'

/** What an application must be asked for: what client libraries tell of its process. */
export const processUseReads: readonly Selector[] = [
  ...single,
  ...['', '_sum', '_count'].map((suffix) => `${collections}${suffix}`),
].map((name) => ({ name }))

export type ProcessUse = {
  /** Whose process it is, by the labels of its source. */
  of: Readonly<Record<string, string>>
  /** Processors it kept busy, 1.5 of them for instance. */
  cpuCores?: number
  residentBytes?: number
  openFileDescriptors?: number
  fileDescriptorsUsedRatio?: number
  startedAtMs?: number
  goroutines?: number
  threads?: number
  heapBytes?: number
  goVersion?: string
  /** How long the runtime's collections held it up, in seconds. */
  collections?: Distribution
}

/** `version` is the one label that any of these series has of its own, besides a summary's quantile. */
const keyOf = ({ name, labels }: Sample): Own['key'] => {
  const { quantile: _, ...rest } = labels
  const { version: __, ...own } = rest
  return name === 'go_info' ? own : rest
}

const sorted = (key: Own['key']): Own['key'] =>
  Object.fromEntries(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1)))

/** What the processes use that an exposition tells of. */
export const processUses = (series: Series): ProcessUse[] => {
  const pauses = summariesOf(series, collections)
  const textOf = (key: Own['key']) => JSON.stringify(sorted(key))
  return grouped(series, single, (sample) => sorted(keyOf(sample))).map(({ key, one, value, rate }): ProcessUse => {
    const started = value('process_start_time_seconds')
    const open = value('process_open_fds')
    return known({
      of: key,
      cpuCores: rate(one('process_cpu_seconds_total')),
      residentBytes: value('process_resident_memory_bytes'),
      openFileDescriptors: open,
      fileDescriptorsUsedRatio: ratio(open, value('process_max_fds')),
      startedAtMs: started === undefined ? undefined : started * 1000,
      goroutines: value('go_goroutines'),
      threads: value('go_threads'),
      heapBytes: value('go_memstats_heap_inuse_bytes'),
      goVersion: one('go_info')?.labels['version'],
      collections: pauses.find(({ labels }) => textOf(labels) === textOf(key)),
    })
  })
}
