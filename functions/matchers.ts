import { type LabelMatcher, parseMatcher, wholeExpression } from '../config/matchers.ts'
import type { Labels } from '../rules/contract.ts'

type Test = (labels: Labels) => boolean

const testOf = ({ label, op, value }: LabelMatcher): Test => {
  if (op === '=') return (labels) => (labels[label] ?? '') === value
  if (op === '!=') return (labels) => (labels[label] ?? '') !== value
  const whole = wholeExpression(value)
  return op === '=~' ? (labels) => whole.test(labels[label] ?? '') : (labels) => !whole.test(labels[label] ?? '')
}

const tests = new Map<string, Test>()
const testsKept = 1000

const compiled = (text: string): Test => {
  const known = tests.get(text)
  if (known) return known
  const read = parseMatcher(text)
  const test: Test = read ? testOf(read) : () => false
  if (tests.size >= testsKept) tests.clear()
  tests.set(text, test)
  return test
}

/** Do all of them match? A label that is missing is empty; what is no matcher matches nothing. */
export const matchAll = (matchers: readonly string[], labels: Labels): boolean =>
  matchers.every((text) => compiled(text)(labels))
