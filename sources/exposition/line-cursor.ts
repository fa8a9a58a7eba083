import type { ExpositionForm } from './number.ts'
import type { LineFault } from './problem.ts'

/** A place in one line of text, and what was found wrong there. */
export type LineCursor = {
  text: string
  at: number
  form: ExpositionForm
  fault: LineFault | undefined
}

const tab = 0x09
const space = 0x20
const quote = 0x22
const backslash = 0x5c
const colon = 0x3a

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isLabelCode = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || isDigit(code)
const isBlank = (code: number): boolean => code === space || code === tab

export const codeAt = (cursor: LineCursor): number => cursor.text.charCodeAt(cursor.at)
export const atEnd = (cursor: LineCursor): boolean => cursor.at >= cursor.text.length
export const follows = (cursor: LineCursor, text: string): boolean => cursor.text.startsWith(text, cursor.at)

/** Notes the first fault of a line; what is found after it is a consequence. */
export const fault = (cursor: LineCursor, expected: string, at = cursor.at): undefined => {
  cursor.fault ??= { at, expected }
}

/** Blanks that mean nothing: the text format has them anywhere, OpenMetrics nowhere. */
export const skipBlanks = (cursor: LineCursor): void => {
  if (cursor.form === 'openmetrics') return
  while (isBlank(codeAt(cursor))) cursor.at++
}

/** Between two parts of a line: one space in OpenMetrics, any blanks or none in the text format. */
export const skipSeparator = (cursor: LineCursor): undefined => {
  if (cursor.form === 'text') return skipBlanks(cursor) as undefined
  if (codeAt(cursor) !== space) return fault(cursor, 'a space')
  cursor.at++
}

/** Everything up to the next blank or the line's end. */
export const readToken = (cursor: LineCursor): string => {
  const start = cursor.at
  const isEnd = cursor.form === 'text' ? isBlank : (code: number) => code === space
  while (!atEnd(cursor) && !isEnd(codeAt(cursor))) cursor.at++
  return cursor.text.slice(start, cursor.at)
}

/** A name without quotes, as metrics (with colons) and labels have it. */
export const readPlainName = (cursor: LineCursor, kind: 'metric' | 'label'): string | undefined => {
  const start = cursor.at
  if (isDigit(codeAt(cursor))) return undefined
  while (isLabelCode(codeAt(cursor)) || (kind === 'metric' && codeAt(cursor) === colon)) cursor.at++
  return cursor.at === start ? undefined : cursor.text.slice(start, cursor.at)
}

/** Prometheus leaves an escape it does not know as it stands: `\d` stays two characters. */
export const resolveEscapes = (text: string): string =>
  text.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))

/** The text between two quotes; the cursor stands on the first and ends behind the second. */
export const readQuoted = (cursor: LineCursor, what: string): string | undefined => {
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
