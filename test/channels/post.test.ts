import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { type Post, post, retryAfterMs } from '../../channels/post.ts'
import { type Provider, provider, type Reply, token, world } from './providers.ts'

let open: Provider[] = []
afterEach(async () => {
  await Promise.all(open.map(({ close }) => close()))
  open = []
})

const answering = async (reply: Reply): Promise<Provider> => {
  const one = await provider(() => reply)
  open.push(one)
  return one
}

const to = (url: string, changes: Partial<Post> = {}): Post => ({
  url,
  headers: { 'content-type': 'text/plain' },
  body: 'a page',
  timeoutMs: 5000,
  secrets: [],
  ...changes,
})

test.each([
  { status: 200, result: 'delivered' },
  { status: 204, result: 'delivered' },
  { status: 299, result: 'delivered' },
  { status: 301, result: 'rejected' },
  { status: 304, result: 'rejected' },
  { status: 307, result: 'rejected' },
  { status: 400, result: 'rejected' },
  { status: 401, result: 'rejected' },
  { status: 404, result: 'rejected' },
  { status: 408, result: 'retry', doubt: true },
  { status: 410, result: 'rejected' },
  { status: 422, result: 'rejected' },
  { status: 425, result: 'retry' },
  { status: 429, result: 'retry' },
  { status: 500, result: 'retry', doubt: true },
  { status: 502, result: 'retry', doubt: true },
  { status: 503, result: 'retry' },
  { status: 504, result: 'retry', doubt: true },
  { status: 521, result: 'retry' },
  { status: 524, result: 'retry', doubt: true },
  { status: 599, result: 'retry' },
])(
  '$status means $result, and with it the page may have arrived: $doubt',
  async ({ status, result, doubt = false }) => {
    const { url, received } = await answering({ status, headers: { location: 'https://elsewhere.example/x' } })
    const got = await post(to(url), world())
    expect(got).toMatchObject({ status: result })
    expect('mayHaveArrived' in got).toBe(doubt)
    expect(received.map(({ method, body }) => ({ method, body }))).toEqual([{ method: 'POST', body: 'a page' }])
  },
)

test('a good status counts, however much stands in the headers behind it', async () => {
  const { url, received } = await answering({ status: 200, headers: { 'x-trace': 'x'.repeat(200_000) } })
  expect(await post(to(url), world())).toEqual({ status: 'delivered' })
  expect(received).toHaveLength(1)
})

test('a redirect is named by its host and never followed', async () => {
  const second = await answering({ status: 200 })
  const first = await answering({ status: 308, headers: { location: `${second.url}/next?key=abc` } })
  const host = new URL(first.url).host
  expect(await post(to(first.url), world())).toEqual({
    status: 'rejected',
    cause: `${host} answered 308, a redirect to ${new URL(second.url).host}, which is not followed`,
  })
  expect(second.received).toEqual([])
})

test.each([
  { header: '120', afterMs: 120_000 },
  { header: ' 7 ', afterMs: 7000 },
  { header: '86400', afterMs: 3_600_000 },
  { header: '999999999999999', afterMs: 3_600_000 },
  { header: 'Mon, 23 Nov 2026 03:15:05 GMT', afterMs: 120_000 },
  { header: 'Monday, 23-Nov-26 03:15:05 GMT', afterMs: 120_000 },
  { header: 'Mon, 23 Nov 2026 02:00:00 GMT', afterMs: undefined },
  { header: 'Tue, 24 Nov 2026 03:15:05 GMT', afterMs: 3_600_000 },
  { header: '0', afterMs: undefined },
  { header: '-5', afterMs: undefined },
  { header: '1.5', afterMs: undefined },
  { header: 'soon', afterMs: undefined },
  { header: '', afterMs: undefined },
])('Retry-After "$header" is a wait of $afterMs ms', ({ header, afterMs }) => {
  expect(retryAfterMs(header, world().nowMs())).toBe(afterMs)
})

test.each([429, 503])('%s passes Retry-After on', async (status) => {
  const { url } = await answering({ status, headers: { 'retry-after': '30' } })
  expect(await post(to(url), world())).toMatchObject({ status: 'retry', afterMs: 30_000 })
})

test('without Retry-After the wait is left to the sender', async () => {
  const { url } = await answering({ status: 503 })
  expect(await post(to(url), world())).not.toHaveProperty('afterMs')
})

test('what the endpoint says is quoted on one line of at most 200 characters', async () => {
  const { url } = await answering({ status: 400, body: `\u001b[31mno\u001b[0m\n\nway\u0007 ${'x'.repeat(50_000)}` })
  const result = await post(to(url), world())
  const cause = result.status === 'rejected' ? result.cause : ''
  expect(cause).toMatch(/^127\.0\.0\.1:\d+ answered 400: no way\\x07 x+…$/)
  expect(cause.split(': ').slice(1).join(': ')).toHaveLength(200)
})

