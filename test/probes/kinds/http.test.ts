import { execFile } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from '@jest/globals'
import { sighting as sightingShape } from '../../../probes/contract.ts'
import { httpProbe } from '../../../probes/kinds/http.ts'
import { closeTargets, httpTarget, look, ok, rawTarget, saw, tcpTarget } from '../targets.ts'

afterEach(closeTargets)

test('a look at a page that is fine has its phases, its answer and nothing else', async () => {
  const { url, host } = await rawTarget(ok())
  const sighting = await look(url)
  expect(sightingShape.parse(sighting)).toEqual(sighting)
  expect(sighting).toEqual({
    verdict: 'pass',
    timingsMs: {
      connect: expect.any(Number),
      processing: expect.any(Number),
      transfer: expect.any(Number),
      total: expect.any(Number),
    },
    attempt: {
      url: `http://${host}/`,
      address: '127.0.0.1',
      redirects: 0,
      statusCode: 200,
      httpVersion: '1.1',
      bodyBytes: 4,
    },
  })
})

test('the phases add up to about the total, and a name has one more of them', async () => {
  const { port } = await rawTarget((socket) => setTimeout(() => socket.end(ok()), 60))
  const { timingsMs } = await look(`http://localhost:${port}/`, { family: 'v4' })
  const { total, ...phases } = timingsMs
  const sum = Object.values(phases).reduce<number>((left, ms) => left + (ms ?? 0), 0)
  expect(Object.keys(phases).sort()).toEqual(['connect', 'processing', 'resolve', 'transfer'])
  expect(phases.processing).toBeGreaterThan(50)
  expect(sum).toBeLessThanOrEqual(total + 0.01)
  expect(sum).toBeGreaterThan(total * 0.8 - 5)
})

test('nobody listens: the connection is refused, and the evidence has the address', async () => {
  const target = await rawTarget(ok())
  await target.close()
  const sighting = await look(target.url)
  expect(saw(sighting)).toBe('fail connect connection-refused')
  expect(sighting.cause?.detail).toContain(target.host)
  expect(sighting.attempt).toEqual({ url: target.url, address: '127.0.0.1', redirects: 0 })
  expect(Object.keys(sighting.timingsMs)).toEqual(['connect', 'total'])
})

const head = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n'

test.each([
  { given: 'a reset before an answer', does: 'reset', sends: '', then: 'fail processing connection-reset' },
  {
    given: 'a reset in the headers',
    does: 'reset',
    sends: 'HTTP/1.1 200 OK\r\nx',
    then: 'fail processing connection-reset',
  },
  { given: 'a reset in the body', does: 'reset', sends: `${head}some`, then: 'fail transfer connection-reset' },
  {
    given: 'a reset in a body that ends with its connection',
    does: 'reset',
    sends: 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nsome',
    then: 'fail transfer connection-reset',
  },
  { given: 'a close before an answer', does: 'end', sends: '', then: 'fail processing empty-answer' },
  {
    given: 'a close in the headers',
    does: 'end',
    sends: 'HTTP/1.1 200 OK\r\nx',
    then: 'fail processing answer-incomplete',
  },
  { given: 'a close in the body', does: 'end', sends: `${head}some`, then: 'fail transfer answer-incomplete' },
  { given: 'silence before an answer', does: 'wait', sends: '', then: 'fail processing timed-out' },
  { given: 'silence in the headers', does: 'wait', sends: 'HTTP/1.1 200', then: 'fail processing timed-out' },
  { given: 'silence in the body', does: 'wait', sends: `${head}some`, then: 'fail transfer timed-out' },
])('$given: $then', async ({ does, sends, then }) => {
  const target = await rawTarget((socket) => {
    if (sends !== '') socket.write(sends)
    if (does === 'end') socket.end()
    // The kernel of the other side drops what it has not read yet when a reset comes.
    if (does === 'reset') setTimeout(() => socket.resetAndDestroy(), sends === '' ? 0 : 50)
  })
  const sighting = await look(target.url, does === 'wait' ? { timeoutSeconds: 0.3 } : {})
  expect(saw(sighting)).toBe(then)
  const inBody = then.includes('transfer')
  expect(sighting.attempt?.statusCode).toBe(inBody ? 200 : undefined)
  expect(sighting.attempt?.bodyStart).toBe(inBody ? 'some' : undefined)
  expect('transfer' in sighting.timingsMs).toBe(inBody)
  await target.allGone()
})

