import type { Labels, Sample } from '../contract.ts'
import { createLabelPaths, type LabelPaths, type LabelStep } from './label-path.ts'
import { setLabel } from './label-text.ts'
import { holds, type NameRun } from './name-filter.ts'
import type { ExpositionForm } from './number.ts'
import { createRecentTexts, type TextOf } from './recent-texts.ts'
import type { LineOptions } from './sample-line.ts'

/**
 * Reads lines written the plain way, `name{label="value",…} 12.5 1795406393123` with nothing escaped and no blank too
 * many, straight from their bytes. Nearly every line there is is of that kind.
 */
export type PlainLine = {
  /**
   * Reads the line whose name ends at `at` and returns where its line break is. -1: it is written otherwise, or
   * wrongly; nothing is known about it but that the exact parser must look.
   */
  read: (bytes: Buffer, at: number) => number
  /** The line just read as a sample; nothing when no condition of the run holds. Labels are built only then. */
  sample: (run: NameRun) => Sample | undefined
}

const newline = 0x0a
const space = 0x20
const quote = 0x22
const plus = 0x2b
const comma = 0x2c
const minus = 0x2d
const dot = 0x2e
const zero = 0x30
const nine = 0x39
const openBrace = 0x7b
const closeBrace = 0x7d
const exponent = 0x65

/** So many digits are exact in a double whatever they are, and so is a power of ten up to the 22nd. */
const exactDigits = 15
const powersOfTen = Array.from({ length: 23 }, (_, power) => 10 ** power)
/** What means itself between two quotes. Values with escapes are the exact parser's. */
const isPlainByte = new Uint8Array(256).fill(1)
for (const code of [newline, quote, 0x5c]) isPlainByte[code] = 0
/** More labels than this are the exact parser's. */
const mostLabels = 64

type State = {
  paths: LabelPaths
  textOf: TextOf
  form: ExpositionForm
  labelLimit: number
  added: readonly [string, string][]
  /**
   * The labels of the line just read: names, and the texts of values that are known at once; of the others where they
   * stand, and a hash.
   */
  count: number
  steps: LabelStep[]
  texts: (string | undefined)[]
  starts: Int32Array
  ends: Int32Array
  hashes: Int32Array
  value: number
  timestampMs: number | undefined
  bytes: Buffer
}

const hasLabel = (state: State, name: string): boolean => {
  for (let at = 0; at < state.count; at++) if (state.steps[at]?.name === name) return true
  return false
}

/** The next label name at `at`: mostly the one that stood there in the line before. */
const stepAt = (state: State, from: LabelStep, bytes: Buffer, at: number): LabelStep | undefined => {
  const { likely } = from
  if (likely !== undefined) {
    const { token } = likely
    let matched = 0
    while (matched < token.length && bytes[at + matched] === token[matched]) matched++
    if (matched === token.length) return likely
  }
  return state.paths.follow(from, bytes, at, (name) => hasLabel(state, name))
}

/** How many characters of the text stand at `start`. */
const sameText = (bytes: Buffer, start: number, text: string): number => {
  let at = 0
  while (at < text.length && bytes[start + at] === text.charCodeAt(at)) at++
  return at
}

/** Everything behind the opening brace; returns the place behind the closing one, or -1. */
const readLabels = (state: State, bytes: Buffer, from: number): number => {
  const { starts, ends, hashes, texts, labelLimit } = state
  let at = from
  let step = state.paths.root
  for (let count = 0; count < labelLimit; count++) {
    state.count = count
    const next = stepAt(state, step, bytes, at)
    if (next === undefined) return -1
    at += next.token.length
    state.steps[count] = next
    starts[count] = at
    const same = at + sameText(bytes, at, next.last)
    if (same - at === next.last.length && bytes[same] === quote) {
      texts[count] = next.last
      at = same
    } else {
      let hash = 0
      let wide = 0
      let code = bytes[at] ?? newline
      for (; isPlainByte[code] === 1; code = bytes[++at] ?? newline) {
        hash = Math.imul(hash ^ code, 0x01000193)
        wide |= code
      }
      if (code !== quote) return -1
      // Only ASCII can be compared with text byte by byte.
      texts[count] = wide < 0x80 ? undefined : bytes.toString('utf8', starts[count], at)
      hashes[count] = hash
      ends[count] = at
    }
    const after = bytes[at + 1]
    at += 2
    if (after === closeBrace) {
      state.count = count + 1
      return at
    }
    if (after !== comma) return -1
    step = next
  }
  return -1
}

