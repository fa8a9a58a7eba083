/**
 * How long looks took, as a sketch that can be merged: DDSketch (Masson, Rim, Lee, 2019) within two percent of any
 * quantile. A sketch holds counts alone, so the order of what it is made of never shows.
 */
import { DDSketch } from '@datadog/sketches-js'
import * as z from 'zod'
import type { KeptOutcome } from './history.ts'

const relativeAccuracy = 0.02

export type LatencySketch = DDSketch

export const emptySketch = (): LatencySketch => new DDSketch({ relativeAccuracy })

/** As text: `<key>:<count>` in base 36, each key counted from the one before; what took no time at all is `=<count>`. */
export const packedSketch = z
  .string()
  .regex(/^(=[0-9a-z]+|-?[0-9a-z]+:[0-9a-z]+)?( -?[0-9a-z]+:[0-9a-z]+)*$/)
  .max(16_384)

const digits = (value: number) => value.toString(36)
const number = (text: string | undefined) => Number.parseInt(text ?? '0', 36)

export const packSketch = ({ store, zeroCount }: LatencySketch): string => {
  const texts = zeroCount > 0 ? [`=${digits(zeroCount)}`] : []
  let last = 0
  for (const [at, count] of store.bins.entries()) {
    if (count === 0) continue
    const key = at + store.offset
    texts.push(`${digits(key - last)}:${digits(count)}`)
    last = key
  }
  return texts.join(' ')
}

/** Adds what such a text holds to a sketch, which is merging it: counts are added bin by bin. */
export const addPacked = (sketch: LatencySketch, text: string): void => {
  let key = 0
  for (const one of text === '' ? [] : text.split(' ')) {
    if (one.startsWith('=')) {
      sketch.accept(0, number(one.slice(1)))
      continue
    }
    const [gap, count] = one.split(':')
    key += number(gap)
    sketch.accept(sketch.mapping.value(key), number(count))
  }
}

export type Quantiles = { p50Ms: number; p95Ms: number; p99Ms: number; looks: number }

/** What such a share of looks took at most: the nearest rank, or of a few looks the slowest would never show. */
const atMostMs = (sketch: LatencySketch, share: number): number => {
  const rank = Math.ceil(share * sketch.count) - 1
  // Its ranks count from 0 to `count - 1` and are rounded down.
  const ms = sketch.getValueAtQuantile(Math.min(1, (rank + 0.25) / Math.max(1, sketch.count - 1)))
  return Number(ms.toPrecision(3))
}

/** What half, 95 % and 99 % of looks took at most; undefined when there was none. */
export const quantilesOf = (sketch: LatencySketch): Quantiles | undefined => {
  const at = (share: number) => atMostMs(sketch, share)
  return sketch.count === 0 ? undefined : { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), looks: sketch.count }
}

/** Of a look that failed nobody knows how long an answer would have taken, of one that was none even less. */
const answered = ({ look, verdict }: KeptOutcome) => look === 'tick' && (verdict === 'pass' || verdict === 'degraded')

const isFirst = (one: KeptOutcome, other: KeptOutcome | undefined) =>
  other === undefined || one.timingsMs.total < other.timingsMs.total

/**
 * A sketch for each of these monitors that was seen to answer. The scheduled look of a location counts once, however
 * often and in whatever order it comes.
 */
export const sketchesOf = (
  outcomes: Iterable<KeptOutcome>,
  isWanted: (monitorId: string) => boolean,
): Map<string, LatencySketch> => {
  const looks = new Map<string, Map<string, KeptOutcome>>()
  for (const outcome of outcomes) {
    const { monitorId, location, scheduledAtMs } = outcome
    if (!answered(outcome) || !isWanted(monitorId)) continue
    const own = looks.get(monitorId) ?? new Map<string, KeptOutcome>()
    looks.set(monitorId, own)
    const id = `${scheduledAtMs}:${location}`
    if (isFirst(outcome, own.get(id))) own.set(id, outcome)
  }
  return new Map(
    [...looks].map(([monitorId, own]) => {
      const sketch = emptySketch()
      for (const { timingsMs } of own.values()) sketch.accept(timingsMs.total)
      return [monitorId, sketch]
    }),
  )
}
