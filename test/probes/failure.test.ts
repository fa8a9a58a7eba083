import { expect, test } from '@jest/globals'
import { type Course, startCourse } from '../../probes/course.ts'
import { timeIsUp, withDeadline, withSignal } from '../../probes/deadline.ts'
import { explain, failed } from '../../probes/failure.ts'

const coded = (code: string, message = 'it broke') => Object.assign(new Error(message), { code })
const told = (error: unknown, phase: Parameters<typeof explain>[1] = 'connect') => {
  const { verdict, found } = explain(error, phase, 'shop.example')
  return `${verdict} ${found.phase} ${found.code}`
}

test.each([
  { code: 'ECONNREFUSED', then: 'fail connect connection-refused' },
  { code: 'ECONNRESET', then: 'fail connect connection-reset' },
  { code: 'ECONNABORTED', then: 'fail connect connection-reset' },
  { code: 'EPIPE', then: 'fail connect connection-reset' },
  { code: 'ETIMEDOUT', then: 'fail connect timed-out' },
  { code: 'EHOSTUNREACH', then: 'fail connect host-unreachable' },
  { code: 'EHOSTDOWN', then: 'fail connect host-unreachable' },
  { code: 'ENETUNREACH', then: 'unknown prober no-route' },
  { code: 'ENETDOWN', then: 'unknown prober no-route' },
  { code: 'EAFNOSUPPORT', then: 'unknown prober no-route' },
  { code: 'EADDRNOTAVAIL', then: 'unknown prober no-source-address' },
  { code: 'EADDRINUSE', then: 'unknown prober no-source-address' },
  { code: 'EMFILE', then: 'unknown prober prober-overloaded' },
  { code: 'ENFILE', then: 'unknown prober prober-overloaded' },
  { code: 'ENOBUFS', then: 'unknown prober prober-overloaded' },
  { code: 'ENOMEM', then: 'unknown prober prober-overloaded' },
  { code: 'EACCES', then: 'unknown prober not-permitted' },
  { code: 'EPERM', then: 'unknown prober not-permitted' },
  { code: 'ESOMETHINGNEW', then: 'unknown prober prober-failed' },
])('$code while connecting: $then', ({ code, then }) => {
  expect(told(coded(code))).toBe(then)
})

test.each([
  { code: 'ENOTFOUND', then: 'fail resolve name-not-found' },
  { code: 'ENODATA', then: 'fail resolve name-not-found' },
  { code: 'EAI_AGAIN', then: 'unknown prober resolver-failed' },
  { code: 'EAI_FAIL', then: 'unknown prober resolver-failed' },
  { code: 'ESERVFAIL', then: 'unknown prober resolver-failed' },
  { code: 'EREFUSED', then: 'unknown prober resolver-failed' },
  { code: 'ECONNREFUSED', then: 'unknown prober resolver-failed' },
  { code: 'ETIMEOUT', then: 'unknown prober resolver-failed' },
  { code: 'EMFILE', then: 'unknown prober prober-overloaded' },
])('$code while resolving: $then', ({ code, then }) => {
  expect(told(coded(code), 'resolve')).toBe(then)
})

