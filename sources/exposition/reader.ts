import { isUtf8 } from 'node:buffer'
import type { Labels, Sample } from '../contract.ts'
import type { NameFilter } from './name-filter.ts'
import type { ExpositionForm } from './number.ts'
import { type ExpositionProblem, shortened } from './problem.ts'
import { createLineParser, type LineFault } from './sample-line.ts'

export type ExpositionLimits = { lineBytes: number; series: number }
export const defaultLimits: ExpositionLimits = { lineBytes: 64 * 1024, series: 500_000 }

export type ReaderOptions = {
  /** Which series go to `onSample`. */
  filter: NameFilter
  onSample: (sample: Sample) => void
  form?: ExpositionForm
  /** Added to each sample that lacks them, before `filter` is asked. */
  targetLabels?: Labels
  limits?: Partial<ExpositionLimits>
}

/** `seriesSeen` counts every sample line, kept or not; the line with the problem is not one. */
export type ExpositionEnd = { seriesSeen: number; kept: number; problem?: ExpositionProblem }

export type ExpositionReader = {
  /** Takes the next bytes, cut anywhere. The first problem ends the reading; what follows is ignored. */
  push: (chunk: Uint8Array) => ExpositionProblem | undefined
  end: () => ExpositionEnd
}

type State = {
  form: ExpositionForm
  limits: ExpositionLimits
  filter: NameFilter
  parse: (text: string) => Sample | LineFault
  onSample: (sample: Sample) => void
  /** The start of a line whose end has not arrived yet. */
  carry: Buffer
  carried: number
  bytes: Buffer
  line: number
  seriesSeen: number
  kept: number
  ended: boolean
  problem: ExpositionProblem | undefined
}

const newline = 0x0a
const hash = 0x23

const space = 0x20
const closeBrace = 0x7d

/** Bytes that values and timestamps are written with. */
const isNumberByte = new Uint8Array(256)
for (const character of '0123456789.+-eENaInf') isNumberByte[character.charCodeAt(0)] = 1

const beforeNumber = (bytes: Buffer, end: number): number => {
  let at = end - 1
  while (at > 0 && isNumberByte[bytes[at] ?? 0] === 1) at--
  return at
}

/** `…} 1` or `…} 1 1795406393123`, judged from the end of the line alone. What looks otherwise is parsed. */
const endsLikeSample = (bytes: Buffer, end: number): boolean => {
  const blank = beforeNumber(bytes, end)
  if (blank === end - 1 || bytes[blank] !== space) return false
  if (bytes[blank - 1] === closeBrace) return true
  const earlier = beforeNumber(bytes, blank)
  return bytes[earlier] === space && bytes[earlier - 1] === closeBrace
}

const fail = (
  state: State,
  code: ExpositionProblem['code'],
  where: Omit<ExpositionProblem, 'code' | 'line'>,
): undefined => {
  state.problem ??= { code, line: state.line, ...where }
}

const failTooLong = (state: State, start: number, length: number): undefined =>
  fail(state, 'line-too-long', {
    column: 1,
    expected: `a line of at most ${state.limits.lineBytes} bytes`,
    found: shortened(state.bytes.toString('utf8', start, start + Math.min(length, 64))),
  })

/** A comment says nothing we need, except the end of an OpenMetrics exposition. HELP, TYPE and UNIT go unread. */
const readComment = (state: State, start: number, end: number): undefined => {
  if (state.form !== 'openmetrics' || end - start !== 5) return
  if (state.bytes.toString('latin1', start, end) === '# EOF') state.ended = true
}

const hasInvalidUtf8 = (state: State, text: string, span: { start: number; end: number }): boolean =>
  text.includes('\ufffd') && !isUtf8(state.bytes.subarray(span.start, span.end))

const isBlank = (text: string): boolean => /^[ \t]*$/.test(text)

const parseLine = (state: State, start: number, end: number): Sample | undefined => {
  const text = state.bytes.toString('utf8', start, end)
  if (isBlank(text)) return undefined
  const result = state.parse(text)
  const invalid = hasInvalidUtf8(state, text, { start, end })
  if (!('expected' in result) && !invalid) {
    state.seriesSeen += 1
    return result
  }
  const at = invalid || !('expected' in result) ? text.indexOf('\ufffd') : result.at
  const expected = invalid || !('expected' in result) ? 'UTF-8' : result.expected
  fail(state, 'syntax', { column: at + 1, expected, found: shortened(text.slice(at)) })
}

const keepSample = (state: State, sample: Sample): undefined => {
  if (!state.filter.keeps(sample.name, sample.labels)) return
  if (state.kept >= state.limits.series) {
    const expected = `at most ${state.limits.series} series to keep`
    return fail(state, 'too-many-series', { column: 1, expected, found: 'one more' })
  }
  state.kept += 1
  state.onSample(sample)
}

