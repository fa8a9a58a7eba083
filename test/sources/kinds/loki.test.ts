import type { RequestListener } from 'node:http'
import { expect, test } from '@jest/globals'
import type { LogQuery } from '../../../sources/contract.ts'
import { lokiSource } from '../../../sources/kinds/loki.ts'
import { errorLinePattern } from '../../../sources/log-error-pattern.ts'
import { readLogs, sourceSpec } from '../../../sources/registry.ts'
import { cutShort, nowMs, withServer, world } from '../loopback.ts'

const query: LogQuery = {
  labels: { namespace: 'shop' },
  sinceMs: nowMs - 600_000,
  untilMs: nowMs,
  errorsOnly: false,
  limit: 100,
}

type Value = [string, string, unknown?]
const streams = (result: { stream: Record<string, string>; values: Value[] }[], more: object = {}) =>
  JSON.stringify({ status: 'success', data: { resultType: 'streams', result, stats: {} }, ...more })

const ask = (listener: RequestListener, changes: Partial<LogQuery> = {}, input: object = {}) =>
  withServer(listener, async (loopback) => {
    const spec = lokiSource.schema.parse({ kind: 'loki', url: loopback.url, ...input })
    const reading = await lokiSource.logs(spec, world(), { ...query, ...changes })
    const asked = loopback.requests.map((request) => new URL(request.url ?? '', loopback.url))
    const params = asked.map((url) => Object.fromEntries(url.searchParams))
    return { reading, paths: asked.map((url) => url.pathname), params, requests: loopback.requests }
  })

const answering =
  (body: string, status = 200): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(body)
const nothing = answering(streams([]))

test('the least a config must say', () => {
  const spec = { kind: 'loki', url: 'http://loki.monitoring:3100' }
  expect(lokiSource.schema.parse(spec)).toEqual({ ...spec, labels: {}, labelNames: { namespace: 'namespace' } })
})

test.each<[object, string]>([
  [{ labelNames: { namespace: 'a-b' } }, 'a label Loki cannot have'],
  [{ labelNames: { pods: 'pod' } }, 'an unknown field'],
  [{ tenant: 'a b' }, 'a tenant with a space'],
  [{ selector: '{app="web"}' }, 'braces'],
  [{ selector: 'app="web"} |= "x"' }, 'more than matchers'],
  [{ selector: 'app=web' }, 'no quotes'],
  [{ selector: 'app="web",' }, 'nothing behind the comma'],
  [{ selector: '' }, 'no matcher'],
  [{ selector: 'a="b" c="d"' }, 'no comma'],
  [{ selector: 'a="b\\' }, 'no end of the quotes'],
])('%j is refused: %s', (changes) => {
  expect(lokiSource.schema.safeParse({ kind: 'loki', url: 'http://loki:3100', ...changes }).success).toBe(false)
})

test('the request asks for the newest lines of the span, in nanoseconds without loss', async () => {
  const { reading, paths, params, requests } = await ask(nothing)
  expect(paths).toEqual(['/loki/api/v1/query_range'])
  expect(params).toEqual([
    {
      query: '{namespace="shop"}',
      start: '1795405793000000000',
      end: '1795406393000000000',
      limit: '100',
      direction: 'backward',
    },
  ])
  expect(requests[0]?.headers['x-scope-orgid']).toBeUndefined()
  expect(reading).toEqual({ status: 'read', value: { lines: [], truncated: false } })
})

