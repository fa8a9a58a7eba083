import type { Labels, Matcher, Selector } from './contract.ts'

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

/** Does a series with these labels belong to the selector? The name is the caller's to check. */
export type SeriesTest = (labels: Labels) => boolean
type ValueTest = (value: string) => boolean

/** Words joined by `|`: the commonest pattern of all, and no engine needed. */
const onlyWords = /^[\w:/ -]+(?:\|[\w:/ -]+)*$/
/** Legal to JavaScript, refused by RE2 and therefore by Prometheus. */
const notInRe2 = /\(\?(?:[=!]|<[=!])|\\[1-9k]/
const leadingFlags = /^\(\?([is]+)\)/

/** RE2 lets any punctuation be escaped; JavaScript's strict mode only what has a meaning. */
const strictEscapes = (pattern: string): string =>
  pattern.replace(/\\([^\w\s])/g, (escaped, character: string) =>
    /[\^$\\.*+?()[\]{}|/]/.test(character) ? escaped : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )

/**
 * A Prometheus matcher's regular expression: RE2 syntax, anchored at both ends, `.` matches a line break as well
 * (Prometheus 3). Strict mode makes what only RE2 knows an error instead of something else.
 */
const anchored = (pattern: string): ValueTest => {
  if (onlyWords.test(pattern)) {
    const words = new Set(pattern.split('|'))
    return (value) => words.has(value)
  }
  if (pattern === '.*') return () => true
  if (pattern === '.+') return (value) => value !== ''
  const flags = leadingFlags.exec(pattern)?.[1] ?? ''
  const body = pattern.replace(leadingFlags, '').replaceAll('(?P<', '(?<')
  const hint = 'write it in the part of RE2 that JavaScript shares: no look-around, no \\A, \\z, \\Q or [[:class:]]'
  if (notInRe2.test(body))
    throw new SelectorError(`Prometheus would refuse the regular expression ${pattern}`, { hint })
  try {
    const regex = new RegExp(`^(?:${strictEscapes(body)})$`, flags.includes('i') ? 'isu' : 'su')
    return (value) => regex.test(value)
  } catch (cause) {
    throw new SelectorError(`cannot use the regular expression ${pattern}`, { hint, cause })
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
