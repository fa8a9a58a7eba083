import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { emptyWindow, remember, type Window } from '../../functions/window.ts'
import { packChunk, unpackChunk } from '../../functions/window-chunk.ts'
import type { Sample } from '../../sources/contract.ts'
import { createNameFilter } from '../../sources/exposition/name-filter.ts'
import { createExpositionReader } from '../../sources/exposition/reader.ts'
import { workloadRemembers } from '../../triage/workload-series.ts'

const generator = fileURLToPath(new URL('../../../shared/tools/gen-ksm.py', import.meta.url))

/** What the questions remember of a cluster of so many pods, as kube-state-metrics tells it. */
const remembered = (pods: number): Sample[] => {
  const samples: Sample[] = []
  const { stdout } = spawnSync('python3', [generator, '--pods', String(pods), '--seed', '7'], { maxBuffer: 2 ** 30 })
  const filter = createNameFilter(workloadRemembers)
  const reader = createExpositionReader({
    filter,
    onSample: (sample) => samples.push(sample),
    form: 'text',
    targetLabels: { job: 'kube-state-metrics', instance: '10.0.0.1:8080' },
  })
  for (let at = 0; at < stdout.length; at += 65_536) reader.push(stdout.subarray(at, at + 65_536))
  reader.end()
  return samples
}

/** A proxy's counters: they grow at every reading, each at its own pace. */
const counters = (count: number, nth: number): Sample[] =>
  Array.from({ length: count }, (_, at) => ({
    name: 'response_total',
    labels: {
      deployment: `app-${at % 50}`,
      pod: `app-${at % 50}-${at % 500}`,
      route: `/path/${at}`,
      status_code: '200',
    },
    value: nth * (1 + ((at * 7919) % 500)),
  }))

const asJson = (window: Window): Uint8Array =>
  gzipSync(
    JSON.stringify(
      [...window.targets].map(([key, { series }]) => [
        key,
        [...series.values()].map(({ name, labels, atMs, values }) => ({
          name,
          labels,
          points: atMs.map((time, at) => [time, values[at]]),
        })),
      ]),
    ),
    { level: 1 },
  )

const span = { fromMs: 0, untilMs: 300_000 }

const measure = (name: string, samplesAt: (nth: number) => Sample[]): string[] => {
  const window = emptyWindow('bench')
  const readings = 10
  const before = process.memoryUsage()
  for (let nth = 0; nth < readings; nth++) {
    const targets = [{ target: 't', kind: 'k', complete: true, samples: samplesAt(nth) }]
    remember(window, {
      atMs: nth * 30_000,
      targets,
      allTargets: () => true,
      longestMs: 900_000,
      seriesLimit: 1_000_000,
      keepMs: () => 900_000,
    })
  }
  const heapMb = (process.memoryUsage().heapUsed - before.heapUsed) / 1e6
  const points = [...window.targets.values()]
    .flatMap(({ series }) => [...series.values()])
    .reduce((sum, { values }) => sum + values.length, 0)
  const timed = <T>(work: () => T): [T, string] => {
    const startedAt = performance.now()
    const result = work()
    return [result, `${Math.round(performance.now() - startedAt)} ms`]
  }
  const [chunk, packs] = timed(() => packChunk(window, span))
  const [, unpacks] = timed(() => unpackChunk(chunk))
  const [json, jsons] = timed(() => asJson(window))
  const perPoint = (bytes: Uint8Array) => (bytes.length / points).toFixed(2)
  return [
    `${name}: ${points / readings} series, ${readings} readings, about ${heapMb.toFixed(0)} MB of heap`,
    `  chunk ${chunk.length} bytes, ${perPoint(chunk)} a point, packed in ${packs}, read in ${unpacks}`,
    `  JSON with gzip ${json.length} bytes, ${perPoint(json)} a point, packed in ${jsons}`,
  ]
}

/** How many bytes a point of a window takes, and how long a chunk takes to write and read. */
export const windowBench = async (): Promise<string[]> => {
  const sizes = existsSync(generator) ? [1000, 10_000] : []
  const clusters = sizes.flatMap((pods) => {
    const samples = remembered(pods)
    // Now and then a container restarts.
    const at = (nth: number) =>
      samples.map((sample, place) => ((place + nth) % 97 === 0 ? { ...sample, value: sample.value + nth } : sample))
    return measure(`what the questions remember of ${pods} pods`, at)
  })
  return [...clusters, ...measure('counters of proxies', (nth) => counters(20_000, nth))]
}
