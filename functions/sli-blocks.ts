/**
 * How counted events are kept: in items of a span of time that hold all objectives of a shard, a few letters an objective
 * and minute. Each is one place of a ring, so an old one makes room for a new one, and a minute costs one small write
 * however many objectives there are.
 */
import * as z from 'zod'
import type { SliBucket } from '../rules/contract.ts'
import type { SliCounts } from './sli-counts.ts'

const minuteMs = 60_000

/** `ring`: more places than what is kept of them needs, with room for what a wrong clock dates ahead. */
export const blockKinds = {
  minutes: { stepMs: minuteMs, steps: 5, ring: 96 },
  hours: { stepMs: 60 * minuteMs, steps: 12, ring: 188 },
} as const
export type BlockKind = keyof typeof blockKinds

/** Where the block that a moment lies in begins, and its place in the ring. */
export const blockAt = (kind: BlockKind, atMs: number): { fromMs: number; place: number } => {
  const { stepMs, steps, ring } = blockKinds[kind]
  const nth = Math.floor(atMs / (stepMs * steps))
  return { fromMs: nth * stepMs * steps, place: nth % ring }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const numberOf = new Map([...letters].map((letter, value) => [letter, value]))

const packed = z.strictObject({
  form: z.literal('counts-1'),
  fromMs: z.number(),
  /** Bucket after bucket: `.` for none, else good (as what it is more than before), bad, and behind `!` unknown. */
  rules: z.record(z.string(), z.string().regex(/^[\w.!-]*$/)),
})
export type PackedBlock = z.infer<typeof packed>

/** A whole number from 0 in letters of five bits, the lowest first; all but the last say that one more follows. */
const lettersOf = (value: number): string => {
  let text = ''
  let rest = value
  while (rest >= 32) {
    text += letters[32 + (rest % 32)]
    rest = Math.floor(rest / 32)
  }
  return text + letters[rest]
}

const textOf = (buckets: readonly SliBucket[], fromMs: number, kind: BlockKind): string => {
  const { stepMs } = blockKinds[kind]
  let [text, next, before] = ['', 0, 0]
  for (const { atMs, good, bad, unknown } of buckets) {
    const nth = (atMs - fromMs) / stepMs
    const change = good - before
    text += '.'.repeat(nth - next) + lettersOf(change < 0 ? -2 * change - 1 : 2 * change) + lettersOf(bad)
    if (unknown > 0) text += `!${lettersOf(unknown)}`
    before = good
    next = nth + 1
  }
  return text
}

const bucketsOf = (text: string, fromMs: number, kind: BlockKind): SliBucket[] => {
  const { stepMs, steps } = blockKinds[kind]
  const buckets: SliBucket[] = []
  let [at, good] = [0, 0]
  const number = () => {
    for (let [value, scale] = [0, 1]; ; scale *= 32) {
      const part = numberOf.get(text[at++] ?? 'A') ?? 0
      value += (part % 32) * scale
      if (part < 32) return value
    }
  }
  for (let nth = 0; at < text.length && nth < steps; nth++) {
    if (text[at] === '.') {
      at++
      continue
    }
    const change = number()
    good += change % 2 === 1 ? -(change + 1) / 2 : change / 2
    const bad = number()
    let unknown = 0
    if (text[at] === '!') {
      at++
      unknown = number()
    }
    buckets.push({ atMs: fromMs + nth * stepMs, good, bad, unknown })
  }
  return buckets
}

/** The block's value: what is known of these objectives in its span. */
export const packBlock = (
  counts: SliCounts,
  at: { kind: BlockKind; fromMs: number; ids: readonly string[] },
): PackedBlock => {
  const { kind, fromMs, ids } = at
  const { stepMs, steps } = blockKinds[kind]
  const untilMs = fromMs + stepMs * steps
  const rules = ids.flatMap((id): [string, string][] => {
    const all = counts[kind].get(id) ?? []
    const first = all.findLastIndex(({ atMs }) => atMs < fromMs) + 1
    const own = all.slice(first).filter(({ atMs }) => atMs < untilMs)
    return own.length > 0 ? [[id, textOf(own, fromMs, kind)]] : []
  })
  return { form: 'counts-1', fromMs, rules: Object.fromEntries(rules) }
}

/** Reads a block's value. Throws a ZodError for anything else. */
export const unpackBlock = (value: unknown, kind: BlockKind): { id: string; buckets: SliBucket[] }[] => {
  const { fromMs, rules } = packed.parse(value)
  return Object.entries(rules).map(([id, text]) => ({ id, buckets: bucketsOf(text, fromMs, kind) }))
}
