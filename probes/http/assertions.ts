import { type JSONValue, jsonpath } from 'json-p3'
import * as z from 'zod'
import type { Cause } from '../contract.ts'

const pattern = z.string().refine((text) => {
  try {
    return new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}, 'a regular expression (JavaScript, with the u flag)')

const path = z.string().refine((text) => {
  try {
    jsonpath.compile(text)
    return true
  } catch {
    return false
  }
}, 'a JSONPath (RFC 9535) like $.items[0].name')

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])

const operators = z
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
type Operators = z.output<typeof operators>

const statusClass = z.enum(['1xx', '2xx', '3xx', '4xx', '5xx'])
const status = z.union([z.int().min(100).max(599), statusClass])

export const assertions = z.strictObject({
  status: z.union([status, z.array(status).min(1)]).default('2xx'),
  headers: z.record(z.string(), operators).default({}),
  body: operators.optional(),
  json: z.record(path, operators).default({}),
  latencyMs: operators.optional(),
})
export type Assertions = z.output<typeof assertions>

export type Answered = {
  statusCode: number
  headers: Readonly<Record<string, readonly string[]>>
  body: Buffer
  latencyMs: number
}

type Value = string | number | boolean | null | object
type Finding = { code: 'missing' | 'not-a-number' | 'invalid' | 'mismatch'; says: string }

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

const asText = (value: Value): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** A number, or a text that is one in JSON's notation: never `Number('')`, which is 0. */
const asNumber = (value: Value): number | undefined => {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return undefined
  return /^\s*-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?\s*$/.test(value) ? Number(value) : undefined
}

const same = (value: Value, wanted: unknown): boolean =>
  value === wanted || (typeof wanted === 'number' && typeof value === 'string' && asNumber(value) === wanted)

type Test = (value: Value) => boolean | 'not-a-number'

const compared =
  (holds: (value: number) => boolean): Test =>
  (value) => {
    const number = asNumber(value)
    return number === undefined ? 'not-a-number' : holds(number)
  }

/** Positive tests hold when any value does, the `not…` ones when every value does. */
const testsOf = (given: Operators): { says: string; every: boolean; test: Test }[] => {
  const { equals, notEquals, contains, notContains, matches, notMatches, lessThan, atMost, greaterThan, atLeast } =
    given
  const any = (says: string, test: Test) => ({ says, every: false, test })
  const all = (says: string, test: Test) => ({ says, every: true, test })
  return [
    ...(equals === undefined ? [] : [any(`equal to ${shown(equals)}`, (value) => same(value, equals))]),
    ...(notEquals === undefined ? [] : [all(`not equal to ${shown(notEquals)}`, (value) => !same(value, notEquals))]),
    ...(contains === undefined
      ? []
      : [any(`containing ${shown(contains)}`, (value) => asText(value).includes(contains))]),
    ...(notContains === undefined
      ? []
      : [all(`not containing ${shown(notContains)}`, (value) => !asText(value).includes(notContains))]),
    ...(matches === undefined
      ? []
      : [any(`matching /${matches}/`, (value) => new RegExp(matches, 'u').test(asText(value)))]),
    ...(notMatches === undefined
      ? []
      : [all(`not matching /${notMatches}/`, (value) => !new RegExp(notMatches, 'u').test(asText(value)))]),
    ...(lessThan === undefined
      ? []
      : [
          all(
            `less than ${lessThan}`,
            compared((value) => value < lessThan),
          ),
        ]),
    ...(atMost === undefined
      ? []
      : [
          all(
            `at most ${atMost}`,
            compared((value) => value <= atMost),
          ),
        ]),
    ...(greaterThan === undefined
      ? []
      : [
          all(
            `greater than ${greaterThan}`,
            compared((value) => value > greaterThan),
          ),
        ]),
    ...(atLeast === undefined
      ? []
      : [
          all(
            `at least ${atLeast}`,
            compared((value) => value >= atLeast),
          ),
        ]),
  ]
}

/** Checks values against operators. Missing is its own finding whatever the operator, never 0 and never a pass. */
export const check = (values: readonly Value[], given: Operators): Finding | undefined => {
  const { exists } = given
  if (exists === false) {
    return values.length === 0 ? undefined : { code: 'mismatch', says: `expected nothing, saw ${shown(values[0])}` }
  }
  if (values.length === 0) return { code: 'missing', says: 'it is missing' }
  for (const { says, every, test } of testsOf(given)) {
    const results = values.map(test)
    const seen = values.map(shown).slice(0, 3).join(', ')
    if (results.includes('not-a-number'))
      return { code: 'not-a-number', says: `expected a number ${says}, saw ${seen}` }
    const holds = every ? results.every((result) => result === true) : results.includes(true)
    if (!holds) return { code: 'mismatch', says: `expected a value ${says}, saw ${seen}` }
  }
  return undefined
}

const causeOf = (subject: string, what: string, finding: Finding | undefined): Cause[] => {
  if (!finding) return []
  const code = finding.code === 'mismatch' ? `assert-${subject}` : `assert-${subject}-${finding.code}`
  return [{ phase: 'assert', code, detail: `${what}: ${finding.says}` }]
}

const statusCauses = ({ status: wanted }: Assertions, { statusCode }: Answered): Cause[] => {
  const allowed = Array.isArray(wanted) ? wanted : [wanted]
  const ok = allowed.some((one) => one === statusCode || one === `${Math.floor(statusCode / 100)}xx`)
  if (ok) return []
  return [
    { phase: 'assert', code: 'assert-status', detail: `expected status ${allowed.join(' or ')}, saw ${statusCode}` },
  ]
}

const jsonCauses = (wanted: Assertions['json'], text: string): Cause[] => {
  const entries = Object.entries(wanted)
  if (entries.length === 0) return []
  let parsed: JSONValue
  try {
    parsed = JSON.parse(text)
  } catch {
    const detail = text.trim() === '' ? 'expected JSON, saw an empty body' : `expected JSON, saw ${shown(text)}`
    return [{ phase: 'assert', code: 'assert-json-invalid', detail }]
  }
  return entries.flatMap(([query, given]) => {
    // json-p3 types what it finds as unknown; it was parsed from JSON a few lines above.
    const values = jsonpath.query(query, parsed).values() as Value[]
    return causeOf('json', `JSON ${query}`, check(values, given))
  })
}

/** Everything about an answer that is not as asserted, in the order status, headers, body, JSON, latency. */
export const findMismatches = (wanted: Assertions, answered: Answered): Cause[] => {
  const text = answered.body.toString('utf8')
  const headers = Object.entries(wanted.headers).flatMap(([name, given]) =>
    causeOf('header', `header ${name}`, check(answered.headers[name.toLowerCase()] ?? [], given)),
  )
  const body = wanted.body ? causeOf('body', 'body', check([text], wanted.body)) : []
  const latency = wanted.latencyMs
    ? causeOf('latency', 'latency in ms', check([Math.round(answered.latencyMs)], wanted.latencyMs))
    : []
  return [...statusCauses(wanted, answered), ...headers, ...body, ...jsonCauses(wanted.json, text), ...latency]
}
