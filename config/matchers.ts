import * as z from 'zod'

/** One label matcher as Alertmanager writes it; a label that is missing is empty. */
export type LabelMatcher = { label: string; op: '=' | '!=' | '=~' | '!~'; value: string }

const pattern = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"{},]*))\s*$/

const op = (text: string | undefined): LabelMatcher['op'] =>
  text === '=~' || text === '!~' || text === '!=' ? text : '='

const compiles = (expression: string): boolean => {
  try {
    return new RegExp(expression, 'v').source !== ''
  } catch {
    return false
  }
}

/** Reads `severity=~"page|ticket"`; the quotes may be left out. Undefined when it is no matcher. */
export const parseMatcher = (text: string): LabelMatcher | undefined => {
  const [, label, sign, quoted, bare] = pattern.exec(text) ?? []
  if (label === undefined) return undefined
  const value = quoted?.replace(/\\(["\\])/g, '$1') ?? bare ?? ''
  const read = { label, op: op(sign), value }
  return read.op.endsWith('~') && !compiles(value) ? undefined : read
}

/** A matcher in a config or a request: short, so that none can take long to try. */
export const matcher = z
  .string()
  .max(200)
  .refine((text) => parseMatcher(text) !== undefined, 'a matcher like service=shop or severity=~"page|ticket"')
