import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Blobs } from '../stores/contract.ts'
import { forgetBefore } from './blob-keys.ts'
import { historyPrefix } from './contract.ts'
import {
  type HistoryMinute,
  type HistoryPart,
  historyDay,
  historyKey,
  historyOfKey,
  unpackMinute,
  withPart,
} from './history.ts'

const [zip, unzip] = [promisify(gzip), promisify(gunzip)]

/** More than a minute of any shard holds. */
const unzippedLimitBytes = 32 * 1024 * 1024

const readJson = async (blobs: Pick<Blobs, 'get'>, key: string): Promise<unknown> => {
  const bytes = await blobs.get(key)
  return bytes && JSON.parse((await unzip(bytes, { maxOutputLength: unzippedLimitBytes })).toString())
}

/** One minute of one shard as it was kept; undefined when there is none. Throws for what is no history. */
export const readMinute = async (blobs: Pick<Blobs, 'get'>, key: string): Promise<HistoryMinute | undefined> => {
  const value = await readJson(blobs, key)
  return value === undefined ? undefined : unpackMinute(value)
}

export type Keep = (at: { shard: string; minuteMs: number; part: HistoryPart }) => Promise<void>

/** A page never waits longer for its history. */
const deadlineMs = 2000

/**
 * Adds what an observation brought to its minute's object. Never rejects and never takes longer than its deadline: what
 * could not be kept is told to `lost`. One shard's observations come one after the other, so nobody else writes its
 * object; while a write is overdue nothing is added to the same one.
 */
export const historyKeeper = (world: {
  blobs: Pick<Blobs, 'get' | 'put'>
  lost: (key: string, cause: string) => void
}): Keep => {
  const writing = new Set<string>()
  const write = async (key: string, at: Parameters<Keep>[0]) => {
    const minute = withPart(await readJson(world.blobs, key), at)
    await world.blobs.put(key, await zip(JSON.stringify(minute), { level: 9 }))
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
