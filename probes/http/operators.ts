import * as z from 'zod'
import { isPattern, matchesPattern } from './pattern.ts'
import type { Redact } from './redaction.ts'

const pattern = z.string().refine(isPattern, 'a regular expression (JavaScript, with the u flag)')

/** JavaScript reads a larger whole number as one of its neighbours; as a text it stays what it is. */
const exactNumber = z.number().refine((number) => !Number.isInteger(number) || Number.isSafeInteger(number), {
  error: 'a number up to 9007199254740991; put quotes around a larger one to compare every digit',
})

const scalar = z.union([z.string(), exactNumber, z.boolean(), z.null()])

export const operators = z
  .strictObject({
    exists: z.boolean().optional(),
    equals: scalar.optional(),
    notEquals: scalar.optional(),
    contains: z.string().optional(),
    notContains: z.string().optional(),
    matches: pattern.optional(),
    notMatches: pattern.optional(),
    lessThan: z.number().optional(),
    atMost: z.number().optional(),
    greaterThan: z.number().optional(),
    atLeast: z.number().optional(),
  })
  .refine((given) => Object.keys(given).length > 0, 'at least one of exists, equals, contains, matches, lessThan, …')
  .refine(
    (given) => given.exists !== false || Object.keys(given).length === 1,
    'nothing beside exists: false, since what must not be there cannot be anything else',
  )
export type Operators = z.output<typeof operators>

export type Value = string | number | boolean | null | object
export type Finding = { code: 'missing' | 'not-a-number' | 'mismatch'; says: string }

const shownLimit = 80

/** A value in a sentence: short, and texts in quotes, so that "12" and 12 are told apart. */
export const shown = (value: unknown, redact: Redact): string => {
  const text = typeof value === 'string' ? jsonText(redact(value)) : redact(jsonText(value))
  return text.length > shownLimit ? `${text.slice(0, shownLimit - 1)}…` : text
}

/** JSON that is nested deeper than the stack is no value anybody can compare. */
const jsonText = (value: unknown): string => {
  try {
    return JSON.stringify(value)
  } catch {
    return '(nested too deeply to show)'
  }
}

const asText = (value: Value): string => (typeof value === 'string' ? value : jsonText(value))

/** A number, or a text that is one in JSON's notation: never `Number('')`, which is 0. */
const asNumber = (value: Value): number | undefined => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const number = /^\s*-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?\s*$/.test(value) ? Number(value) : Number.NaN
  return Number.isFinite(number) ? number : undefined
}

/** Headers and bodies are texts: what the config writes as a number or a truth value is compared by what it says. */
const same = (value: Value, wanted: z.output<typeof scalar>): boolean => {
  if (value === wanted) return true
  if (typeof value !== 'string') return false
  return typeof wanted === 'number' ? asNumber(value) === wanted : typeof wanted === 'boolean' && value === `${wanted}`
}

/** `any`: holds when one value does; `all`: when every one does; `number`: so too, and every one has to be a number. */
type Test = { says: string } & (
  | { needs: 'any' | 'all'; holds: (value: Value) => boolean }
  | { needs: 'number'; holds: (value: number) => boolean }
)

const testsFor = (given: Operators): (Test | undefined)[] => {
  const { equals, notEquals, contains, notContains, matches, notMatches } = given
  const { lessThan, atMost, greaterThan, atLeast } = given
  const on = <V>(operand: V | undefined, test: (operand: V) => Test) =>
    operand === undefined ? undefined : test(operand)
  const number = (says: string, operand: number | undefined, holds: (value: number, operand: number) => boolean) =>
    on(operand, (than): Test => ({ says: `${says} ${than}`, needs: 'number', holds: (value) => holds(value, than) }))
  return [
    on(equals, (to) => ({ says: `equal to ${JSON.stringify(to)}`, needs: 'any', holds: (value) => same(value, to) })),
    on(notEquals, (to) => ({
      says: `not equal to ${JSON.stringify(to)}`,
      needs: 'all',
      holds: (value) => !same(value, to),
    })),
    on(contains, (text) => ({
      says: `containing ${JSON.stringify(text)}`,
      needs: 'any',
      holds: (value) => asText(value).includes(text),
    })),
    on(notContains, (text) => ({
      says: `not containing ${JSON.stringify(text)}`,
      needs: 'all',
      holds: (value) => !asText(value).includes(text),
    })),
    on(matches, (source) => ({
      says: `matching /${source}/`,
      needs: 'any',
      holds: (value) => matchesPattern(source, asText(value)),
    })),
    on(notMatches, (source) => ({
      says: `not matching /${source}/`,
      needs: 'all',
      holds: (value) => !matchesPattern(source, asText(value)),
    })),
    number('less than', lessThan, (value, than) => value < than),
    number('at most', atMost, (value, than) => value <= than),
    number('greater than', greaterThan, (value, than) => value > than),
    number('at least', atLeast, (value, than) => value >= than),
  ]
}

const seenIn = (values: readonly Value[], redact: Redact): string => {
  const some = values.slice(0, 3).map((value) => shown(value, redact))
  return values.length > some.length ? `${some.join(', ')} and ${values.length - some.length} more` : some.join(', ')
}

const findingOf = (test: Test, values: readonly Value[], redact: Redact): Finding | undefined => {
  if (test.needs === 'number') {
    const odd = values.find((value) => asNumber(value) === undefined)
    if (odd !== undefined) {
      return { code: 'not-a-number', says: `expected a number ${test.says}, saw ${shown(odd, redact)}` }
    }
    const wrong = values.filter((value) => !test.holds(asNumber(value) ?? Number.NaN))
    return wrong.length === 0
      ? undefined
      : { code: 'mismatch', says: `expected a value ${test.says}, saw ${seenIn(wrong, redact)}` }
  }
  const wrong = values.filter((value) => !test.holds(value))
  const isFine = test.needs === 'all' ? wrong.length === 0 : wrong.length < values.length
  return isFine ? undefined : { code: 'mismatch', says: `expected a value ${test.says}, saw ${seenIn(wrong, redact)}` }
}

/** Checks values against operators. Missing is its own finding whatever the operator, never 0 and never a pass. */
export const check = (values: readonly Value[], given: Operators, redact: Redact): Finding | undefined => {
  if (given.exists === false) {
    return values.length === 0
      ? undefined
      : { code: 'mismatch', says: `expected nothing, saw ${seenIn(values, redact)}` }
  }
  if (values.length === 0) return { code: 'missing', says: 'it is missing' }
  for (const test of testsFor(given)) {
    const finding = test && findingOf(test, values, redact)
    if (finding) return finding
  }
  return undefined
}
