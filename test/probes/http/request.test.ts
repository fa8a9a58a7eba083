import { afterEach, expect, test } from '@jest/globals'
import { redactor } from '../../../probes/http/redaction.ts'
import { httpProbe } from '../../../probes/kinds/http.ts'
import { closeTargets, httpTarget, look, ok, rawTarget, saw } from '../targets.ts'

afterEach(closeTargets)

type Issue = { path: PropertyKey[]; message: string; issues?: Issue[] }

/** What is wrong with a key of a record lies inside the issue of the record. */
const flat = (issue: Issue): Issue[] => [issue, ...(issue.issues ?? []).flatMap(flat)]

const problems = (changes: Record<string, unknown>): string => {
  const url = 'https://shop.example/'
  const { error } = httpProbe.schema.safeParse({ kind: 'http', service: 'shop', url, ...changes })
  // `as`: the part of zod's issues that is read here.
  const issues = (error?.issues ?? []) as Issue[]
  return issues
    .flatMap(flat)
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('\n')
}

test.each([
  {
    given: 'a bad regular expression',
    changes: { assert: { body: { matches: '(a' } } },
    says: /assert\.body\.matches: a regular expression/,
  },
  {
    given: 'a regular expression with a lone brace',
    changes: { assert: { body: { matches: 'a{' } } },
    says: /a regular expression/,
  },
  {
    given: 'a bad JSONPath',
    changes: { assert: { json: { 'status..': { exists: true } } } },
    says: /a JSONPath \(RFC 9535\)/,
  },
  { given: 'no operator', changes: { assert: { body: {} } }, says: /at least one of exists, equals/ },
  {
    given: 'a misspelt operator',
    changes: { assert: { body: { contain: 'a' } } },
    says: /Unrecognized key: "contain"/,
  },
  {
    given: 'absence and a value',
    changes: { assert: { body: { exists: false, equals: 'a' } } },
    says: /nothing beside exists: false/,
  },
  {
    given: 'a number that JavaScript would round',
    changes: { assert: { body: { equals: 2 ** 53 } } },
    says: /put quotes around/,
  },
  { given: 'a misspelt key', changes: { timeoutSecond: 1 }, says: /Unrecognized key: "timeoutSecond"/ },
  {
    given: 'credentials in the address',
    changes: { url: 'https://user:pw@shop.example/' },
    says: /without user:password@/,
  },
  { given: 'another scheme', changes: { url: 'ftp://shop.example/' }, says: /an http:\/\/ or https:\/\/ address/ },
  { given: 'a header over two lines', changes: { headers: { a: 'b\r\nc: d' } }, says: /headers\.a: / },
  { given: 'a header beyond Latin-1', changes: { headers: { a: '\u2603' } }, says: /headers\.a: / },
  { given: 'a header name with a space', changes: { headers: { 'a b': 'c' } }, says: /headers\.a b: / },
  {
    given: 'a header that says how a message is framed',
    changes: { headers: { 'Transfer-Encoding': 'chunked' } },
    says: /headers\.Transfer-Encoding: /,
  },
  { given: 'a length of its own', changes: { headers: { 'content-length': '5' } }, says: /headers\.content-length: / },
  { given: 'a header twice', changes: { headers: { Accept: 'a', accept: 'b' } }, says: /each header once/ },
  { given: 'a broken secret reference', changes: { headers: { a: 'secret: NAME' } }, says: /headers\.a: / },
  {
    given: 'an asserted header that cannot be',
    changes: { assert: { headers: { 'a b': { exists: true } } } },
    says: /assert\.headers\.a b: /,
  },
  { given: 'a negative limit', changes: { bodyLimitBytes: -1 }, says: /bodyLimitBytes: Too small/ },
  { given: 'no time at all', changes: { timeoutSeconds: 0 }, says: /timeoutSeconds: Too small/ },
  { given: 'a negative latency', changes: { degraded: { latencyMs: -5 } }, says: /degraded\.latencyMs: Too small/ },
  {
    given: 'a negative number of days',
    changes: { tls: { expiresWithinDays: -1 } },
    says: /expiresWithinDays: Too small/,
  },
  { given: 'too many redirects', changes: { maxRedirects: 21 }, says: /maxRedirects: Too big/ },
  { given: 'a status that is none', changes: { assert: { status: 42 } }, says: /assert\.status/ },
  { given: 'no status allowed', changes: { assert: { status: [] } }, says: /assert\.status/ },
  {
    given: 'an address as serverName',
    changes: { tls: { serverName: '127.0.0.1' } },
    says: /tls\.serverName: a host name/,
  },
  { given: 'an unknown method', changes: { method: 'BREW' }, says: /method: / },
])('$given is refused, and the message says where', ({ changes, says }) => {
  expect(problems(changes)).toMatch(says)
})

test('a monitor needs no more than a service and an address', () => {
  expect(problems({})).toBe('')
})

test('what everything may be is accepted', () => {
  const headers = { Authorization: 'secret:team/TOKEN', 'X-Plain': 'a "b"; c=\u00fc' }
  const assert = {
    status: ['2xx', 404],
    headers: { ETag: { matches: '^W/' } },
    json: { '$.a[?@.b > 1].c': { atLeast: 0 } },
  }
  expect(problems({ headers, assert, tls: { serverName: 'xn--bcher-kva.example' } })).toBe('')
})