test('a byte now and then is no answer: the time is for the whole look', async () => {
  const target = await rawTarget((socket) => {
    socket.write(head)
    const timer = setInterval(() => socket.write('x'), 50)
    socket.on('close', () => clearInterval(timer))
  })
  const sighting = await look(target.url, { timeoutSeconds: 0.4 })
  expect(saw(sighting)).toBe('fail transfer timed-out')
  expect(sighting.timingsMs.total).toBeLessThan(900)
  expect(sighting.attempt?.bodyStart).toMatch(/^x{2,10}$/)
  await target.allGone()
})

test.each([
  { given: 'no status assertion and a 204', status: 204, assert: {}, then: 'pass' },
  { given: 'no status assertion and a 304', status: 304, assert: {}, then: 'fail assert assert-status' },
  { given: 'no status assertion and a 404', status: 404, assert: {}, then: 'fail assert assert-status' },
  { given: 'no status assertion and a 500', status: 500, assert: {}, then: 'fail assert assert-status' },
  { given: 'a 304 that is asserted', status: 304, assert: { status: 304 }, then: 'pass' },
  { given: 'one of several', status: 418, assert: { status: [200, '4xx'] }, then: 'pass' },
])('$given: $then', async ({ status, assert, then }) => {
  const { url } = await httpTarget((_request, response) => response.writeHead(status).end())
  const sighting = await look(url, { assert })
  expect([saw(sighting), sighting.attempt?.statusCode, sighting.attempt?.bodyBytes]).toEqual([then, status, 0])
})

test('HEAD asks for headers, whatever length they announce', async () => {
  const target = await rawTarget('HTTP/1.1 200 OK\r\ncontent-length: 5000\r\ncontent-encoding: gzip\r\n\r\n')
  expect(saw(await look(target.url, { method: 'HEAD' }))).toBe('pass')
  expect(target.heads[0]).toMatch(/^HEAD \/ HTTP\/1\.1\r\n/)
})

test('method, headers, path, query and body are sent as configured, on one connection that is then closed', async () => {
  let body = ''
  const target = await httpTarget((request, response) => {
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => response.end('ok'))
  })
  const monitor = { method: 'PUT', headers: { 'X-Shop': 'a b', Host: 'shop.example' }, body: '{"ü":1}' }
  expect(saw(await look(`${target.url}path%20a?q=1#part`, monitor))).toBe('pass')
  const [sent = ''] = target.heads
  expect(sent.split('\n')[0]).toBe('PUT /path%20a?q=1')
  expect(sent).toContain('x-shop: a b')
  expect(sent).toContain('host: shop.example')
  expect(sent).toContain('user-agent: whodunit/1')
  expect([body, target.accepted()]).toEqual(['{"ü":1}', 1])
  await target.allGone()
})

test('the evidence leaves out the query, which may hold what is private', async () => {
  const { url } = await rawTarget(ok())
  expect((await look(`${url}a?token=1234#b`)).attempt?.url).toBe(`${url}a`)
})

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
const ipv6Test = hasIpv6 ? test : test.skip

ipv6Test('an IPv6 literal is looked at without asking a resolver', async () => {
  const { url } = await rawTarget(ok(), '::1')
  const sighting = await look(url)
  expect([saw(sighting), sighting.attempt?.address]).toEqual(['pass', '::1'])
  expect(sighting.timingsMs).not.toHaveProperty('resolve')
})

test('slower than the limit is degraded, and says how slow', async () => {
  const { url } = await rawTarget((socket) => setTimeout(() => socket.end(ok()), 40))
  const sighting = await look(url, { degraded: { latencyMs: 5 } })
  expect(saw(sighting)).toBe('degraded assert slow')
  expect(sighting.cause?.detail).toMatch(/^took \d+ ms, more than 5 ms$/)
  expect(saw(await look(url, { degraded: { latencyMs: 4000 } }))).toBe('pass')
})

test('a failing look keeps the first kilobyte of the body, cut between characters', async () => {
  const { url } = await rawTarget(ok(`a${'ü'.repeat(2000)}`))
  const { attempt } = await look(url, { assert: { status: 500 } })
  expect(attempt?.bodyBytes).toBe(4001)
  expect(attempt?.bodyStart).toBe(`a${'ü'.repeat(511)}`)
})

