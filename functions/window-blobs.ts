import type { Blobs } from '../stores/contract.ts'
import { windowKey, windowSlots } from './contract.ts'
import { emptyWindow, forget, type TargetWindow, type Window } from './window.ts'
import { type Chunk, packChunk, unpackChunk } from './window-chunk.ts'

const shortestChunkMs = 5 * 60_000

/** How long a chunk is, so that the ring of them holds `longestMs` and the one being written. */
export const chunkMsFor = (longestMs: number): number => {
  const spans = windowSlots - 1
  return Math.max(shortestChunkMs, Math.ceil(longestMs / spans / 60_000) * 60_000)
}

/** How much of the past lies in the ring, were it full: more than anybody looks back to. */
export const keptSecondsFor = (longestSeconds: number): number =>
  (chunkMsFor(longestSeconds * 1000) * windowSlots) / 1000

const slotOf = (chunk: number) => chunk % windowSlots

/** What lies behind what is known: chunks of two lengths overlap where a config made them longer. */
const appendNewer = (times: number[], more: readonly number[]): void => {
  const last = times.at(-1) ?? Number.NEGATIVE_INFINITY
  times.push(...more.filter((atMs) => atMs > last))
}

const append = (window: Window, chunk: Chunk): void => {
  for (const { key, kind, readAtMs, series } of chunk.targets) {
    const target: TargetWindow = window.targets.get(key) ?? { kind, readAtMs: [], series: new Map() }
    window.targets.set(key, target)
    appendNewer(target.readAtMs, readAtMs)
    for (const { id, ...one } of series) {
      const known = target.series.get(id)
      if (known === undefined) target.series.set(id, one)
      else {
        const count = known.atMs.length
        appendNewer(known.atMs, one.atMs)
        known.values.push(...one.values.slice(one.values.length - (known.atMs.length - count)))
        known.keepMs = one.keepMs
      }
    }
  }
  for (const [kind, times] of Object.entries(chunk.wholeAtMs)) {
    const known = window.wholeAtMs.get(kind) ?? []
    appendNewer(known, times)
    window.wholeAtMs.set(kind, known)
  }
  window.leftOut = chunk.leftOut
}

/** Which window is meant, and as of when. */
export type WindowAt = { cluster: string; longestMs: number; nowMs: number }

/** Reads a cluster's window: the chunks that reach into it, those that are there. `bytes`: as they were kept. */
export const loadWindow = async (
  blobs: Pick<Blobs, 'get'>,
  at: WindowAt,
): Promise<{ window: Window; bytes: number }> => {
  const { cluster, longestMs, nowMs } = at
  const slots = Array.from({ length: windowSlots }, (_, slot) => blobs.get(windowKey(cluster, slot)))
  const packed = (await Promise.all(slots)).filter((bytes) => bytes !== undefined)
  const chunks = packed.flatMap((bytes) => unpackChunk(bytes) ?? [])
  const window = emptyWindow(cluster)
  // A slot that was not written this time round holds what stood there the time before.
  const current = chunks.filter((chunk) => chunk.cluster === cluster && chunk.untilMs > nowMs - longestMs)
  for (const chunk of current.sort((a, b) => a.fromMs - b.fromMs)) append(window, chunk)
  forget(window, { nowMs, longestMs })
  return { window, bytes: packed.reduce((sum, bytes) => sum + bytes.byteLength, 0) }
}

/** Writes the chunk that `nowMs` lies in; the ones before it were whole when they were written last. */
export const saveWindow = async (
  blobs: Pick<Blobs, 'put'>,
  window: Window,
  { longestMs, nowMs }: Omit<WindowAt, 'cluster'>,
): Promise<{ bytes: number }> => {
  const chunkMs = chunkMsFor(longestMs)
  const chunk = Math.floor(nowMs / chunkMs)
  const bytes = packChunk(window, { fromMs: chunk * chunkMs, untilMs: (chunk + 1) * chunkMs })
  await blobs.put(windowKey(window.cluster, slotOf(chunk)), bytes)
  return { bytes: bytes.byteLength }
}
