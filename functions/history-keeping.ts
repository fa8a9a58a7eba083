import { promisify } from 'node:util'
import { constants, gunzip, gzip } from 'node:zlib'
import type { Blobs } from '../stores/contract.ts'
import { forgetBefore } from './blob-keys.ts'
import { historyPrefix } from './contract.ts'
import {
  type HistoryMinute,
  type HistoryPart,
  historyDay,
  historyKey,
  historyLine,
  historyOfKey,
  readHistoryLines,
  wholeLines,
} from './history.ts'

const [zip, unzip] = [promisify(gzip), promisify(gunzip)]

/** Bytes; more than a minute of any shard holds. */
const maxOutputLength = 128 * 1024 * 1024

/** Of an object that was torn while it was added to, all that came before; so says the flush. */
const readText = async (blobs: Pick<Blobs, 'get'>, key: string): Promise<string | undefined> => {
  const bytes = await blobs.get(key)
  return bytes && (await unzip(bytes, { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH })).toString()
}

/** One minute of one shard as it was kept; undefined when there is none. Throws for what is no history. */
export const readMinute = async (blobs: Pick<Blobs, 'get'>, key: string): Promise<HistoryMinute | undefined> => {
  const text = await readText(blobs, key)
  return text === undefined ? undefined : readHistoryLines(text)
}

const zipped = (text: string): Promise<Uint8Array> => zip(text, { level: 9 })

export type Keep = (at: { shard: string; minuteMs: number; part: HistoryPart }) => Promise<void>

/** A page never waits longer for its history. */
const deadlineMs = 2000

type KeptBlobs = Pick<Blobs, 'get' | 'put' | 'append'>

/** Makes one member of an object's whole lines. */
const pack = async (blobs: KeptBlobs, key: string): Promise<void> => {
  const text = await readText(blobs, key)
  if (text !== undefined) await blobs.put(key, await zipped(wholeLines(text)))
}

/** So many objects are known to be whole; more than a process adds to side by side. */
const wholeKept = 4096

/**
 * Sees to it that an object ends with a whole line: behind one that a dead process, or a full disk, tore, nothing could
 * be read any more, nor what was there before.
 */
const menderOf = (blobs: KeptBlobs) => {
  const whole = new Set<string>()
  const mend = async (key: string): Promise<void> => {
    if (whole.has(key)) return
    const bytes = await blobs.get(key)
    const isTorn = bytes !== undefined && (await unzip(bytes, { maxOutputLength }).catch(() => undefined)) === undefined
    if (isTorn) await pack(blobs, key)
    whole.add(key)
    const [oldest] = whole
    if (whole.size > wholeKept && oldest !== undefined) whole.delete(oldest)
  }
  return { mend, maybeTorn: (key: string) => whole.delete(key) }
}

/** Adds a line at the end, compressed by itself: members of gzip, one after the other, are read as one (RFC 1952, 2.2). */
const adderTo = (blobs: KeptBlobs) => {
  /** The object each shard adds to, and how often that was. */
  const growing = new Map<string, { key: string; members: number }>()
  /** What came in many small members takes a fraction of their room as one. If it fails, it is as it was. */
  const packing = new Map<string, Promise<void>>()
  const { mend, maybeTorn } = menderOf(blobs)
  return async (key: string, shard: string, line: string): Promise<void> => {
    const last = growing.get(shard)
    const members = last?.key === key ? last.members : 0
    if (last && last.key !== key && last.members > 1) {
      const packed = pack(blobs, last.key).catch(() => undefined)
      packing.set(
        last.key,
        packed.finally(() => packing.delete(last.key)),
      )
    }
    growing.set(shard, { key, members: members + 1 })
    await packing.get(key)
    await mend(key)
    try {
      await blobs.append?.(key, await zipped(line))
    } catch (error) {
      maybeTorn(key)
      throw error
    }
  }
}

/**
 * Adds what an observation brought to its minute's object. Never rejects and never takes longer than its deadline: what
 * could not be kept is told to `lost`. One shard's observations come one after the other, so nobody else writes its
 * object; while a write is overdue nothing is added to the same one.
 */
export const historyKeeper = (world: { blobs: KeptBlobs; lost: (key: string, cause: string) => void }): Keep => {
  const { blobs } = world
  const writing = new Set<string>()
  const add = adderTo(blobs)
  const write = async (key: string, { shard, minuteMs, part }: Parameters<Keep>[0]) => {
    const line = historyLine({ shard, minuteMs, parts: [part] })
    if (blobs.append) await add(key, shard, line)
    else await blobs.put(key, await zipped(`${(await readText(blobs, key)) ?? ''}${line}`))
  }
  return async (at) => {
    const key = historyKey(at.minuteMs, at.shard)
    if (writing.has(key)) return world.lost(key, 'the write before it is not over')
    writing.add(key)
    const { promise: overdue, resolve } = Promise.withResolvers<string>()
    const timer = setTimeout(resolve, deadlineMs, `not written within ${deadlineMs} ms`)
    const written = write(key, at)
      .then(() => undefined)
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
      .finally(() => writing.delete(key))
    const cause = await Promise.race([written, overdue])
    clearTimeout(timer)
    if (cause !== undefined) world.lost(key, cause)
  }
}

const dayMs = 24 * 60 * 60_000

/**
 * Deletes some of what is older than so many whole days, the oldest first. Answers how much; call it again later.
 */
export const forgetHistory = (
  blobs: Pick<Blobs, 'list' | 'delete'>,
  at: { nowMs: number; retentionDays: number },
): Promise<number> => {
  const firstKept = historyDay(at.nowMs - at.retentionDays * dayMs)
  return forgetBefore(blobs, { prefix: historyPrefix, firstKept, isOurs: (key) => historyOfKey(key) !== undefined })
}
