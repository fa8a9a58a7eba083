import type { Labels } from '../contract.ts'
import type { CommentLine, MetricType } from './comment-line.ts'
import { addToPoint, closePoint, type MetricPoint, openPoint } from './metric-point.ts'
import type { LineFault } from './problem.ts'
import type { SampleLine } from './sample-line.ts'

/** A fault of the line as a whole. */
type Fault = Omit<LineFault, 'at'> | undefined

/**
 * The rules of OpenMetrics 1.0 that go beyond single lines: families with their metadata in front and their samples
 * together, no names that clash, points with their times in order, and what each type of metric asks of its samples.
 */
export type OpenMetricsRules = {
  comment: (comment: CommentLine) => Fault
  sample: (sample: SampleLine) => Fault
}

type Family = {
  name: string
  type: MetricType
  unit: string
  /** Which metadata lines were there. */
  said: Set<string>
  metrics: Set<string>
  metric: string | undefined
  point: MetricPoint | undefined
}

type State = {
  nameLimit: number
  /** Every name a family has or could give to a sample, and whose it is. */
  owners: Map<string, string>
  family: Family | undefined
}

const suffixes: Readonly<Record<MetricType, readonly string[]>> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['', '_sum', '_count', '_created'],
  info: ['_info'],
  stateset: [''],
  unknown: [''],
}

const against = (expected: string | undefined): Fault =>
  expected === undefined ? undefined : { code: 'against-openmetrics', expected }

const reserve = (state: State, family: Family, name: string): Fault => {
  const owner = state.owners.get(name)
  if (owner !== undefined && owner !== family.name) {
    return against(`no name that clashes with one of the family ${owner}, and ${name} does`)
  }
  state.owners.set(name, family.name)
  if (state.owners.size <= state.nameLimit) return undefined
  return { code: 'too-many-series', expected: `at most ${state.nameLimit} names` }
}

const closeFamily = ({ family }: State): Fault =>
  family?.point === undefined ? undefined : against(closePoint(family.point, family.type))

const openFamily = (state: State, name: string): Fault => {
  const fault = closeFamily(state)
  if (fault !== undefined) return fault
  if (state.owners.has(name)) return against(`each family once and in one piece, and ${name} was there before`)
  const family: Family = {
    name,
    type: 'unknown',
    unit: '',
    said: new Set(),
    metrics: new Set(),
    metric: undefined,
    point: undefined,
  }
  state.family = family
  return reserve(state, family, name)
}

const hasNoUnit = ({ type }: Family): boolean => type === 'info' || type === 'stateset'

const readMetadata = (state: State, comment: Exclude<CommentLine, { says: 'end' | 'other' }>): Fault => {
  const opened = state.family?.name === comment.name ? undefined : openFamily(state, comment.name)
  const { family } = state
  if (opened !== undefined || family === undefined) return opened
  if (family.metric !== undefined) return against('metadata in front of all samples of its family')
  if (family.said.has(comment.says)) return against(`${comment.says.toUpperCase()} once for each family`)
  family.said.add(comment.says)
  if (comment.says === 'unit') family.unit = comment.unit
  if (comment.says === 'type') family.type = comment.type
  if (hasNoUnit(family) && family.unit !== '') return against(`no unit for the type ${family.type}`)
  if (comment.says !== 'type') return undefined
  for (const suffix of suffixes[comment.type]) {
    const fault = reserve(state, family, family.name + suffix)
    if (fault !== undefined) return fault
  }
}

/** The label that tells the samples of one point apart. */
const ownLabel = ({ name, type }: Family, suffix: string): string | undefined => {
  if (suffix === '_bucket') return 'le'
  if (type === 'summary' && suffix === '') return 'quantile'
  return type === 'stateset' ? name : undefined
}

const metricKey = (labels: Labels, without: string | undefined): string => {
  const own = Object.entries(labels).filter(([name, value]) => name !== without && value !== '')
  return JSON.stringify(own.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** `1.50` and `1.5` are one time, though a double cannot tell `0.1234567890123456781` from `…782`. */
const isSameTime = (a: string, b: string): boolean => {
  if (Number(a) !== Number(b)) return false
  const plain = (text: string) =>
    text
      .replace(/^\+/, '')
      .replace(/^(-?)0+(?=\d)/, '$1')
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '')
  return /e/i.test(a + b) || plain(a) === plain(b)
}

/** Goes on with the metric's point or begins the next one, of this metric or of another. */
const enterPoint = (family: Family, key: string, timestamp: string | undefined): Fault => {
  const { point } = family
  if (point !== undefined && family.metric === key) {
    if ((timestamp === undefined) !== (point.timestamp === undefined)) {
      return against('all points of a metric with a timestamp or none')
    }
    if (timestamp === undefined || point.timestamp === undefined || isSameTime(timestamp, point.timestamp)) return
    if (Number(timestamp) < Number(point.timestamp)) return against('the points of a metric in the order of time')
  } else if (family.metrics.has(key)) return against('all samples of a metric together')
  const broken = point && closePoint(point, family.type)
  if (broken !== undefined) return against(broken)
  family.metrics.add(key)
  family.metric = key
  family.point = openPoint(timestamp)
}

const readSample = (state: State, sample: SampleLine): Fault => {
  const suffixOf = (family: Family | undefined) =>
    family && suffixes[family.type].find((suffix) => family.name + suffix === sample.name)
  const opened = suffixOf(state.family) === undefined ? openFamily(state, sample.name) : undefined
  const { family } = state
  const suffix = suffixOf(family)
  if (opened !== undefined || family === undefined || suffix === undefined) return opened
  const label = ownLabel(family, suffix)
  const entered = enterPoint(family, metricKey(sample.labels, label), sample.timestamp)
  if (entered !== undefined || family.point === undefined) return entered
  const which = label === undefined ? suffix : `${suffix} ${sample.labels[label]}`
  if (family.point.samples.has(which)) return against('each sample of a point once')
  family.point.samples.add(which)
  if (family.metrics.size > state.nameLimit) {
    return { code: 'too-many-series', expected: `at most ${state.nameLimit} metrics in a family` }
  }
  return against(addToPoint(family.point, family, suffix, sample))
}

/** `nameLimit` bounds what is remembered of an exposition: its families, and the metrics of the present one. */
export const createOpenMetricsRules = (nameLimit: number): OpenMetricsRules => {
  const state: State = { nameLimit, owners: new Map(), family: undefined }
  return {
    comment: (comment) => {
      if (comment.says === 'other') return undefined
      return comment.says === 'end' ? closeFamily(state) : readMetadata(state, comment)
    },
    sample: (sample) => readSample(state, sample),
  }
}
