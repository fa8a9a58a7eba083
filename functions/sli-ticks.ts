/**
 * The events of an SLI as a set: a look that comes twice is in it once, in whatever order they come. Kept as text, a few
 * bytes while all is well.
 */
import * as z from 'zod'
import type { SliVerdict } from '../rules/contract.ts'
import { hash } from './shards.ts'

/** One scheduled look from one location. */
export type Tick = { atMs: number; was: SliVerdict }

const letters: Readonly<Record<SliVerdict, string>> = { good: 'g', bad: 'b', unknown: 'u' }
const verdicts: Readonly<Record<string, SliVerdict>> = { g: 'good', b: 'bad', u: 'unknown' }

/**
 * `<gap>*<step>:<letters>`: ticks evenly apart, in base 36; a letter's count stands before it where it is more than one.
 * The first gap counts from the text's base, any other from the tick before.
 */
const stretch = /^(-?[0-9a-z]+)\*([0-9a-z]+):((?:\d*[gbu])+)$/

/** Ticks as text. Throws nothing that is not JSON at anybody: what does not fit the pattern is refused when it is read. */
export const ticksText = z.string().refine((text) => text === '' || text.split(' ').every((one) => stretch.test(one)))

const digits = (value: number) => Math.round(value).toString(36)

const lettersOf = (ticks: readonly Tick[]): string => {
  let text = ''
  for (let at = 0; at < ticks.length; ) {
    const letter = letters[ticks[at]?.was ?? 'unknown']
    let end = at + 1
    while (end < ticks.length && letters[ticks[end]?.was ?? 'unknown'] === letter) end++
    text += end - at > 1 ? `${end - at}${letter}` : letter
    at = end
  }
  return text
}

/** Where the stretch that begins at `from` ends: behind the last tick that is as far from the one before as the first two. */
const endOfStretch = (ticks: readonly Tick[], from: number): number => {
  const stepMs = (ticks[from + 1]?.atMs ?? 0) - (ticks[from]?.atMs ?? 0)
  let end = Math.min(from + 2, ticks.length)
  while (end < ticks.length && (ticks[end]?.atMs ?? 0) - (ticks[end - 1]?.atMs ?? 0) === stepMs) end++
  return end
}

/** Sorted ticks as text that counts from `baseMs`. */
export const packTicks = (ticks: readonly Tick[], baseMs: number): string => {
  const texts: string[] = []
  let lastMs = baseMs
  for (let at = 0; at < ticks.length; ) {
    const end = endOfStretch(ticks, at)
    const [first, second] = [ticks[at]?.atMs ?? 0, ticks[at + 1]?.atMs]
    const stepMs = end - at > 1 && second !== undefined ? second - first : 0
    texts.push(`${digits(first - lastMs)}*${digits(stepMs)}:${lettersOf(ticks.slice(at, end))}`)
    lastMs = ticks[end - 1]?.atMs ?? lastMs
    at = end
  }
  return texts.join(' ')
}

/** More than six hours of a look a second. */
const ticksAtMost = 50_000

/** The ticks of such a text. */
export const unpackTicks = (text: string, baseMs: number): Tick[] => {
  const ticks: Tick[] = []
  let atMs = baseMs
  for (const one of text === '' ? [] : text.split(' ')) {
    const [, gap = '0', step = '0', all = ''] = stretch.exec(one) ?? []
    const stepMs = Number.parseInt(step, 36)
    atMs += Number.parseInt(gap, 36) - stepMs
    for (const [, count, letter = 'u'] of all.matchAll(/(\d*)([gbu])/g)) {
      const was = verdicts[letter] ?? 'unknown'
      const times = count === '' ? 1 : Number(count)
      for (let nth = 0; nth < times && ticks.length < ticksAtMost; nth++) {
        atMs += stepMs
        ticks.push({ atMs, was })
      }
    }
  }
  return ticks
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
export const shortIdLength = 6

/**
 * A rule in six letters, since it stands in an item that every tick writes: its hash, of which two of the 300 objectives
 * a shard may have share one in a hundred thousand shards.
 */
export const shortId = (ruleId: string): string => {
  let [text, rest] = ['', hash(ruleId)]
  for (let nth = 0; nth < shortIdLength; nth++) {
    text += alphabet[rest & 63]
    rest >>>= 6
  }
  return text
}

/** Where a tick of that time is, or would go. */
const placeOf = (ticks: readonly Tick[], atMs: number): number => {
  let [low, high] = [0, ticks.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ticks[middle]?.atMs ?? 0) < atMs) low = middle + 1
    else high = middle
  }
  return low
}

export const hasTick = (ticks: readonly Tick[], atMs: number): boolean => ticks[placeOf(ticks, atMs)]?.atMs === atMs

/** Both sets as one, sorted. */
export const withTicks = (ticks: readonly Tick[], more: readonly Tick[]): readonly Tick[] => {
  let all = ticks
  for (const tick of more) {
    const place = placeOf(all, tick.atMs)
    if (all[place]?.atMs !== tick.atMs) all = all.toSpliced(place, 0, tick)
  }
  return all
}
