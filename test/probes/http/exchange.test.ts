import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, expect, test } from '@jest/globals'
import { closeTargets, look, ok, rawTarget, saw } from '../targets.ts'

afterEach(closeTargets)

const status = 'HTTP/1.1 200 OK\r\n'
const length2 = 'content-length: 2\r\n\r\nok'

test.each([
  { given: 'no HTTP at all', answer: 'SSH-2.0-OpenSSH_9.2\r\n' },
  { given: 'HTTP/0.9', answer: '<html>fine</html>' },
  { given: 'noise', answer: Buffer.from([0, 255, 22, 3, 1, 13, 10, 13, 10]) },
  { given: 'a status that is no number', answer: `HTTP/1.1 OK\r\n${length2}` },
  { given: 'a status of four digits', answer: `HTTP/1.1 2000 OK\r\n${length2}` },
  { given: 'two lengths', answer: `${status}content-length: 1\r\n${length2}` },
  { given: 'a length and chunks', answer: `${status}transfer-encoding: chunked\r\n${length2}` },
  { given: 'a negative length', answer: `${status}content-length: -2\r\n\r\nok` },
  { given: 'a length beyond all numbers', answer: `${status}content-length: 99999999999999999999999\r\n\r\nok` },
  { given: 'a header without a name', answer: `${status}: a\r\n${length2}` },
  { given: 'a NUL in a header', answer: `${status}x: a\0b\r\n${length2}` },
  { given: 'one huge header', answer: `${status}x: ${'a'.repeat(100_000)}\r\n${length2}` },
  { given: 'endless headers', answer: `${status}${'x: aaaaaaaa\r\n'.repeat(20_000)}` },
  { given: 'an endless status line', answer: `HTTP/1.1 200 ${'O'.repeat(200_000)}` },
  {
    given: 'another protocol, unasked',
    answer: 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nframes',
  },
])('an answer of $given is invalid', async ({ answer }) => {
  const target = await rawTarget(answer)
  const sighting = await look(target.url)
  expect(saw(sighting)).toBe('fail processing response-invalid')
  expect(sighting.cause?.detail.length).toBeLessThan(300)
  await target.allGone()
})

test.each([
  { given: 'a chunk size that is no number', answer: 'zz\r\nok\r\n0\r\n\r\n', then: 'response-invalid' },
  { given: 'a chunk size beyond all numbers', answer: 'fffffffffffffffffff\r\nok\r\n', then: 'response-invalid' },
  { given: 'a chunk that is longer than it says', answer: '1\r\nok\r\n0\r\n\r\n', then: 'response-invalid' },
  { given: 'a chunk that is shorter than it says', answer: '10\r\nok', then: 'answer-incomplete' },
  { given: 'no last chunk', answer: '2\r\nok\r\n', then: 'answer-incomplete' },
  {
    given: 'no last chunk on a connection that is to be closed',
    answer: '2\r\nok\r\n',
    more: 'connection: close\r\n',
    then: 'answer-incomplete',
  },
])('chunks with $given: $then', async ({ answer, more = '', then }) => {
  const target = await rawTarget(`${status}${more}transfer-encoding: chunked\r\n\r\n${answer}`)
  expect(saw(await look(target.url))).toBe(`fail transfer ${then}`)
  await target.allGone()
})

test.each([
  { given: '100 to no expectation (RFC 9110 §15.2)', answer: `HTTP/1.1 100 Continue\r\n\r\n${status}${length2}` },
  {
    given: '102 and 103 before it',
    answer: `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n${status}${length2}`,
  },
  { given: 'HTTP/1.0 without a length', answer: 'HTTP/1.0 200 OK\r\n\r\nok', version: '1.0' },
  { given: 'no length and a close', answer: `${status}connection: close\r\n\r\nok` },
  { given: 'no reason phrase', answer: `HTTP/1.1 200\r\n${length2}` },
  { given: 'an offer to upgrade', answer: `${status}connection: upgrade\r\nupgrade: h2c\r\n${length2}` },
  {
    given: 'trailers',
    answer: `${status}transfer-encoding: chunked\r\ntrailer: x\r\n\r\n2\r\nok\r\n0\r\nx: y\r\n\r\n`,
  },
  { given: 'noise after its end', answer: `${status}${length2}noise` },
  { given: 'another answer after its end', answer: `${status}${length2}HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n` },
  { given: 'a keep-alive that ends at once', answer: `${status}keep-alive: timeout=0\r\n${length2}` },
  {
    given: 'headers named like properties of objects',
    answer: `${status}__proto__: a\r\nconstructor: b\r\n${length2}`,
  },
])('an answer with $given is fine', async ({ answer, version = '1.1' }) => {
  const target = await rawTarget(answer)
  const sighting = await look(target.url, { assert: { body: { equals: 'ok' } } })
  expect([saw(sighting), sighting.attempt?.httpVersion]).toEqual(['pass', version])
  await target.allGone()
})

test('a server that informs for ever and never answers runs out of time', async () => {
  const target = await rawTarget((socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 10)
    socket.on('close', () => clearInterval(timer))
  })
  expect(saw(await look(target.url, { timeoutSeconds: 0.3 }))).toBe('fail processing timed-out')
  await target.allGone()
})

test('headers that drip in byte by byte run out of time', async () => {
  const target = await rawTarget((socket) => {
    socket.write(status)
    const timer = setInterval(() => socket.write('x'), 20)
    socket.on('close', () => clearInterval(timer))
  })
  const sighting = await look(target.url, { timeoutSeconds: 0.3 })
  expect(saw(sighting)).toBe('fail processing timed-out')
  expect(sighting.timingsMs.total).toBeLessThan(800)
  await target.allGone()
})