test('a body that is no text does no harm', async () => {
  const { url } = await rawTarget(Buffer.concat([Buffer.from(ok('')), Buffer.from([0xff, 0xfe, 0])]))
  const binary = Buffer.from([0xff, 0x00, 0xc3])
  const { url: other } = await httpTarget((_request, response) => response.end(binary))
  expect(saw(await look(url))).toBe('pass')
  expect((await look(other, { assert: { status: 500 } })).attempt?.bodyStart).toBe('\uFFFD\u0000\uFFFD')
})

test('a passing look keeps no body', async () => {
  const { url } = await rawTarget(ok())
  expect((await look(url)).attempt).not.toHaveProperty('bodyStart')
})

test('several mismatches have the first one as their code, and name up to three', async () => {
  const { url } = await rawTarget(ok('{}'))
  const assert = {
    status: 201,
    headers: { etag: { exists: true } },
    json: { '$.a': { equals: 1 }, '$.b': { equals: 1 } },
  }
  const { cause } = await look(url, { assert })
  expect(cause).toEqual({
    phase: 'assert',
    code: 'assert-status',
    detail: 'expected status 201, saw 200; header etag: it is missing; JSON $.a: it is missing',
  })
})

test('a look that the world calls off is over at once, and says nothing about the target', async () => {
  const asked = new AbortController()
  const target = await rawTarget(() => setTimeout(() => asked.abort(), 30))
  const sighting = await look(target.url, { timeoutSeconds: 30 }, { signal: asked.signal })
  expect(saw(sighting)).toBe('unknown prober called-off')
  expect(sighting.timingsMs.total).toBeLessThan(2000)
  await target.allGone()
})

test('a look that was called off before it began connects to nothing', async () => {
  const target = await rawTarget(ok())
  const sighting = await look(target.url, {}, { signal: AbortSignal.abort() })
  expect([saw(sighting), target.accepted()]).toEqual(['unknown prober called-off', 0])
})

test('the deadline of whoever asks is the same time-out when it is about the same time', async () => {
  const { url } = await rawTarget(() => undefined)
  const sighting = await look(url, { timeoutSeconds: 0.3 }, { signal: AbortSignal.timeout(295) })
  expect(saw(sighting)).toBe('fail processing timed-out')
})

test('a prober that was too busy to notice an answer does not blame the target', async () => {
  const { url } = await rawTarget((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const untilMs = performance.now() + 900
    while (performance.now() < untilMs);
  })
  expect(saw(await look(url, { timeoutSeconds: 0.2 }))).toBe('unknown prober prober-overloaded')
})

test('no listener is left behind on the signal of whoever asks, and no connection', async () => {
  const { signal } = new AbortController()
  const targets = [await rawTarget(ok()), await rawTarget('garbage'), await tcpTarget((socket) => socket.destroy())]
  for (const { url } of targets) await look(url, { timeoutSeconds: 50 }, { signal })
  for (const { allGone } of targets) await allGone()
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('a process with nothing else to do ends with its looks, and has lost no error', async () => {
  const beganMs = performance.now()
  const child = fileURLToPath(new URL('../child.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', child])
  expect(JSON.parse(stdout)).toEqual({ verdicts: ['pass', 'pass', 'fail', 'fail', 'fail', 'fail', 'fail'], lost: [] })
  expect(performance.now() - beganMs).toBeLessThan(20_000)
})

test('many looks at once do not mix', async () => {
  const target = await httpTarget((request, response) => response.end(request.url?.slice(1)))
  const paths = Array.from({ length: 20 }, (_, index) => `page-${index}`)
  const sightings = await Promise.all(
    paths.map((path) => look(`${target.url}${path}`, { assert: { body: { equals: path } } })),
  )
  expect(sightings.map(saw)).toEqual(paths.map(() => 'pass'))
  await target.allGone()
})

test('a monitor is called by its method and its address', () => {
  const spec = httpProbe.schema.parse({ kind: 'http', service: 'shop', url: 'https://shop.example/a' })
  expect(httpProbe.target(spec)).toBe('GET https://shop.example/a')
})
