import { expect, test } from '@jest/globals'
import { LookEnded } from '../../../probes/failure.ts'
import { assertions, findMismatches } from '../../../probes/http/assertions.ts'

type Given = { statusCode?: number; headers?: Record<string, string[]>; body?: string; latencyMs?: number }

const judged = (wanted: unknown, { statusCode = 200, headers = {}, body = '', latencyMs = 12.4 }: Given) =>
  findMismatches(assertions.parse(wanted), {
    statusCode,
    headers,
    body: Buffer.from(body),
    latencyMs,
    redact: (text) => text,
  })

/** The first mismatch as `code: detail`; `fine` when there is none. */
const verdict = (wanted: unknown, given: Given): string => {
  const [first] = judged(wanted, given)
  return first ? `${first.code}: ${first.detail}` : 'fine'
}

test.each([
  { wanted: {}, statusCode: 200, then: 'fine' },
  { wanted: {}, statusCode: 299, then: 'fine' },
  { wanted: {}, statusCode: 199, then: 'assert-status: expected status 2xx, saw 199' },
  { wanted: {}, statusCode: 301, then: 'assert-status: expected status 2xx, saw 301' },
  { wanted: { status: 503 }, statusCode: 503, then: 'fine' },
  { wanted: { status: 503 }, statusCode: 200, then: 'assert-status: expected status 503, saw 200' },
  { wanted: { status: ['4xx', 200] }, statusCode: 404, then: 'fine' },
  { wanted: { status: ['4xx', 200] }, statusCode: 201, then: 'assert-status: expected status 4xx or 200, saw 201' },
  { wanted: { status: '1xx' }, statusCode: 1000, then: 'assert-status: expected status 1xx, saw 1000' },
])('status $wanted, $statusCode: $then', ({ wanted, statusCode, then }) => {
  expect(verdict(wanted, { statusCode })).toBe(then)
})

const depth = (operators: unknown) => ({ json: { '$.queueDepth': operators } })
const queue = (value: string) => ({ body: `{"queueDepth":${value}}` })

test.each([
  { given: 'a field that is missing', body: '{}', code: 'assert-json-missing' },
  { given: 'null', body: '{"queueDepth":null}', code: 'assert-json-not-a-number' },
  { given: 'an empty text', body: '{"queueDepth":""}', code: 'assert-json-not-a-number' },
  { given: 'white space', body: '{"queueDepth":"  "}', code: 'assert-json-not-a-number' },
  { given: 'a word', body: '{"queueDepth":"abc"}', code: 'assert-json-not-a-number' },
  { given: 'a number and a word', body: '{"queueDepth":"12 items"}', code: 'assert-json-not-a-number' },
  { given: 'hexadecimal', body: '{"queueDepth":"0x10"}', code: 'assert-json-not-a-number' },
  { given: 'false', body: '{"queueDepth":false}', code: 'assert-json-not-a-number' },
  { given: 'a list', body: '{"queueDepth":[]}', code: 'assert-json-not-a-number' },
  { given: 'a list of one number', body: '{"queueDepth":[5]}', code: 'assert-json-not-a-number' },
  { given: 'an object', body: '{"queueDepth":{}}', code: 'assert-json-not-a-number' },
  { given: 'beyond all numbers', body: '{"queueDepth":1e999}', code: 'assert-json-not-a-number' },
  { given: 'an empty body', body: '', code: 'assert-json-invalid' },
  { given: 'a body that is no JSON', body: '<html>', code: 'assert-json-invalid' },
  { given: 'JSON that breaks off', body: '{"queueDepth":5', code: 'assert-json-invalid' },
  { given: 'another kind of document', body: '[1]', code: 'assert-json-missing' },
])('what is missing is never 0: $given is not less than 100, nor more than -1', ({ body, code }) => {
  for (const operators of [{ lessThan: 100 }, { atMost: 0 }, { greaterThan: -1 }, { atLeast: 0 }]) {
    expect(judged(depth(operators), { body }).map((cause) => cause.code)).toEqual([code])
  }
})

