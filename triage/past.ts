import type { Labels, Sample } from '../sources/contract.ts'
import type { Testimony } from './contract.ts'

/** A source's series by name, with their past: what every question asks of a testimony. */
export type Series = {
  atMs: number
  windowFromMs?: number
  incomplete?: string
  /** The series of that name, in the order of the exposition. */
  named: (name: string) => readonly Sample[]
  /** Those of that name which were there before and are not now. */
  goneOf: (name: string) => readonly Sample[]
  /** Its earlier values and the one of now, oldest first; what is gone has no value now. */
  points: (sample: Sample) => readonly Point[]
}
export type Point = { atMs: number; value: number }

const indexByName = (samples: readonly Sample[]): Map<string, Sample[]> => {
  const byName = new Map<string, Sample[]>()
  for (const sample of samples) {
    const known = byName.get(sample.name)
    if (known) known.push(sample)
    else byName.set(sample.name, [sample])
  }
  return byName
}

export const seriesOf = (testimony: Testimony): Series => {
  const now = indexByName(testimony.samples)
  const gone = indexByName(testimony.gone ?? [])
  const isGone = new Set(testimony.gone)
  return {
    atMs: testimony.atMs,
    ...(testimony.windowFromMs !== undefined && { windowFromMs: testimony.windowFromMs }),
    ...(testimony.incomplete !== undefined && { incomplete: testimony.incomplete }),
    named: (name) => now.get(name) ?? [],
    goneOf: (name) => gone.get(name) ?? [],
    // A window may already hold the scrape that is asked about; a point is counted once.
    points: (sample) => [
      ...testimony.before(sample).filter(({ atMs }) => atMs < testimony.atMs),
      ...(isGone.has(sample) ? [] : [{ atMs: testimony.atMs, value: sample.value }]),
    ],
  }
}

/** The label, or nothing where it is absent or empty: Prometheus makes no difference. */
export const label = (labels: Labels, name: string): string | undefined => labels[name] || undefined

/** Prometheus' lookback: a value older than this says nothing of a time. */
export const lookbackMs = 5 * 60_000

/**
 * The value at a time as Prometheus has it: the last one of the five minutes before (open to the left, as since version
 * 3), unless the source was read since (`readsAtMs`) and did not have the series any more, which is what its staleness
 * marker says.
 */
export const valueAt = (
  points: readonly Point[],
  atMs: number,
  readsAtMs: readonly number[] = [],
): number | undefined => {
  const last = points.findLast((point) => point.atMs <= atMs)
  if (!last || last.atMs <= atMs - lookbackMs) return undefined
  return readsAtMs.some((readAtMs) => readAtMs > last.atMs && readAtMs <= atMs) ? undefined : last.value
}

/**
 * Start of the unbroken run up to now of values that fit, and whether the window saw it begin: the value changed, or the
 * series appeared (many of kube-state-metrics' exist only while they are true).
 */
export const sinceWhen = (
  series: Pick<Series, 'points' | 'windowFromMs'>,
  sample: Sample,
  fits: (value: number) => boolean,
): { atMs: number; seenToBegin: boolean } | undefined => {
  const points = series.points(sample)
  const last = points.at(-1)
  if (!last || !fits(last.value)) return undefined
  const breakAt = points.findLastIndex(({ value }) => !fits(value))
  const first = points[breakAt + 1] ?? last
  const appeared = series.windowFromMs !== undefined && first.atMs > series.windowFromMs
  return { atMs: first.atMs, seenToBegin: breakAt >= 0 || appeared }
}

/**
 * How much a counter grew after `fromMs`. A fall is a restart of the counter from 0 (as Prometheus' `increase` has it,
 * without its extrapolation). `bornMs`: the counter cannot have existed before, so its first value counts in full.
 * Undefined when nothing tells where it stood at `fromMs`.
 */
export const growthSince = (
  points: readonly Point[],
  fromMs: number,
  bornMs?: number,
): { by: number; firstAtMs?: number } | undefined => {
  const base = points.findLastIndex(({ atMs }) => atMs <= fromMs)
  const born = bornMs !== undefined && bornMs > fromMs
  if (base < 0 && !born && points.length < 2) return undefined
  let previous = base >= 0 ? points[base]?.value : born ? 0 : points[0]?.value
  let by = 0
  let firstAtMs: number | undefined
  for (const { atMs, value } of points.slice(Math.max(base, 0))) {
    const growth = previous === undefined || value < previous ? value : value - previous
    if (growth > 0) firstAtMs ??= atMs
    by += growth
    previous = value
  }
  return { by, ...(firstAtMs !== undefined && { firstAtMs }) }
}
