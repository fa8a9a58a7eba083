import type { MetricType } from './comment-line.ts'
import { parseValue } from './number.ts'
import type { SampleLine } from './sample-line.ts'

/** The samples of one metric at one time. */
export type MetricPoint = {
  timestamp: string | undefined
  /** Which samples were there, each by its suffix and by its bucket, quantile or state. */
  samples: Set<string>
  /** The greatest bucket so far. */
  bucket: { le: number; count: number } | undefined
  hasNegativeBucket: boolean
  sum: number | undefined
  count: number | undefined
}

export const openPoint = (timestamp: string | undefined): MetricPoint => ({
  timestamp,
  samples: new Set(),
  bucket: undefined,
  hasNegativeBucket: false,
  sum: undefined,
  count: undefined,
})

/** What should have been, or nothing when all is well. */
type Broken = string | undefined

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0

const addBucket = (point: MetricPoint, { labels, value, exemplar }: SampleLine): Broken => {
  const le = parseValue(labels['le'] ?? '')
  if (le === undefined || Number.isNaN(le)) return 'a number as the label le of a bucket'
  if (!isCount(value)) return 'a whole number, not below zero, in a bucket'
  if (point.bucket !== undefined && le <= point.bucket.le) return 'buckets in rising order of le'
  if (point.bucket !== undefined && value < point.bucket.count) return 'a bucket to hold no less than the one before'
  if (exemplar !== undefined && !(exemplar.value <= le)) return 'an exemplar to lie within its bucket'
  point.bucket = { le, count: value }
  if (le < 0) point.hasNegativeBucket = true
}

const addQuantile = ({ labels, value }: SampleLine): Broken => {
  const quantile = parseValue(labels['quantile'] ?? '')
  if (quantile === undefined || !(quantile >= 0 && quantile <= 1)) return 'a label quantile from 0 to 1'
  return value < 0 ? 'the value of a quantile not to be negative' : undefined
}

const addSum = (point: MetricPoint, value: number, mayBeNegative: boolean): Broken => {
  if (Number.isNaN(value) || (!mayBeNegative && value < 0)) return 'a sum that is neither NaN nor negative'
  point.sum = value
}

const addCount = (point: MetricPoint, value: number): Broken => {
  if (!isCount(value)) return 'a whole number, not below zero, as count'
  point.count = value
}

const mayHaveExemplar = (type: MetricType, suffix: string): boolean =>
  (type === 'counter' && suffix === '_total') ||
  ((type === 'histogram' || type === 'gaugehistogram') && suffix === '_bucket')

/** Holds a sample to the rules of its type and adds it to its point. */
export const addToPoint = (
  point: MetricPoint,
  family: { name: string; type: MetricType },
  suffix: string,
  sample: SampleLine,
): Broken => {
  const { value } = sample
  if (sample.exemplar !== undefined && !mayHaveExemplar(family.type, suffix)) {
    return 'exemplars only with the total of a counter or with buckets'
  }
  switch (suffix) {
    case '_total':
      return value >= 0 ? undefined : 'a counter that is neither NaN nor negative'
    case '_created':
      return Number.isFinite(value) ? undefined : 'a time in seconds'
    case '_bucket':
      return addBucket(point, sample)
    case '_sum':
      return addSum(point, value, false)
    case '_gsum':
      return addSum(point, value, true)
    case '_count':
    case '_gcount':
      return addCount(point, value)
    case '_info':
      return value === 1 ? undefined : '1, the value of every info'
  }
  if (family.type === 'summary') return addQuantile(sample)
  if (family.type !== 'stateset') return undefined
  if (sample.labels[family.name] === undefined) return `the label ${family.name} with the name of a state`
  return value === 0 || value === 1 ? undefined : '0 or 1, the values of a state'
}

/** What a point lacks once all its samples are there. */
export const closePoint = (point: MetricPoint, type: MetricType): Broken => {
  if (type === 'counter') return point.samples.has('_total') ? undefined : 'a counter to have its total'
  if (type !== 'histogram' && type !== 'gaugehistogram') return undefined
  if (point.bucket?.le !== Number.POSITIVE_INFINITY) return 'a histogram to end with the bucket le="+Inf"'
  if ((point.sum === undefined) !== (point.count === undefined)) return 'a histogram with both sum and count or neither'
  if (point.count !== undefined && point.count !== point.bucket.count) return 'a count equal to the bucket le="+Inf"'
  if (type === 'histogram') {
    return point.hasNegativeBucket && point.sum !== undefined ? 'no sum beside negative buckets' : undefined
  }
  const isNegative = point.sum !== undefined && point.sum < 0
  return isNegative && !point.hasNegativeBucket ? 'no negative sum without negative buckets' : undefined
}
