import { afterEach, expect, test } from '@jest/globals'
import { closeTargets, httpTarget, look, ok, rawTarget, saw, type Target } from '../targets.ts'

afterEach(closeTargets)

const redirect = (status: number, location: string, more = ''): string =>
  `HTTP/1.1 ${status} See there\r\nlocation: ${location}\r\ncontent-length: 0\r\n${more}\r\n`

/** `/` redirects to where it is told, everything else is fine. */
const redirecting = (status: number, location: string | ((port: number) => string)): Promise<Target> =>
  rawTarget((socket, head) => {
    const to = typeof location === 'string' ? location : location(socket.localPort ?? 0)
    socket.end(/^[A-Z]+ \/ /.test(head) ? redirect(status, to) : ok())
  })

test.each([
  { status: 301, method: 'GET', then: 'GET' },
  { status: 301, method: 'HEAD', then: 'HEAD' },
  { status: 301, method: 'POST', then: 'GET' },
  { status: 301, method: 'PUT', then: 'PUT' },
  { status: 302, method: 'POST', then: 'GET' },
  { status: 302, method: 'DELETE', then: 'DELETE' },
  { status: 303, method: 'GET', then: 'GET' },
  { status: 303, method: 'HEAD', then: 'HEAD' },
  { status: 303, method: 'POST', then: 'GET' },
  { status: 303, method: 'PUT', then: 'GET' },
  { status: 307, method: 'POST', then: 'POST' },
  { status: 308, method: 'POST', then: 'POST' },
  { status: 308, method: 'PATCH', then: 'PATCH' },
])('$method redirected by $status goes on as $then', async ({ status, method, then }) => {
  const target = await redirecting(status, '/next')
  const sends = method === 'POST' || method === 'PUT' || method === 'PATCH'
  const monitor = sends ? { body: '{"a":1}', headers: { 'Content-Type': 'application/json' } } : {}
  expect(saw(await look(target.url, { method, ...monitor }))).toBe('pass')
  const [, next = ''] = target.heads
  expect(next.split(' ')[0]).toBe(then)
  const keepsBody = sends && then === method
  expect([next.includes('{"a":1}'), /content-type/i.test(next)]).toEqual([keepsBody, keepsBody])
})

test.each([200, 201, 300, 304, 305, 306])('a Location with %i is no redirect', async (status) => {
  const target = await redirecting(status, '/next')
  await look(target.url, { assert: { status } })
  expect(target.heads).toHaveLength(1)
})

test('a redirect without a Location is an answer like any other', async () => {
  const { url } = await rawTarget('HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n')
  expect(saw(await look(url))).toBe('fail assert assert-status')
})

test('redirects are not followed when that is not wanted', async () => {
  const target = await redirecting(301, '/next')
  const sighting = await look(target.url, {
    followRedirects: false,
    assert: { status: 301, headers: { location: { equals: '/next' } } },
  })
  expect([saw(sighting), target.heads.length, sighting.attempt?.redirects]).toEqual(['pass', 1, 0])
})

test.each([
  { location: 'next', from: 'a/b/c', path: '/a/b/next' },
  { location: '../next?x=1', from: 'a/b/c', path: '/a/next?x=1' },
  { location: '?page=2', from: 'a/b', path: '/a/b?page=2' },
  { location: '/next#part', from: 'a', path: '/next' },
  { location: '/with space', from: 'a', path: '/with%20space' },
  { location: '//HOST/next', from: 'a', path: '/next' },
  { location: 'http://HOST/next', from: 'a', path: '/next' },
  { location: '/a\\b', from: 'a', path: '/a/b' },
])('Location $location, seen at /$from, leads to $path', async ({ location, from, path }) => {
  let isFirst = true
  const target = await rawTarget((socket) => {
    const host = `127.0.0.1:${socket.localPort}`
    socket.end(isFirst ? redirect(302, location.replace('HOST', host)) : ok())
    isFirst = false
  })
  expect(saw(await look(`${target.url}${from}`))).toBe('pass')
  expect(target.heads[1]?.split(' ')[1]).toBe(path)
})