test.each<[string, object, Partial<LogQuery>, string]>([
  ['several labels', {}, { labels: { namespace: 'shop', app: 'web' } }, '{namespace="shop",app="web"}'],
  ['a mapped name', { labelNames: { namespace: 'k8s_ns' } }, {}, '{k8s_ns="shop"}'],
  ['extra matchers', { selector: 'env=~"a|b", tag!=`x,y`' }, {}, '{namespace="shop",env=~"a|b", tag!=`x,y`}'],
  ['a comma in quotes', { selector: 'a="x,y\\"",b="z"' }, {}, '{namespace="shop",a="x,y\\"",b="z"}'],
  ['quotes', {}, { labels: { namespace: 'a"} |= `\\\n' } }, '{namespace="a\\"} |= `\\\\\\n"}'],
  ['half a character', {}, { labels: { namespace: '\ud800x' } }, '{namespace="\ufffdx"}'],
  ['errors only', {}, { errorsOnly: true }, `{namespace="shop"} |~ ${JSON.stringify(errorLinePattern)}`],
  [
    'names',
    {},
    { named: { labels: ['pod', 'a.b', 'app'], names: ['web', 'db.x'] } },
    String.raw`{namespace="shop"} | pod=~"(?:web|db\\.x)(?:-.+)?" or app=~"(?:web|db\\.x)(?:-.+)?"`,
  ],
])('LogQL for %s', async (_, input, changes, expected) => {
  expect((await ask(nothing, changes, input)).params[0]?.['query']).toBe(expected)
})

test('a tenant is named, a path and a query of the address are kept', async () => {
  await withServer(nothing, async (loopback) => {
    const url = `${loopback.url}/gateway/loki/?zone=1`
    const spec = sourceSpec.parse({ kind: 'loki', url, tenant: 'shop' })
    expect((await readLogs(spec, world(), query))?.status).toBe('read')
    expect(loopback.requests[0]?.headers['x-scope-orgid']).toBe('shop')
    const asked = new URL(loopback.requests[0]?.url ?? '', url)
    expect(asked.pathname).toBe('/gateway/loki/loki/api/v1/query_range')
    expect(asked.searchParams.get('zone')).toBe('1')
  })
})

test('streams are merged, the newest first, by nanoseconds', async () => {
  const body = streams([
    {
      stream: { pod: 'a' },
      values: [
        ['1795406392000000002', 'third'],
        ['1795406391000000000', 'fifth'],
      ],
    },
    {
      stream: { pod: 'b' },
      values: [
        ['1795406392000000003', 'second'],
        ['1795406392999999999', 'first'],
        ['1795406392000000001', 'fourth'],
      ],
    },
  ])
  const { reading } = await ask(answering(body), {}, { labels: { cluster: 'east', pod: 'none' } })
  if (reading.status !== 'read') throw new Error(reading.why)
  expect(reading.value.lines.map((line) => line.line)).toEqual(['first', 'second', 'third', 'fourth', 'fifth'])
  expect(reading.value.lines[0]).toEqual({ atMs: 1795406392999, line: 'first', labels: { cluster: 'east', pod: 'b' } })
})

test('structured metadata are labels, unknown fields do no harm', async () => {
  const extra = { structuredMetadata: { detected_level: 'error' }, parsed: { a: 'b' } }
  const body = streams([
    {
      stream: { pod: 'a' },
      values: [
        ['1795406392000000000', 'x', extra],
        ['1795406391000000000', 'y', 7],
      ],
    },
  ])
  const { reading } = await ask(answering(body))
  expect(reading).toMatchObject({
    value: { lines: [{ labels: { pod: 'a', detected_level: 'error' } }, { labels: { pod: 'a' } }] },
  })
})

test('a long line is cut', async () => {
  const body = streams([{ stream: {}, values: [['1795406392000000000', '𝄞'.repeat(5000)]] }])
  const { reading } = await ask(answering(body))
  if (reading.status !== 'read') throw new Error(reading.why)
  const line = reading.value.lines[0]?.line ?? ''
  expect(line).toHaveLength(4096)
  expect(line.endsWith('…')).toBe(true)
  expect(line.isWellFormed()).toBe(true)
})

const manyLines = (count: number): Value[] =>
  Array.from({ length: count }, (_, n) => [String(1795406392000000000n - BigInt(n)), `line ${n}`])

