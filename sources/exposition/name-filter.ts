import type { Labels, Selector } from '../contract.ts'
import { compileSelectors, type SeriesTest } from '../selector.ts'

const isNameByte = new Uint8Array(256)
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:') {
  isNameByte[character.charCodeAt(0)] = 1
}

/** `repeat`: the name of the line before, and still one nobody asked for. */
export type Interest = 'wanted' | 'unwanted' | 'repeat'

/** Tells from a line's first bytes whether somebody asked for its series. */
export type NameFilter = {
  interest: (bytes: Buffer, start: number, end: number) => Interest
  /** The second half, once the labels are known. */
  keeps: (name: string, labels: Labels) => boolean
}

const nothing = Buffer.alloc(0)

const isSameName = (last: Buffer, bytes: Buffer, start: number): boolean => {
  const length = last.length
  // The byte behind the name first: it tells most other names apart.
  if (length === 0 || isNameByte[bytes[start + length] ?? 0] === 1) return false
  for (let at = length - 1; at >= 0; at--) if (bytes[start + at] !== last[at]) return false
  return true
}

/**
 * Expositions are grouped by name, so the name of the line before is compared first; a line in a long run of unwanted
 * ones costs one comparison and nothing is decoded. A name in quotes or behind blanks is always `wanted`: only its
 * parsed line tells.
 */
export const createNameFilter = (keep: readonly Selector[] | 'all'): NameFilter => {
  if (keep === 'all') return { interest: () => 'wanted', keeps: () => true }
  const tests: ReadonlyMap<string, SeriesTest> = compileSelectors(keep)
  let last = nothing
  let lastWanted = false
  const interest = (bytes: Buffer, start: number, end: number): Interest => {
    if (last.length < end - start && isSameName(last, bytes, start)) return lastWanted ? 'wanted' : 'repeat'
    let nameEnd = start
    while (nameEnd < end && isNameByte[bytes[nameEnd] ?? 0] === 1) nameEnd++
    if (nameEnd === start) return 'wanted'
    // A copy, because the chunk the name stands in goes away.
    last = Buffer.from(bytes.subarray(start, nameEnd))
    lastWanted = tests.has(last.toString('latin1'))
    return lastWanted ? 'wanted' : 'unwanted'
  }
  return { interest, keeps: (name, labels) => tests.get(name)?.(labels) ?? false }
}
