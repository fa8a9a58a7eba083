import { JSONPathEnvironment, type JSONValue } from 'json-p3'
import * as z from 'zod'
import type { Cause } from '../contract.ts'
import { textOf } from '../failure.ts'
import { check, type Finding, operators, shown, type Value } from './operators.ts'
import type { Redact } from './redaction.ts'

/** Deep enough for what people nest, shallow enough for the stack. */
const jsonpath = new JSONPathEnvironment({ maxRecursionDepth: 500 })

const path = z.string().refine((text) => {
  try {
    jsonpath.compile(text)
    return true
  } catch {
    return false
  }
}, 'a JSONPath (RFC 9535) like $.items[0].name')

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header name')

const statusClass = z.enum(['1xx', '2xx', '3xx', '4xx', '5xx'])
const status = z.union([z.int().min(100).max(599), statusClass])

export const assertions = z.strictObject({
  status: z.union([status, z.array(status).min(1)]).default('2xx'),
  headers: z.record(headerName, operators).default({}),
  body: operators.optional(),
  json: z.record(path, operators).default({}),
  latencyMs: operators.optional(),
})
export type Assertions = z.output<typeof assertions>

export type Answered = {
  statusCode: number
  headers: Readonly<Record<string, readonly string[]>>
  body: Buffer
  /** The body's Content-Encoding when it could not be undone. */
  undecoded?: string | undefined
  latencyMs: number
  /** Hides what must not be quoted. */
  redact: Redact
}

const assertCause = (code: string, detail: string): Cause => ({ phase: 'assert', code: `assert-${code}`, detail })

const causeOf = (subject: string, what: string, finding: Finding | undefined): Cause[] => {
  if (!finding) return []
  const code = finding.code === 'mismatch' ? subject : `${subject}-${finding.code}`
  return [assertCause(code, `${what}: ${finding.says}`)]
}

const statusCauses = ({ status: wanted }: Assertions, { statusCode }: Answered): Cause[] => {
  const allowed = Array.isArray(wanted) ? wanted : [wanted]
  const isFine = allowed.some((one) => one === statusCode || one === `${Math.floor(statusCode / 100)}xx`)
  return isFine ? [] : [assertCause('status', `expected status ${allowed.join(' or ')}, saw ${statusCode}`)]
}

const headerCauses = ({ headers: wanted }: Assertions, { headers, redact }: Answered): Cause[] =>
  Object.entries(wanted).flatMap(([name, given]) => {
    const key = name.toLowerCase()
    const values = Object.hasOwn(headers, key) ? (headers[key] ?? []) : []
    return causeOf('header', `header ${name}`, check(values, given, redact))
  })

/** An empty body is a missing one, unless it is what was asked for. */
const bodyCauses = ({ body: wanted }: Assertions, text: string, redact: Redact): Cause[] => {
  if (!wanted) return []
  const values = text === '' && wanted.equals !== '' ? [] : [text]
  return causeOf('body', 'body', check(values, wanted, redact))
}

type Source = { source?: string }

/** Whole numbers that JavaScript would round stay the digits they were sent as. */
const exact = (_key: string, value: unknown, context?: Source): unknown =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? (context?.source ?? value)
    : value

/** Only a text with long numbers in it needs the slower reading. */
const parseJson = (text: string): JSONValue => JSON.parse(text, /\d{16}|\d[eE]/.test(text) ? exact : undefined)

const jsonCauses = ({ json: wanted }: Assertions, text: string, redact: Redact): Cause[] => {
  const entries = Object.entries(wanted)
  if (entries.length === 0) return []
  let parsed: JSONValue
  try {
    parsed = parseJson(text.replace(/^\uFEFF/, ''))
  } catch {
    const saw = text.trim() === '' ? 'an empty body' : shown(text, redact)
    return [assertCause('json-invalid', `expected JSON, saw ${saw}`)]
  }
  return entries.flatMap(([query, given]) =>
    causeOf('json', `JSON ${query}`, findingAt(query, parsed, { given, redact })),
  )
}

const findingAt = (
  query: string,
  parsed: JSONValue,
  { given, redact }: { given: z.output<typeof operators>; redact: Redact },
): Finding | undefined => {
  let values: Value[]
  try {
    // `as`: json-p3 types what it finds as unknown; it was parsed from JSON a few lines above.
    values = jsonpath.query(query, parsed).values() as Value[]
  } catch (error) {
    return { code: 'mismatch', says: `cannot be looked up: ${textOf(error)}` }
  }
  return check(values, given, redact)
}

const latencyCauses = ({ latencyMs: wanted }: Assertions, { latencyMs, redact }: Answered): Cause[] =>
  wanted ? causeOf('latency', 'latency in ms', check([Math.round(latencyMs)], wanted, redact)) : []

/** Everything about an answer that is not as asserted, in the order status, headers, body, JSON, latency. */
export const findMismatches = (wanted: Assertions, answered: Answered): Cause[] => {
  const { body, undecoded, redact } = answered
  const asksBody = wanted.body !== undefined || Object.keys(wanted.json).length > 0
  const inBody = () => {
    if (undecoded !== undefined) {
      return [assertCause('body-undecoded', `the body is encoded as ${undecoded}, which cannot be undone here`)]
    }
    const text = body.toString('utf8')
    return [...bodyCauses(wanted, text, redact), ...jsonCauses(wanted, text, redact)]
  }
  const [head, latency] = [
    [...statusCauses(wanted, answered), ...headerCauses(wanted, answered)],
    latencyCauses(wanted, answered),
  ]
  try {
    return [...head, ...(asksBody ? inBody() : []), ...latency]
  } catch (error) {
    // A body that nobody could judge takes nothing back from what is known to be wrong.
    if (head.length + latency.length > 0) return [...head, ...latency]
    throw error
  }
}
