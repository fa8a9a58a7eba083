/**
 * Item `shard/<shard>`: next to nothing while all is well, and room for the alerts of every monitor at once.
 * Lost on the way: parts of a millisecond.
 */
import * as z from 'zod'
import { labels, ruleResult } from '../rules/contract.ts'
import { type Alert, type ShardState, shardState } from './shard-state.ts'

/** State, service, severity and reason (indices into `words`), then active, since, fired and held; base 36. */
const alertText = /^([pf])((?: [0-9a-z]+){3}) (-?[0-9a-z]+) (-?[0-9a-z]+) (-|-?[0-9a-z]+) (-|-?[0-9a-z]+)$/
const text = z.string().regex(alertText)

const packedShard = z.strictObject({
  form: z.literal('packed-1'),
  /** Rules by the time they were first heard of. */
  known: z.array(z.tuple([z.number(), z.array(z.string())])),
  words: z.array(z.string()),
  /** What `active` counts from; all other times count from there. */
  baseMs: z.number(),
  /** Text, summary, and labels where they are more than service and severity. */
  alerts: z.record(z.string(), z.union([z.tuple([text, z.string()]), z.tuple([text, z.string(), labels])])),
  results: z.record(z.string(), ruleResult),
  /** When an alert fired lately, in base 36: the first time, then the time from each to the next. */
  fired: z.record(z.string(), z.string().regex(/^[0-9a-z]+( -?[0-9a-z]+)*$/)).optional(),
  told: z.string().optional(),
  moved: z.array(z.string()),
})
export type PackedShard = z.infer<typeof packedShard>

/** What may stand in the item: the packed form, or the plain one that earlier versions wrote. */
const storedShard = z.union([packedShard, shardState])

const digits = (value: number) => Math.round(value).toString(36)
const number = (given: string | undefined) => Number.parseInt(given ?? '0', 36)

const usualLabels = (service: string, severity: string) => ({ service, severity })
const isUsual = ({ service, labels: given }: Alert) =>
  Object.keys(given).length === 2 && given['service'] === service && given['severity'] !== undefined

const packAlert = (alert: Alert, baseMs: number, wordOf: (word: string) => string): PackedShard['alerts'][string] => {
  const { activeAtMs, sinceMs, firedAtMs, heldSinceMs, service } = alert
  const since = (atMs: number | undefined) => (atMs === undefined ? '-' : digits(atMs - activeAtMs))
  const words = [service, alert.labels['severity'] ?? '', alert.reason].map(wordOf)
  const times = [digits(activeAtMs - baseMs), since(sinceMs), since(firedAtMs), since(heldSinceMs)]
  const packed = [alert.state === 'firing' ? 'f' : 'p', ...words, ...times].join(' ')
  return isUsual(alert) ? [packed, alert.summary] : [packed, alert.summary, alert.labels]
}

const unpackAlert = (
  ruleId: string,
  [packed, summary, given]: readonly [string, string, Alert['labels']?],
  { words, baseMs }: Pick<PackedShard, 'words' | 'baseMs'>,
): Alert => {
  const [state, service, severity, reason, active, ...times] = packed.split(' ')
  const word = (index: string | undefined) => words[number(index)] ?? ''
  const activeAtMs = baseMs + number(active)
  const [sinceMs = activeAtMs, firedAtMs, heldSinceMs] = times.map((one) =>
    one === '-' ? undefined : activeAtMs + number(one),
  )
  return {
    ruleId,
    service: word(service),
    labels: given ?? usualLabels(word(service), word(severity)),
    state: state === 'f' ? 'firing' : 'pending',
    activeAtMs,
    sinceMs,
    ...(firedAtMs === undefined ? {} : { firedAtMs }),
    ...(heldSinceMs === undefined ? {} : { heldSinceMs }),
    reason: word(reason),
    summary,
  }
}

const mapped = <A, B>(all: Readonly<Record<string, A>>, to: (one: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(all).map(([id, one]) => [id, to(one)]))

const packTimes = (times: readonly number[]): string =>
  times.map((atMs, index) => digits(atMs - (times[index - 1] ?? 0))).join(' ')

const unpackTimes = (text: string): number[] => {
  const times: number[] = []
  for (const gap of text.split(' ')) times.push((times.at(-1) ?? 0) + number(gap))
  return times
}

/** The item's value. */
export const packShard = ({ knownSinceMs, alerts, results, fired, told, moved }: ShardState): PackedShard => {
  const known = new Map<number, string[]>()
  for (const [ruleId, atMs] of Object.entries(knownSinceMs)) known.set(atMs, [...(known.get(atMs) ?? []), ruleId])
  const words: string[] = []
  const wordOf = (word: string) => digits(words.includes(word) ? words.indexOf(word) : words.push(word) - 1)
  const baseMs = Object.values(alerts).reduce((newest, { activeAtMs }) => Math.max(newest, Math.round(activeAtMs)), 0)
  const packed = Object.entries(alerts).map(([id, alert]) => [id, packAlert(alert, baseMs, wordOf)] as const)
  return {
    form: 'packed-1',
    known: [...known],
    words,
    baseMs,
    alerts: Object.fromEntries(packed),
    results,
    ...(Object.keys(fired).length === 0 ? {} : { fired: mapped(fired, packTimes) }),
    ...(told === undefined ? {} : { told }),
    moved,
  }
}

/** Reads the item's value, of this version or an earlier one. Throws a ZodError for anything else. */
export const unpackShard = (value: unknown): ShardState => {
  const stored = storedShard.parse(value)
  if (!('form' in stored)) return stored
  const { known, results, fired = {}, told, moved } = stored
  const alerts = Object.entries(stored.alerts).map(([id, one]) => [id, unpackAlert(id, one, stored)] as const)
  return {
    knownSinceMs: Object.fromEntries(known.flatMap(([atMs, ruleIds]) => ruleIds.map((id) => [id, atMs] as const))),
    alerts: Object.fromEntries(alerts),
    results,
    fired: mapped(fired, unpackTimes),
    ...(told === undefined ? {} : { told }),
    moved,
  }
}
