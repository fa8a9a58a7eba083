/**
 * One object of the history: what one shard saw and decided in one minute, a part for each observation. Its text has a
 * line for each write, so that adding needs no reading. Columns, since
 * those compress: 156 healthy outcomes fit a disk's block of 4 KB. Lost on the way: what three figures of a duration do
 * not say, and of an attempt all but the status code, the address and the beginning of what came back to a failing one.
 */
import * as z from 'zod'
import { cause, type ProbeOutcome, type TimingsMs, timingsMs, type Verdict, verdict } from '../probes/contract.ts'
import type { Judgement } from '../rules/contract.ts'
import { type AlertTransition, alertReason, alertTransition, historyPrefix } from './contract.ts'
import { kindOfLook, type LookKind, lookKind } from './shard-state.ts'

const outcome = z.strictObject({
  monitorId: z.string(),
  location: z.string(),
  scheduledAtMs: z.number(),
  startedAtMs: z.number(),
  look: lookKind,
  verdict,
  timingsMs,
  cause: cause.optional(),
  statusCode: z.number().optional(),
  /** Of a failing look: where it went and how what came back begins. */
  address: z.string().optional(),
  bodyStart: z.string().optional(),
})
export type KeptOutcome = z.infer<typeof outcome>

const judgement = z.strictObject({
  ruleId: z.string(),
  atMs: z.number(),
  status: z.enum(['active', 'inactive', 'held']),
  met: z.boolean(),
  reason: alertReason,
  summary: z.string(),
  sinceMs: z.number().optional(),
  tally: z.strictObject({ down: z.int(), failing: z.int(), heard: z.int(), of: z.int(), need: z.int() }).optional(),
})
export type KeptJudgement = z.infer<typeof judgement>

/** What one observation added. The same observation again takes its own place. */
export type HistoryPart = {
  observationId: string
  outcomes: KeptOutcome[]
  judgements: KeptJudgement[]
  transitions: AlertTransition[]
}

export type HistoryMinute = { shard: string; minuteMs: number; parts: HistoryPart[] }

const numbers = z.array(z.number().nullable())

const columns = z.strictObject({
  id: z.string(),
  monitors: z.array(z.string()),
  locations: z.array(z.string()),
  causes: z.array(cause),
  /** Index into `monitors`, counted on from the outcome before. */
  who: z.array(z.number()),
  where: z.array(z.number()),
  at: z.array(z.number()),
  late: z.array(z.number()),
  /** A letter each. */
  looks: z.string(),
  verdicts: z.string(),
  took: z.record(z.string(), numbers),
  code: numbers,
  why: numbers,
  said: z.array(z.tuple([z.int(), z.string().nullable(), z.string().nullable()])),
  judgements: z.array(judgement),
  transitions: z.array(alertTransition),
})
type Columns = z.infer<typeof columns>

const stored = z.strictObject({
  form: z.literal('history-1'),
  shard: z.string(),
  minuteMs: z.number(),
  parts: z.array(columns),
})

const lookLetters: Readonly<Record<LookKind, string>> = {
  tick: 't',
  recheck: 'r',
  'recheck-2': 'R',
  'second-opinion': 's',
}
const verdictLetters: Readonly<Record<Verdict, string>> = { pass: 'p', degraded: 'd', fail: 'f', unknown: 'u' }
const phases = ['total', 'resolve', 'connect', 'tls', 'processing', 'transfer'] as const

/** Three figures, and nothing finer than a tenth of a millisecond. */
const rounded = (ms: number): number => Number(Number(ms.toPrecision(3)).toFixed(1))

const indexIn = <T>(all: T[], one: T, same: (a: T, b: T) => boolean = Object.is): number => {
  const known = all.findIndex((other) => same(other, one))
  return known === -1 ? all.push(one) - 1 : known
}