test('phases are summed over redirects, and each hop has a connection of its own', async () => {
  const target = await rawTarget((socket, head) => {
    const step = Number(/^GET \/(\d?)/.exec(head)?.[1] ?? 0)
    setTimeout(() => socket.end(step < 3 ? redirect(302, `/${step + 1}`) : ok()), 30)
  })
  const sighting = await look(target.url)
  expect([saw(sighting), target.accepted(), sighting.attempt?.redirects]).toEqual(['pass', 4, 3])
  expect(sighting.attempt?.url).toBe(`${target.url}3`)
  expect(sighting.timingsMs.processing).toBeGreaterThan(4 * 25)
  await target.allGone()
})

test.each([
  { given: 'a loop', maxRedirects: 10, hops: 11 },
  { given: 'none allowed', maxRedirects: 0, hops: 1 },
])('too many redirects, with $given', async ({ maxRedirects, hops }) => {
  const target = await redirecting(302, '/')
  const sighting = await look(target.url, { maxRedirects })
  expect(saw(sighting)).toBe('fail processing too-many-redirects')
  expect(sighting.cause?.detail).toMatch(new RegExp(`^more than ${maxRedirects} redirects, the last from 127`))
  expect([target.heads.length, sighting.attempt?.statusCode]).toEqual([hops, 302])
})

test('as many redirects as allowed are fine', async () => {
  const target = await redirecting(302, '/next')
  expect(saw(await look(target.url, { maxRedirects: 1 }))).toBe('pass')
})

test.each([
  { location: 'http://', says: /not to an address: "http:\/\/"/ },
  { location: 'http://[bad/', says: /not to an address/ },
  { location: 'http://a:99999/', says: /not to an address/ },
  { location: 'ftp://127.0.0.1/file', says: /leads to ftp:, which is not HTTP/ },
  { location: 'file:///etc/passwd', says: /leads to file:/ },
  { location: 'javascript:alert(1)', says: /leads to javascript:/ },
  { location: 'data:text/plain,hello', says: /leads to data:/ },
])('Location $location is invalid', async ({ location, says }) => {
  const target = await redirecting(302, location)
  const sighting = await look(target.url)
  expect(saw(sighting)).toBe('fail processing redirect-invalid')
  expect(sighting.cause?.detail).toMatch(says)
  expect(sighting.attempt?.statusCode).toBe(302)
})

test.each([
  { to: 'http://169.254.169.254/latest/meta-data/', range: 'link-local' },
  { to: 'http://[::ffff:169.254.169.254]/', range: 'link-local' },
  { to: 'http://[fd00:ec2::254]/', range: 'link-local' },
  { to: 'http://0xa9fea9fe/', range: 'link-local' },
  { to: 'http://10.0.0.1/', range: 'private' },
])('a redirect to $to is refused before anything is connected', async ({ to, range }) => {
  const target = await redirecting(302, to)
  const sighting = await look(target.url, {}, { allowTargets: ['loopback'] })
  expect(saw(sighting)).toBe('unknown prober target-refused')
  expect(sighting.cause?.detail).toContain(`is a ${range} address`)
  expect(sighting.attempt).not.toHaveProperty('address')
})

test('where a redirect leads nowhere, the cause names that place and the evidence is of it', async () => {
  const gone = await rawTarget(ok())
  await gone.close()
  const target = await redirecting(302, `${gone.url}there`)
  const sighting = await look(target.url)
  expect(saw(sighting)).toBe('fail connect connection-refused')
  expect(sighting.cause?.detail).toContain(gone.host)
  expect(sighting.attempt).toEqual({ url: `${gone.url}there`, redirects: 1, address: '127.0.0.1' })
})

const headers = {
  Authorization: 'Bearer literal',
  Cookie: 'session=1',
  'X-Key': 'secret:KEY',
  'X-Plain': 'plain',
  Host: 'shop.example',
}
const secret = () => 'resolved-key'

