import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, describe, expect, test } from '@jest/globals'
import { type Blobs, blobLimitBytes, blobsAtOnce } from '../../stores/contract.ts'
import { fileBlobs } from '../../stores/files.ts'
import { memoryBlobs } from '../../stores/memory.ts'
import { s3Blobs } from '../../stores/s3.ts'
import { s3Client, startLoopbackS3 } from '../engines/loopback-s3.ts'

const folder = mkdtempSync(join(tmpdir(), 'whodunit-blobs-'))
afterAll(() => rmSync(folder, { recursive: true }))

const loopback = await startLoopbackS3()
const clients: S3Client[] = []
afterAll(async () => {
  for (const client of clients) client.destroy()
  await loopback.stop()
})

/** An S3 of its own for every test: a bucket. */
const openS3 = (endpoint: string, makeBuckets: boolean) => {
  const client = s3Client(endpoint)
  clients.push(client)
  return async (): Promise<Blobs> => {
    const bucket = `whodunit-${randomUUID()}`
    if (makeBuckets) await client.send(new CreateBucketCommand({ Bucket: bucket }))
    return s3Blobs({ client, bucketOf: () => bucket })
  }
}

let opened = 0
const stores: { name: string; open: () => Promise<Blobs> }[] = [
  { name: 'memory', open: async () => memoryBlobs() },
  { name: 'files', open: async () => fileBlobs({ directory: join(folder, `not/there/yet/${opened++}`) }) },
  { name: 's3 on loopback', open: openS3(loopback.endpoint, false) },
]
// An S3 that others made, such as an emulator's.
const given = process.env['WHODUNIT_S3_ENDPOINT']
if (given !== undefined) stores.push({ name: 's3', open: openS3(given, true) })

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: unknown) => error instanceof Error && 'code' in error && error.code,
  )

