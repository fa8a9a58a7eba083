import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import type { SourceWorld } from '../../sources/contract.ts'
import { type HttpRead, type HttpTarget, readHttp } from '../../sources/http.ts'
import { makeCertificate } from '../certificates.ts'
import { cutShort, type Loopback, withServer, world } from './loopback.ts'

type Ask = { target?: Partial<HttpTarget>; world?: Partial<SourceWorld>; read?: Partial<HttpRead>; path?: string }

const ask = async (loopback: Pick<Loopback, 'url'>, asked: Ask = {}) => {
  const parts: Uint8Array[] = []
  const answer = await readHttp(
    { url: `${loopback.url}${asked.path ?? '/metrics'}`, ...asked.target },
    world(asked.world),
    {
      accept: 'text/plain',
      begin: () => ({
        status: 'read',
        value: (chunk) => {
          parts.push(Uint8Array.from(chunk))
          return undefined
        },
      }),
      ...asked.read,
    },
  )
  return { answer, text: Buffer.concat(parts).toString('utf8') }
}

const exchange = (listener: RequestListener, asked: Ask = {}) =>
  withServer(listener, async (loopback) => ({ ...(await ask(loopback, asked)), loopback }))

const why = ({ answer }: Awaited<ReturnType<typeof ask>>): string =>
  answer.status === 'unreadable' ? answer.why : 'read'
const large = Array.from({ length: 20_000 }, (_, n) => `up{pod="web-${n}"} 1\n`).join('')

test.each<[string, Record<string, string>, Buffer]>([
  ['as it is', {}, Buffer.from(large)],
  ['as gzip', { 'content-encoding': 'gzip' }, gzipSync(large)],
  ['as x-gzip', { 'content-encoding': 'x-gzip' }, gzipSync(large)],
  ['as zstd', { 'content-encoding': 'zstd' }, zstdCompressSync(large)],
  ['as deflate', { 'content-encoding': 'deflate' }, deflateSync(large)],
])('a body sent %s arrives whole', async (_, headers, body) => {
  const { answer, text } = await exchange((_request, response) => response.writeHead(200, headers).end(body))
  expect(answer).toEqual({ status: 'read', value: { bytes: large.length } })
  expect(text).toBe(large)
})

test('a body sent in many small chunks arrives whole', async () => {
  const { answer, text } = await exchange((_request, response) => {
    for (const piece of large.slice(0, 5000).match(/.{1,7}/gs) ?? []) response.write(piece)
    response.end()
  })
  expect(answer.status).toBe('read')
  expect(text).toBe(large.slice(0, 5000))
})

test('the request says what it wants and keeps its query', async () => {
  const { loopback } = await exchange((_request, response) => response.end('ok'), {
    path: '/federate?match%5B%5D=%7Bjob%3D%22x%22%7D',
    read: { headers: { 'x-scope-orgid': 'shop' } },
  })
  const [request] = loopback.requests
  expect(request?.url).toBe('/federate?match%5B%5D=%7Bjob%3D%22x%22%7D')
  expect(request?.headers).toMatchObject({
    accept: 'text/plain',
    'accept-encoding': 'gzip, zstd',
    'x-scope-orgid': 'shop',
  })
  expect(request?.headers.authorization).toBeUndefined()
})

test.each([
  [{ bearer: 'secret:TOKEN' }, 'Bearer s3cr3t'],
  [{ basic: { username: 'me', password: 'secret:TOKEN' } }, `Basic ${Buffer.from('me:s3cr3t').toString('base64')}`],
])('%j is sent as %s', async (auth, header) => {
  const secret = (reference: string) => (reference === 'secret:TOKEN' ? 's3cr3t' : '')
  const { loopback } = await exchange((_request, response) => response.end('ok'), {
    target: { auth },
    world: { secret },
  })
  expect(loopback.requests[0]?.headers.authorization).toBe(header)
})

test.each<[string, (reference: string) => string, string]>([
  [
    'missing',
    () => {
      throw new Error('s3cr3t')
    },
    'secret:TOKEN is not available here',
  ],
  ['empty', () => '', 'secret:TOKEN is empty'],
  ['broken', () => 's3cr3t\n', 'secret:TOKEN holds a character no HTTP header may carry: a line break at its end?'],
])('a %s secret is named, not shown, and nothing is sent', async (_, secret, reason) => {
  const outcome = await exchange((_request, response) => response.end('ok'), {
    target: { auth: { bearer: 'secret:TOKEN' } },
    world: { secret },
  })
  expect(why(outcome)).toBe(reason)
  expect(outcome.loopback.requests).toHaveLength(0)
})

