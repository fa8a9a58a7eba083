import { parser } from '@prometheus-io/lezer-promql'
import { parseSelector } from '../../rules/selector.ts'
import type { Matcher } from '../../sources/contract.ts'
import { selectorText } from '../../sources/selector.ts'

/** Counters, all of them and a part of them, as selectors. */
export type Ratio = { total: string; good: string } | { total: string; bad: string }
export type Found<T> = { found: T } | { why: string }

type Node = ReturnType<typeof parser.parse>['topNode']

/** A counter's selector with the window its rate is of; without one it is the counter itself. */
type Counter = { selector: string; window: string }
/** What an expression of counters comes to. */
type Term = Counter | { minuend: Counter; subtrahend: Counter }

/** A query that is no more than counters; anything else says what it is. */
class Unlike extends Error {}

/** sloth's window, in whatever spaces; Prometheus would not read it. */
const plain = (query: string) => query.replace(/\{\{\s*\.window\s*\}\}/g, '5m').trim()

const children = (node: Node): Node[] => {
  const all: Node[] = []
  for (let child = node.firstChild; child; child = child.nextSibling) all.push(child)
  return all
}

const parsed = (query: string): Node => {
  const top = parser.parse(query).topNode
  const [expression, second] = children(top)
  let broken = false
  top.cursor().iterate((node) => {
    if (node.type.isError) broken = true
  })
  if (broken || !expression || second) throw new Unlike('it is no PromQL')
  return expression
}

const inner = (node: Node): Node => {
  const [only] = children(node)
  return node.name === 'ParenExpr' && only ? inner(only) : node
}

/** A string of PromQL, in whichever quotes, with those escapes of Go's (Go specification, "Rune literals") that are text. */
const stringOf = (text: string): string => {
  const body = text.slice(1, -1)
  if (text.startsWith('`')) return body
  return body.replace(/\\(x[\da-f]{2}|u[\da-f]{4}|U[\da-f]{8}|[0-7]{3}|.?)/gis, (_, said: string) => {
    if (said === 'n') return '\n'
    if (said !== '' && `\\'"`.includes(said)) return said
    const isOctal = /^[0-7]{3}$/.test(said)
    const code = Number.parseInt(isOctal ? said : said.slice(1), isOctal ? 8 : 16)
    // Behind \x and in octal stand bytes, of which those up to 127 are characters.
    if (!(code <= (/^u/i.test(said) ? 0x10ffff : 0x7f)))
      throw new Unlike(`${text} has an escape that cannot be carried over, \\${said}`)
    return String.fromCodePoint(code)
  })
}

const ops: Readonly<Record<string, Matcher['op']>> = { '=': '=', '!=': '!=', '=~': '=~', '!~': '!~' }

const matcherOf = (node: Node, query: string): Matcher => {
  const [label, op, value] = children(node).map(({ from, to }) => query.slice(from, to))
  const sign = ops[op ?? '']
  if (node.name !== 'UnquotedLabelMatcher' || label === undefined || value === undefined || !sign)
    throw new Unlike(`${query.slice(node.from, node.to)} is no matcher that can be carried over`)
  return { label, op: sign, value: stringOf(value) }
}

const selectorOf = (node: Node, query: string): string => {
  const [name, matchers] = ['Identifier', 'LabelMatchers'].map((kind) => node.getChild(kind))
  if (!name) throw new Unlike('a selector without the name of a metric')
  const all = matchers ? children(matchers).map((one) => matcherOf(one, query)) : []
  const text = selectorText({ name: query.slice(name.from, name.to), matchers: all })
  const read = parseSelector(text)
  if (!read || !all.every(({ value }, nth) => read.matchers?.[nth]?.value === value))
    throw new Unlike(`${text} is no selector that can be carried over`)
  return text
}

const growths = ['rate', 'increase']

