import { gunzipSync, gzipSync } from 'node:zlib'
import * as z from 'zod'
import type { Sample } from '../sources/contract.ts'

/** More series than this are not remembered; the window says how many it left out. */
export const seriesLimit = 20_000

const series = z.strictObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  points: z.array(z.tuple([z.number(), z.number()])),
})
const kindWindow = z.strictObject({
  /** When this kind of source was read, oldest first: a series missing at one of these times was not there. */
  readAtMs: z.array(z.number()),
  series: z.record(z.string(), series),
  leftOut: z.number(),
})
const window = z.strictObject({ cluster: z.string(), kinds: z.record(z.string(), kindWindow) })

/** A cluster's recent past: the values of the series that questions compare with, by source kind. */
export type Window = z.infer<typeof window>
export type KindWindow = z.infer<typeof kindWindow>

export const emptyWindow = (cluster: string): Window => ({ cluster, kinds: {} })

/** The identity of a series: its name and its labels in sorted order. */
export const seriesKey = ({ name, labels }: Pick<Sample, 'name' | 'labels'>): string =>
  `${name}${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`

/** JSON has no NaN or infinities, and neither has a counter worth comparing. */
const worthKeeping = ({ value }: Sample) => Number.isFinite(value)

/** Adds one reading of a source kind and forgets what is older than `keepMs`. */
export const remember = (
  before: Window,
  reading: { kind: string; atMs: number; samples: readonly Sample[] },
  keepMs: number,
): Window => {
  const fromMs = reading.atMs - keepMs
  const known = before.kinds[reading.kind] ?? { readAtMs: [], series: {}, leftOut: 0 }
  const kept = Object.entries(known.series).flatMap(([key, one]) => {
    const points = one.points.filter(([atMs]) => atMs >= fromMs)
    return points.length > 0 ? [[key, { ...one, points }] as const] : []
  })
  const all = new Map(kept)
  let leftOut = 0
  for (const sample of reading.samples.filter(worthKeeping)) {
    const key = seriesKey(sample)
    const one = all.get(key)
    if (!one && all.size >= seriesLimit) leftOut++
    else if (one) one.points.push([reading.atMs, sample.value])
    else all.set(key, { name: sample.name, labels: sample.labels, points: [[reading.atMs, sample.value]] })
  }
  const readAtMs = [...known.readAtMs.filter((atMs) => atMs >= fromMs), reading.atMs]
  return {
    ...before,
    kinds: { ...before.kinds, [reading.kind]: { readAtMs, series: Object.fromEntries(all), leftOut } },
  }
}

/** A window as bytes for the blob store. */
export const packWindow = (unpacked: Window): Uint8Array => gzipSync(JSON.stringify(unpacked), { level: 1 })

/** Reads a window back; undefined when the bytes are not one (an older format starts over). */
export const unpackWindow = (bytes: Uint8Array): Window | undefined => {
  try {
    return window.parse(JSON.parse(gunzipSync(bytes, { maxOutputLength: 256 * 1024 * 1024 }).toString()))
  } catch {
    return undefined
  }
}
