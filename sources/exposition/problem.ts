/** Why the reading of an exposition stopped. Everything before it was read and stays true. */
export type ExpositionProblem = {
  code:
    | 'syntax'
    | 'against-openmetrics'
    | 'line-too-long'
    | 'too-many-labels'
    | 'too-many-series'
    | 'too-many-bytes'
    | 'unterminated-line'
    | 'no-end-marker'
    | 'text-after-end'
  /** From 1. */
  line: number
  /** From 1, in UTF-16 units, as JavaScript and most editors count. */
  column: number
  /** From 0, in bytes of the decoded body: the same place as line and column. */
  byteOffset: number
  expected: string
  /** The offending text from that column on, shortened and quoted. */
  found: string
}

/** What is wrong with one line: the offset in characters, and what should have stood there. */
export type LineFault = { at: number; expected: string; code?: ExpositionProblem['code'] }

const foundLimit = 40

/** The text as a person sees it in a message: one line, in quotes, at most 40 characters of it. */
export const shortened = (text: string): string => {
  if (text === '') return 'the end of the line'
  return text.length > foundLimit
    ? `${JSON.stringify(text.slice(0, foundLimit).toWellFormed())}…`
    : JSON.stringify(text)
}

/** `line 3, column 7: expected a number, found "abc"` */
export const problemSentence = (problem: ExpositionProblem): string =>
  `line ${problem.line}, column ${problem.column}: expected ${problem.expected}, found ${problem.found}`