test('missing fails whatever is asked of it', () => {
  const all = [
    { exists: true },
    { equals: null },
    { equals: '' },
    { notEquals: 'down' },
    { notContains: 'error' },
    { notMatches: 'error' },
  ]
  expect(all.map((operators) => verdict(depth(operators), { body: '{}' }))).toEqual(
    all.map(() => 'assert-json-missing: JSON $.queueDepth: it is missing'),
  )
})

test.each([
  { value: '12', operators: { lessThan: 100 }, then: 'fine' },
  { value: '"12"', operators: { lessThan: 100 }, then: 'fine' },
  { value: '100', operators: { lessThan: 100 }, then: 'expected a value less than 100, saw 100' },
  { value: '100', operators: { atMost: 100 }, then: 'fine' },
  { value: '0.95', operators: { greaterThan: 0.5 }, then: 'fine' },
  { value: '"0.95"', operators: { greaterThan: 0.5 }, then: 'fine' },
  { value: '"10"', operators: { greaterThan: 9 }, then: 'fine' },
  { value: '-3', operators: { lessThan: -2.5 }, then: 'fine' },
  { value: '1e3', operators: { atLeast: 1000, atMost: 1000 }, then: 'fine' },
  { value: '0.1', operators: { equals: 0.1 }, then: 'fine' },
  { value: '0', operators: { equals: 0 }, then: 'fine' },
  { value: '0', operators: { equals: false }, then: 'expected a value equal to false, saw 0' },
  { value: '12', operators: { equals: '12' }, then: 'expected a value equal to "12", saw 12' },
  { value: '"12"', operators: { equals: 12 }, then: 'fine' },
  { value: '"ok"', operators: { equals: 'ok' }, then: 'fine' },
  { value: '"OK"', operators: { equals: 'ok' }, then: 'expected a value equal to "ok", saw "OK"' },
  { value: 'null', operators: { equals: null }, then: 'fine' },
  { value: 'null', operators: { exists: true }, then: 'fine' },
  { value: 'null', operators: { exists: false }, then: 'expected nothing, saw null' },
  { value: 'true', operators: { equals: true }, then: 'fine' },
  { value: '"up"', operators: { notEquals: 'down' }, then: 'fine' },
  { value: '[1,2]', operators: { contains: '2' }, then: 'fine' },
  { value: '{"a":1}', operators: { matches: '"a":\\d' }, then: 'fine' },
  { value: '9007199254740993', operators: { equals: '9007199254740993' }, then: 'fine' },
  {
    value: '9007199254740992',
    operators: { equals: '9007199254740993' },
    then: 'expected a value equal to "9007199254740993", saw "9007199254740992"',
  },
  { value: '12345678901234567890', operators: { greaterThan: 5 }, then: 'fine' },
  { value: '12345678901234567890', operators: { matches: '^12345678901234567890$' }, then: 'fine' },
  { value: '9007199254740991', operators: { equals: 9007199254740991 }, then: 'fine' },
  { value: '5', operators: { lessThan: 10, greaterThan: 6 }, then: 'expected a value greater than 6, saw 5' },
])('$value with $operators: $then', ({ value, operators, then }) => {
  const says = then === 'fine' ? then : expect.stringContaining(`JSON $.queueDepth: ${then}`)
  expect(verdict(depth(operators), queue(value))).toEqual(says)
})

const items = '{"items":[{"name":"a","left":5},{"name":"b","left":0},{"name":"c"}]}'