test.each([
  { code: 'ERR_SSL_WRONG_VERSION_NUMBER', phase: 'tls' as const, then: 'fail tls tls-handshake-failed' },
  { code: 'EPROTO', phase: 'tls' as const, then: 'fail tls tls-handshake-failed' },
  { code: 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', phase: 'transfer' as const, then: 'fail transfer tls-failed' },
  { code: 'HPE_INVALID_CONSTANT', phase: 'processing' as const, then: 'fail processing response-invalid' },
  { code: 'HPE_HEADER_OVERFLOW', phase: 'processing' as const, then: 'fail processing response-invalid' },
])('$code in $phase: $then', ({ code, phase, then }) => {
  expect(told(coded(code), phase)).toBe(then)
})

test.each([
  { given: 'a defect of ours', thrown: new TypeError('x is not a function') },
  { given: 'a text', thrown: 'oh' },
  { given: 'nothing', thrown: undefined },
  { given: 'null', thrown: null },
  { given: 'a code that is no text', thrown: { code: 42 } },
])('$given that was thrown is not the target’s fault', ({ thrown }) => {
  expect(told(thrown, 'transfer')).toBe('unknown prober prober-failed')
})

test('what was found out already stays', () => {
  const known = failed('assert', 'assert-status', 'expected 200')
  expect(explain(known, 'transfer', 'shop.example')).toBe(known)
})

test('what OpenSSL says becomes one line without its thread and source file', () => {
  const source = '../deps/openssl/ssl/record/methods/tlsany_meth.c:84:'
  const text = `0017D3F1:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:${source}\n`
  const { found } = explain(coded('ERR_SSL_WRONG_VERSION_NUMBER', text), 'tls', 'shop.example')
  expect(found.detail).toBe(
    'no TLS handshake with shop.example: SSL routines:tls_validate_record_header:wrong version number',
  )
})

const after = (ms: number, phase: Course['phase'] = 'connect') => ({
  ...startCourse(),
  phase,
  startedMs: performance.now() - ms,
})
const at = (reason?: unknown) => ({
  timeoutSeconds: 10,
  target: 'shop.example',
  signal: reason === undefined ? new AbortController().signal : AbortSignal.abort(reason),
})
const timeout = new DOMException('time', 'TimeoutError')

test.each([
  { given: 'at its time', tookMs: 10_005, reason: undefined, then: 'fail timed-out' },
  { given: 'a little before its time', tookMs: 9_990, reason: undefined, then: 'fail timed-out' },
  { given: 'by another deadline of the same length', tookMs: 9_700, reason: timeout, then: 'fail timed-out' },
  { given: 'by a much shorter deadline', tookMs: 2_000, reason: timeout, then: 'unknown called-off' },
  { given: 'by whoever asked', tookMs: 9_000, reason: 'stopping', then: 'unknown called-off' },
  { given: 'long after its time', tookMs: 13_000, reason: undefined, then: 'unknown prober-overloaded' },
])('a look that ends $given: $then', ({ tookMs, reason, then }) => {
  const { verdict, found } = timeIsUp(after(tookMs), at(reason))
  expect(`${verdict} ${found.code}`).toBe(then)
})

test.each([
  { phase: 'resolve' as const, then: 'unknown prober resolver-failed' },
  { phase: 'connect' as const, then: 'fail connect timed-out' },
  { phase: 'tls' as const, then: 'fail tls timed-out' },
  { phase: 'processing' as const, then: 'fail processing timed-out' },
  { phase: 'transfer' as const, then: 'fail transfer timed-out' },
])('no answer in time in phase $phase: $then', ({ phase, then }) => {
  const { verdict, found } = timeIsUp(after(10_005, phase), at())
  expect(`${verdict} ${found.phase} ${found.code}`).toBe(then)
  expect(found.detail).toMatch(/(?=.*within 10 s).*shop\.example/)
})

test('work that goes on after its signal fails unheard', async () => {
  const { promise, reject } = Promise.withResolvers<never>()
  await expect(withSignal(AbortSignal.abort(), promise)).rejects.toMatchObject({ name: 'TimeUp' })
  reject(new Error('late'))
  await expect(promise).rejects.toThrow('late')
})

test('work has its result, and its failure, when it is in time', async () => {
  const never = new AbortController().signal
  expect(await withDeadline(never, 5000, (signal) => withSignal(signal, Promise.resolve('done')))).toBe('done')
  await expect(withDeadline(never, 5000, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
})

test('a signal fires with the outer one, also when that one fired before', async () => {
  const outer = new AbortController()
  const fired = withDeadline(
    outer.signal,
    60_000,
    (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
  )
  outer.abort()
  await expect(fired).resolves.toMatchObject({ type: 'abort' })
  expect(await withDeadline(outer.signal, 60_000, async ({ aborted }) => aborted)).toBe(true)
})