const sameCause = (a: KeptOutcome['cause'], b: KeptOutcome['cause']) =>
  a?.phase === b?.phase && a?.code === b?.code && a?.detail === b?.detail

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const packPart = (part: HistoryPart, minuteMs: number): Columns => {
  const outcomes = [...part.outcomes].sort(
    (a, b) => byText(a.location, b.location) || a.scheduledAtMs - b.scheduledAtMs || byText(a.monitorId, b.monitorId),
  )
  const monitors = [...new Set(outcomes.map(({ monitorId }) => monitorId))].sort(byText)
  const places = new Map(monitors.map((id, index) => [id, index]))
  const locations: string[] = []
  const causes: Columns['causes'] = []
  const indices = outcomes.map(({ monitorId }) => places.get(monitorId) ?? 0)
  return {
    id: part.observationId,
    monitors,
    locations,
    causes,
    who: indices.map((index, nth) => index - (indices[nth - 1] ?? 0)),
    where: outcomes.map(({ location }) => indexIn(locations, location)),
    at: outcomes.map(({ scheduledAtMs }) => Math.round(scheduledAtMs) - minuteMs),
    late: outcomes.map(({ startedAtMs, scheduledAtMs }) => Math.round(startedAtMs) - Math.round(scheduledAtMs)),
    looks: outcomes.map(({ look }) => lookLetters[look]).join(''),
    verdicts: outcomes.map((one) => verdictLetters[one.verdict]).join(''),
    took: Object.fromEntries(
      phases.flatMap((phase) => {
        const all = outcomes.map(({ timingsMs: took }) => (took[phase] === undefined ? null : rounded(took[phase])))
        return all.some((ms) => ms !== null) ? [[phase, all]] : []
      }),
    ),
    code: outcomes.map(({ statusCode }) => statusCode ?? null),
    why: outcomes.map((one) => (one.cause ? indexIn(causes, one.cause, sameCause) : null)),
    said: outcomes.flatMap(({ address, bodyStart }, nth): Columns['said'] =>
      address === undefined && bodyStart === undefined ? [] : [[nth, address ?? null, bodyStart ?? null]],
    ),
    judgements: part.judgements,
    transitions: part.transitions,
  }
}

const kindOf = <K extends string>(letters: Readonly<Record<K, string>>, letter: string | undefined): K | undefined =>
  // `as`: Object.keys forgets which keys a record has.
  (Object.keys(letters) as K[]).find((kind) => letters[kind] === letter)

const timingsOf = (took: Columns['took'], nth: number): TimingsMs => {
  const known = phases.flatMap((phase) => {
    const ms = took[phase]?.[nth]
    return typeof ms === 'number' ? [[phase, ms] as const] : []
  })
  return { total: 0, ...Object.fromEntries(known) }
}

const unpackPart = (packed: Columns, minuteMs: number): HistoryPart => {
  const said = new Map(packed.said.map(([nth, ...texts]) => [nth, texts]))
  let index = 0
  const outcomes = packed.who.map((step, nth): KeptOutcome => {
    index += step
    const scheduledAtMs = minuteMs + (packed.at[nth] ?? 0)
    const [code, why] = [packed.code[nth], packed.why[nth]]
    const because = typeof why === 'number' ? packed.causes[why] : undefined
    const [address, bodyStart] = said.get(nth) ?? []
    return {
      monitorId: packed.monitors[index] ?? '',
      location: packed.locations[packed.where[nth] ?? 0] ?? '',
      scheduledAtMs,
      startedAtMs: scheduledAtMs + (packed.late[nth] ?? 0),
      look: kindOf(lookLetters, packed.looks[nth]) ?? 'tick',
      verdict: kindOf(verdictLetters, packed.verdicts[nth]) ?? 'unknown',
      timingsMs: timingsOf(packed.took, nth),
      ...(because ? { cause: because } : {}),
      ...(typeof code === 'number' ? { statusCode: code } : {}),
      ...(typeof address === 'string' ? { address } : {}),
      ...(typeof bodyStart === 'string' ? { bodyStart } : {}),
    }
  })
  const { judgements, transitions } = packed
  return { observationId: packed.id, outcomes, judgements, transitions }
}

/** A line of the object's text; its end of line comes first, since objects of earlier versions have none. */
export const historyLine = ({ shard, minuteMs, parts }: HistoryMinute): string => {
  const line: z.infer<typeof stored> = {
    form: 'history-1',
    shard,
    minuteMs,
    parts: parts.map((part) => packPart(part, minuteMs)),
  }
  return `\n${JSON.stringify(line)}`
}

