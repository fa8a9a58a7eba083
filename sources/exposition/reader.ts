import type { Labels } from '../contract.ts'
import type { CommentLine } from './comment-line.ts'
import { createLineBlocks } from './line-blocks.ts'
import { type ExpositionLimits, fail, type ReadingState, readBlock, readLine } from './line-reader.ts'
import type { NameFilter } from './name-filter.ts'
import type { ExpositionForm } from './number.ts'
import { createOpenMetricsRules } from './openmetrics-rules.ts'
import { createPlainLine } from './plain-line.ts'
import { type ExpositionProblem, shortened } from './problem.ts'
import { createLineParser, type ReadSample } from './sample-line.ts'

export const defaultLimits: ExpositionLimits = {
  bytes: 4 * 1024 ** 3,
  lineBytes: 64 * 1024,
  labels: 256,
  /** Of series kept. */
  series: 500_000,
}

export type ReaderOptions = {
  /** Which series go to `onSample`. */
  filter: NameFilter
  onSample: (sample: ReadSample) => void
  /** HELP, TYPE and UNIT lines, of families kept or not. */
  onComment?: (comment: CommentLine) => void
  form?: ExpositionForm
  /** Holds an OpenMetrics exposition to every rule of its specification, not only to those Prometheus asks for. */
  strict?: boolean
  /** Hands on what stands behind a `#` at the end of a sample. */
  exemplars?: boolean
  /** Added to each sample that lacks them, before `filter` is asked. */
  targetLabels?: Labels
  limits?: Partial<ExpositionLimits>
}

/**
 * What was read, and where the reading ended. `seriesSeen` counts every sample line, kept or not; the line with the
 * problem is not one. `incomplete`: what was read is true, but what is absent may still be there.
 */
export type ExpositionEnd = { seriesSeen: number; kept: number; lines: number; bytes: number } & (
  | { status: 'complete'; problem?: never }
  | { status: 'incomplete'; problem: ExpositionProblem }
)

export type ExpositionReader = {
  /** Takes the next bytes, cut anywhere. The first problem ends the reading; what follows is ignored. */
  push: (chunk: Uint8Array) => ExpositionProblem | undefined
  end: () => ExpositionEnd
}

/**
 * The last line has no line break. A cut value looks like a value (`12` of `123`) and behind a cut comment whole
 * families may be missing, so such a text is never believed to be whole; only `# EOF` may end that way.
 */
const finish = (state: ReadingState, rest: Buffer): undefined => {
  if (state.problem !== undefined) return
  state.bytes = rest
  const isMark = !state.ended && rest.toString('latin1') === '# EOF'
  if (isMark) readLine(state, { start: 0, end: rest.length }, false)
  else if (rest.length > 0) {
    state.lines += 1
    const text = rest.toString('utf8')
    const expected = 'a line break after the last line'
    const found = `the end of the text after ${shortened(text.slice(-30).toWellFormed())}`
    fail(state, 0, { at: text.length, text }, { code: 'unterminated-line', expected, found })
  }
  if (state.problem === undefined && state.form === 'openmetrics' && !state.ended) {
    state.lines += 1
    const found = 'the end of the text'
    fail(state, rest.length, { at: 0, text: '' }, { code: 'no-end-marker', expected: '# EOF', found })
  }
}

const begin = (options: ReaderOptions): ReadingState => {
  const { form = 'text', strict = false, targetLabels = {}, exemplars = false } = options
  const limits = { ...defaultLimits, ...options.limits }
  const line = { form, labelLimit: limits.labels, strict }
  return {
    form,
    limits,
    filter: options.filter,
    plain: createPlainLine(line, targetLabels),
    parse: createLineParser(line),
    rules: strict && form === 'openmetrics' ? createOpenMetricsRules(limits.series) : undefined,
    onSample: options.onSample,
    onComment: options.onComment ?? (() => undefined),
    exemplars,
    added: Object.entries(targetLabels),
    bytes: Buffer.alloc(0),
    offset: 0,
    lines: 0,
    seriesSeen: 0,
    kept: 0,
    ended: false,
    problem: undefined,
  }
}

const failTooManyBytes = (state: ReadingState, bytes: number): undefined => {
  if (state.problem !== undefined) return
  state.lines += 1
  const expected = `at most ${state.limits.bytes} bytes`
  fail(state, bytes - state.offset, { at: 0, text: '' }, { code: 'too-many-bytes', expected, found: 'more' })
}

/**
 * A push parser for the Prometheus text format 0.0.4 and OpenMetrics 1.0. What Prometheus rejects is rejected:
 * carriage returns before the line break, a label given twice, hex floats, text that is no UTF-8. Lines whose name no
 * selector has are recognised by their bytes and not decoded; labels are built only for series that are kept.
 */
export const createExpositionReader = (options: ReaderOptions): ExpositionReader => {
  const state = begin(options)
  const blocks = createLineBlocks({
    lineBytes: state.limits.lineBytes,
    onBlock: (block) => readBlock(state, block),
    onTooLong: (start) => {
      state.bytes = start
      readLine(state, { start: 0, end: state.limits.lineBytes + 1 }, false)
    },
  })
  let bytes = 0
  const push = (chunk: Uint8Array): ExpositionProblem | undefined => {
    if (state.problem !== undefined) return state.problem
    const room = state.limits.bytes - bytes
    bytes += Math.min(chunk.length, room)
    blocks.push(Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, room)))
    if (chunk.length > room) failTooManyBytes(state, bytes)
    return state.problem
  }
  const end = (): ExpositionEnd => {
    finish(state, blocks.rest())
    const { seriesSeen, kept, lines, problem } = state
    const read = { seriesSeen, kept, lines, bytes: problem?.byteOffset ?? bytes }
    return problem === undefined ? { status: 'complete', ...read } : { status: 'incomplete', ...read, problem }
  }
  return { push, end }
}
