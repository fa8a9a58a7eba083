import * as z from 'zod'

/** One label matcher as Alertmanager writes it; a label that is missing is empty. */
export type LabelMatcher = { label: string; op: '=' | '!=' | '=~' | '!~'; value: string }

const pattern = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"{},]*))\s*$/

const op = (text: string | undefined): LabelMatcher['op'] =>
  text === '=~' || text === '!~' || text === '!=' ? text : '='

/** `u` and not `v`, to which the `-` and `/` of `[a-z-]` and `[^/]` are mistakes. */
const flags = 'u'

/** An expression that must match all of a value, as Prometheus and Alertmanager have it. */
export const wholeExpression = (expression: string): RegExp => new RegExp(`^(?:${expression})$`, flags)

/** Why an expression cannot be read, in the engine's words; undefined when it can. */
const flawOf = ({ op, value }: LabelMatcher): string | undefined => {
  try {
    if (op.endsWith('~')) RegExp(value, flags)
    return undefined
  } catch (error) {
    return String(error).replace(/^.*: /su, '')
  }
}

const readMatcher = (text: string): LabelMatcher | undefined => {
  const [, label, sign, quoted, bare] = pattern.exec(text) ?? []
  if (label === undefined) return undefined
  const value = quoted?.replace(/\\(["\\])/g, '$1') ?? bare ?? ''
  return { label, op: op(sign), value }
}

/** Reads `severity=~"page|ticket"`; the quotes may be left out. Undefined when it is no matcher. */
export const parseMatcher = (text: string): LabelMatcher | undefined => {
  const read = readMatcher(text)
  return read && flawOf(read) === undefined ? read : undefined
}

/** `a|(b|c)` as `a` and `(b|c)`. */
const alternatives = (expression: string): string[] => {
  let depth = 0
  let parts = ['']
  for (const char of expression) {
    if (char === '(') depth++
    if (char === ')') depth--
    const [last = '', ...others] = parts
    parts = char === '|' && depth === 0 ? ['', ...parts] : [last + char, ...others]
  }
  return parts
}

/**
 * Can the expression be tried quickly on any text? JavaScript's expressions go back and try again at every choice: one
 * that has many of them, or repeats a group, can take longer than anybody waits, and all alerts would wait behind it.
 */
const isQuick = (expression: string): boolean => {
  if (/\\[1-9k]|\(\?(?!:)/.test(expression)) return false
  const bare = expression
    .replace(/\\./gsu, 'x')
    .replace(/\[[^\]]*\]/g, 'x')
    .replaceAll('(?:', '(')
  return alternatives(bare).every((part) => {
    const repeats = part.match(/[*+{]/g)?.length ?? 0
    const choices = part.match(part.includes('|') ? /[?(]/g : /\?/g)?.length ?? 0
    return repeats <= 3 && repeats + choices <= 4 && !/\)[*+{]/.test(part)
  })
}

/** A matcher in a config or a request. */
export const matcher = z
  .string()
  .max(200)
  .superRefine((text, context) => {
    const read = readMatcher(text)
    const flaw = read && flawOf(read)
    if (!read) context.addIssue('a matcher like service=shop or severity=~"page|ticket"')
    if (flaw) context.addIssue(`an expression as JavaScript reads it (${flaw})`)
  })
  .refine((text) => {
    const read = parseMatcher(text)
    return !read?.op.endsWith('~') || isQuick(read.value)
  }, 'an expression that is quick to try: few of * and + and ?, none of * and + behind a group')
