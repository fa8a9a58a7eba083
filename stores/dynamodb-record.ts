import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import * as z from 'zod'
import { quarantineLimitBytes, StoreError } from './contract.ts'
import type { ItemWrite, RowWrite } from './prepare.ts'
import type { HeldRow } from './quarantine.ts'

/**
 * How things lie in the table. All numbers here say where state is found, so they never change.
 *
 * | attribute | of | holds |
 * |---|---|---|
 * | `pk` | all | the item's kind, `#` and one of 16 buckets by the hash of its key; `/row#` and a bucket for a row, which is no kind |
 * | `sk` | all | the key, or the row's id |
 * | `version` | all | what the next write must expect |
 * | `text` or `packed` | all | the JSON; compressed with Brotli when that takes fewer write units |
 * | `commitId` | written alone | who wrote it, to know one's own write again when its answer was lost |
 * | `expiresAtMs`, `ttl` | items that expire | to the millisecond, which decides; in seconds rounded up, for DynamoDB to clear away |
 * | `dueBucket`, `dueAtMs` | rows | the keys of the index `due`: one of 8 buckets by the hash of the id, and when |
 *
 * Buckets keep every kind, and every moment's rows, off one hot partition; whoever lists asks all of them side by side.
 */
const keyBuckets = 16
const dueBuckets = 8
const rowKind = '/row'

export type Key = { pk: AttributeValue.SMember; sk: AttributeValue.SMember }
export type Attributes = Record<string, AttributeValue>
/** One conditional write as the table sees it; without `attributes` what is there goes. */
export type Write = { key: Key; expect: number; attributes?: Attributes }

/** FNV-1a, 32 bit. */
const hash = (text: string): number => {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value >>> 0
}

const keyIn = (kind: string, name: string): Key => ({
  pk: { S: `${kind}#${hash(name) % keyBuckets}` },
  sk: { S: name },
})
const kindOf = (key: string): string => key.slice(0, key.indexOf('/'))

export const itemKey = (key: string): Key => keyIn(kindOf(key), key)
export const rowKey = (id: string): Key => keyIn(rowKind, id)

/** Every partition that may hold keys with this prefix. */
export const partitionsOf = (prefix: string): string[] =>
  Array.from({ length: keyBuckets }, (_, bucket) => `${kindOf(prefix)}#${bucket}`)
export const duePartitions = Array.from({ length: dueBuckets }, (_, bucket) => String(bucket))

/** A write unit: DynamoDB charges and limits an item by the bytes of its names and values. */
const unitBytes = 1024

const valueBytes = ({ S, N, B }: AttributeValue): number => {
  if (B !== undefined) return B.byteLength
  return S === undefined ? Math.ceil((N?.length ?? 0) / 2) + 1 : Buffer.byteLength(S)
}

/** What DynamoDB counts for an item (its documentation: Item sizes and formats), to a few bytes for its numbers. */
export const storedBytes = (attributes: Attributes): number =>
  Object.entries(attributes).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0)

const commitIdBytes = 'commitId'.length + 36

/** As if it were written alone, which most are: with a commit id. */
const units = (attributes: Attributes): number => Math.ceil((storedBytes(attributes) + commitIdBytes) / unitBytes)

/**
 * Measured on counters of 60 failing monitors (200 KB): quality 5 gives 12.6 KB in 1.5 ms, deflate 15.5 KB in 1.5 ms,
 * quality 9 gives 12.1 KB in 19 ms. A write unit costs more than a millisecond of a small Lambda function.
 */
const brotliQuality = 5

const pack = (text: string): Uint8Array =>
  brotliCompressSync(text, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: brotliQuality,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(text),
    },
  })

const unpack = (packed: Uint8Array): string =>
  brotliDecompressSync(packed, { maxOutputLength: quarantineLimitBytes }).toString('utf8')