test.each([
  [401, 'who are you?\n\tgo away', 'answered 401: who are you? go away'],
  [404, '', 'answered 404'],
  [429, 'too many outstanding requests', 'answered 429: too many outstanding requests'],
  [500, `oh no\u0000 ${'x'.repeat(500)}`, `answered 500: oh no ${'x'.repeat(193)}…`],
  [204, '', 'answered 204'],
])('%i is unreadable and says why', async (status, body, reason) => {
  const outcome = await exchange((_request, response) => response.writeHead(status).end(body))
  expect(why(outcome)).toBe(`127.0.0.1:${outcome.loopback.port} ${reason}`)
})

test('a refusal sent as gzip is readable, and a secret it echoes is not shown', async () => {
  const outcome = await exchange(
    (request, response) =>
      response
        .writeHead(403, { 'content-encoding': 'gzip' })
        .end(gzipSync(`no entry with ${request.headers.authorization}`)),
    { target: { auth: { bearer: 'secret:TOKEN' } }, world: { secret: () => 's3cr3t' } },
  )
  expect(why(outcome)).toMatch(/answered 403: no entry with Bearer \[secret\]$/)
})

test('a redirect is not followed and says where it leads, without its query', async () => {
  const headers = { location: 'http://elsewhere.example/login?token=abc' }
  const outcome = await exchange((_request, response) => response.writeHead(302, headers).end())
  expect(why(outcome)).toMatch(/answered 302: a redirect to http:\/\/elsewhere.example\/login, which is not followed/)
  expect(outcome.loopback.requests).toHaveLength(1)
})

test('an encoding nobody asked for is refused', async () => {
  const outcome = await exchange((_request, response) => response.writeHead(200, { 'content-encoding': 'br' }).end('x'))
  expect(why(outcome)).toMatch(/answered in br, which was not asked for/)
})

test('begin may refuse by the content type', async () => {
  const headers = { 'content-type': 'text/html; charset=utf-8' }
  const outcome = await exchange((_request, response) => response.writeHead(200, headers).end('x'), {
    read: { begin: (contentType) => ({ status: 'unreadable', why: `no ${contentType}` }) },
  })
  expect(why(outcome)).toBe('no text/html; charset=utf-8')
})

test.each<[string, Record<string, string>, (text: string) => Buffer]>([
  ['plain', {}, (text) => Buffer.from(text)],
  ['gzip', { 'content-encoding': 'gzip' }, (text) => gzipSync(text).subarray(0, -200)],
  ['zstd', { 'content-encoding': 'zstd' }, (text) => zstdCompressSync(text).subarray(0, -200)],
])('a %s body cut by the other side is incomplete, what came is kept', async (_, headers, encode) => {
  const body = encode(large)
  const { answer, text, loopback } = await exchange((_request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    cutShort(response, body, body.length + 1000)
  })
  const incomplete = `127.0.0.1:${loopback.port} closed the connection early`
  expect(answer).toEqual({ status: 'read', value: { bytes: text.length, incomplete } })
  expect(text.length).toBeGreaterThan(large.length / 2)
  expect(large.startsWith(text)).toBe(true)
})

test.each<[string, Buffer]>([
  ['gzip', gzipSync(large)],
  ['zstd', zstdCompressSync(large)],
])('a %s body without its end is incomplete although HTTP says it is whole', async (encoding, body) => {
  const { answer, text } = await exchange((_request, response) =>
    response.writeHead(200, { 'content-encoding': encoding }).end(body.subarray(0, -20)),
  )
  expect(answer).toMatchObject({ value: { incomplete: expect.stringMatching(/a compressed body without its end/) } })
  expect(text.length).toBeGreaterThan(0)
})

const greedyZstd = zstdCompressSync(Buffer.alloc(16 * 1024 * 1024), { params: { [constants.ZSTD_c_windowLog]: 27 } })

test.each<[string, string, string | Buffer]>([
  ['gzip', 'is not', 'up 1\n'],
  ['zstd', 'is not', 'up 1\n'],
  ['zstd', 'asks for a window of 16 MiB', greedyZstd],
])('a body that says %s and %s is incomplete with nothing read', async (encoding, _, body) => {
  const { answer } = await exchange((_request, response) =>
    response.writeHead(200, { 'content-encoding': encoding }).end(body),
  )
  expect(answer).toMatchObject({ value: { bytes: 0, incomplete: expect.stringMatching(/cannot be unpacked/) } })
})

test('a body over its limit is cut at it, however small it was on the wire', async () => {
  const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024))
  const { answer, text } = await exchange(
    (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    { read: { bodyLimitBytes: 1_000_000 } },
  )
  expect(answer).toEqual({
    status: 'read',
    value: { bytes: 1_000_000, incomplete: 'the body is larger than 1000000 bytes' },
  })
  expect(text.length).toBe(1_000_000)
})

test('a body of exactly the limit is whole', async () => {
  const read = { bodyLimitBytes: 10 }
  const { answer } = await exchange((_request, response) => response.end('0123456789'), { read })
  expect(answer).toEqual({ status: 'read', value: { bytes: 10 } })
})

