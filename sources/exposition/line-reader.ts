import { isAscii, isUtf8 } from 'node:buffer'
import { type CommentLine, parseComment } from './comment-line.ts'
import { withTargetLabels } from './label-text.ts'
import type { NameFilter } from './name-filter.ts'
import type { ExpositionForm } from './number.ts'
import type { OpenMetricsRules } from './openmetrics-rules.ts'
import type { PlainLine } from './plain-line.ts'
import { type ExpositionProblem, type LineFault, shortened } from './problem.ts'
import { endsLikeSample } from './sample-end.ts'
import { isFault, type ReadSample, type SampleLine } from './sample-line.ts'

export type ExpositionLimits = { bytes: number; lineBytes: number; labels: number; series: number }
/** Where the reading of an exposition stands. */
export type ReadingState = {
  form: ExpositionForm
  limits: ExpositionLimits
  filter: NameFilter
  plain: PlainLine
  parse: (text: string) => SampleLine | LineFault
  rules: OpenMetricsRules | undefined
  onSample: (sample: ReadSample) => void
  exemplars: boolean
  onComment: (comment: CommentLine) => void
  added: readonly [string, string][]
  /** The block being read, and how many bytes came before it. */
  bytes: Buffer
  offset: number
  lines: number
  seriesSeen: number
  kept: number
  ended: boolean
  problem: ExpositionProblem | undefined
}

const newline = '\n'
const hash = 0x23
const shownBytes = 64
const replacement = '\ufffd'
const replacementBytes = Buffer.from(replacement)

type Span = { start: number; end: number }
type Place = { at: number; text: string }
type Fault = Omit<LineFault, 'at'> & { found?: string }

/** Ends the reading at a place in the line that starts at `start`. */
export const fail = (state: ReadingState, start: number, { at, text }: Place, fault: Fault): undefined => {
  state.problem ??= {
    code: fault.code ?? 'syntax',
    line: state.lines,
    column: at + 1,
    byteOffset: state.offset + start + Buffer.byteLength(text.slice(0, at)),
    expected: fault.expected,
    found: fault.found ?? shortened(text.slice(at)),
  }
}

const failTooLong = (state: ReadingState, start: number, end: number): undefined => {
  const text = state.bytes.toString('utf8', start, Math.min(end, start + shownBytes))
  const expected = `a line of at most ${state.limits.lineBytes} bytes`
  fail(state, start, { at: 0, text }, { code: 'line-too-long', expected })
}

const keepSample = (state: ReadingState, start: number, sample: ReadSample): undefined => {
  if (state.kept >= state.limits.series) {
    const expected = `at most ${state.limits.series} series to keep`
    return fail(state, start, { at: 0, text: '' }, { code: 'too-many-series', expected, found: 'one more' })
  }
  state.kept += 1
  state.onSample(sample)
}

/** Where the decoded line has a replacement character that nobody sent. */
const firstInvalid = (bytes: Buffer, start: number, text: string): number => {
  let at = text.indexOf(replacement)
  while (at !== -1) {
    const byte = start + Buffer.byteLength(text.slice(0, at))
    if (!bytes.subarray(byte, byte + 3).equals(replacementBytes)) return at
    at = text.indexOf(replacement, at + 1)
  }
  return 0
}

const failInvalid = (state: ReadingState, start: number, text: string): undefined =>
  fail(state, start, { at: firstInvalid(state.bytes, start, text), text }, { expected: 'UTF-8' })

/** Not `trimStart`: a byte order mark or a carriage return is no blank. */
const withoutLeadingBlanks = (text: string): string => text.replace(/^[ \t]+/, '')

type Comment = { written: string; invalid: boolean }

