// The part of LogQL that asks for lines: a stream selector, line filters and filters on labels and on the level Loki detected.
import type { LogEntry } from './log-store.ts'

export type LabelOperator = '=' | '!=' | '=~' | '!~'
export type LabelMatcher = { name: string; operator: LabelOperator; value: string }
export type LogFilter = (entry: LogEntry) => boolean
export type Parsed<T> = { status: 'parsed'; value: T } | { status: 'refused'; why: string }

const limitQueryLength = 4_096

type Cursor = { text: string; at: number }
class SyntaxRefusal extends Error {}

const describe = ({ text, at }: Cursor): string => {
  const rest = text.slice(at)
  if (rest === '') return '$end'
  return /^[A-Za-z_]\w*/.test(rest) ? 'IDENTIFIER' : rest.charAt(0)
}
const refuse = (cursor: Cursor, expecting: string): never => {
  const place = `parse error at line 1, col ${cursor.at + 1}`
  throw new SyntaxRefusal(`${place}: syntax error: unexpected ${describe(cursor)}, expecting ${expecting}`)
}
const skipSpace = (cursor: Cursor): void => {
  cursor.at += /^\s*/.exec(cursor.text.slice(cursor.at))?.[0].length ?? 0
}
const take = (cursor: Cursor, pattern: RegExp): string | undefined => {
  skipSpace(cursor)
  const found = pattern.exec(cursor.text.slice(cursor.at))?.[0]
  if (found !== undefined) cursor.at += found.length
  return found
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }
const takeString = (cursor: Cursor): string => {
  const quoted = take(cursor, /^"(?:[^"\\\n]|\\.)*"|^`[^`]*`/)
  if (quoted === undefined) return refuse(cursor, 'STRING')
  const inner = quoted.slice(1, -1)
  return quoted.startsWith('`') ? inner : inner.replace(/\\(.)/g, (_, mark: string) => escapes[mark] ?? mark)
}

/** RE2's leading `(?i)` is a flag in JavaScript. */
const regex = (source: string, wrap: (body: string) => string): RegExp => {
  const flagged = /^\(\?i\)/.test(source)
  try {
    return new RegExp(wrap(flagged ? source.slice(4) : source), flagged ? 'i' : '')
  } catch {
    throw new SyntaxRefusal(`parse error at line 1, col 1: error parsing regexp: \`${source}\``)
  }
}

const valueTest = ({ operator, value }: LabelMatcher): ((seen: string) => boolean) => {
  if (operator === '=') return (seen) => seen === value
  if (operator === '!=') return (seen) => seen !== value
  const anchored = regex(value, (body) => `^(?:${body})$`)
  return operator === '=~' ? (seen) => anchored.test(seen) : (seen) => !anchored.test(seen)
}

const takeMatcher = (cursor: Cursor): LabelMatcher => {
  const name = take(cursor, /^[A-Za-z_][A-Za-z0-9_]*/) ?? refuse(cursor, 'IDENTIFIER')
  const operator = take(cursor, /^(?:=~|!~|!=|=)/) ?? refuse(cursor, '=, !=, =~ or !~')
  // The pattern above matches nothing else.
  return { name, operator: operator as LabelOperator, value: takeString(cursor) }
}

const takeSelector = (cursor: Cursor): LabelMatcher[] => {
  if (take(cursor, /^\{/) === undefined) refuse(cursor, '{')
  const matchers: LabelMatcher[] = []
  if (take(cursor, /^\}/) !== undefined) return matchers
  for (;;) {
    matchers.push(takeMatcher(cursor))
    if (take(cursor, /^\}/) !== undefined) return matchers
    if (take(cursor, /^,/) === undefined) refuse(cursor, '} or ,')
  }
}

/** Matchers that would also let a series without the label through select nothing in particular. */
const selective = (matcher: LabelMatcher): boolean => !valueTest(matcher)('')

const matcherFilter = (matchers: readonly LabelMatcher[]): LogFilter => {
  const tests = matchers.map((matcher) => ({ name: matcher.name, passes: valueTest(matcher) }))
  return ({ labels }) => tests.every(({ name, passes }) => passes(labels[name] ?? ''))
}

const takeLineFilter = (cursor: Cursor): LogFilter | undefined => {
  const operator = take(cursor, /^(?:\|=|\|~|!=|!~)/)
  if (operator === undefined) return undefined
  const text = takeString(cursor)
  if (operator === '|=') return ({ line }) => line.includes(text)
  if (operator === '!=') return ({ line }) => !line.includes(text)
  const pattern = regex(text, (body) => body)
  return operator === '|~' ? ({ line }) => pattern.test(line) : ({ line }) => !pattern.test(line)
}

const labelTest = (matcher: LabelMatcher): LogFilter => {
  const passes = valueTest(matcher)
  return ({ labels, level }) => passes(matcher.name === 'detected_level' ? level : (labels[matcher.name] ?? ''))
}

const takeLabelFilter = (cursor: Cursor): LogFilter | undefined => {
  if (take(cursor, /^\|/) === undefined) return undefined
  const tests: LogFilter[] = []
  do tests.push(labelTest(takeMatcher(cursor)))
  while (take(cursor, /^or\b/) !== undefined)
  return (entry) => tests.some((passes) => passes(entry))
}

const noMatcher =
  'parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible ' +
  'value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'

const parsed = <T>(read: () => T): Parsed<T> => {
  try {
    return { status: 'parsed', value: read() }
  } catch (error) {
    if (error instanceof SyntaxRefusal) return { status: 'refused', why: error.message }
    throw error
  }
}

/** A log query; `why` reads as Loki's own refusal where Loki's was seen. */
export const parseLogQuery = (text: string): Parsed<LogFilter> =>
  parsed(() => {
    if (text.length > limitQueryLength) throw new SyntaxRefusal('parse error : input size too long')
    const cursor: Cursor = { text, at: 0 }
    const matchers = takeSelector(cursor)
    if (!matchers.some(selective)) throw new SyntaxRefusal(noMatcher)
    const filters = [matcherFilter(matchers)]
    for (;;) {
      const filter = takeLineFilter(cursor) ?? takeLabelFilter(cursor)
      if (filter === undefined) break
      filters.push(filter)
    }
    skipSpace(cursor)
    if (cursor.at < text.length) refuse(cursor, '$end')
    return (entry: LogEntry) => filters.every((passes) => passes(entry))
  })

/** A Prometheus series selector as `/federate?match[]=` takes it: a name, matchers or both. */
export const parseSeriesSelector = (
  text: string,
): Parsed<(name: string, labels: Readonly<Record<string, string>>) => boolean> =>
  parsed(() => {
    if (text.length > limitQueryLength) throw new SyntaxRefusal('selector too long')
    const cursor: Cursor = { text, at: 0 }
    const metric = take(cursor, /^[A-Za-z_:][A-Za-z0-9_:]*/)
    skipSpace(cursor)
    const matchers = metric !== undefined && cursor.at >= text.length ? [] : takeSelector(cursor)
    skipSpace(cursor)
    if (cursor.at < text.length) refuse(cursor, 'EOF')
    if (metric === undefined && !matchers.some(selective)) {
      throw new SyntaxRefusal('match[] must contain at least one non-empty matcher')
    }
    const tests = matchers.map((matcher) => ({ name: matcher.name, passes: valueTest(matcher) }))
    return (name, labels) =>
      (metric === undefined || metric === name) &&
      tests.every((test) => test.passes(test.name === '__name__' ? name : (labels[test.name] ?? '')))
  })