const callOf = (node: Node, query: string): Counter => {
  const [name, body] = children(node)
  const what = name ? query.slice(name.from, name.to) : ''
  const [matrix] = body ? children(body) : []
  if (!growths.includes(what))
    throw new Unlike(`${what}() of a series: only rate() and increase() of counters are events`)
  const [vector, window] = matrix ? children(matrix) : []
  if (matrix?.name !== 'MatrixSelector' || vector?.name !== 'VectorSelector' || !window)
    throw new Unlike(`${query.slice(node.from, node.to)}: no offset, @ or subquery can be carried over`)
  return { selector: selectorOf(vector, query), window: query.slice(window.from, window.to) }
}

const termOf = (wrapped: Node, query: string): Term => {
  const node = inner(wrapped)
  switch (node.name) {
    case 'AggregateExpr': {
      const [op, body, more] = children(node)
      const what = op ? query.slice(op.from, op.to) : ''
      const [only, second] = body ? children(body) : []
      if (what !== 'sum') throw new Unlike(`${what}() of series: only sum() counts events`)
      if (more || body?.name !== 'FunctionCallBody' || !only || second)
        throw new Unlike('a sum by labels has a ratio for each of them, and an objective has one')
      return termOf(only, query)
    }
    case 'FunctionCall':
      return callOf(node, query)
    case 'VectorSelector':
      return { selector: selectorOf(node, query), window: '' }
    case 'BinaryExpr': {
      const [left, op, right, more] = children(node)
      if (!left || !right || more || op?.name !== 'Sub')
        throw new Unlike(`${query.slice(node.from, node.to)} is neither a counter nor the difference of two`)
      const [minuend, subtrahend] = [termOf(left, query), termOf(right, query)]
      if ('minuend' in minuend || 'minuend' in subtrahend) throw new Unlike('a difference of differences')
      return { minuend, subtrahend }
    }
    default:
      throw new Unlike(`${query.slice(node.from, node.to)} is no counter`)
  }
}

const same = (one: Counter, other: Counter) => one.selector === other.selector && one.window === other.window

/** `part` of `all`; what all but a part come to is told by the part. */
const partOf = (part: Term, all: Term, partIs: 'good' | 'bad'): Ratio => {
  if ('minuend' in all) throw new Unlike('the events are the difference of two counters')
  if ('minuend' in part) {
    if (!same(part.minuend, all)) throw new Unlike('a difference that is not of all events')
    return partOf(part.subtrahend, all, partIs === 'good' ? 'bad' : 'good')
  }
  if (part.window !== all.window) throw new Unlike('the two rates are of different windows')
  return partIs === 'good' ? { total: all.selector, good: part.selector } : { total: all.selector, bad: part.selector }
}

const found = (of: () => Ratio): Found<Ratio> => {
  try {
    return { found: of() }
  } catch (error) {
    if (error instanceof Unlike) return { why: error.message }
    throw error
  }
}

/** Two queries, all events and those among them that are good or bad, as selectors. */
export const ratioOfTwo = (queries: { total: string; part: string; partIs: 'good' | 'bad' }): Found<Ratio> =>
  found(() => {
    const [total, part] = [plain(queries.total), plain(queries.part)]
    return partOf(termOf(parsed(part), part), termOf(parsed(total), total), queries.partIs)
  })

const ratioIn = (wrapped: Node, query: string, partIs: 'good' | 'bad'): Ratio => {
  const node = inner(wrapped)
  const [left, op, right, more] = children(node)
  if (node.name !== 'BinaryExpr' || !left || !right || more) throw new Unlike('it is no ratio of two counters')
  const isWhole = op?.name === 'Sub' && query.slice(left.from, left.to) === '1'
  if (isWhole) return ratioIn(right, query, partIs === 'good' ? 'bad' : 'good')
  if (op?.name !== 'Div') throw new Unlike('it is no ratio of two counters')
  return partOf(termOf(left, query), termOf(right, query), partIs)
}

/** One query that is the share of the good or of the bad events. */
export const ratioOfOne = (query: string, partIs: 'good' | 'bad'): Found<Ratio> =>
  found(() => ratioIn(parsed(plain(query)), plain(query), partIs))