const withText = (attributes: Attributes, text: string): Attributes => {
  const plain = { ...attributes, text: { S: text } }
  if (units(plain) === 1) return plain
  const packed = { ...attributes, packed: { B: pack(text) } }
  return units(packed) < units(plain) ? packed : plain
}

const number = (value: number): AttributeValue.NMember => ({ N: String(value) })

export const itemToWrite = ({ key: name, expect, text, expiresAtMs }: ItemWrite): Write => {
  const key = itemKey(name)
  if (text === undefined) return { key, expect }
  const expiry =
    expiresAtMs === undefined
      ? {}
      : { expiresAtMs: number(expiresAtMs), ttl: number(Math.max(0, Math.ceil(expiresAtMs / 1000))) }
  return { key, expect, attributes: withText({ ...key, version: number(expect + 1), ...expiry }, text) }
}

export const rowToWrite = ({ key: id, expect, text, dueAtMs }: RowWrite): Write => {
  const key = rowKey(id)
  if (text === undefined) return { key, expect }
  const due = { dueBucket: { S: String(hash(id) % dueBuckets) }, dueAtMs: number(dueAtMs) }
  return { key, expect, attributes: withText({ ...key, version: number(expect + 1), ...due }, text) }
}

const numberAttribute = z.object({ N: z.string().transform(Number).pipe(z.number()) }).transform(({ N }) => N)
const textAttribute = z.object({ S: z.string() }).transform(({ S }) => S)
const bytesAttribute = z.object({ B: z.custom<Uint8Array>(ArrayBuffer.isView) }).transform(({ B }) => B)

const record = z.object({
  sk: textAttribute,
  version: numberAttribute,
  text: textAttribute.optional(),
  packed: bytesAttribute.optional(),
  expiresAtMs: numberAttribute.optional(),
  dueAtMs: numberAttribute.optional(),
})
const indexed = z.object({ pk: textAttribute, sk: textAttribute, dueAtMs: numberAttribute })

const damaged = (attributes: Attributes, cause: unknown): StoreError =>
  new StoreError('store-failed', `what the table holds as ${JSON.stringify(attributes['sk']?.S)} cannot be read`, {
    hint: 'Something else wrote it: restore it from a backup, or delete it.',
    cause,
  })

const recordOf = <T>(schema: z.ZodType<T>, attributes: Attributes): T => {
  const parsed = schema.safeParse(attributes)
  if (parsed.success) return parsed.data
  throw damaged(attributes, parsed.error)
}

const textOf = ({ text, packed }: z.infer<typeof record>): string => {
  if (packed) return unpack(packed)
  if (text === undefined) throw new Error('it holds no value')
  return text
}

export type ReadItem = { key: string; value: unknown; version: number; expiresAtMs: number }

/** Throws {@link StoreError} `store-failed` for what this store did not write. */
export const readItem = (attributes: Attributes): ReadItem => {
  const found = recordOf(record, attributes)
  try {
    const value: unknown = JSON.parse(textOf(found))
    return { key: found.sk, value, version: found.version, expiresAtMs: found.expiresAtMs ?? Number.POSITIVE_INFINITY }
  } catch (error) {
    throw damaged(attributes, error)
  }
}

/** A row as it is held; bytes nobody can unpack become text that nobody can read, so that it is quarantined. */
export const readHeldRow = (attributes: Attributes): HeldRow => {
  const found = recordOf(record, attributes)
  const held = { id: found.sk, version: found.version, dueAtMs: found.dueAtMs ?? 0 }
  try {
    return { ...held, text: textOf(found) }
  } catch {
    return { ...held, text: `base64:${Buffer.from(found.packed ?? []).toString('base64')}` }
  }
}

export type DueKey = { key: Key; id: string; dueAtMs: number }

export const readDueKey = (attributes: Attributes): DueKey => {
  const { pk, sk, dueAtMs } = recordOf(indexed, attributes)
  return { key: { pk: { S: pk }, sk: { S: sk } }, id: sk, dueAtMs }
}