test.each([
  { path: '$.items[*].name', operators: { equals: 'b' }, then: 'fine' },
  { path: '$.items[*].name', operators: { notEquals: 'b' }, then: 'expected a value not equal to "b", saw "b"' },
  { path: '$.items[*].name', operators: { equals: 'z' }, then: 'expected a value equal to "z", saw "a", "b", "c"' },
  { path: '$.items[*].left', operators: { greaterThan: 0 }, then: 'expected a value greater than 0, saw 0' },
  { path: '$.items[*].left', operators: { atLeast: 0 }, then: 'fine' },
  { path: '$.items[?@.left == 0].name', operators: { exists: false }, then: 'expected nothing, saw "b"' },
  { path: '$.items[?@.left > 9]', operators: { exists: false }, then: 'fine' },
  { path: '$.items[3].name', operators: { exists: true }, then: 'it is missing' },
  { path: '$.items[-1].name', operators: { equals: 'c' }, then: 'fine' },
  { path: '$..left', operators: { atMost: 4 }, then: 'expected a value at most 4, saw 5' },
  { path: '$.toString', operators: { exists: true }, then: 'it is missing' },
  { path: '$.constructor.name', operators: { exists: true }, then: 'it is missing' },
  { path: '$.items.length', operators: { exists: true }, then: 'it is missing' },
])('$path with $operators: $then', ({ path, operators, then }) => {
  const says = then === 'fine' ? then : expect.stringContaining(`JSON ${path}: ${then}`)
  expect(verdict({ json: { [path]: operators } }, { body: items })).toEqual(says)
})

test('several wrong values are counted, not listed', () => {
  const body = JSON.stringify(Array.from({ length: 1000 }, () => 'x'.repeat(200)))
  const says = verdict({ json: { '$[*]': { equals: 'a' } } }, { body })
  expect(says).toMatch(/ and 997 more$/)
  expect(says.length).toBeLessThan(400)
})

test.each([
  { given: 'a byte order mark', body: '\uFEFF{"a":1}', then: 'fine' },
  { given: 'white space around it', body: ' \n{"a":1}\n', then: 'fine' },
  { given: 'a name twice, the last counts', body: '{"a":2,"a":1}', then: 'fine' },
  {
    given: 'a name that is a property of objects',
    body: '{"__proto__":{"a":1}}',
    then: 'assert-json-missing: JSON $.a: it is missing',
  },
  {
    given: 'NaN',
    body: '{"a":NaN}',
    then: expect.stringContaining('assert-json-invalid: expected JSON, saw "{\\"a\\":NaN}"'),
  },
])('JSON with $given', ({ body, then }) => {
  expect(verdict({ json: { '$.a': { equals: 1 } } }, { body })).toEqual(then)
})

test('JSON nested beyond the stack is a mismatch, not a crash', () => {
  const body = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
  expect(verdict({ json: { '$..a': { exists: true } } }, { body })).toMatch(
    /^assert-json: JSON \$\.\.a: cannot be looked up: /,
  )
  expect(verdict({ json: { '$[0]': { equals: 1 } } }, { body })).toMatch(/^assert-json: /)
})

test('JSON nested as people do is looked through to its end', () => {
  const body = `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`
  expect(verdict({ json: { '$..a': { equals: 1 } } }, { body })).toBe('fine')
})

const headers = { 'set-cookie': ['a=1', 'b=2'], 'x-ratelimit-left': ['42'], 'x-empty': [''], 'x-on': ['true'] }

test.each([
  { name: 'Set-Cookie', operators: { contains: 'b=' }, then: 'fine' },
  {
    name: 'set-cookie',
    operators: { notContains: 'b=' },
    then: 'assert-header: header set-cookie: expected a value not containing "b=", saw "b=2"',
  },
  { name: 'Set-Cookie', operators: { matches: '^a=' }, then: 'fine' },
  { name: 'Set-Cookie', operators: { notMatches: '^c=' }, then: 'fine' },
  {
    name: 'Set-Cookie',
    operators: { notMatches: '^a=' },
    then: 'assert-header: header Set-Cookie: expected a value not matching /^a=/, saw "a=1"',
  },
  { name: 'X-RateLimit-Left', operators: { greaterThan: 10 }, then: 'fine' },
  { name: 'X-RateLimit-Left', operators: { equals: 42 }, then: 'fine' },
  {
    name: 'X-RateLimit-Left',
    operators: { lessThan: 9 },
    then: 'assert-header: header X-RateLimit-Left: expected a value less than 9, saw "42"',
  },
  { name: 'X-On', operators: { equals: true }, then: 'fine' },
  { name: 'X-Empty', operators: { exists: true }, then: 'fine' },
  {
    name: 'X-Empty',
    operators: { atLeast: 0 },
    then: 'assert-header-not-a-number: header X-Empty: expected a number at least 0, saw ""',
  },
  { name: 'ETag', operators: { exists: true }, then: 'assert-header-missing: header ETag: it is missing' },
  { name: 'ETag', operators: { notContains: 'a' }, then: 'assert-header-missing: header ETag: it is missing' },
  { name: 'ETag', operators: { exists: false }, then: 'fine' },
  { name: 'constructor', operators: { exists: false }, then: 'fine' },
])('header $name with $operators: $then', ({ name, operators, then }) => {
  expect(verdict({ headers: { [name]: operators } }, { headers })).toBe(then)
})