test('secrets that are echoed are hidden before the quote is cut', async () => {
  const key = 'k'.repeat(60)
  const echo = `${'.'.repeat(170)}${key} ${token} ${JSON.stringify({ token })} path/0123456789abcdef0123?sig=s3cr3tsig&x=1`
  const { url } = await answering({ status: 403, body: echo })
  const address = `${url}/hooks/0123456789abcdef0123?sig=s3cr3tsig`
  const long = JSON.stringify(await post(to(address, { secrets: [key, token] }), world()))
  expect(long).not.toContain('kkk')
  const { url: other } = await answering({ status: 403, body: echo.slice(230) })
  const { cause } = {
    cause: '',
    ...(await post(to(`${other}${new URL(address).pathname}?sig=s3cr3tsig`, { secrets: [key, token] }), world())),
  }
  expect(cause).toContain('[hidden] {"token":"[hidden]"} path/[hidden]?')
  expect(cause).not.toMatch(/3f9a|s3cr3t|0123456789/)
})

test.each<{ given: string; echo: (secret: string) => string }>([
  { given: 'percent-encoded', echo: encodeURIComponent },
  {
    given: 'percent-encoded in small letters',
    echo: (secret) => encodeURIComponent(secret).replace(/%../g, (one) => one.toLowerCase()),
  },
  { given: 'as a form encodes it', echo: (secret) => new URLSearchParams({ key: secret }).toString().slice(4) },
  { given: 'in base64', echo: (secret) => Buffer.from(secret).toString('base64') },
  { given: 'in base64 for addresses', echo: (secret) => Buffer.from(secret).toString('base64url') },
  { given: 'in JSON', echo: (secret) => JSON.stringify(secret).slice(1, -1) },
])('a secret is hidden $given too', async ({ echo }) => {
  const secret = 'Bearer s3cr3t/with+"plus"=?ÿÿ>'
  const { url } = await answering({ status: 500, body: `got <${echo(secret)}> and no more` })
  const result = await post(to(url, { secrets: [secret] }), world())
  expect(result).toMatchObject({ cause: expect.stringMatching(/got <\[hidden\]=*> and no more$/) })
})

test('an endpoint that hangs is retried at the time-out', async () => {
  const { url } = await answering('hang')
  const result = await post(to(url, { timeoutMs: 100 }), world())
  expect(result).toEqual({
    status: 'retry',
    cause: `${new URL(url).host}: no answer within 0.1 s`,
    mayHaveArrived: true,
  })
})

test('an endpoint that hangs is retried when the signal fires', async () => {
  const stop = new AbortController()
  const one = await provider(() => {
    setImmediate(() => stop.abort())
    return 'hang'
  })
  open.push(one)
  const result = await post(to(one.url), world({ signal: stop.signal }))
  const cause = `${new URL(one.url).host}: the time for this attempt was over`
  expect(result).toEqual({ status: 'retry', cause, mayHaveArrived: true })
})

test('a signal that fired before lets nothing out', async () => {
  const { url, received } = await answering({ status: 200 })
  const result = await post(to(url), world({ signal: AbortSignal.abort() }))
  expect(result).toMatchObject({ status: 'retry' })
  expect(result).not.toHaveProperty('mayHaveArrived')
  expect(received).toEqual([])
})

test('a status whose body never ends still counts', async () => {
  const { url } = await answering('hang-in-body')
  expect(await post(to(url), world())).toMatchObject({ cause: `${new URL(url).host} answered 500: half a` })
})

test('a connection that breaks is retried', async () => {
  const { url } = await answering('break')
  expect(await post(to(url), world())).toMatchObject({
    status: 'retry',
    cause: expect.stringMatching(/^127.+: .*closed/),
    mayHaveArrived: true,
  })
})

test('nobody listening is retried, with the reason', async () => {
  const { url, close } = await provider(() => 'hang')
  await close()
  expect(await post(to(url), world())).toEqual({
    status: 'retry',
    cause: expect.stringContaining('ECONNREFUSED'),
  })
})

test('one who takes the connection but never begins with TLS has not got the page', async () => {
  const taken: Socket[] = []
  const silent = createServer((socket) => taken.push(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is an object, never a pipe's name.
  const { port } = silent.address() as AddressInfo
  const result = await post(to(`https://127.0.0.1:${port}`, { timeoutMs: 200 }), world())
  expect(result).toEqual({ status: 'retry', cause: `127.0.0.1:${port}: no answer within 0.2 s` })
  silent.close()
  for (const socket of taken) socket.destroy()
})

test('a header that cannot be sent is rejected without its value', async () => {
  const { url, received } = await answering({ status: 200 })
  const result = await post(to(url, { headers: { 'x-token': 'a\r\nb' }, secrets: ['a\r\nb'] }), world())
  expect(result).toEqual({ status: 'rejected', cause: `${new URL(url).host}: invalid x-token header` })
  expect(received).toEqual([])
})
