import type { Labels, Matcher, Selector } from './contract.ts'
import { compileRegex } from './regex.ts'
import { RegexError } from './regex-syntax.ts'

/** A selector that cannot be used: its regular expression is not one, or says something only one engine understands. */
export class SelectorError extends Error {
  override name = 'SelectorError'
  readonly code = 'bad-regex'
  readonly hint: string
  constructor(message: string, options: { hint: string; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.hint = options.hint
  }
}

/** A selector as PromQL writes it. */
export const selectorText = ({ name, matchers = [] }: Selector): string =>
  matchers.length === 0
    ? name
    : `${name}{${matchers.map(({ label, op, value }) => `${label}${op}${JSON.stringify(value)}`).join(',')}}`

/** Does a series with these labels belong to the selector? The name is the caller's to check. */
export type SeriesTest = (labels: Labels) => boolean
type ValueTest = (value: string) => boolean

/** Words joined by `|`, punctuation in them escaped: the commonest pattern of all, and a look-up is enough. */
const onlyWords = /^(?:[^\\.+*?()|[\]{}^$]|\\[!-/:-@[-`{}~]|\|)*$/

const anchored = (pattern: string): ValueTest => {
  if (pattern === '.*') return () => true
  if (pattern === '.+') return (value) => value !== ''
  if (onlyWords.test(pattern)) {
    const words = new Set(pattern.split('|').map((word) => word.replace(/\\(.)/g, '$1')))
    return (value) => words.has(value)
  }
  try {
    return compileRegex(pattern)
  } catch (cause) {
    if (!(cause instanceof RegexError)) throw cause
    throw new SelectorError(`Prometheus would refuse the regular expression ${pattern}: ${cause.message}`, {
      hint: 'RE2 syntax, as in PromQL: no look-around, no back-references',
      cause,
    })
  }
}

const valueTest = ({ op, value: wanted }: Matcher): ValueTest => {
  switch (op) {
    case '=':
      return (value) => value === wanted
    case '!=':
      return (value) => value !== wanted
    case '=~':
      return anchored(wanted)
    case '!~': {
      const test = anchored(wanted)
      return (value) => !test(value)
    }
    default:
      return op satisfies never
  }
}

/** One condition on one label; a label the series does not have is the empty string, as in Prometheus. */
export type LabelTest = { label: string; test: ValueTest }

/**
 * Compiles a selector's matchers into the conditions that must all hold.
 *
 * @throws SelectorError
 */
export const compileLabelTests = (matchers: readonly Matcher[] = []): readonly LabelTest[] =>
  matchers.map((matcher) => ({ label: matcher.label, test: valueTest(matcher) }))

/**
 * Compiles a selector's matchers. A label the series does not have is the empty string, as in Prometheus.
 *
 * @throws SelectorError
 */
export const compileMatchers = (matchers: readonly Matcher[] = []): SeriesTest => {
  const tests = compileLabelTests(matchers)
  return (labels) =>
    // Own labels only: a label may be called `constructor`.
    tests.every(({ label, test }) => test(Object.hasOwn(labels, label) ? (labels[label] ?? '') : ''))
}

/**
 * Compiles selectors into one test per metric name: a series is kept when any selector of its name matches.
 *
 * @throws SelectorError
 */
export const compileSelectors = (selectors: readonly Selector[]): ReadonlyMap<string, SeriesTest> => {
  const byName = Map.groupBy(selectors, (selector) => selector.name)
  return new Map(
    [...byName].map(([name, same]): [string, SeriesTest] => {
      const tests = same.map((selector) => compileMatchers(selector.matchers))
      return [name, (labels) => tests.some((test) => test(labels))]
    }),
  )
}