const readComment = (state: ReadingState, start: number, { written, invalid }: Comment): undefined => {
  const text = state.form === 'text' ? withoutLeadingBlanks(written) : written
  const comment = parseComment(text, state.form)
  // What people write for people may be in any encoding.
  if (invalid && !('says' in comment && comment.says === 'other')) return failInvalid(state, start, written)
  if ('expected' in comment) {
    return fail(state, start, { at: comment.at + written.length - text.length, text: written }, comment)
  }
  const fault = state.rules?.comment(comment)
  if (fault !== undefined) return fail(state, start, { at: 0, text }, fault)
  if (comment.says === 'end') state.ended = true
  state.onComment(comment)
}

const readSample = (state: ReadingState, start: number, text: string): undefined => {
  const parsed = state.parse(text)
  if (isFault(parsed)) return fail(state, start, { at: parsed.at, text }, parsed)
  const fault = state.rules?.sample(parsed)
  if (fault !== undefined) return fail(state, start, { at: 0, text }, fault)
  state.seriesSeen += 1
  const run = state.filter.runAt(state.bytes, start)
  if (run !== undefined) run.seen = true
  const sample: ReadSample = {
    name: parsed.name,
    labels: withTargetLabels(parsed.labels, state.added),
    value: parsed.value,
  }
  if (parsed.timestampMs !== undefined) sample.timestampMs = parsed.timestampMs
  if (state.exemplars && parsed.exemplar !== undefined) sample.exemplar = parsed.exemplar
  if (state.filter.keeps(sample.name, sample.labels)) keepSample(state, start, sample)
}

/** Reads one line with the parser that knows everything. */
export const readLine = (state: ReadingState, { start, end }: Span, invalid: boolean): undefined => {
  state.lines += 1
  if (end - start > state.limits.lineBytes) return failTooLong(state, start, end)
  const text = state.bytes.toString('utf8', start, end)
  const afterEnd: Fault = { code: 'text-after-end', expected: 'nothing after # EOF' }
  if (state.ended) return fail(state, start, { at: 0, text }, afterEnd)
  const isText = state.form === 'text'
  const isComment = isText ? withoutLeadingBlanks(text).startsWith('#') : state.bytes[start] === hash
  if (isComment) return readComment(state, start, { written: text, invalid })
  if (invalid) return failInvalid(state, start, text)
  if (isText && /^[ \t]*$/.test(text)) return
  readSample(state, start, text)
}

/** Reads the line at `start` from its bytes and returns where it ends. -1: that takes the other parser. */
const readPlainly = (state: ReadingState, text: string, start: number): number => {
  const { bytes, filter, plain } = state
  const run = filter.runAt(bytes, start)
  if (run === undefined) return -1
  let end: number
  if (!run.wanted && run.seen) {
    // In a run of lines nobody asked for the first is parsed, so that a page that is no exposition does not pass for
    // an empty one; the rest need only end like a sample.
    end = text.indexOf(newline, start)
    if (!endsLikeSample(bytes, end)) return -1
  } else end = plain.read(bytes, start + run.bytes.length)
  if (end === -1 || end - start > state.limits.lineBytes) return -1
  run.seen = true
  state.lines += 1
  state.seriesSeen += 1
  const sample = run.wanted ? plain.sample(run) : undefined
  if (sample !== undefined) keepSample(state, start, sample)
  return end
}

/** Reads whole lines. False: there was a problem, and nothing more is to be read. */
export const readBlock = (state: ReadingState, bytes: Buffer): boolean => {
  state.bytes = bytes
  // One byte a character, for the runtime's native search; what is kept is decoded as UTF-8.
  const text = bytes.toString('latin1')
  const suspect = !isAscii(bytes) && !isUtf8(bytes)
  let start = 0
  while (start < bytes.length && state.problem === undefined) {
    const lineEnd = suspect ? text.indexOf(newline, start) : -1
    const invalid = suspect && !isUtf8(bytes.subarray(start, lineEnd))
    let end = invalid || state.ended || state.rules !== undefined ? -1 : readPlainly(state, text, start)
    if (end === -1) {
      end = text.indexOf(newline, start)
      readLine(state, { start, end }, invalid)
    }
    start = end + 1
  }
  if (state.problem === undefined) state.offset += bytes.length
  return state.problem === undefined
}
