import {
  type Change,
  commitLimit,
  commitLimitBytes,
  itemLimitBytes,
  quarantineLimitBytes,
  quarantinePrefix,
  type RowChange,
  StoreError,
} from './contract.ts'
import { checkKey, checkRowId } from './keys.ts'

/** A change as a store writes it: `text` is the JSON, and without it the thing goes. */
export type ItemWrite = { key: string; expect: number; text?: string; expiresAtMs?: number }
export type RowWrite = { key: string; expect: number; text?: string; dueAtMs: number }
export type Prepared = { items: ItemWrite[]; rows: RowWrite[] }

const misuse = (message: string, hint: string, cause?: unknown): StoreError =>
  new StoreError('misuse', message, { hint, cause })

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm has another Object.prototype, whose own prototype is null all the same.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** JSON.stringify turns NaN into null and a Map into {}: reading that back would be a wrong answer, so it is refused. */
const refuse = (value: unknown, inArray: boolean): string | undefined => {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value)
  if (typeof value === 'undefined') return inArray ? 'undefined in an array' : undefined
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isPlain(value)) return undefined
  return `a ${value.constructor.name}`
}

/** Refuses what is not JSON, wherever it is. Before JSON.stringify, whose own replacer makes it five times as slow. */
const checkJson = (name: string, value: unknown, at: { key: string; inArray: boolean }): void => {
  const found = refuse(value, at.inArray)
  if (found)
    throw misuse(`${name} would be stored with ${found} at "${at.key}"`, 'Store plain JSON: missing is never null.')
  if (typeof value !== 'object' || value === null) return
  const inArray = Array.isArray(value)
  for (const [key, inner] of Object.entries(value)) checkJson(name, inner, { key, inArray })
}

const toJson = (name: string, value: unknown): string => {
  try {
    checkJson(name, value, { key: '', inArray: false })
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw misuse(`${name} cannot be written as JSON`, 'Store plain JSON without cycles.', error)
  }
}

const checkSize = (name: string, text: string): void => {
  const bytes = Buffer.byteLength(text)
  const limit = name.startsWith(quarantinePrefix) ? quarantineLimitBytes : itemLimitBytes
  if (bytes <= limit) return
  throw new StoreError('too-large', `${name} has ${bytes} bytes of JSON, the limit is ${limit}`, {
    hint: 'Spread it over several items, or keep the bytes as a blob and store its key.',
  })
}

const encode = (name: string, value: unknown): string => {
  if (value === undefined)
    throw misuse(`${name} is to be written as undefined`, 'Leave the value out to delete, or give one.')
  const text = toJson(name, value)
  checkSize(name, text)
  return text
}

const checkExpect = (name: string, expect: number, deletes: boolean): void => {
  if (!Number.isSafeInteger(expect) || expect < 0)
    throw misuse(`${name} expects version ${expect}`, 'Expect the version that was read, or 0 for "not there".')
  if (deletes && expect === 0)
    throw misuse(`${name} is to be deleted without its version`, 'Deleting needs the version that was read.')
}

const checkTime = (name: string, atMs: number): void => {
  if (!Number.isFinite(atMs)) throw misuse(`${name} has the time ${atMs}`, 'Times are milliseconds since 1970.')
}

const itemWrite = (change: Change): ItemWrite => {
  const { key, expect, expiresAtMs } = change
  checkKey(key)
  checkExpect(key, expect, !('value' in change))
  if (expiresAtMs !== undefined) checkTime(key, expiresAtMs)
  if (!('value' in change)) return { key, expect }
  const text = encode(key, change.value)
  return expiresAtMs === undefined ? { key, expect, text } : { key, expect, text, expiresAtMs }
}

const rowWrite = (change: RowChange): RowWrite => {
  const { id, expect } = change
  checkRowId(id)
  checkExpect(`row ${id}`, expect, !('row' in change))
  if (!('row' in change)) return { key: id, expect, dueAtMs: 0 }
  const text = encode(`row ${id}`, change.row)
  if (change.row?.id !== id)
    throw misuse(`row ${id} carries the id ${change.row?.id}`, 'A row is kept under its own id.')
  checkTime(`row ${id}`, change.row.dueAtMs)
  return { key: id, expect, text, dueAtMs: change.row.dueAtMs }
}

const checkTwice = (kind: string, names: string[]): void => {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw misuse(`one commit names the ${kind} ${twice} twice`, 'Fold both changes into one.')
}

/**
 * What a commit must look like before any store looks at its own state, and its JSON.
 * Throws {@link StoreError} `misuse` or `too-large`; nothing has been written then.
 */
export const prepareCommit = (changes: readonly Change[], rows: readonly RowChange[]): Prepared => {
  const count = changes.length + rows.length
  if (count > commitLimit)
    throw new StoreError('too-large', `a commit of ${count} changes is over the limit of ${commitLimit}`, {
      hint: 'Split it at a place where half of it is a valid state.',
    })
  const items = changes.map(itemWrite)
  const rowWrites = rows.map(rowWrite)
  const names = items.map((item) => item.key)
  const ids = rowWrites.map((row) => row.key)
  checkTwice('key', names)
  checkTwice('row', ids)
  const bytes = [...items, ...rowWrites].reduce((sum, write) => sum + Buffer.byteLength(write.text ?? ''), 0)
  if (bytes > commitLimitBytes)
    throw new StoreError('too-large', `a commit of ${bytes} bytes is over the limit of ${commitLimitBytes}`, {
      hint: 'Split it, or keep the bytes as blobs.',
    })
  return { items, rows: rowWrites }
}