test('an answer that comes before a long request was read is an answer', async () => {
  const { url } = await rawTarget((socket) =>
    socket.end('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
  )
  const sighting = await look(url, { method: 'POST', body: 'a'.repeat(100_000), assert: { status: 413 } })
  expect(saw(sighting)).toBe('pass')
})

const encoded = (coding: string, body: Buffer, more = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`${status}content-encoding: ${coding}\r\ncontent-length: ${body.length}\r\n${more}\r\n`),
    body,
  ])
const page = 'a page that is fine'

test.each([
  { coding: 'gzip', body: gzipSync(page) },
  { coding: 'GZIP', body: gzipSync(page) },
  { coding: 'x-gzip', body: gzipSync(page) },
  { coding: 'deflate', body: deflateSync(page) },
  { coding: 'br', body: brotliCompressSync(page) },
  { coding: 'zstd', body: zstdCompressSync(page) },
  { coding: 'deflate, gzip', body: gzipSync(deflateSync(page)) },
  { coding: 'identity', body: Buffer.from(page) },
  { coding: 'utf-8', body: Buffer.from(page) },
])('a body in $coding is read, though nobody asked for it', async ({ coding, body }) => {
  const { url } = await rawTarget(encoded(coding, body))
  const sighting = await look(url, { assert: { body: { equals: page } } })
  expect([saw(sighting), sighting.attempt?.bodyBytes]).toEqual(['pass', page.length])
})

test.each([
  { given: 'gzip that is none', answer: encoded('gzip', Buffer.from('plain text')) },
  { given: 'deflate that is none', answer: encoded('deflate', Buffer.from('plain text')) },
  { given: 'br that is none', answer: encoded('br', Buffer.from('plain text')) },
  { given: 'zstd that is none', answer: encoded('zstd', Buffer.from('plain text')) },
  { given: 'gzip that breaks off', answer: encoded('gzip', gzipSync(page).subarray(0, 15)) },
  { given: 'gzip twice that is gzip once', answer: encoded('gzip, gzip', gzipSync(page)) },
])('a body in $given is invalid', async ({ answer }) => {
  const target = await rawTarget(answer)
  const sighting = await look(target.url)
  expect(saw(sighting)).toBe('fail transfer response-invalid')
  expect(sighting.cause?.detail).toContain('Content-Encoding')
  expect(sighting.attempt?.statusCode).toBe(200)
  await target.allGone()
})

test.each([
  { given: 'an empty body', answer: encoded('gzip', Buffer.alloc(0)), monitor: {} },
  {
    given: 'HEAD',
    answer: `${status}content-encoding: gzip\r\ncontent-length: 99\r\n\r\n`,
    monitor: { method: 'HEAD' },
  },
  { given: '204', answer: 'HTTP/1.1 204 No Content\r\ncontent-encoding: br\r\n\r\n', monitor: {} },
])('a coding of nothing is nothing: $given', async ({ answer, monitor }) => {
  const { url } = await rawTarget(answer)
  expect(saw(await look(url, monitor))).toBe('pass')
})

test.each(['compress', 'gzip, gzip, gzip', 'exotic'])(
  'a body in %s is nobody’s concern until it is asserted',
  async (coding) => {
    const { url } = await rawTarget(encoded(coding, Buffer.from('bytes')))
    expect(saw(await look(url))).toBe('pass')
    const asserted = await look(url, { assert: { body: { notContains: 'error' } } })
    expect(saw(asserted)).toBe('fail assert assert-body-undecoded')
    expect(asserted.cause?.detail).toContain(coding)
  },
)

test.each([
  { given: 'plain', answer: ok('x'.repeat(5000)) },
  { given: 'that unpacks to more', answer: encoded('gzip', gzipSync(Buffer.alloc(50_000_000))) },
  { given: 'that unpacks to more twice', answer: encoded('gzip, gzip', gzipSync(gzipSync(Buffer.alloc(20_000_000)))) },
])('a body $given than the limit is cut off', async ({ answer }) => {
  const target = await rawTarget(answer)
  const sighting = await look(target.url, { bodyLimitBytes: 4096 })
  expect(saw(sighting)).toBe('fail transfer body-too-large')
  expect(sighting.cause?.detail).toBe('the body is larger than 4096 bytes')
  expect(sighting.attempt?.bodyBytes).toBeLessThanOrEqual(4096)
  await target.allGone()
})

test.each([
  { given: 'chunks', head: 'transfer-encoding: chunked\r\n\r\n', part: `1000\r\n${'x'.repeat(4096)}\r\n` },
  { given: 'bytes', head: 'connection: close\r\n\r\n', part: 'x'.repeat(4096) },
  { given: 'gzip members of nothing', head: 'content-encoding: gzip\r\n\r\n', part: gzipSync('') },
])('a body of endless $given is cut off', async ({ head, part }) => {
  let sent = 0
  const target = await rawTarget((socket) => {
    socket.write(status + head)
    const send = () => {
      while (!socket.destroyed && socket.write(part)) sent += part.length
    }
    socket.on('drain', send)
    send()
  })
  const sighting = await look(target.url, { bodyLimitBytes: 64 * 1024 })
  expect(saw(sighting)).toBe('fail transfer body-too-large')
  expect(sent).toBeLessThan(50_000_000)
  await target.allGone()
})

test('a body of exactly the limit is fine', async () => {
  const { url } = await rawTarget(ok('x'.repeat(4096)))
  expect(saw(await look(url, { bodyLimitBytes: 4096 }))).toBe('pass')
})