test('a secret that cannot be resolved is named by its reference only, and nothing is sent', async () => {
  const target = await rawTarget(ok())
  const secret = () => {
    throw new Error('vault said: value is hush-hush')
  }
  const sighting = await look(target.url, { headers: { 'X-Key': 'secret:SHOP_KEY' } }, { secret })
  expect(saw(sighting)).toBe('unknown prober secret-missing')
  expect(sighting.cause?.detail).toBe('secret:SHOP_KEY, for the header X-Key, cannot be resolved here')
  expect([target.accepted(), JSON.stringify(sighting).includes('hush')]).toEqual([0, false])
})

test.each([
  { given: 'a line break at its end, as files have', value: 'hush-hush\n' },
  { given: 'a header of its own', value: 'hush-hush\r\nX-Injected: yes' },
  { given: 'a character beyond Latin-1', value: 'hush-hush\u2603' },
  { given: 'nothing', value: '' },
])('a secret with $given is our own trouble, and is not shown', async ({ value }) => {
  const target = await rawTarget(ok())
  const sighting = await look(target.url, { headers: { 'X-Key': 'secret:KEY' } }, { secret: () => value })
  expect(saw(sighting)).toBe('unknown prober secret-invalid')
  expect(sighting.cause?.detail).toContain('secret:KEY')
  expect([target.accepted(), JSON.stringify(sighting).includes('hush')]).toEqual([0, false])
})

test('a secret is sent', async () => {
  const target = await httpTarget((_request, response) => response.end('ok'))
  await look(
    target.url,
    { headers: { Authorization: 'secret:KEY' } },
    { secret: (reference) => `Bearer ${reference}-value` },
  )
  expect(target.heads[0]).toContain('authorization: Bearer secret:KEY-value')
})

const hidden = 'Bearer h"u&s\\h+hush/123'
const token = 'h"u&s\\h+hush/123'

test.each([
  { given: 'as it is', echo: (sent: string) => sent },
  { given: 'as JSON', echo: (sent: string) => JSON.stringify({ headers: { authorization: sent } }) },
  { given: 'without its scheme', echo: () => token },
  { given: 'in an address', echo: () => encodeURIComponent(token) },
  { given: 'across the end of what is kept', echo: (sent: string) => 'x'.repeat(1003) + sent },
  { given: 'many times', echo: (sent: string) => sent.repeat(100) },
])('a secret that the target sends back $given is not in the evidence', async ({ echo }) => {
  const { url } = await httpTarget((request, response) => {
    const back = echo(request.headers.authorization ?? '')
    response.writeHead(500, { 'x-echo': encodeURIComponent(token), 'x-plain': token }).end(back)
  })
  const assert = {
    status: 200,
    headers: { 'x-echo': { equals: 'a' }, 'x-plain': { equals: 'b' } },
    body: { equals: 'c' },
    json: { '$.headers.authorization': { equals: 'd' } },
  }
  for (const only of [
    assert,
    { ...assert, status: 500 },
    { body: assert.body, status: 500 },
    { json: assert.json, status: 500 },
  ]) {
    const sighting = await look(
      url,
      { headers: { Authorization: 'secret:KEY' }, assert: only },
      { secret: () => hidden },
    )
    expect(sighting.verdict).toBe('fail')
    const text = JSON.stringify(sighting)
    for (const writing of [token, JSON.stringify(token).slice(1, -1), encodeURIComponent(token), 'hush', 'h%22u']) {
      expect(text).not.toContain(writing)
    }
  }
})

test('a secret that a redirect carries away is not in the evidence', async () => {
  const { url } = await httpTarget((request, response) => {
    const key = String(request.headers['x-key'])
    if (request.url === '/') response.writeHead(302, { location: `/login/${key}?key=${key}` }).end()
    else response.writeHead(302, { location: `gopher://${key}/` }).end()
  })
  const sighting = await look(url, { headers: { 'X-Key': 'secret:KEY' } }, { secret: () => 'hushhush' })
  expect(saw(sighting)).toBe('fail processing redirect-invalid')
  expect(sighting.attempt?.url).toBe(`${url}login/[secret:KEY]`)
  expect(JSON.stringify(sighting)).not.toContain('hushhush')
})

test.each([
  {
    value: 'Basic dXNlcjpjb3JyZWN0LWhvcnNl',
    text: 'user:correct-horse said correct-horse and dXNlcjpjb3JyZWN0LWhvcnNl',
    shown: '[it] said [it] and [it]',
  },
  { value: 'plain-secret', text: 'a plain-secret b', shown: 'a [it] b' },
  { value: '$&$1', text: 'a $&$1 b', shown: 'a [it] b' },
  { value: 'Bearer ab', text: 'ab is too short a part to be known', shown: 'ab is too short a part to be known' },
])('redaction of $value', ({ value, text, shown }) => {
  expect(redactor(new Map([[value, 'it']]))(text)).toBe(shown)
})

test('verdicts and codes are not texts of the target, and stay what they are', async () => {
  const { url } = await rawTarget(ok('pass assert-status'))
  const sighting = await look(
    url,
    { headers: { a: 'secret:A', b: 'secret:B' }, assert: { status: 500 } },
    { secret: (name) => (name === 'secret:A' ? 'fail' : 'assert-status') },
  )
  expect(saw(sighting)).toBe('fail assert assert-status')
  expect(sighting.attempt?.bodyStart).toBe('pass [secret:B]')
})
