import { lookup } from 'node:dns/promises'
import { afterEach, expect, test } from '@jest/globals'
import { startCourse } from '../../../probes/course.ts'
import { openConnection } from '../../../probes/http/connection.ts'
import { closeTargets, look, ok, rawTarget, saw } from '../targets.ts'

afterEach(closeTargets)

test.each([
  { url: 'http://127.0.0.1:PORT/', says: '127.0.0.1 is a loopback address' },
  { url: 'http://127.1:PORT/', says: '127.0.0.1 is a loopback address' },
  { url: 'http://2130706433:PORT/', says: '127.0.0.1 is a loopback address' },
  { url: 'http://0x7f000001:PORT/', says: '127.0.0.1 is a loopback address' },
  { url: 'http://0.0.0.0:PORT/', says: '0.0.0.0 is a loopback address' },
  { url: 'http://[::1]:PORT/', says: '::1 is a loopback address' },
  { url: 'http://[::ffff:127.0.0.1]:PORT/', says: '::ffff:7f00:1 is a loopback address' },
  { url: 'http://[::127.0.0.1]:PORT/', says: '::7f00:1 is a loopback address' },
  { url: 'http://169.254.169.254/', says: '169.254.169.254 is a link-local address' },
])('$url is refused by default, without a connection', async ({ url, says }) => {
  const target = await rawTarget(ok())
  const sighting = await look(url.replace('PORT', String(target.port)), {}, { allowTargets: ['private'] })
  expect(saw(sighting)).toBe('unknown prober target-refused')
  expect(sighting.cause?.detail).toContain(says)
  expect(sighting.cause?.detail).toMatch(/add (loopback|link-local) to allowTargets/)
  expect([target.accepted(), Object.keys(sighting.timingsMs)]).toEqual([0, ['total']])
})

test('a name is judged by its address', async () => {
  const target = await rawTarget(ok())
  const sighting = await look(`http://localhost:${target.port}/`, {}, { allowTargets: [] })
  expect(saw(sighting)).toBe('unknown prober target-refused')
  expect(sighting.cause?.detail).toMatch(/^localhost \((127\.0\.0\.1|::1)\) is a loopback address/)
  expect([target.accepted(), Object.keys(sighting.timingsMs)]).toEqual([0, ['resolve', 'total']])
})

test('a name that is not there fails; a resolver that does not answer is our own trouble', async () => {
  const name = 'no-such-host.invalid'
  const code = await lookup(name).then(
    () => 'found',
    (error: { code?: string }) => error.code,
  )
  const sighting = await look(`http://${name}/`)
  expect(code).not.toBe('found')
  expect(saw(sighting)).toBe(code === 'ENOTFOUND' ? 'fail resolve name-not-found' : 'unknown prober resolver-failed')
  expect(sighting.cause?.detail).toContain(name)
  expect(Object.keys(sighting.timingsMs)).toEqual(['resolve', 'total'])
  expect(sighting.attempt).not.toHaveProperty('address')
})

const connecting = (answers: string[], allowTargets: 'loopback'[]) => async (port: number) => {
  const asked: string[] = []
  const resolve = async (host: string) => {
    asked.push(host)
    return answers[asked.length - 1] ?? 'nothing left'
  }
  const spec = { url: new URL(`http://rebinding.example:${port}/`), family: 'any' as const, tls: {} }
  const around = { allowTargets, signal: new AbortController().signal, resolve }
  const connection = await openConnection(spec, startCourse(), around).catch((error: unknown) => error)
  return { connection, asked }
}

test('a name is resolved once, and the address that was judged is the one that is connected to', async () => {
  const { port } = await rawTarget(ok())
  const { connection, asked } = await connecting(['127.0.0.1', '169.254.169.254'], ['loopback'])(port)
  expect(connection).toMatchObject({ socket: { remoteAddress: '127.0.0.1', remotePort: port } })
  // `as`: it is a connection, as the line before says.
  ;(connection as { socket: { destroy: () => void } }).socket.destroy()
  expect(asked).toEqual(['rebinding.example'])
})

test('a name that would lead to a better address when asked again is refused all the same', async () => {
  const target = await rawTarget(ok())
  const { connection, asked } = await connecting(['169.254.169.254', '127.0.0.1'], ['loopback'])(target.port)
  expect(connection).toMatchObject({ found: { code: 'target-refused' } })
  expect([asked, target.accepted()]).toEqual([['rebinding.example'], 0])
})

test('a resolver that never answers ends with the look', async () => {
  const spec = { url: new URL('http://slow.example/'), family: 'any' as const, tls: {} }
  const around = {
    allowTargets: [],
    signal: AbortSignal.timeout(30),
    resolve: () => new Promise<string>(() => undefined),
  }
  const course = startCourse()
  await expect(openConnection(spec, course, around)).rejects.toMatchObject({ name: 'TimeUp' })
  expect([course.phase, course.spentMs.resolve]).toEqual(['resolve', expect.any(Number)])
})

test.each([
  { family: 'v4', address: '127.0.0.1' },
  { family: 'v6', address: '::1' },
])('family $family asks for such an address', async ({ family, address }) => {
  const found = await lookup('localhost', { family: family === 'v4' ? 4 : 6 }).catch(() => undefined)
  const target = await rawTarget(ok(), found?.address ?? '127.0.0.1')
  const sighting = await look(`http://localhost:${target.port}/`, { family })
  const expected = found ? ['pass', address] : ['fail resolve name-not-found', undefined]
  expect([saw(sighting), sighting.attempt?.address]).toEqual(expected)
})
