import type { Labels, Sample } from '../contract.ts'
import { type ExpositionForm, parseTimestampMs, parseValue } from './number.ts'

/** What is wrong with a line: the offset in characters, and what should have stood there. */
export type LineFault = { at: number; expected: string }

type LabelSet = Record<string, string>
type Cursor = {
  text: string
  at: number
  expected: string | undefined
  hasEmpty: boolean
  /** The labels of the lines before, by their place: the next line mostly has the same names, and often the values. */
  place: number
  names: string[]
  values: string[]
}

const tab = 0x09
const space = 0x20
const quote = 0x22
const hash = 0x23
const comma = 0x2c
const equals = 0x3d
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d

const isLabelCode = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || (code >= 0x30 && code <= 0x39)
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isBlank = (code: number): boolean => code === space || code === tab

const skipBlanks = (cursor: Cursor): void => {
  while (isBlank(cursor.text.charCodeAt(cursor.at))) cursor.at++
}

const code = (cursor: Cursor): number => cursor.text.charCodeAt(cursor.at)

const fault = (cursor: Cursor, expected: string, at = cursor.at): undefined => {
  cursor.expected = expected
  cursor.at = at
}

/** Prometheus leaves an escape it does not know as it stands: `\d` stays two characters. */
const resolveEscapes = (text: string): string =>
  text.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))

/** The text between two quotes; the cursor stands on the first and ends behind the second. */
const readQuoted = (cursor: Cursor, what: string): string | undefined => {
  const { text } = cursor
  const start = cursor.at + 1
  let escaped = false
  let at = start
  for (;;) {
    const here = text.charCodeAt(at)
    if (here === quote) break
    if (here === backslash) {
      escaped = true
      at++
    } else if (at >= text.length) return fault(cursor, `a closing quote for ${what}`, text.length)
    at++
  }
  cursor.at = at + 1
  const raw = text.slice(start, at)
  return escaped ? resolveEscapes(raw) : raw
}

const readPlainName = (cursor: Cursor, colons: boolean): string | undefined => {
  const start = cursor.at
  if (isDigit(code(cursor))) return undefined
  while (isLabelCode(code(cursor)) || (colons && code(cursor) === 0x3a)) cursor.at++
  return cursor.at === start ? undefined : cursor.text.slice(start, cursor.at)
}

const readLabelName = (cursor: Cursor): string | undefined => {
  const known = cursor.names[cursor.place]
  if (known !== undefined && cursor.text.startsWith(known, cursor.at)) {
    const end = cursor.at + known.length
    if (cursor.text.charCodeAt(end) === equals) {
      cursor.at = end
      return known
    }
  }
  const name = readPlainName(cursor, false)
  if (name !== undefined) cursor.names[cursor.place] = name
  return name
}

const readValueText = (cursor: Cursor, label: string): string | undefined => {
  const known = cursor.values[cursor.place]
  if (known !== undefined && cursor.text.startsWith(known, cursor.at + 1)) {
    const end = cursor.at + 1 + known.length
    if (cursor.text.charCodeAt(end) === quote) {
      cursor.at = end + 1
      return known
    }
  }
  const start = cursor.at
  const value = readQuoted(cursor, `the value of the label ${label}`)
  // Only what was written without escapes can be compared with the text of the next line.
  if (value !== undefined && cursor.at - start === value.length + 2) cursor.values[cursor.place] = value
  return value
}

const setLabel = (labels: LabelSet, name: string, value: string): void => {
  // A label may be called __proto__, and an assignment would set the prototype.
  if (name === '__proto__') Object.defineProperty(labels, name, { value, enumerable: true, configurable: true })
  else labels[name] = value
}

const readLabelValue = (cursor: Cursor, labels: LabelSet, name: string): undefined => {
  skipBlanks(cursor)
  if (code(cursor) !== equals) return fault(cursor, `"=" after the label name ${name}`)
  cursor.at++
  skipBlanks(cursor)
  if (code(cursor) !== quote) return fault(cursor, `a value in double quotes for the label ${name}`)
  const value = readValueText(cursor, name)
  if (value === undefined) return
  if (value === '') cursor.hasEmpty = true
  setLabel(labels, name, value)
}

const isTaken = (labels: LabelSet, name: string): boolean => labels[name] !== undefined && Object.hasOwn(labels, name)

/** One entry between braces. Returns the metric's name when the entry is that: a quoted string without a value. */
const readEntry = (cursor: Cursor, labels: LabelSet): string | undefined => {
  const start = cursor.at
  const quoted = code(cursor) === quote
  const name = quoted ? readQuoted(cursor, 'a quoted name') : readLabelName(cursor)
  if (name === undefined) return cursor.expected === undefined ? fault(cursor, 'a label name or "}"', start) : undefined
  if (quoted) {
    skipBlanks(cursor)
    if (name === '') return fault(cursor, 'a name that is not empty', start)
    if (code(cursor) !== equals) return name
  }
  if (isTaken(labels, name)) return fault(cursor, `each label once, and ${name} stands there twice`, start)
  readLabelValue(cursor, labels, name)
}

