import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from '@jest/globals'
import { trustOf } from '../../probes/tls.ts'
import { makeCertificate, type TestCertificate } from '../certificates.ts'
import { closeTargets, httpTarget, look, nowMs, saw, type Target, tcpTarget, tlsTarget } from './targets.ts'

const dayMs = 86_400_000
const folder = mkdtempSync(join(tmpdir(), 'whodunit-tls-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(closeTargets)

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const certify = (changes: Partial<Parameters<typeof makeCertificate>[0]>): TestCertificate =>
  makeCertificate({
    names: ['127.0.0.1', 'localhost'],
    notBeforeMs: nowMs - dayMs,
    notAfterMs: nowMs + 90 * dayMs,
    ...changes,
  })

const authority = certify({ names: ['Test Authority'], authority: true, notAfterMs: nowMs + 900 * dayMs })
const stranger = certify({ names: ['Strange Authority'], authority: true })
const caFile = file('ca.pem', authority.certPem)

const serve = ({ certPem, keyPem }: TestCertificate, chain: readonly TestCertificate[] = []): Promise<Target> =>
  tlsTarget({ cert: [certPem, ...chain.map((one) => one.certPem)].join(''), key: keyPem })

const valid = certify({ issuer: authority })

test('a trusted certificate passes, and is in the evidence', async () => {
  const { url } = await serve(valid)
  const sighting = await look(url, { tls: { caFile } })
  expect(saw(sighting)).toBe('pass')
  expect(sighting.timingsMs.tls).toBeGreaterThan(0)
  const second = (ms: number) => Math.floor(ms / 1000) * 1000
  expect(sighting.attempt?.certificate).toEqual({
    subject: 'CN=127.0.0.1',
    issuer: 'CN=Test Authority',
    names: ['127.0.0.1', 'localhost'],
    notBeforeMs: second(nowMs - dayMs),
    notAfterMs: second(nowMs + 90 * dayMs),
  })
})

const intermediate = (notAfterMs: number) =>
  certify({ names: ['Intermediate'], authority: true, issuer: authority, notAfterMs })
const ending = intermediate(nowMs + 5 * dayMs)
const ended = intermediate(nowMs - dayMs / 2)
const longLived = intermediate(nowMs + 400 * dayMs)
const underEnding = certify({ issuer: ending })
const underEnded = certify({ issuer: ended })
const underLongLived = certify({ issuer: longLived })
const expired = certify({ issuer: authority, notBeforeMs: nowMs - 90 * dayMs, notAfterMs: nowMs - dayMs })
const early = certify({ issuer: authority, notBeforeMs: nowMs + dayMs })
const otherName = certify({ issuer: authority, names: ['shop.example', '*.shop.example'] })
const selfSigned = certify({})
const strange = certify({ issuer: stranger })

test.each([
  {
    given: 'expired',
    of: expired,
    chain: [],
    then: 'fail tls certificate-expired',
    says: /^the certificate of 127\.0\.0\.1.* expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC$/,
  },
  {
    given: 'expired long ago, by an unknown authority',
    of: certify({ issuer: stranger, notBeforeMs: 0, notAfterMs: dayMs }),
    chain: [],
    then: 'fail tls certificate-expired',
    says: /1970-01-02/,
  },
  {
    given: 'not valid yet',
    of: early,
    chain: [],
    then: 'fail tls certificate-not-yet-valid',
    says: /not valid before/,
  },
  {
    given: 'for another name',
    of: otherName,
    chain: [],
    then: 'fail tls certificate-wrong-name',
    says: /^the certificate is not for 127\.0\.0\.1, but for shop\.example, \*\.shop\.example$/,
  },
  {
    given: 'self-signed',
    of: selfSigned,
    chain: [],
    then: 'fail tls certificate-self-signed',
    says: /signed by itself/,
  },
  {
    given: 'by an unknown authority',
    of: strange,
    chain: [],
    then: 'fail tls certificate-untrusted',
    says: /issued by CN=Strange Authority/,
  },
  {
    given: 'by an unknown authority that is presented too',
    of: strange,
    chain: [stranger],
    then: 'fail tls certificate-untrusted',
    says: /not trusted/,
  },
  {
    given: 'without its intermediate',
    of: underLongLived,
    chain: [],
    then: 'fail tls certificate-untrusted',
    says: /intermediate certificate may be missing/,
  },
  { given: 'with its intermediate', of: underLongLived, chain: [longLived], then: 'pass', says: /^$/ },
  {
    given: 'under an intermediate that has ended',
    of: underEnded,
    chain: [ended],
    then: 'fail tls certificate-expired',
    says: /or one it rests on, expired/,
  },
  {
    given: 'under an intermediate that ends first',
    of: underEnding,
    chain: [ending],
    then: 'degraded tls certificate-expires-soon',
    says: /expires on .* UTC, in 4 days$/,
  },
])('a certificate $given: $then', async ({ of, chain, then, says }) => {
  const target = await serve(of, chain)
  const sighting = await look(target.url, { tls: { caFile } })
  expect(saw(sighting)).toBe(then)
  expect(sighting.cause?.detail ?? '').toMatch(says)
  expect(sighting.attempt?.certificate?.subject).toMatch(/^CN=/)
  expect(sighting.attempt?.statusCode).toBe(200)
  expect(sighting.attempt?.certificate?.distrust !== undefined).toBe(then.startsWith('fail'))
  await target.allGone()
})

test.each([
  {
    given: 'the default of 14 days and 10 left',
    leftDays: 10,
    within: undefined,
    then: 'degraded tls certificate-expires-soon',
  },
  { given: 'the default of 14 days and 15 left', leftDays: 15, within: undefined, then: 'pass' },
  { given: '30 days and 20 left', leftDays: 20, within: 30, then: 'degraded tls certificate-expires-soon' },
  { given: 'no warning wanted and an hour left', leftDays: 1 / 24, within: 0, then: 'pass' },
])('expiry is warned of in time: $given', async ({ leftDays, within, then }) => {
  const { url } = await serve(certify({ issuer: authority, notAfterMs: nowMs + leftDays * dayMs }))
  const tls = { caFile, ...(within === undefined ? {} : { expiresWithinDays: within }) }
  expect(saw(await look(url, { tls }))).toBe(then)
})

test('a slow answer is not hidden by a warning that stands for two weeks', async () => {
  const { url } = await serve(certify({ issuer: authority, notAfterMs: nowMs + 3 * dayMs }))
  const sighting = await look(url, { tls: { caFile }, degraded: { latencyMs: 0.001 } })
  expect(saw(sighting)).toBe('degraded assert slow')
  expect(sighting.cause?.detail).toMatch(/more than 0\.001 ms; the certificate of 127\.0\.0\.1 expires on/)
})

test('a cross-signed authority that ends does not matter when the real one is trusted', async () => {
  const old = certify({ names: ['Old Authority'], authority: true })
  const crossSigned = certify({
    names: ['Test Authority'],
    authority: true,
    issuer: old,
    keyPem: authority.keyPem,
    notAfterMs: nowMs + 2 * dayMs,
  })
  const { url } = await serve(valid, [crossSigned])
  const sighting = await look(url, { tls: { caFile } })
  expect(saw(sighting)).toBe('pass')
  expect(sighting.attempt?.certificate?.notAfterMs).toBe(Math.floor((nowMs + 90 * dayMs) / 1000) * 1000)
})

test('a certificate that nobody needs for the chain does not count', async () => {
  const { url } = await serve(valid, [expired])
  expect(saw(await look(url, { tls: { caFile } }))).toBe('pass')
})

test.each([
  { given: 'self-signed', of: selfSigned },
  { given: 'expired', of: expired },
  { given: 'for another name', of: otherName },
])('insecureSkipVerify does not judge a certificate that is $given, but records it', async ({ of }) => {
  const { url } = await serve(of)
  const sighting = await look(url, { tls: { insecureSkipVerify: true } })
  expect(saw(sighting)).toBe('pass')
  expect(sighting.attempt?.certificate?.distrust).toEqual(expect.any(String))
})

test('serverName is what is asked for and what the certificate is checked for', async () => {
  const asked: string[] = []
  const target = await tlsTarget({
    cert: otherName.certPem,
    key: otherName.keyPem,
    SNICallback: (name, done) => {
      asked.push(name)
      done(null)
    },
  })
  expect(saw(await look(target.url, { tls: { caFile, serverName: 'www.shop.example' } }))).toBe('pass')
  const wrong = await look(target.url, { tls: { caFile, serverName: 'shop.test' } })
  expect(saw(wrong)).toBe('fail tls certificate-wrong-name')
  expect(wrong.cause?.detail).toContain('not for shop.test')
  expect(asked).toEqual(['www.shop.example', 'shop.test'])
})

test('a redirect elsewhere is checked for its own name, not for serverName', async () => {
  const elsewhere = await serve(valid)
  const redirect = `HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: https://localhost:${elsewhere.port}/\r\n\r\n`
  const first = await tlsTarget({ cert: otherName.certPem, key: otherName.keyPem }, redirect)
  const sighting = await look(first.url, { family: 'v4', tls: { caFile, serverName: 'shop.example' } })
  expect([saw(sighting), sighting.attempt?.redirects]).toEqual(['pass', 1])
})

test('of the certificates on the way, the one that ends first is shown and warned of', async () => {
  const ends = certify({ issuer: authority, notAfterMs: nowMs + 2 * dayMs })
  const last = await serve(valid)
  const redirect = `HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: ${last.url}\r\n\r\n`
  const first = await tlsTarget({ cert: ends.certPem, key: ends.keyPem }, redirect)
  const sighting = await look(first.url, { tls: { caFile } })
  expect(saw(sighting)).toBe('degraded tls certificate-expires-soon')
  expect(sighting.attempt?.certificate?.notAfterMs).toBe(Math.floor((nowMs + 2 * dayMs) / 1000) * 1000)
  expect(sighting.attempt?.url).toBe(last.url)
})

test.each([
  { given: 'a file that is not there', path: join(folder, 'none.pem'), says: /cannot be read/ },
  { given: 'a folder', path: folder, says: /cannot be read/ },
  { given: 'a file without a certificate', path: file('text.pem', 'hello'), says: /holds no readable PEM certificate/ },
  {
    given: 'a file with a broken one',
    path: file('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
    says: /holds no readable/,
  },
])('a caFile that is $given is our own trouble, and nothing is connected to', async ({ path, says }) => {
  const target = await serve(valid)
  const sighting = await look(target.url, { tls: { caFile: path } })
  expect(saw(sighting)).toBe('unknown prober ca-file-unreadable')
  expect(sighting.cause?.detail).toMatch(says)
  expect(target.accepted()).toBe(0)
})

test('looks that trust the same authorities share one context', async () => {
  const [plain, again, extra, extraAgain] = [
    await trustOf(undefined),
    await trustOf(undefined),
    await trustOf(caFile),
    await trustOf(caFile),
  ]
  expect([plain === again, extra === extraAgain, plain === extra]).toEqual([true, true, false])
})

test('a caFile that was replaced is read anew', async () => {
  const path = file('rotating.pem', stranger.certPem)
  const { url } = await serve(valid)
  expect(saw(await look(url, { tls: { caFile: path } }))).toBe('fail tls certificate-untrusted')
  writeFileSync(path, authority.certPem)
  expect(saw(await look(url, { tls: { caFile: path } }))).toBe('pass')
})

test.each([
  {
    given: 'speaks HTTP without TLS',
    target: () => httpTarget((_request, response) => response.end()),
    then: 'fail tls tls-handshake-failed',
  },
  {
    given: 'answers with noise',
    target: () => tcpTarget((socket) => socket.end('noise and more of it\r\n\r\n')),
    then: 'fail tls tls-handshake-failed',
  },
  { given: 'closes at once', target: () => tcpTarget((socket) => socket.end()), then: 'fail tls connection-reset' },
  {
    given: 'resets at once',
    target: () => tcpTarget((socket) => socket.once('data', () => socket.resetAndDestroy())),
    then: 'fail tls connection-reset',
  },
  { given: 'accepts and says nothing', target: () => tcpTarget(() => undefined), then: 'fail tls timed-out' },
  {
    given: 'speaks only TLS 1.1',
    target: () =>
      tlsTarget({
        cert: valid.certPem,
        key: valid.keyPem,
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    then: 'fail tls tls-handshake-failed',
  },
  {
    given: 'wants a certificate of ours',
    target: () =>
      tlsTarget({
        cert: valid.certPem,
        key: valid.keyPem,
        requestCert: true,
        rejectUnauthorized: true,
        maxVersion: 'TLSv1.2',
      }),
    then: 'fail tls tls-handshake-failed',
  },
  {
    given: 'speaks only HTTP/2',
    target: () => tlsTarget({ cert: valid.certPem, key: valid.keyPem, ALPNProtocols: ['h2'] }),
    then: 'fail tls tls-handshake-failed',
  },
])('a server that $given: $then', async ({ target, then }) => {
  const server = await target()
  const sighting = await look(server.url.replace('http:', 'https:'), { timeoutSeconds: 1, tls: { caFile } })
  expect(saw(sighting)).toBe(then)
  expect(sighting.cause?.detail).not.toMatch(/\.c:\d+|error:[0-9A-F]{8}|\n/)
  expect(sighting.timingsMs).toHaveProperty('tls')
  expect(sighting.timingsMs).not.toHaveProperty('processing')
  await server.allGone()
})

test('what is confidential is not told to a server that cannot prove to be the right one', async () => {
  const target = await serve(strange)
  const confidential = [
    { headers: { 'x-key': 'secret:KEY' } },
    { headers: { Cookie: 'a=b' } },
    { method: 'POST', body: 'account=1' },
  ]
  for (const monitor of confidential) {
    const sighting = await look(target.url, { ...monitor, tls: { caFile } }, { secret: () => 'hush-hush' })
    expect(saw(sighting)).toBe('fail tls certificate-untrusted')
    expect(sighting.attempt).not.toHaveProperty('statusCode')
  }
  await target.allGone()
  expect([target.accepted(), target.heads]).toEqual([3, []])
})

test('a bad certificate stays the cause when the answer then breaks off as well', async () => {
  const target = await tlsTarget({ cert: strange.certPem, key: strange.keyPem }, 'garbage')
  expect(saw(await look(target.url, { tls: { caFile } }))).toBe('fail tls certificate-untrusted')
})

test('a certificate with thousands of names leaves a few of them as evidence', async () => {
  const names = ['127.0.0.1', ...Array.from({ length: 500 }, (_, index) => `host-${index}.shop.example`)]
  const { url } = await serve(certify({ issuer: authority, names }))
  const { attempt } = await look(url, { tls: { caFile } })
  expect(attempt?.certificate?.names).toHaveLength(50)
})

test('the connection that broke before the certificate could be seen leaves none as evidence', async () => {
  const { url } = await httpTarget((_request, response) => response.end())
  expect((await look(url.replace('http:', 'https:'))).attempt).not.toHaveProperty('certificate')
})
