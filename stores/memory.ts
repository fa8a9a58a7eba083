import { blobNames, blobPrefix, checkBlobCount, checkBlobSize, keyOrder } from './blob.ts'
import {
  type Blobs,
  type Change,
  type DeadLetters,
  type RowChange,
  type Store,
  type Stored,
  StoreError,
} from './contract.ts'
import { byteOrder, checkKey, checkLimit, checkPrefix, checkRowId } from './keys.ts'
import { type ItemWrite, prepareCommit, type RowWrite } from './prepare.ts'
import { type HeldRow, type Poison, readRow, setAside, sortOut } from './quarantine.ts'

type HeldItem = { text: string; version: number; expiresAtMs: number }
type State = {
  items: Map<string, HeldItem>
  rows: Map<string, HeldRow>
  closed: boolean
  nowMs: () => number
  deadLetters: DeadLetters
}

const open = (state: State): State => {
  if (state.closed) throw new StoreError('misuse', 'the store is closed', { hint: 'Close it last.' })
  return state
}

/** The item as of now: one that has expired is not there. */
const itemNow = ({ items, nowMs }: State, key: string): HeldItem | undefined => {
  const item = items.get(key)
  return item && item.expiresAtMs > nowMs() ? item : undefined
}

/** Values are kept as JSON text, so nobody can change what is stored through a reference; read when they are looked at. */
const stored = ({ text, version }: HeldItem): Stored => {
  let read: { value: unknown } | undefined
  return {
    get value() {
      read ??= { value: JSON.parse(text) }
      return read.value
    },
    version,
  }
}

const writeItem = ({ items }: State, { key, expect, text, expiresAtMs }: ItemWrite): void => {
  if (text === undefined) items.delete(key)
  else items.set(key, { text, version: expect + 1, expiresAtMs: expiresAtMs ?? Number.POSITIVE_INFINITY })
}

const writeRow = ({ rows }: State, { key, expect, text, dueAtMs }: RowWrite): void => {
  if (text === undefined) rows.delete(key)
  else rows.set(key, { id: key, text, version: expect + 1, dueAtMs })
}

const commit = (state: State, changes: readonly Change[], rowChanges: readonly RowChange[]) => {
  const { items, rows } = prepareCommit(changes, rowChanges)
  const expected =
    items.every(({ key, expect }) => (itemNow(state, key)?.version ?? 0) === expect) &&
    rows.every(({ key, expect }) => (state.rows.get(key)?.version ?? 0) === expect)
  if (!expected) return 'conflict'
  for (const item of items) writeItem(state, item)
  for (const row of rows) writeRow(state, row)
  return 'committed'
}

const quarantine = (state: State, poison: Poison): void => {
  const { deadLetters } = state
  const { item, told } = setAside(poison, { nowMs: state.nowMs(), deadLetters })
  state.rows.delete(poison.held.id)
  writeItem(state, { ...item, expect: itemNow(state, item.key)?.version ?? 0 })
  for (const row of told) if (!state.rows.has(row.key)) writeRow(state, row)
}

const row = (state: State, id: string) => {
  checkRowId(id)
  const held = state.rows.get(id)
  if (!held) return undefined
  const answer = readRow(held)
  if (answer.status === 'read') return answer.stored
  quarantine(state, answer.poison)
  return undefined
}

const forgetExpired = (state: State): void => {
  for (const key of state.items.keys()) if (!itemNow(state, key)) state.items.delete(key)
}

const due = (state: State, nowMs: number, limit: number) => {
  checkLimit(limit)
  forgetExpired(state)
  const waiting = [...state.rows.values()]
    .filter((held) => held.dueAtMs <= nowMs)
    .sort((left, right) => left.dueAtMs - right.dueAtMs || byteOrder(left.id, right.id))
  const { readable, poison } = sortOut(waiting, limit)
  for (const one of poison) quarantine(state, one)
  return readable
}

const found = (state: State, keys: readonly string[]): Map<string, Stored> => {
  const there = keys.flatMap((key): [string, Stored][] => {
    const item = itemNow(state, key)
    return item ? [[key, stored(item)]] : []
  })
  return new Map(there)
}

const list = (state: State, prefix: string, page: { after?: string; limit: number }) => {
  checkPrefix(prefix)
  checkLimit(page.limit)
  if (page.after !== undefined && page.after !== '') checkKey(page.after)
  const keys = [...state.items.keys()]
    .filter((key) => key.startsWith(prefix) && itemNow(state, key))
    .filter((key) => page.after === undefined || byteOrder(key, page.after) > 0)
    .sort(byteOrder)
  return found(state, keys.slice(0, page.limit))
}

/** A {@link Store} that is gone with the process: for tests, the simulator and trying things out. */
export const memoryStore = (options: { nowMs: () => number; deadLetters?: DeadLetters }): Store => {
  const { nowMs, deadLetters = () => [] } = options
  const state: State = { items: new Map(), rows: new Map(), closed: false, nowMs, deadLetters }
  return {
    read: async (keys) => {
      keys.forEach(checkKey)
      return found(open(state), keys)
    },
    row: async (id) => row(open(state), id),
    commit: async (changes, rows = []) => commit(open(state), changes, rows),
    due: async (dueMs, limit) => due(open(state), dueMs, limit),
    list: async (prefix, page) => list(open(state), prefix, page),
    close: async () => {
      state.closed = true
    },
  }
}

/** {@link Blobs} that are gone with the process. Copies on the way in and out, as a disk would. */
export const memoryBlobs = (): Blobs => {
  const blobs = new Map<string, Uint8Array>()
  const put = async (key: string, bytes: Uint8Array) => {
    const name = blobNames(key).join('/')
    checkBlobSize(key, bytes.byteLength)
    blobs.set(name, new Uint8Array(bytes))
  }
  return {
    get: async (key) => blobs.get(blobNames(key).join('/'))?.slice(),
    put,
    append: async (key, bytes) => {
      const before = blobs.get(blobNames(key).join('/')) ?? new Uint8Array()
      await put(key, Buffer.concat([before, bytes]))
    },
    list: async (prefix, { after = '', limit }) => {
      blobPrefix(prefix)
      checkBlobCount(limit)
      const keys = [...blobs.keys()].filter((key) => key.startsWith(prefix) && key > after)
      return keys.sort(keyOrder).slice(0, limit)
    },
    delete: async (keys) => {
      checkBlobCount(keys.length)
      for (const key of keys) blobs.delete(blobNames(key).join('/'))
    },
  }
}
