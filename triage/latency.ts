import type { Growth } from './counters.ts'

/** Cumulative bucket counts by upper bound in milliseconds, in both periods. */
export type Histogram = { now: Map<number, number>; before: Map<number, number> }

export const newHistogram = (): Histogram => ({ now: new Map(), before: new Map() })

const bound = (le: string): number => (le === '+Inf' || le === 'inf' ? Infinity : Number(le))

export const addBuckets = (histogram: Histogram, le: string, growth: Growth): void => {
  const at = bound(le)
  if (Number.isNaN(at)) return
  histogram.now.set(at, (histogram.now.get(at) ?? 0) + growth.now)
  histogram.before.set(at, (histogram.before.get(at) ?? 0) + growth.before)
}

/**
 * The quantile, interpolated within its bucket as Prometheus' `histogram_quantile` does; beyond the last bound, that
 * bound. Undefined when nothing was counted.
 */
export const quantile = (buckets: ReadonlyMap<number, number>, q: number): number | undefined => {
  const sorted = [...buckets].sort((a, b) => a[0] - b[0])
  const total = sorted.at(-1)?.[1] ?? 0
  if (!(total > 0)) return undefined
  const rank = q * total
  let lower = 0
  let below = 0
  for (const [upper, count] of sorted) {
    if (count >= rank) {
      if (upper === Infinity) return lower
      return count === below ? upper : lower + ((upper - lower) * (rank - below)) / (count - below)
    }
    lower = upper
    below = Math.max(below, count)
  }
  return lower
}

/** How many were counted at all: the largest bucket. */
export const total = (buckets: ReadonlyMap<number, number>): number => Math.max(0, ...buckets.values())

const fewest = 20
const noticeableMs = 50

/** Slower than before by half the time again and by more than anybody overlooks. */
export const isSlower = ({ now, before }: Histogram): boolean => {
  if (total(now) < fewest || total(before) < fewest) return false
  const was = quantile(before, 0.95) ?? 0
  const is = quantile(now, 0.95) ?? 0
  return is >= was * 2 && is >= was + noticeableMs
}
