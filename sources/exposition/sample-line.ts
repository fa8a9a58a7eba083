import type { Labels, Sample } from '../contract.ts'
import { type LabelRules, type LabelSet, readLabels } from './label-text.ts'
import {
  atEnd,
  codeAt,
  fault,
  follows,
  type LineCursor,
  readPlainName,
  readToken,
  skipBlanks,
  skipSeparator,
} from './line-cursor.ts'
import { type ExpositionForm, parseTimestampMs, parseValue } from './number.ts'
import type { LineFault } from './problem.ts'

/** One event behind a counter or a bucket, such as a trace. */
export type Exemplar = { labels: Labels; value: number; timestampMs?: number }

/** A sample with what OpenMetrics may say besides. */
export type ReadSample = Sample & { exemplar?: Exemplar }

/** A sample as its line has it: empty labels are still there. `timestamp` is the text of `timestampMs`. */
export type SampleLine = ReadSample & { timestamp?: string }

export type LineOptions = {
  form: ExpositionForm
  labelLimit: number
  /** What the specification of OpenMetrics forbids and Prometheus lets pass is a fault. */
  strict?: boolean
}

const hash = 0x23
const openBrace = 0x7b

/** Prometheus' own limit is of bytes in storage; the specification's is of characters in both names and values. */
const exemplarLimit = 128

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

const timeExpected = (form: ExpositionForm): string =>
  form === 'text' ? 'a timestamp in whole milliseconds' : 'a timestamp in seconds'

const readValue = (cursor: LineCursor): number => {
  const start = cursor.at
  const value = parseValue(readToken(cursor))
  if (value === undefined) fault(cursor, 'a number', start)
  return value ?? 0
}

const readTime = (cursor: LineCursor): { timestampMs: number; timestamp: string } => {
  const start = cursor.at
  const timestamp = readToken(cursor)
  const timestampMs = parseTimestampMs(timestamp, cursor.form)
  if (timestampMs === undefined) fault(cursor, timeExpected(cursor.form), start)
  return { timestampMs: timestampMs ?? 0, timestamp }
}

const characters = (labels: LabelSet): number =>
  Object.entries(labels).reduce((sum, [name, value]) => sum + [...name].length + [...value].length, 0)

/** ` # {trace_id="x"} 0.67 1520879607.789`; the cursor stands on the hash. */
const readExemplar = (cursor: LineCursor, rules: LabelRules): Exemplar => {
  const labels: LabelSet = {}
  const exemplar: Exemplar = { labels, value: 0 }
  const start = cursor.at
  if (!follows(cursor, '# {')) fault(cursor, 'an exemplar, "# {"')
  cursor.at += 3
  if (cursor.fault === undefined) readLabels(cursor, labels, { ...rules, holdsName: false })
  if (characters(labels) > exemplarLimit) fault(cursor, `an exemplar of at most ${exemplarLimit} characters`, start)
  if (cursor.fault === undefined) skipSeparator(cursor)
  if (cursor.fault === undefined) exemplar.value = readValue(cursor)
  if (cursor.fault === undefined && !atEnd(cursor)) {
    skipSeparator(cursor)
    exemplar.timestampMs = readTime(cursor).timestampMs
    if (!atEnd(cursor)) fault(cursor, 'the end of the line')
  }
  return exemplar
}

/** What may follow the value: a timestamp, an exemplar, nothing else. */
const readRest = (cursor: LineCursor, sample: SampleLine, rules: LabelRules): undefined => {
  if (atEnd(cursor)) return
  skipSeparator(cursor)
  if (atEnd(cursor) && cursor.form === 'text') return
  if (codeAt(cursor) !== hash) {
    Object.assign(sample, readTime(cursor))
    if (cursor.fault !== undefined || atEnd(cursor)) return
    skipSeparator(cursor)
  }
  if (cursor.form === 'openmetrics') {
    if (cursor.fault === undefined) sample.exemplar = readExemplar(cursor, rules)
  }
  // The text format has no exemplars; exporters that write them all the same are not worth losing their samples for.
  else if (!atEnd(cursor) && !follows(cursor, '# {')) fault(cursor, 'the end of the line')
}

const readNameAndLabels = (cursor: LineCursor, labels: LabelSet, rules: LabelRules): string | undefined => {
  skipBlanks(cursor)
  const plain = readPlainName(cursor, 'metric')
  if (plain !== undefined) skipBlanks(cursor)
  if (codeAt(cursor) === openBrace) {
    cursor.at++
    const name = readLabels(cursor, labels, rules, plain)
    return name ?? fault(cursor, 'a metric name')
  }
  if (plain === undefined) return fault(cursor, 'a metric name')
  const blank = cursor.form === 'text' ? cursor.text.charCodeAt(cursor.at - 1) : codeAt(cursor)
  if (!isBlank(blank)) fault(cursor, '"{" or a space after the metric name')
  return plain
}

const readSample = (cursor: LineCursor, rules: LabelRules): SampleLine => {
  const labels: LabelSet = {}
  const name = readNameAndLabels(cursor, labels, rules) ?? ''
  const sample: SampleLine = { name, labels, value: 0 }
  if (cursor.fault === undefined) skipSeparator(cursor)
  if (cursor.fault === undefined) sample.value = readValue(cursor)
  if (cursor.fault === undefined) readRest(cursor, sample, rules)
  return sample
}

/**
 * Makes the exact reader of single sample lines, `name{label="value",…} value [timestamp] [exemplar]`, as Prometheus
 * reads them (text format 0.0.4 or OpenMetrics 1.0, quoted UTF-8 names in both).
 */
export const createLineParser =
  ({ form, labelLimit, strict = false }: LineOptions): ((text: string) => SampleLine | LineFault) =>
  (text) => {
    const cursor: LineCursor = { text, at: 0, form, fault: undefined }
    const sample = readSample(cursor, {
      holdsName: true,
      trailingComma: !(strict && form === 'openmetrics'),
      limit: labelLimit,
    })
    return cursor.fault ?? sample
  }

export const isFault = (result: SampleLine | LineFault): result is LineFault => 'expected' in result