test.each([
  [4, 5, false],
  [5, 5, true],
  [7, 5, true],
])('%i lines for a limit of %i: truncated is %s', async (count, limit, truncated) => {
  const { reading } = await ask(answering(streams([{ stream: {}, values: manyLines(count) }])), { limit })
  expect(reading).toMatchObject({ value: { truncated } })
  if (reading.status === 'read') expect(reading.value.lines).toHaveLength(Math.min(count, limit))
})

test('never more than Loki allows is asked for, and reaching that is truncated as well', async () => {
  const { reading, params } = await ask(answering(streams([{ stream: {}, values: manyLines(5000) }])), {
    limit: 20_000,
  })
  expect(params[0]?.['limit']).toBe('5000')
  expect(reading).toMatchObject({ value: { truncated: true } })
})

test('a warning that something was left out makes the reading a lower bound', async () => {
  const { reading } = await ask(answering(streams([], { warnings: ['partial results'] })))
  expect(reading).toEqual({ status: 'read', value: { lines: [], truncated: true } })
})

const dayMs = 86_400_000

test('a long span is asked in pieces without gaps, the newest first, each for what is still missing', async () => {
  const { params, reading } = await ask(answering(streams([{ stream: {}, values: manyLines(2) }])), {
    sinceMs: nowMs - 70 * dayMs,
    limit: 5,
  })
  expect(params.map(({ limit }) => limit)).toEqual(['5', '3', '1'])
  const spans = params.map(({ start, end }) => [BigInt(start ?? 0), BigInt(end ?? 0)] as const)
  const days = (span: readonly [bigint, bigint]) => Number((span[1] - span[0]) / 1_000_000n) / dayMs
  expect(spans.map(days)).toEqual([30, 30, 10])
  expect(spans.map(([start]) => start).slice(0, 2)).toEqual(spans.map(([, end]) => end).slice(1))
  expect(reading).toMatchObject({ value: { truncated: true } })
})

test('more than a year is not asked about, and said to be truncated', async () => {
  const { params, reading } = await ask(nothing, { sinceMs: 0 })
  expect(params).toHaveLength(12)
  expect(reading).toEqual({ status: 'read', value: { lines: [], truncated: true } })
})

test('one piece that cannot be read makes the whole unreadable', async () => {
  let count = 0
  const { reading } = await ask(
    (_request, response) => {
      count += 1
      if (count === 1) response.end(streams([]))
      else response.writeHead(500).end('too many outstanding requests')
    },
    { sinceMs: nowMs - 40 * dayMs },
  )
  expect(reading).toEqual({
    status: 'unreadable',
    why: expect.stringMatching(/answered 500: too many outstanding requests$/),
  })
})

test.each<[string, RequestListener, RegExp]>([
  ['no JSON', answering('<html>log in</html>'), /answered 200 without JSON: <html>log in<\/html>$/],
  [
    'a matrix',
    answering('{"status":"success","data":{"resultType":"matrix","result":[]}}'),
    /did not answer with log streams: data\.resultType/,
  ],
  ['a failure with 200', answering('{"status":"error","error":"x"}'), /did not answer with log streams: status/],
  [
    'a time that is none',
    answering(streams([{ stream: {}, values: [['now', 'x']] }])),
    /did not answer with log streams/,
  ],
  ['half an answer', (_request, response) => cutShort(response, '{"status":"suc', 500), /closed the connection early$/],
  ['a busy Loki', answering('Too Many Requests', 429), /answered 429: Too Many Requests$/],
])('%s is unreadable', async (_, listener, why) => {
  expect((await ask(listener)).reading).toEqual({ status: 'unreadable', why: expect.stringMatching(why) })
})

test('what cannot be asked is not asked', async () => {
  const empty = await ask(nothing, { sinceMs: nowMs })
  expect(empty.reading).toMatchObject({ status: 'unreadable', why: expect.stringMatching(/ends before it starts/) })
  const label = await ask(nothing, { labels: { 'a"b': 'c' } })
  expect(label.reading).toEqual({ status: 'unreadable', why: '"a\\"b" is not a Loki label name' })
  expect([...empty.requests, ...label.requests]).toHaveLength(0)
})
