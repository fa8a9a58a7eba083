/** Why the reading of an exposition stopped. Everything before it was read and stays true. */
export type ExpositionProblem = {
  code: 'syntax' | 'line-too-long' | 'too-many-series' | 'unterminated-line' | 'no-end-marker' | 'text-after-end'
  /** From 1. */
  line: number
  /** From 1, in characters. */
  column: number
  expected: string
  /** The offending text from that column on, shortened and quoted. */
  found: string
}

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