const readLine = (state: State, start: number, end: number): undefined => {
  state.line += 1
  if (end - start > state.limits.lineBytes) return failTooLong(state, start, end - start)
  if (end === start) return
  if (state.ended) {
    const found = shortened(state.bytes.toString('utf8', start, end))
    return fail(state, 'text-after-end', { column: 1, expected: 'nothing after # EOF', found })
  }
  if (state.bytes[start] === hash) return readComment(state, start, end)
  const interest = state.filter.interest(state.bytes, start, end)
  // In a run of lines nobody asked for the first is parsed, so that a page that is no exposition does not pass for an
  // empty one; the rest need only end like a sample.
  if (interest === 'repeat' && endsLikeSample(state.bytes, end)) {
    state.seriesSeen += 1
    return
  }
  const sample = parseLine(state, start, end)
  if (sample !== undefined && interest === 'wanted') keepSample(state, sample)
}

/** Puts bytes behind the carried start of a line. Grows by doubling: one-byte chunks must not cost a copy each. */
const carryOn = (state: State, bytes: Uint8Array): undefined => {
  const wanted = state.carried + bytes.length
  if (wanted > state.limits.lineBytes) {
    state.line += 1
    state.bytes = state.carry
    return failTooLong(state, 0, state.carried)
  }
  if (wanted > state.carry.length) {
    const grown = Buffer.allocUnsafe(Math.max(1024, wanted, state.carry.length * 2))
    state.carry.copy(grown, 0, 0, state.carried)
    state.carry = grown
  }
  state.carry.set(bytes, state.carried)
  state.carried = wanted
}

const finishCarried = (state: State, chunk: Buffer): number => {
  if (state.carried === 0) return 0
  const end = chunk.indexOf(newline)
  if (end === -1) return 0
  carryOn(state, chunk.subarray(0, end))
  if (state.problem !== undefined) return end + 1
  state.bytes = state.carry
  const { carried } = state
  state.carried = 0
  readLine(state, 0, carried)
  return end + 1
}

const readChunk = (state: State, chunk: Buffer): void => {
  let start = finishCarried(state, chunk)
  if (state.carried === 0) state.bytes = chunk
  while (state.problem === undefined && state.carried === 0) {
    const end = chunk.indexOf(newline, start)
    if (end === -1) break
    readLine(state, start, end)
    start = end + 1
  }
  if (state.problem === undefined && start < chunk.length) carryOn(state, chunk.subarray(start))
}

/**
 * The last line has no line break. A cut value looks like a value (`12` of `123`), so such a line is never believed;
 * only a comment may end that way.
 */
const finish = (state: State): void => {
  if (state.problem !== undefined) return
  state.bytes = state.carry
  if (state.carried > 0 && state.carry[0] === hash) readLine(state, 0, state.carried)
  else if (state.carried > 0) {
    state.line += 1
    const text = state.carry.toString('utf8', 0, state.carried)
    const found = `the end of the text after ${shortened(text.slice(-30).toWellFormed())}`
    fail(state, 'unterminated-line', { column: text.length + 1, expected: 'a line break after the last line', found })
  }
  state.carried = 0
  if (state.form === 'openmetrics' && !state.ended) {
    state.line += 1
    fail(state, 'no-end-marker', { column: 1, expected: '# EOF', found: 'the end of the text' })
  }
}

/**
 * A push parser for the Prometheus text format 0.0.4 and, with `form: 'openmetrics'`, for the samples of OpenMetrics
 * 1.0. What Prometheus rejects is rejected: carriage returns before the line break, a label given twice, hex floats,
 * text that is no UTF-8. Lines whose name no selector has are recognised by their bytes and not decoded.
 */
export const createExpositionReader = (options: ReaderOptions): ExpositionReader => {
  const form = options.form ?? 'text'
  const state: State = {
    form,
    limits: { ...defaultLimits, ...options.limits },
    filter: options.filter,
    parse: createLineParser(form, options.targetLabels),
    onSample: options.onSample,
    carry: Buffer.alloc(0),
    carried: 0,
    bytes: Buffer.alloc(0),
    line: 0,
    seriesSeen: 0,
    kept: 0,
    ended: false,
    problem: undefined,
  }
  return {
    push: (chunk) => {
      if (state.problem === undefined && chunk.length > 0) {
        readChunk(state, Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      }
      return state.problem
    },
    end: () => {
      finish(state)
      const { seriesSeen, kept, problem } = state
      return problem === undefined ? { seriesSeen, kept } : { seriesSeen, kept, problem }
    },
  }
}