/** The last line may be torn, when the power went while it was written; what others wrote before it is whole. */
const valuesOf = (text: string): unknown[] => {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.flatMap((line, nth): unknown[] => {
    try {
      return [JSON.parse(line)]
    } catch (error) {
      if (nth > 0 && nth === lines.length - 1) return []
      throw error
    }
  })
}

const isJson = (line: string): boolean => {
  try {
    return JSON.parse(line) !== undefined
  } catch {
    return false
  }
}

/** An object's text without a torn last line: what is added behind that one could not be told from it. */
export const wholeLines = (text: string): string => {
  const at = Math.max(0, text.lastIndexOf('\n'))
  return isJson(text.slice(at)) ? text : text.slice(0, at)
}

/** Reads the object's text. Throws a SyntaxError or a ZodError for what is no history. */
export const readHistoryLines = (text: string): HistoryMinute => {
  const [first, ...others] = valuesOf(text).map((line) => stored.parse(line))
  if (!first) throw new SyntaxError('no line of history')
  const parts = new Map<string, Columns>()
  for (const part of [first, ...others].flatMap((line) => line.parts)) {
    parts.delete(part.id)
    parts.set(part.id, part)
  }
  const { shard, minuteMs } = first
  return { shard, minuteMs, parts: [...parts.values()].map((part) => unpackPart(part, minuteMs)) }
}

/** How much is kept of what a failing look saw: enough to recognise it. */
const saidLimit = 160

const short = (text: string) => text.slice(0, saidLimit).toWellFormed()

/** What is kept of an outcome. */
export const keptOutcome = (seen: ProbeOutcome): KeptOutcome => {
  const { monitorId, location, scheduledAtMs, startedAtMs, attempt } = seen
  const failing = seen.verdict === 'fail'
  return {
    monitorId,
    location,
    scheduledAtMs,
    startedAtMs,
    look: kindOfLook(seen.look),
    verdict: seen.verdict,
    timingsMs: seen.timingsMs,
    ...(seen.cause ? { cause: { ...seen.cause, detail: short(seen.cause.detail) } } : {}),
    ...(attempt?.statusCode === undefined ? {} : { statusCode: attempt.statusCode }),
    ...(failing && attempt?.address !== undefined ? { address: attempt.address } : {}),
    ...(failing && attempt?.bodyStart !== undefined ? { bodyStart: short(attempt.bodyStart) } : {}),
  }
}

/** What is kept of a rule's judgement. */
export const keptJudgement = (ruleId: string, judged: Judgement, atMs: number): KeptJudgement => {
  const { status, met, reason, summary, sinceMs, tally } = judged
  return {
    ruleId,
    atMs,
    status,
    met,
    reason,
    summary: short(summary),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tally ? { tally } : {}),
  }
}

const minute = 60_000

/** The minute a time is in. */
export const minuteOf = (atMs: number): number => Math.floor(atMs / minute) * minute

/** `history/2026-11-23`, the day a time is in, UTC. */
export const historyDay = (atMs: number): string => `${historyPrefix}${new Date(atMs).toISOString().slice(0, 10)}`

/** `history/2026-11-23/06/30.5-of-32.gz` */
export const historyKey = (minuteMs: number, shard: string): string => {
  const [, hour, minutes] = /T(\d\d):(\d\d)/.exec(new Date(minuteMs).toISOString()) ?? []
  return `${historyDay(minuteMs)}/${hour}/${minutes}.${shard.replace('/', '-of-')}.gz`
}

/** The shard whose history a key holds, and of which minute. */
export const historyOfKey = (key: string): { minuteMs: number; shard: string } | undefined => {
  const [, day, hour, minutes, index, count] =
    /^history\/(\d{4}-\d\d-\d\d)\/(\d\d)\/(\d\d)\.(\d+)-of-(\d+)\.gz$/.exec(key) ?? []
  if (day === undefined) return undefined
  return { minuteMs: Date.parse(`${day}T${hour}:${minutes}:00Z`), shard: `${index}/${count}` }
}
