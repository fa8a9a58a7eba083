import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { blobLimitBytes, StoreError } from '../../stores/contract.ts'
import { s3Blobs } from '../../stores/s3.ts'
import { type S3Fault, s3Client, startLoopbackS3 } from '../engines/loopback-s3.ts'

const s3 = await startLoopbackS3()
const client = s3Client(s3.endpoint)
afterAll(async () => {
  client.destroy()
  await s3.stop()
})
beforeEach(() => {
  s3.objects.clear()
  s3.always(undefined)
})

const bucketOf = (key: string) => `whodunit-${key.split('/')[0]}`
const blobs = s3Blobs({ client, bucketOf, requestTimeoutMs: 300, deadlineMs: 2000 })
const hasty = s3Blobs({ client, bucketOf, requestTimeoutMs: 50, deadlineMs: 200 })
const bytes = new TextEncoder().encode('bytes')

const failureOf = async (work: Promise<unknown>): Promise<StoreError> => {
  const outcome: unknown = await work.then(
    () => new Error('no error'),
    (error: unknown) => error,
  )
  if (outcome instanceof StoreError) return outcome
  throw outcome
}

test.each([
  { key: 'status/index.html', type: 'text/html; charset=utf-8', cache: 'public, max-age=10' },
  { key: 'status/status.json', type: 'application/json', cache: 'public, max-age=10' },
  { key: 'windows/c1.json.gz', type: 'application/gzip', cache: 'private, no-store' },
  { key: 'evidence/a1/body.html', type: 'text/plain; charset=utf-8', cache: 'private, no-store' },
  { key: 'evidence/a1/picture.svg', type: 'text/plain; charset=utf-8', cache: 'private, no-store' },
  { key: 'evidence/a1/body', type: 'application/octet-stream', cache: 'private, no-store' },
])('$key lies in its bucket as $type', async ({ key, type, cache }) => {
  await blobs.put(key, bytes)
  const held = s3.objects.get(`${bucketOf(key)}/${key}`)
  expect(held?.bytes.toString()).toBe('bytes')
  expect(held?.headers).toMatchObject({ 'content-type': type, 'cache-control': cache })
})

const passing: { given: string; fault: S3Fault }[] = [
  { given: 'slowing us down', fault: { kind: 'refuse', status: 503, code: 'SlowDown' } },
  { given: 'failing inside', fault: { kind: 'refuse', status: 500, code: 'InternalError' } },
  { given: 'timing out on us', fault: { kind: 'refuse', status: 400, code: 'RequestTimeout' } },
  { given: 'dropping the connection before', fault: { kind: 'drop', reached: false } },
  { given: 'dropping the connection after', fault: { kind: 'drop', reached: true } },
  { given: 'silent before', fault: { kind: 'hang', reached: false } },
  { given: 'silent after', fault: { kind: 'hang', reached: true } },
]

test.each([...passing, { given: 'stopping half-way', fault: { kind: 'cut' } as const }])(
  'what passes is tried again: S3 $given',
  async ({ fault }) => {
    if (fault.kind !== 'cut') s3.next(fault, fault)
    await blobs.put('windows/a', bytes)
    expect(s3.objects.get('whodunit-windows/windows/a')?.bytes.toString()).toBe('bytes')
    s3.next(fault, fault)
    expect(await blobs.get('windows/a')).toEqual(bytes)
  },
)

test.each([
  { given: 'slowing us down', fault: passing[0]?.fault, code: 'throttled' },
  { given: 'failing', fault: passing[1]?.fault, code: 'unreachable' },
  { given: 'silent', fault: passing[5]?.fault, code: 'unreachable' },
  { given: 'stopping half-way', fault: { kind: 'cut' } as const, code: 'unreachable' },
])('S3 that keeps $given is $code, in time', async ({ fault, code }) => {
  await blobs.put('windows/a', bytes)
  s3.always(fault)
  const sinceMs = performance.now()
  expect(await failureOf(hasty.get('windows/a'))).toMatchObject({ code, hint: expect.stringMatching(/./) })
  if (fault?.kind !== 'cut') expect((await failureOf(hasty.put('windows/a', bytes))).code).toBe(code)
  expect(performance.now() - sinceMs).toBeLessThan(1500)
})

test.each([
  { code: 'AccessDenied', status: 403, told: 'forbidden' },
  { code: 'ExpiredToken', status: 400, told: 'forbidden' },
  { code: 'NoSuchBucket', status: 404, told: 'not-a-store' },
  { code: 'EntityTooLarge', status: 400, told: 'too-large' },
  { code: 'InvalidArgument', status: 400, told: 'store-failed' },
])('$code is $told at the first attempt, and never "not there"', async ({ code, status, told }) => {
  for (const call of [() => blobs.get('windows/a'), () => blobs.put('windows/a', bytes)]) {
    const before = s3.requests()
    s3.next({ kind: 'refuse', status, code })
    const failure = await failureOf(call())
    expect(failure).toMatchObject({ code: told, message: expect.stringContaining('whodunit-windows') })
    expect(s3.requests() - before).toBe(1)
  }
})

test('an object over the limit is not read', async () => {
  await blobs.put('windows/a', bytes)
  s3.next({ kind: 'claim', bytes: blobLimitBytes + 1 })
  expect((await failureOf(blobs.get('windows/a'))).code).toBe('too-large')
})

test('a bad key reaches no bucket', async () => {
  const before = s3.requests()
  expect((await failureOf(blobs.put('../etc', bytes))).code).toBe('misuse')
  expect((await failureOf(blobs.get('../etc'))).code).toBe('misuse')
  expect(s3.requests()).toBe(before)
})
