import type { Labels, Sample } from '../../sources/contract.ts'
import { recentGrowth } from '../counter-steps.ts'
import { quantile } from '../latency.ts'
import type { Series } from '../past.ts'
import { finite, known } from './grouped.ts'

/**
 * How the observations of a histogram or a summary lie. A summary's quantiles are its application's, over whatever time
 * that chose; a histogram's are of the last five minutes, or of all time where it was read only once.
 */
export type Distribution = {
  name: string
  labels: Labels
  from: 'histogram' | 'summary'
  over: 'five-minutes' | 'all-time' | 'its-own-window'
  /** By quantile; one that cannot be told (nothing was observed) is not there. */
  quantiles: Readonly<Record<string, number>>
  perSecond?: number
  /** What an observation was on average over the last five minutes. */
  mean?: number
}

const told = ['0.5', '0.9', '0.99'] as const

const without = ({ labels }: Sample, name: 'le' | 'quantile'): Labels => {
  const { [name]: _, ...rest } = labels
  return rest
}

const groupsOf = (samples: readonly Sample[], name: 'le' | 'quantile') =>
  Map.groupBy(samples, (sample) => JSON.stringify(Object.entries(without(sample, name)).sort()))

const find = (series: Series, name: string, labels: Labels): Sample | undefined => {
  const entries = Object.entries(labels)
  return series
    .named(name)
    .find((one) => Object.keys(one.labels).length === entries.length && entries.every(([k, v]) => one.labels[k] === v))
}

const paceOf = (series: Series, name: string, labels: Labels) => {
  const count = find(series, `${name}_count`, labels)
  const total = find(series, `${name}_sum`, labels)
  const counted = count && recentGrowth(series, count)
  const added = total && recentGrowth(series, total)
  return {
    perSecond: counted && (counted.by * 1000) / counted.overMs,
    mean: counted && added && counted.by > 0 ? added.by / counted.by : undefined,
  }
}

/** The summaries of that name, each with the quantiles that are numbers: NaN says that nothing was observed lately. */
export const summariesOf = (series: Series, name: string): Distribution[] =>
  [
    ...groupsOf(
      series.named(name).filter(({ labels }) => labels['quantile'] !== undefined),
      'quantile',
    ).values(),
  ].map((same): Distribution => {
    const labels = same[0] ? without(same[0], 'quantile') : {}
    const quantiles = same.flatMap((sample) => {
      const value = finite(sample.value)
      return value === undefined ? [] : [[String(Number(sample.labels['quantile'])), value] as const]
    })
    const from = 'summary' as const
    const over = 'its-own-window' as const
    return known({
      name,
      labels,
      from,
      over,
      quantiles: Object.fromEntries(quantiles),
      ...paceOf(series, name, labels),
    })
  })

/** The histograms of that name. */
export const histogramsOf = (series: Series, name: string): Distribution[] =>
  [...groupsOf(series.named(`${name}_bucket`), 'le').values()].map((same): Distribution => {
    const labels = same[0] ? without(same[0], 'le') : {}
    const bound = ({ labels: { le = '' } }: Sample) => (/^\+?inf$/i.test(le) ? Infinity : Number(le))
    const recent = same.map((sample) => [bound(sample), recentGrowth(series, sample)?.by] as const)
    const isRecent = recent.every(([, by]) => by !== undefined)
    const buckets = new Map(
      isRecent ? recent.map(([le, by = 0]) => [le, by]) : same.map((one) => [bound(one), one.value]),
    )
    const quantiles = told.flatMap((q) => {
      const value = quantile(buckets, Number(q))
      return value === undefined ? [] : [[q, value] as const]
    })
    const from = 'histogram' as const
    const over = isRecent ? ('five-minutes' as const) : ('all-time' as const)
    return known({
      name,
      labels,
      from,
      over,
      quantiles: Object.fromEntries(quantiles),
      ...paceOf(series, name, labels),
    })
  })
