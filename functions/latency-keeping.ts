/**
 * Hours of latencies, made of the history when an hour is over: `latency/2026-11-23/06.5-of-32.0.gz` holds some
 * monitors' sketches of one hour and shard. The hot path of `evaluate` has no part in it.
 */
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import * as z from 'zod'
import { type Blobs, itemLimitBytes } from '../stores/contract.ts'
import { forgetBefore, keysOf } from './blob-keys.ts'
import { readHistory } from './history-reading.ts'
import { jsonBytes } from './json-bytes.ts'
import { addPacked, emptySketch, type LatencySketch, packedSketch, packSketch, sketchesOf } from './latency-sketch.ts'
import { allShards, countOfShard, kinOf, shardOf } from './shards.ts'
import { keptFromMs } from './sli-span.ts'

const [zip, unzip] = [promisify(gzip), promisify(gunzip)]

const prefix = 'latency/'
const hourMs = 3_600_000
/** What arrives later than this after its hour is in no sketch. */
const settleMs = 15 * 60_000
/** What was not made while whodunit was off is made up for, so far back. */
const hoursBack = 48

const stored = z.strictObject({ form: z.literal('latency-1'), sketches: z.record(z.string(), packedSketch) })

/** `latency/2026-11-23/06.5-of-32.0.gz`; without `part` what its keys begin with. */
const keyOf = (atMs: number, shard: string, part?: number): string => {
  const iso = new Date(atMs).toISOString()
  const start = `${prefix}${iso.slice(0, 10)}/${iso.slice(11, 13)}.${shard.replace('/', '-of-')}.`
  return part === undefined ? start : `${start}${part}.gz`
}

const ofKey = (key: string): { atMs: number; shard: string } | undefined => {
  const [, day, hour, index, count] = /^latency\/(\d{4}-\d\d-\d\d)\/(\d\d)\.(\d+)-of-(\d+)\.\d+\.gz$/.exec(key) ?? []
  return day === undefined ? undefined : { atMs: Date.parse(`${day}T${hour}:00:00Z`), shard: `${index}/${count}` }
}

/** As many monitors in each as fit an item, whatever they were like. */
export const packHour = (sketches: ReadonlyMap<string, LatencySketch>): string[] => {
  const parts: Record<string, string>[] = []
  let room = 0
  for (const [monitorId, sketch] of [...sketches].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = packSketch(sketch)
    const bytes = jsonBytes({ [monitorId]: text })
    if (bytes > room || parts.length === 0) {
      parts.push({})
      room = itemLimitBytes - 100
    }
    room -= bytes
    Object.assign(parts.at(-1) ?? {}, { [monitorId]: text })
  }
  return parts.map((part) => JSON.stringify({ form: 'latency-1', sketches: part }))
}

type Wanted = { monitors: ReadonlySet<string> }

const outcomesOf = async (blobs: Pick<Blobs, 'get' | 'list'>, hour: number, isOurs: (shard: string) => boolean) => {
  const { minutes, unreadable } = await readHistory(blobs, { fromMs: hour, toMs: hour + hourMs - 1, isOurs })
  return { unreadable, outcomes: minutes.flatMap(({ parts }) => parts.flatMap(({ outcomes }) => outcomes)) }
}

const shardsWith = (monitors: ReadonlySet<string>, count: number): string[] => {
  const needed = new Set([...monitors].map((id) => shardOf(id, count)))
  return allShards(count).filter((shard) => needed.has(shard))
}

/**
 * Makes the sketches of one hour and shard that are not there yet, the oldest first; answers whether there was one to
 * make. Call it again and again, so that no shard's work holds up anything: what it makes twice is the same.
 */