/** `e+09` behind a number; returns its power of ten, or nothing when it is written otherwise. */
const powerAt = (bytes: Buffer, at: number): { power: number; end: number } | undefined => {
  const sign = bytes[at + 1]
  if (sign !== plus && sign !== minus) return undefined
  let power = 0
  let end = at + 2
  while (end < at + 5 && isDigit(bytes[end])) power = power * 10 + (bytes[end++] ?? zero) - zero
  return end === at + 2 ? undefined : { power: sign === plus ? power : -power, end }
}

const isDigit = (code: number | undefined): boolean => code !== undefined && code >= zero && code <= nine

/** A decimal of at most fifteen digits, which one division or multiplication turns into the nearest double. */
const readNumber = (state: State, bytes: Buffer, from: number): number => {
  const negative = bytes[from] === minus
  let at = negative ? from + 1 : from
  let whole = 0
  let digits = 0
  let dotAt = -1
  for (; ; at++) {
    const code = bytes[at] ?? newline
    if (code >= zero && code <= nine) {
      whole = whole * 10 + (code - zero)
      digits += 1
    } else if (code === dot && dotAt === -1) dotAt = at
    else break
  }
  if (digits === 0 || digits > exactDigits) return -1
  let scale = dotAt === -1 ? 0 : dotAt + 1 - at
  if (bytes[at] === exponent) {
    const found = powerAt(bytes, at)
    if (found === undefined) return -1
    scale += found.power
    at = found.end
  }
  if (scale !== 0) {
    const ten = powersOfTen[Math.abs(scale)]
    if (ten === undefined) return -1
    whole = scale < 0 ? whole / ten : whole * ten
  }
  state.value = negative ? -whole : whole
  return at
}

const readTimestamp = (state: State, bytes: Buffer, from: number): number => {
  let at = from
  let whole = 0
  while (isDigit(bytes[at])) whole = whole * 10 + (bytes[at++] ?? zero) - zero
  if (at === from || at - from > exactDigits) return -1
  state.timestampMs = whole
  return at
}

const readLine = (state: State, bytes: Buffer, nameEnd: number): number => {
  state.count = 0
  state.timestampMs = undefined
  state.bytes = bytes
  const at = bytes[nameEnd] === openBrace ? readLabels(state, bytes, nameEnd + 1) : nameEnd
  if (at === -1 || bytes[at] !== space) return -1
  const end = readNumber(state, bytes, at + 1)
  if (end === -1 || bytes[end] === newline) return end
  // OpenMetrics' timestamps are seconds with a fraction, seldom enough to be the exact parser's.
  if (bytes[end] !== space || state.form === 'openmetrics') return -1
  const last = readTimestamp(state, bytes, end + 1)
  return last !== -1 && bytes[last] === newline ? last : -1
}

const textAt = (state: State, at: number): string => {
  const known = state.texts[at]
  if (known !== undefined) return known
  const text = state.textOf(state.bytes, state.starts[at] ?? 0, state.ends[at] ?? 0, state.hashes[at] ?? 0)
  const step = state.steps[at]
  if (step !== undefined) step.last = text
  return text
}

const labelValue = (state: State, label: string): string => {
  for (let at = 0; at < state.count; at++) if (state.steps[at]?.name === label) return textAt(state, at)
  return state.added.find(([name]) => name === label)?.[1] ?? ''
}

const buildSample = (state: State, run: NameRun): Sample | undefined => {
  if (run.conditions !== undefined && !holds(run.conditions, (label) => labelValue(state, label))) return undefined
  const labels: Record<string, string> = {}
  for (let at = 0; at < state.count; at++) {
    const text = textAt(state, at)
    // Prometheus knows no difference between an empty label and none.
    if (text !== '') labels[state.steps[at]?.name ?? ''] = text
  }
  for (const [name, text] of state.added) if (!hasLabel(state, name)) setLabel(labels, name, text)
  const { value, timestampMs } = state
  return timestampMs === undefined ? { name: run.name, labels, value } : { name: run.name, labels, value, timestampMs }
}

export const createPlainLine = (options: LineOptions, targetLabels: Labels): PlainLine => {
  const labelLimit = Math.min(options.labelLimit, mostLabels)
  const paths = createLabelPaths()
  const state: State = {
    paths,
    textOf: createRecentTexts(),
    form: options.form,
    labelLimit,
    added: Object.entries(targetLabels).filter(([, value]) => value !== ''),
    count: 0,
    steps: new Array(labelLimit).fill(paths.root),
    texts: new Array(labelLimit).fill(undefined),
    starts: new Int32Array(labelLimit),
    ends: new Int32Array(labelLimit),
    hashes: new Int32Array(labelLimit),
    value: 0,
    timestampMs: undefined,
    bytes: Buffer.alloc(0),
  }
  return {
    read: (bytes, nameEnd) => readLine(state, bytes, nameEnd),
    sample: (run) => buildSample(state, run),
  }
}