/** Everything between the braces; the cursor stands behind the opening one. Returns the metric's name, if inside. */
const readLabels = (cursor: Cursor, labels: LabelSet, outerName: string | undefined): string | undefined => {
  let name = outerName
  for (;;) {
    skipBlanks(cursor)
    if (code(cursor) === closeBrace) break
    const start = cursor.at
    const inner = readEntry(cursor, labels)
    if (cursor.expected !== undefined) return undefined
    if (inner !== undefined && name !== undefined) return fault(cursor, 'one metric name', start)
    name = inner ?? name
    skipBlanks(cursor)
    if (code(cursor) === closeBrace) break
    if (code(cursor) !== comma) return fault(cursor, '"," or "}" after a label')
    cursor.at++
    cursor.place++
  }
  cursor.at++
  return name ?? fault(cursor, 'a metric name')
}

const readToken = (cursor: Cursor): string => {
  skipBlanks(cursor)
  const start = cursor.at
  while (cursor.at < cursor.text.length && !isBlank(code(cursor))) cursor.at++
  return cursor.text.slice(start, cursor.at)
}

/** What may follow the value: a timestamp, an exemplar (which is left unread), nothing else. */
const readTimestamp = (cursor: Cursor, form: ExpositionForm): number | undefined => {
  skipBlanks(cursor)
  if (cursor.at >= cursor.text.length) return undefined
  const start = cursor.at
  let timestampMs: number | undefined
  if (code(cursor) !== hash) {
    timestampMs = parseTimestampMs(readToken(cursor), form)
    const expected = form === 'text' ? 'a timestamp in whole milliseconds' : 'a timestamp in seconds'
    if (timestampMs === undefined) return fault(cursor, expected, start)
    skipBlanks(cursor)
  }
  if (cursor.at < cursor.text.length && !cursor.text.startsWith('# {', cursor.at)) fault(cursor, 'the end of the line')
  return timestampMs
}

/** Prometheus knows no difference between an empty label and none, so a series has only one way to be written. */
const withoutEmpty = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''))

const readSample = (cursor: Cursor, form: ExpositionForm, targetLabels: readonly [string, string][]): Sample => {
  const labels: LabelSet = {}
  skipBlanks(cursor)
  let name = readPlainName(cursor, true)
  if (name !== undefined) skipBlanks(cursor)
  if (code(cursor) === openBrace) {
    cursor.at++
    name = readLabels(cursor, labels, name)
  } else if (name === undefined) fault(cursor, 'a metric name')
  else if (!isBlank(cursor.text.charCodeAt(cursor.at - 1))) fault(cursor, '"{" or a space after the metric name')
  if (cursor.expected !== undefined) return { name: '', labels, value: 0 }
  skipBlanks(cursor)
  const valueAt = cursor.at
  const value = parseValue(readToken(cursor))
  if (value === undefined) fault(cursor, 'a number', valueAt)
  const timestampMs = cursor.expected === undefined ? readTimestamp(cursor, form) : undefined
  for (const [label, text] of targetLabels) if (!Object.hasOwn(labels, label)) setLabel(labels, label, text)
  const sample: Sample = {
    name: name ?? '',
    labels: cursor.hasEmpty ? withoutEmpty(labels) : labels,
    value: value ?? 0,
  }
  if (timestampMs !== undefined) sample.timestampMs = timestampMs
  return sample
}

/**
 * Makes the reader of single sample lines, `name{label="value",…} value [timestamp]`, as Prometheus reads them (text
 * format 0.0.4, quoted UTF-8 names included; an OpenMetrics exemplar is allowed and left unread).
 *
 * `targetLabels` are added where the line does not have that label, which is what `honor_labels: true` means: a label
 * of the line always wins, and one written empty keeps the target's away.
 */
export const createLineParser = (
  form: ExpositionForm,
  targetLabels: Labels = {},
): ((text: string) => Sample | LineFault) => {
  const cursor: Cursor = { text: '', at: 0, expected: undefined, hasEmpty: false, place: 0, names: [], values: [] }
  const added = Object.entries(targetLabels).filter(([, value]) => value !== '')
  return (text) => {
    cursor.text = text
    cursor.at = 0
    cursor.expected = undefined
    cursor.hasEmpty = false
    cursor.place = 0
    const sample = readSample(cursor, form, added)
    return cursor.expected === undefined ? sample : { at: cursor.at, expected: cursor.expected }
  }
}
