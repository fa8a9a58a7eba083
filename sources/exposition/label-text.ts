import { codeAt, fault, type LineCursor, readPlainName, readQuoted, skipBlanks } from './line-cursor.ts'

export type LabelSet = Record<string, string>

/** How the labels between two braces may be written. */
export type LabelRules = {
  /** A quoted string without a value is the metric's name; an exemplar has none. */
  holdsName: boolean
  /** Prometheus allows a comma behind the last label, the specification of OpenMetrics does not. */
  trailingComma: boolean
  limit: number
}

const quote = 0x22
const comma = 0x2c
const equals = 0x3d
const closeBrace = 0x7d

export const setLabel = (labels: LabelSet, name: string, value: string): void => {
  // A label may be called __proto__, and an assignment would set the prototype.
  if (name === '__proto__') Object.defineProperty(labels, name, { value, enumerable: true, configurable: true })
  else labels[name] = value
}

const readLabelValue = (cursor: LineCursor, labels: LabelSet, name: string): undefined => {
  skipBlanks(cursor)
  if (codeAt(cursor) !== equals) return fault(cursor, `"=" after the label name ${name}`)
  cursor.at++
  skipBlanks(cursor)
  if (codeAt(cursor) !== quote) return fault(cursor, `a value in double quotes for the label ${name}`)
  const value = readQuoted(cursor, `the value of the label ${name}`)
  if (value !== undefined) setLabel(labels, name, value)
}

/** One entry between braces. Returns the metric's name when the entry is that. */
const readEntry = (cursor: LineCursor, labels: LabelSet, rules: LabelRules): string | undefined => {
  const start = cursor.at
  const quoted = codeAt(cursor) === quote
  const name = quoted ? readQuoted(cursor, 'a quoted name') : readPlainName(cursor, 'label')
  if (name === undefined) return fault(cursor, 'a label name or "}"', start)
  if (quoted) {
    skipBlanks(cursor)
    if (name === '') return fault(cursor, 'a name that is not empty', start)
    if (codeAt(cursor) !== equals && rules.holdsName) return name
  }
  if (Object.hasOwn(labels, name)) return fault(cursor, `each label once, and ${name} stands there twice`, start)
  readLabelValue(cursor, labels, name)
}

/** What stands between two labels. Without a comma the next label may follow only in the text format. */
const readBetween = (cursor: LineCursor, rules: LabelRules): undefined => {
  skipBlanks(cursor)
  const here = codeAt(cursor)
  if (here === closeBrace) return
  if (here === comma) {
    cursor.at++
    skipBlanks(cursor)
    if (!rules.trailingComma && codeAt(cursor) === closeBrace) fault(cursor, 'a label after ","')
    return
  }
  const isNext = cursor.form === 'text' && /[a-zA-Z_"]/.test(cursor.text.charAt(cursor.at))
  if (!isNext) fault(cursor, '"," or "}" after a label')
}

/**
 * Everything between the braces; the cursor stands behind the opening one. Returns the metric's name: the one that
 * stood before the braces or the one inside.
 */
export const readLabels = (
  cursor: LineCursor,
  labels: LabelSet,
  rules: LabelRules,
  outerName?: string,
): string | undefined => {
  let name = outerName
  let count = 0
  skipBlanks(cursor)
  while (codeAt(cursor) !== closeBrace) {
    const start = cursor.at
    const inner = readEntry(cursor, labels, rules)
    if (inner !== undefined && name !== undefined) fault(cursor, 'one metric name', start)
    name ??= inner
    count += 1
    if (count > rules.limit && cursor.fault === undefined) {
      cursor.fault = { at: start, expected: `at most ${rules.limit} labels`, code: 'too-many-labels' }
    }
    if (cursor.fault === undefined) readBetween(cursor, rules)
    if (cursor.fault !== undefined) return undefined
  }
  cursor.at++
  return name
}

/**
 * The labels a series has in the end: the target's where the line has none of that name, which is what
 * `honor_labels: true` means (one written empty keeps the target's away), and none that is empty, since Prometheus
 * knows no difference between an empty label and none.
 */
export const withTargetLabels = (written: LabelSet, target: readonly (readonly [string, string])[]): LabelSet => {
  const labels: LabelSet = {}
  for (const [name, value] of Object.entries(written)) if (value !== '') setLabel(labels, name, value)
  for (const [name, value] of target) if (value !== '' && !Object.hasOwn(written, name)) setLabel(labels, name, value)
  return labels
}
