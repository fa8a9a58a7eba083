import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { blobNames, blobPrefix, checkBlobCount, checkBlobSize } from './blob.ts'
import { type Blobs, blobLimitBytes, StoreError } from './contract.ts'
import { awsFault, awsNames } from './failures.ts'
import { type Patience, persist, startDeadline } from './retry.ts'

export type S3Options = {
  /** Made once by the caller, best with `maxAttempts: 1`: these blobs try again by themselves. */
  client: S3Client
  /** Which bucket a key lives in. */
  bucketOf: (key: string) => string
  /** How long one request may take, its bytes included, and how long all attempts at it together. Default 5 s and 8 s. */
  requestTimeoutMs?: number
  deadlineMs?: number
}

/** What we rendered ourselves and browsers are to show. */
const published = 'status/'

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  gz: 'application/gzip',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  xml: 'application/xml',
}
/** What a browser would run or draw. */
const active = new Set(['css', 'html', 'js', 'svg', 'xml'])

/** Evidence is whatever a target sent: a browser that opens it must show it as text, not run it. */
const contentTypeOf = (key: string): string => {
  const extension = key.slice(key.lastIndexOf('.') + 1)
  if (active.has(extension) && !key.startsWith(published)) return 'text/plain; charset=utf-8'
  return types[extension] ?? 'application/octet-stream'
}

/** A status page may be ten seconds old, not more: caches take the crowd of an outage and nobody is told old news. */
const cacheControlOf = (key: string): string => (key.startsWith(published) ? 'public, max-age=10' : 'private, no-store')

const checkFound = (key: string, bytes: number | undefined): void => {
  if (bytes !== undefined && bytes > blobLimitBytes)
    throw new StoreError('too-large', `the blob ${key} has ${bytes} bytes, the limit is ${blobLimitBytes}`, {
      hint: 'Something else wrote it; delete it.',
    })
}

type At = { client: S3Client; bucket: string; key: string; patience: Patience }

const notThere = (error: unknown): boolean => awsNames(error).includes('NoSuchKey')

const get = async ({ client, bucket, key, patience }: At): Promise<Uint8Array | undefined> => {
  const attempt = async (abortSignal: AbortSignal) => {
    try {
      const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
        abortSignal,
      })
      checkFound(key, ContentLength)
      return new Uint8Array((await Body?.transformToByteArray()) ?? [])
    } catch (error) {
      if (notThere(error)) return undefined
      throw error
    }
  }
  return persist(startDeadline(patience), attempt, (error) => awsFault(error, `the bucket ${bucket}`))
}

const put = async ({ client, bucket, key, patience }: At, bytes: Uint8Array): Promise<void> => {
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    Body: bytes,
    ContentType: contentTypeOf(key),
    CacheControl: cacheControlOf(key),
  })
  await persist(
    startDeadline(patience),
    (abortSignal) => client.send(command, { abortSignal }),
    (error) => awsFault(error, `the bucket ${bucket}`),
  )
}

const list = async (
  { client, bucket, key: prefix, patience }: At,
  page: { after?: string; limit: number },
): Promise<string[]> => {
  const { after, limit } = page
  if (limit === 0) return []
  const command = new ListObjectsV2Command({
    Bucket: bucket,
    Prefix: prefix,
    MaxKeys: limit,
    ...(after === undefined || after === '' ? {} : { StartAfter: after }),
  })
  const { Contents = [] } = await persist(
    startDeadline(patience),
    (abortSignal) => client.send(command, { abortSignal }),
    (error) => awsFault(error, `the bucket ${bucket}`),
  )
  return Contents.flatMap(({ Key }) => Key ?? [])
}

const remove = async ({ client, bucket, patience }: Omit<At, 'key'>, keys: readonly string[]): Promise<void> => {
  const command = new DeleteObjectsCommand({
    Bucket: bucket,
    Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true },
  })
  const { Errors = [] } = await persist(
    startDeadline(patience),
    (abortSignal) => client.send(command, { abortSignal }),
    (error) => awsFault(error, `the bucket ${bucket}`),
  )
  const [first] = Errors
  if (first)
    throw new StoreError('store-failed', `${Errors.length} blobs of ${bucket} stay: ${first.Code} of ${first.Key}`, {
      hint: 'Look at what its policy allows.',
    })
}

/**
 * {@link Blobs} as S3 objects. S3 replaces an object at once, so a reader meets the old bytes or the new ones.
 *
 * Needs `s3:GetObject`, `s3:PutObject` and `s3:DeleteObject` on the objects, whichever is used, and `s3:ListBucket` on the
 * bucket to read and to list: without it S3 says "denied" of what is not there. Throws {@link StoreError}: `throttled` or `unreachable` when all attempts failed until
 * the deadline, `forbidden`, `not-a-store` (no such bucket), `too-large`, `misuse`.
 */
export const s3Blobs = ({ client, bucketOf, requestTimeoutMs = 5000, deadlineMs = 8000 }: S3Options): Blobs => {
  const at = (key: string): At => {
    blobNames(key)
    return { client, bucket: bucketOf(key), key, patience: { requestTimeoutMs, deadlineMs } }
  }
  return {
    get: async (key) => get(at(key)),
    put: async (key, bytes) => {
      const place = at(key)
      checkBlobSize(key, bytes.byteLength)
      await put(place, bytes)
    },
    list: async (prefix, page) => {
      blobPrefix(prefix)
      checkBlobCount(page.limit)
      return list({ client, bucket: bucketOf(prefix), key: prefix, patience: { requestTimeoutMs, deadlineMs } }, page)
    },
    delete: async (keys) => {
      checkBlobCount(keys.length)
      const places = Map.groupBy(keys, (key) => at(key).bucket)
      const patience = { requestTimeoutMs, deadlineMs }
      for (const [bucket, own] of places) await remove({ client, bucket, patience }, own)
    },
  }
}
