import type { Family, Labels, Sample } from './exposition-writer.ts'

type Counter = { labels: Labels; value: number }
type Histogram = { labels: Labels; bounds: readonly number[]; counts: number[]; sum: number; count: number }

/** Counters and histograms of one program. */
export type MetricSet = {
  add: (name: string, labels: Labels, by?: number) => void
  observe: (name: string, labels: Labels, value: number) => void
  /** All metrics, sorted by name as Prometheus' client libraries do. */
  families: () => Family[]
}

const boundText = (bound: number): string => (bound === Infinity ? '+Inf' : String(bound))

const histogramSamples = (name: string, { labels, bounds, counts, sum, count }: Histogram): Sample[] => [
  ...[...bounds, Infinity].map((bound, index) => ({
    name: `${name}_bucket`,
    labels: { ...labels, le: boundText(bound) },
    value: counts[index] ?? count,
  })),
  { name: `${name}_sum`, labels, value: sum },
  { name: `${name}_count`, labels, value: count },
]

const byLabels = <T>(series: ReadonlyMap<string, T>): T[] =>
  [...series].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)

/** An empty set; `bounds` are the upper bounds of its histograms' buckets, without +Inf. */
export const metricSet = (bounds: readonly number[]): MetricSet => {
  const counters = new Map<string, Map<string, Counter>>()
  const histograms = new Map<string, Map<string, Histogram>>()
  const slot = <T>(all: Map<string, Map<string, T>>, name: string, labels: Labels, fresh: () => T): T => {
    const metric = all.get(name) ?? new Map<string, T>()
    all.set(name, metric)
    const key = JSON.stringify(labels)
    const found = metric.get(key) ?? fresh()
    metric.set(key, found)
    return found
  }
  return {
    add: (name, labels, by = 1) => {
      slot(counters, name, labels, () => ({ labels, value: 0 })).value += by
    },
    observe: (name, labels, value) => {
      const fresh = (): Histogram => ({ labels, bounds, counts: bounds.map(() => 0), sum: 0, count: 0 })
      const histogram = slot(histograms, name, labels, fresh)
      histogram.count += 1
      histogram.sum += value
      histogram.counts = histogram.counts.map((seen, index) => seen + (value <= (bounds[index] ?? Infinity) ? 1 : 0))
    },
    families: () =>
      [
        ...[...counters].map(([name, series]): Family => {
          const samples = byLabels(series).map(({ labels, value }) => ({ name, labels, value }))
          return { name, type: 'counter', samples }
        }),
        ...[...histograms].map(([name, series]): Family => {
          const samples = byLabels(series).flatMap((histogram) => histogramSamples(name, histogram))
          return { name, type: 'histogram', samples }
        }),
      ].sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}