describe.each(stores)('$name blobs', ({ open }) => {
  test('what is not there is undefined', async () => {
    const blobs = await open()
    expect(await blobs.get('window/none')).toBeUndefined()
    await blobs.put('window/a', bytesOf('a'))
    expect(await blobs.get('window')).toBeUndefined()
    expect(await blobs.get('window/a/below')).toBeUndefined()
  })

  test.each([
    ['a page', 'status/index.html', bytesOf('<p>Zoë 🚨')],
    ['nothing at all', 'evidence/empty', new Uint8Array()],
    ['every byte', 'evidence/bytes', Uint8Array.from({ length: 256 }, (_, n) => n)],
    ['a megabyte', 'window/c1', new Uint8Array(1024 * 1024).fill(7)],
    ['a deep key of every allowed character', 'a/b/c/d/Az09_:=@+,-.x', bytesOf('deep')],
  ])('%s comes back byte for byte', async (_, key, bytes) => {
    const blobs = await open()
    await blobs.put(key, bytes)
    const read = await blobs.get(key)
    expect(read).toBeInstanceOf(Uint8Array)
    expect(Buffer.compare(read ?? new Uint8Array(1), bytes)).toBe(0)
  })

  test('a put replaces the whole object', async () => {
    const blobs = await open()
    await blobs.put('window/a', bytesOf('a long one'))
    await blobs.put('window/a', bytesOf('short'))
    expect(await blobs.get('window/a')).toEqual(bytesOf('short'))
  })

  test('what is appended stands at the end; a put replaces it, and what is over the limit is refused', async () => {
    const { append, ...blobs } = await open()
    if (!append) return expect(blobs).toHaveProperty('put')
    for (const text of ['a', '', 'bc']) await append('history/day/a', bytesOf(text))
    expect(await blobs.get('history/day/a')).toEqual(bytesOf('abc'))
    expect(await codeOf(append('history/day/a', new Uint8Array(blobLimitBytes)))).toBe('too-large')
    await blobs.put('history/day/a', bytesOf('new'))
    await append('history/day/a', bytesOf('er'))
    expect(await blobs.get('history/day/a')).toEqual(bytesOf('newer'))
    expect(await codeOf(append('../a', bytesOf('x')))).toBe('misuse')
  })

  test('bytes are copied on the way in and out', async () => {
    const blobs = await open()
    const bytes = bytesOf('abc')
    await blobs.put('window/a', bytes)
    bytes.fill(0)
    const read = await blobs.get('window/a')
    expect(read).toEqual(bytesOf('abc'))
    read?.fill(0)
    expect(await blobs.get('window/a')).toEqual(bytesOf('abc'))
  })

  test('while many write and read one key, a reader sees one of the objects, whole', async () => {
    const blobs = await open()
    const size = 200_000
    await blobs.put('window/a', new Uint8Array(size).fill(1))
    const writes = [2, 3, 4, 5].map((n) => blobs.put('window/a', new Uint8Array(size).fill(n)))
    const reads = await Promise.all(Array.from({ length: 20 }, () => blobs.get('window/a')))
    await Promise.all(writes)
    for (const read of reads) {
      expect(read).toHaveLength(size)
      expect(new Set(read).size).toBe(1)
    }
  })

  test.each([
    '',
    '/',
    '/etc/passwd',
    '..',
    '../a',
    'a/../b',
    'a/..',
    './a',
    'a//b',
    'a/',
    '.hidden',
    'a/.tmp-1',
    'a\\b',
    '..\\a',
    'C:\\a',
    'a\0b',
    'a b',
    'a\nb',
    '%2e%2e/a',
    'é',
    'a'.repeat(151),
    `${'a/'.repeat(256)}a`,
  ])('the key %j is refused', async (key) => {
    const blobs = await open()
    expect(await codeOf(blobs.put(key, bytesOf('x')))).toBe('misuse')
    expect(await codeOf(blobs.get(key))).toBe('misuse')
  })

  test('an object over the limit is refused and the old one stays', async () => {
    const blobs = await open()
    await blobs.put('window/a', bytesOf('old'))
    expect(await codeOf(blobs.put('window/a', new Uint8Array(blobLimitBytes + 1)))).toBe('too-large')
    expect(await blobs.get('window/a')).toEqual(bytesOf('old'))
  })

  const keysOf = async (keys: readonly string[]) => {
    const blobs = await open()
    for (const key of keys) await blobs.put(key, bytesOf(key))
    return blobs
  }
  const several = ['h/2026-01-01/00/01.a', 'h/2026-01-01/00/02.a', 'h/2026-01-01.x', 'h/2026-01-02/00/01:a', 'i/other']

  test('keys are listed in their order, page by page, of one prefix', async () => {
    const blobs = await keysOf(several)
    const all = ['h/2026-01-01.x', 'h/2026-01-01/00/01.a', 'h/2026-01-01/00/02.a', 'h/2026-01-02/00/01:a']
    expect(await blobs.list('h/', { limit: 10 })).toEqual(all)
    for (const [index, after] of all.entries()) {
      expect(await blobs.list('h/', { after, limit: 2 })).toEqual(all.slice(index + 1, index + 3))
    }
    expect(await blobs.list('h/2026-01-01/00/02', { limit: 10 })).toEqual(['h/2026-01-01/00/02.a'])
    expect(await blobs.list('h/2026-01-0', { limit: 10 })).toEqual(all)
    expect(await blobs.list('none/', { limit: 10 })).toEqual([])
    expect(await blobs.list('h/', { limit: 0 })).toEqual([])
  })

  test('what is deleted is gone, its neighbours are not, and again is no mistake', async () => {
    const blobs = await keysOf(several)
    for (let twice = 0; twice < 2; twice++)
      await blobs.delete(['h/2026-01-01/00/01.a', 'h/2026-01-02/00/01:a', 'no/such'])
    expect(await blobs.get('h/2026-01-01/00/01.a')).toBeUndefined()
    expect(await blobs.list('h/', { limit: 10 })).toEqual(['h/2026-01-01.x', 'h/2026-01-01/00/02.a'])
    await blobs.put('h/2026-01-02/00/01:a', bytesOf('again'))
    expect(await blobs.get('h/2026-01-02/00/01:a')).toEqual(bytesOf('again'))
  })

  test.each(['', 'h', '/', '../', 'h/../', '.h/', 'h/.', 'h//'])('the prefix %j is refused', async (prefix) => {
    expect(await codeOf((await open()).list(prefix, { limit: 1 }))).toBe('misuse')
  })

  test('more than a request holds is refused', async () => {
    const blobs = await open()
    expect(await codeOf(blobs.list('h/', { limit: blobsAtOnce + 1 }))).toBe('misuse')
    expect(await codeOf(blobs.delete(Array.from({ length: blobsAtOnce + 1 }, (_, nth) => `h/${nth}`)))).toBe('misuse')
    expect(await codeOf(blobs.delete(['../h']))).toBe('misuse')
  })
})