test.each([
  { body: 'all is well', operators: { contains: 'well' }, then: 'fine' },
  {
    body: 'all is well',
    operators: { contains: 'Well' },
    then: 'assert-body: body: expected a value containing "Well", saw "all is well"',
  },
  { body: 'all is well', operators: { notContains: 'error' }, then: 'fine' },
  { body: 'all is well', operators: { matches: '^all .* well$' }, then: 'fine' },
  {
    body: 'one\ntwo',
    operators: { matches: '^two' },
    then: 'assert-body: body: expected a value matching /^two/, saw "one\\ntwo"',
  },
  { body: 'caf\u00e9 \u{1f600}', operators: { matches: '^caf. .$' }, then: 'fine' },
  { body: '42', operators: { atLeast: 42 }, then: 'fine' },
  { body: '', operators: { exists: true }, then: 'assert-body-missing: body: it is missing' },
  { body: '', operators: { notContains: 'error' }, then: 'assert-body-missing: body: it is missing' },
  { body: '', operators: { lessThan: 5 }, then: 'assert-body-missing: body: it is missing' },
  { body: '', operators: { exists: false }, then: 'fine' },
  { body: '', operators: { equals: '' }, then: 'fine' },
  { body: 'a', operators: { exists: false }, then: 'assert-body: body: expected nothing, saw "a"' },
])('body $body with $operators: $then', ({ body, operators, then }) => {
  expect(verdict({ body: operators }, { body })).toBe(then)
})

test('latency is compared in whole milliseconds', () => {
  expect(verdict({ latencyMs: { lessThan: 500 } }, { latencyMs: 499.2 })).toBe('fine')
  expect(verdict({ latencyMs: { lessThan: 500 } }, { latencyMs: 612.7 })).toBe(
    'assert-latency: latency in ms: expected a value less than 500, saw 613',
  )
})

test('all mismatches are told, in the order status, headers, body, JSON, latency', () => {
  const none = { exists: true }
  const wanted = {
    status: 201,
    headers: { a: none },
    body: { contains: 'x' },
    json: { '$.b': none },
    latencyMs: { lessThan: 1 },
  }
  const codes = judged(wanted, { body: '{}' }).map(({ code }) => code)
  expect(codes).toEqual([
    'assert-status',
    'assert-header-missing',
    'assert-body',
    'assert-json-missing',
    'assert-latency',
  ])
})

const trap = { body: `${'a'.repeat(50)}!` }
const slow = { matches: '^(a+)+$' }

test('a regular expression that finds no end is cut off, and nobody knows whether it matches', () => {
  const beganMs = performance.now()
  expect(() => judged({ body: slow }, trap)).toThrow(LookEnded)
  expect(() => judged({ body: slow }, trap)).toThrow(/found no answer within 250 ms/)
  expect(performance.now() - beganMs).toBeLessThan(3000)
})

test('what is known to be wrong stays wrong beside what nobody knows', () => {
  expect(verdict({ status: 201, body: slow }, trap)).toBe('assert-status: expected status 201, saw 200')
})