test('a sink that has enough ends the read with its reason', async () => {
  const read: Partial<HttpRead> = { begin: () => ({ status: 'read', value: () => 'enough' }) }
  const { answer } = await exchange((_request, response) => response.end(large), { read })
  expect(answer).toMatchObject({ status: 'read', value: { incomplete: 'enough' } })
})

test('nobody listening is a refused connection', async () => {
  const url = await withServer(
    () => undefined,
    async (loopback) => loopback.url,
  )
  expect(why(await ask({ url }))).toBe(`connection refused at ${new URL(url).host}`)
})

test('a name that does not exist is said to have no address', async () => {
  expect(why(await ask({ url: 'http://nowhere.invalid' }))).toMatch(/^no address for nowhere\.invalid: /)
})

test('a connection dropped before the answer is said so', async () => {
  const outcome = await exchange((request) => request.socket.destroy())
  expect(why(outcome)).toMatch(/^127\.0\.0\.1:\d+ closed the connection early$/)
})

test('something that does not speak HTTP, or not TLS, is said so', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.2\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is an object; only pipes have a string.
  const { port } = server.address() as AddressInfo
  try {
    expect(why(await ask({ url: `http://127.0.0.1:${port}` }))).toMatch(/does not answer with HTTP/)
    expect(why(await ask({ url: `https://127.0.0.1:${port}` }))).toMatch(/does not speak TLS: is its address http/)
  } finally {
    server.close()
  }
})

test('an answer that never begins ends at the deadline', async () => {
  const controller = new AbortController()
  let clockMs = 0
  const outcome = await exchange(
    () => {
      clockMs = 3000
      controller.abort(new DOMException('deadline', 'TimeoutError'))
    },
    { world: { signal: controller.signal, nowMs: () => clockMs } },
  )
  expect(why(outcome)).toBe(`no answer from 127.0.0.1:${outcome.loopback.port} within 3 s`)
})

test.each([true, false])('an answer that hangs in its middle is cut at the deadline (gzip: %s)', async (zipped) => {
  const controller = new AbortController()
  const { answer, text, loopback } = await exchange(
    (_request, response) => {
      if (zipped) response.setHeader('content-encoding', 'gzip')
      const body = zipped ? gzipSync(large).subarray(0, 20_000) : large.slice(0, 20_000)
      response.write(body)
    },
    {
      world: { signal: controller.signal },
      read: {
        begin: () => {
          // The deadline strikes once the body has begun.
          setImmediate(() => controller.abort())
          return { status: 'read', value: () => undefined }
        },
      },
    },
  )
  expect(text).toBe('')
  const incomplete = `aborted at the deadline: no whole answer from 127.0.0.1:${loopback.port} in time`
  expect(answer).toMatchObject({ status: 'read', value: { incomplete } })
})

test('a deadline that is already over sends nothing', async () => {
  const outcome = await exchange((_request, response) => response.end('ok'), { world: { signal: AbortSignal.abort() } })
  expect(why(outcome)).toMatch(/^no answer from/)
  expect(outcome.loopback.requests).toHaveLength(0)
})

test('a caFile that cannot be used is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sources-'))
  const caFile = join(folder, 'ca.pem')
  const target = { caFile }
  const listener: RequestListener = (_request, response) => response.end('ok')
  expect(why(await exchange(listener, { target }))).toBe(`caFile ${caFile} cannot be read: ENOENT`)
  await writeFile(caFile, 'hello')
  expect(why(await exchange(listener, { target }))).toBe(`caFile ${caFile} holds no PEM certificate`)
  await rm(folder, { recursive: true })
})

test('a certificate of a private authority is trusted with its caFile, and only with it', async () => {
  const years = { notBeforeMs: Date.now() - 3_600_000, notAfterMs: Date.now() + 3_600_000 }
  const authority = makeCertificate({ names: ['Our Authority'], authority: true, ...years })
  const own = makeCertificate({ names: ['localhost'], issuer: authority, ...years })
  const folder = await mkdtemp(join(tmpdir(), 'sources-'))
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, authority.certPem)
  const server = createTlsServer({ cert: own.certPem, key: own.keyPem }, (_request, response) => response.end('ok'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is an object; only pipes have a string.
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  try {
    expect((await ask({ url }, { target: { caFile } })).text).toBe('ok')
    expect(why(await ask({ url }))).toMatch(/^the certificate of localhost:\d+ is not trusted: /)
    const otherName = why(await ask({ url: url.replace('localhost', '127.0.0.1') }, { target: { caFile } }))
    expect(otherName).toMatch(/^the certificate of 127\.0\.0\.1:\d+ is not trusted: .*ERR_TLS_CERT_ALTNAME_INVALID/)
  } finally {
    server.close()
    server.closeAllConnections()
    await rm(folder, { recursive: true })
  }
})