export const latencyKeeper = (world: { blobs: Blobs; nowMs: () => number; shards: number } & Wanted) => {
  const { blobs, monitors, shards } = world
  const ours = shardsWith(monitors, shards)
  /** Looked at already: an hour may have held nothing. */
  let done = new Set<string>()
  return async (): Promise<boolean> => {
    const last = Math.floor((world.nowMs() - settleMs) / hourMs - 1) * hourMs
    const hours = Array.from({ length: hoursBack }, (_, nth) => last - (hoursBack - 1 - nth) * hourMs)
    const all = hours.flatMap((hour) => ours.map((shard) => ({ hour, shard, name: keyOf(hour, shard) })))
    const next = all.find(({ name }) => !done.has(name))
    done = new Set(all.flatMap(({ name }) => (done.has(name) ? [name] : [])))
    if (!next) return false
    const { hour, shard, name } = next
    const [known] = await blobs.list(name, { limit: 1 })
    if (known !== keyOf(hour, shard, 0)) {
      // The shards it was when there were fewer, too.
      const { outcomes } = await outcomesOf(blobs, hour, (one) => kinOf(one, shards).includes(shard))
      const isOurs = (id: string) => monitors.has(id) && shardOf(id, shards) === shard
      const parts = packHour(sketchesOf(outcomes, isOurs))
      // The first goes last: as long as it is missing the hour is made again.
      for (const [nth, text] of [...parts.entries()].reverse())
        await blobs.put(keyOf(hour, shard, nth), await zip(text))
    }
    done.add(name)
    return true
  }
}

/** Deletes some of what is older than any window. */
export const forgetLatencies = (blobs: Pick<Blobs, 'list' | 'delete'>, nowMs: number): Promise<number> => {
  const firstKept = `${prefix}${new Date(keptFromMs(nowMs)).toISOString().slice(0, 10)}`
  return forgetBefore(blobs, { prefix, firstKept, isOurs: (key) => ofKey(key) !== undefined })
}

const readPart = async (blobs: Pick<Blobs, 'get'>, key: string): Promise<Record<string, string>> => {
  const bytes = await blobs.get(key)
  if (!bytes) return {}
  const text = await unzip(bytes, { maxOutputLength: 2 * itemLimitBytes })
  return stored.parse(JSON.parse(text.toString())).sketches
}

/** One monitor since a moment; the hour that moment is in counts whole. */
export type LatencySpan = { monitorId: string; fromMs: number }

/**
 * The sketch of each span until now: of the hours that were made, and of the last two as far as they were not. `lost`
 * is told of what cannot be read.
 */
export const latenciesNow = async (
  blobs: Pick<Blobs, 'get' | 'list'>,
  spans: readonly LatencySpan[],
  at: { nowMs: number; lost: (key: string) => void },
): Promise<LatencySketch[]> => {
  const all = spans.map(({ monitorId, fromMs }) => ({ monitorId, fromMs, sketch: emptySketch() }))
  const byMonitor = Map.groupBy(all, ({ monitorId }) => monitorId)
  const monitors = new Set(byMonitor.keys())
  /** Whose hour is in: it may have been made once more when there were more shards. */
  let counted = { atMs: 0, monitors: new Set<string>() }
  const add = (atMs: number, monitorId: string, addTo: (sketch: LatencySketch) => void) => {
    if (counted.atMs !== atMs) counted = { atMs, monitors: new Set() }
    if (counted.monitors.has(monitorId)) return
    counted.monitors.add(monitorId)
    for (const { fromMs, sketch } of byMonitor.get(monitorId) ?? []) if (atMs + hourMs > fromMs) addTo(sketch)
  }
  const isOurs = (shard: string) => [...monitors].some((id) => shardOf(id, countOfShard(shard)) === shard)
  const fromMs = Math.min(...spans.map((one) => one.fromMs), at.nowMs)
  const made = new Set<string>()
  for await (const key of keysOf(blobs, prefix, keyOf(Math.floor(fromMs / hourMs) * hourMs, ''))) {
    const of = ofKey(key)
    if (!of || !isOurs(of.shard)) continue
    made.add(`${of.atMs} ${of.shard}`)
    const part = await readPart(blobs, key).catch(() => {
      at.lost(key)
      return {}
    })
    for (const [monitorId, text] of Object.entries(part)) {
      add(of.atMs, monitorId, (sketch) => addPacked(sketch, text))
    }
  }
  const hour = Math.floor(at.nowMs / hourMs) * hourMs
  for (const open of [hour - 2 * hourMs, hour - hourMs, hour]) {
    const unmade = (shard: string) => isOurs(shard) && !made.has(`${open} ${shard}`)
    const { outcomes, unreadable } = await outcomesOf(blobs, open, unmade)
    if (unreadable > 0) at.lost(keyOf(open, ''))
    for (const [monitorId, own] of sketchesOf(outcomes, (id) => monitors.has(id))) {
      add(open, monitorId, (sketch) => sketch.merge(own))
    }
  }
  return all.map(({ sketch }) => sketch)
}