test('what authenticates us goes on within the origin', async () => {
  const target = await redirecting(302, '/next')
  expect(saw(await look(target.url, { headers }, { secret }))).toBe('pass')
  const [, next = ''] = target.heads
  for (const sent of ['Bearer literal', 'session=1', 'resolved-key', 'plain', 'shop.example'])
    expect(next).toContain(sent)
})

test.each([
  { given: 'another port', url: (port: number) => `http://127.0.0.1:${port}/` },
  { given: 'another host', url: (port: number) => `http://localhost:${port}/` },
])('what authenticates us stays where it belongs: $given', async ({ url }) => {
  const other = await httpTarget((_request, response) => response.end('ok'))
  const target = await redirecting(302, url(other.port))
  expect(saw(await look(target.url, { headers, family: 'v4' }, { secret }))).toBe('pass')
  const [sent = ''] = other.heads
  for (const kept of ['Bearer', 'session=1', 'resolved-key', 'shop.example']) expect(sent).not.toContain(kept)
  expect(sent).toContain('x-plain: plain')
})

test('what was left at an origin is not taken up again on the way back', async () => {
  let port = 0
  const other = await rawTarget((socket) => socket.end(redirect(302, `http://127.0.0.1:${port}/back`)))
  const target = await redirecting(302, other.url)
  port = target.port
  expect(saw(await look(target.url, { headers }, { secret }))).toBe('pass')
  expect(target.heads[1]).toMatch(/^GET \/back /)
  expect(target.heads[1]).not.toContain('resolved-key')
})

test('credentials in a Location are neither sent nor shown', async () => {
  const other = await httpTarget((_request, response) => response.writeHead(500).end())
  const target = await redirecting(302, `http://user:password1@${other.host}/next`)
  const sighting = await look(target.url)
  expect(saw(sighting)).toBe('fail assert assert-status')
  expect(JSON.stringify(sighting)).not.toContain('password1')
  expect(other.heads[0]).not.toMatch(/authorization/i)
})

test.each([
  { given: 'encoded line breaks', location: '/a%0d%0aX-Injected:%20yes' },
  { given: 'a bare line feed', location: '/a\nX-Injected: yes' },
  { given: 'a tab', location: '/a\tX-Injected: yes' },
  { given: 'high bytes', location: '/a\u00e5\u0152\u0100X-Injected' },
])('a Location adds no header to the next request: $given', async ({ location }) => {
  const target = await redirecting(302, location)
  const sighting = await look(target.url)
  expect(['pass', 'fail processing response-invalid']).toContain(saw(sighting))
  expect(target.heads.join('')).not.toMatch(/^x-injected/im)
})

test('a very long Location is followed, and cut in the evidence', async () => {
  const target = await redirecting(302, `/${'a'.repeat(40_000)}`)
  const sighting = await look(target.url, { assert: { status: 500 } })
  expect(saw(sighting)).toBe('fail assert assert-status')
  expect(target.heads).toHaveLength(2)
  expect(JSON.stringify(sighting).length).toBeLessThan(2000)
})

test('a very long Location that is no address is cut in the sentence', async () => {
  const target = await redirecting(302, `http://${'a'.repeat(40_000)}:port/`)
  const sighting = await look(target.url)
  expect(saw(sighting)).toBe('fail processing redirect-invalid')
  expect(JSON.stringify(sighting).length).toBeLessThan(2000)
})

test('the look at a chain of redirects has one deadline', async () => {
  const target = await rawTarget((socket) => setTimeout(() => socket.end(redirect(302, '/again')), 100))
  const sighting = await look(target.url, { timeoutSeconds: 0.35, maxRedirects: 20 })
  expect(saw(sighting)).toBe('fail processing timed-out')
  expect(sighting.timingsMs.total).toBeLessThan(800)
  expect(sighting.attempt?.redirects).toBeGreaterThan(0)
})
