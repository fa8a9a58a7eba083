import { createdName, type Sample } from '../sources/contract.ts'
import { lookbackMs, type Point, type Series } from './past.ts'

/** A counter's values, oldest first, with what is known of its beginnings. */
export type Counter = {
  points: readonly Point[]
  /**
   * When whoever counts was read, oldest first, where a series that is not there will begin at 0 again: Linkerd's proxies
   * drop what is idle. Without it a gap in the points is no more than a gap.
   */
  readsAtMs?: readonly number[]
  /** When it last began at 0: what OpenMetrics' `_created` says, or the start of its process. */
  createdAtMs?: number
}

/** How much was counted between a point and the one before it. */
export type Step = { fromMs: number; atMs: number; by: number }

const hasReadBetween = (readsAtMs: readonly number[], fromMs: number, toMs: number): boolean =>
  readsAtMs.some((atMs) => atMs > fromMs && atMs < toMs)

/** Where the counter stood at its last point before `next`, or 0 when it began anew since. */
const baseOf = (previous: Point, next: Point, { readsAtMs = [], createdAtMs }: Counter): number => {
  if (next.value < previous.value) return 0
  if (createdAtMs !== undefined && createdAtMs > previous.atMs && createdAtMs <= next.atMs) return 0
  return hasReadBetween(readsAtMs, previous.atMs, next.atMs) ? 0 : previous.value
}

/**
 * The steps of a counter. A fall, a creation and a series that was gone in between are restarts from 0 (a restart that is
 * past the old value again goes unseen without the last two). The first point is no step: what it counted, nobody saw.
 */
export const stepsOf = (counter: Counter): Step[] =>
  counter.points.slice(1).flatMap((next, index) => {
    const previous = counter.points[index]
    if (!previous) return []
    const by = next.value - baseOf(previous, next, counter)
    return [{ fromMs: previous.atMs, atMs: next.atMs, by }]
  })

/** When a counter's value last began at 0, by its `_created` series, which OpenMetrics writes beside it. */
export const createdAtMs = (series: Pick<Series, 'named'>, { name, labels }: Sample): number | undefined => {
  const { le: _, quantile: __, ...own } = labels
  const entries = Object.entries(own)
  const created = series
    .named(createdName(name))
    .find((one) => Object.keys(one.labels).length === entries.length && entries.every(([k, v]) => one.labels[k] === v))
  return created && Number.isFinite(created.value) ? created.value * 1000 : undefined
}

/** What it counted in the last five minutes; undefined when fewer than two of its values lie there. */
export const recentGrowth = (series: Series, sample: Sample): { by: number; overMs: number } | undefined => {
  const points = series.points(sample).filter(({ atMs }) => atMs > series.atMs - lookbackMs)
  const created = createdAtMs(series, sample)
  const steps = stepsOf({ points, ...(created !== undefined && { createdAtMs: created }) })
  const [first] = steps
  const last = steps.at(-1)
  if (!first || !last || last.atMs <= first.fromMs) return undefined
  return { by: steps.reduce((sum, { by }) => sum + by, 0), overMs: last.atMs - first.fromMs }
}

/** Its rate over the last five minutes; undefined, not 0, when that cannot be told. */
export const perSecond = (series: Series, sample: Sample | undefined): number | undefined => {
  const growth = sample && recentGrowth(series, sample)
  return growth && (growth.by * 1000) / growth.overMs
}
