/**
 * Item `shard/<shard>/at/<location>`: 250 monitors' counters in a few bytes each, since every tick writes it whole.
 * Lost on the way: tenths of a millisecond in timings, parts of a millisecond in times, the details of all looks but
 * the last failing one (the only one a rule quotes).
 */
import * as z from 'zod'
import { type Cause, phase, type TimingsMs, type Verdict } from '../probes/contract.ts'
import {
  type LocationState,
  type LookKind,
  locationState,
  lookKind,
  looksKept,
  type MonitorState,
  quoted,
} from './shard-state.ts'
import { packTicks, shortIdLength, type Tick, ticksText, unpackTicks } from './sli-ticks.ts'

type Look = MonitorState['looks'][number]

const verdicts: readonly Verdict[] = ['pass', 'degraded', 'fail', 'unknown']
/** One letter a look, by its verdict. */
const letters: Readonly<Record<LookKind, Readonly<Record<Verdict, string>>>> = {
  tick: { pass: 'P', degraded: 'D', fail: 'F', unknown: 'U' },
  recheck: { pass: 'Q', degraded: 'E', fail: 'G', unknown: 'V' },
  'recheck-2': { pass: 'T', degraded: 'J', fail: 'I', unknown: 'X' },
  'second-opinion': { pass: 'R', degraded: 'S', fail: 'H', unknown: 'W' },
}
const letterOf = ({ look, verdict }: Pick<Look, 'look' | 'verdict'>) => letters[look][verdict]
const meanings = new Map(
  lookKind.options.flatMap((look) =>
    verdicts.map((verdict) => [letterOf({ look, verdict }), { look, verdict }] as const),
  ),
)

/**
 * `<gap><letters>[<count>*<step>]`: looks of one time, and how often they come again at an even spacing; base 36.
 * A gap is negative where a look began after one that was scheduled later.
 */
const token = /^(-?[0-9a-z]+)([A-Z]+)(?:([0-9a-z]+)\*(-?[0-9a-z]+))?$/
const looksText = z.string().refine((text) => text === '' || text.split(' ').every((one) => token.test(one)))

const packedMonitor = z.strictObject({
  /** Tokens, the oldest first; the first one's gap counts back from `baseMs`, any other's on from the look before. */
  looks: looksText,
  /** What the last failing look saw, where `why` does not say it already. */
  said: z.string().optional(),
  /** When the last outcome was scheduled (after `baseMs`) and what it was, where that is not the newest look. */
  at: z.tuple([z.number(), z.string()]).optional(),
  /** How long after its scheduled time it started. */
  late: z.number(),
  /** Tenths of a millisecond: total, resolve, connect, tls, processing, transfer. */
  took: z.array(z.number().nullable()).min(1).max(6),
  code: z.number().optional(),
  /** When the certificate expires. */
  until: z.number().optional(),
  /** Which of `causes`, and its detail. */
  why: z.tuple([z.int().min(0), z.string()]).optional(),
})
type PackedMonitor = z.infer<typeof packedMonitor>

const packedLocation = z.strictObject({
  form: z.literal('packed-1'),
  baseMs: z.number(),
  /** Phases and codes: many monitors fail of the same. */
  causes: z.array(z.tuple([phase, z.string()])),
  monitors: z.record(z.string(), packedMonitor),
  /** The objectives whose ticks are alike, which most are: their text counts from `baseMs`. */
  ticks: z.array(z.tuple([ticksText, z.string().regex(/^([\w-]{6})+$/)])).optional(),
})
export type PackedLocation = z.infer<typeof packedLocation>

/** What may stand in the item: the packed form, or the plain one that earlier versions wrote. */
const storedLocation = z.union([packedLocation, locationState])

const digits = (value: number) => Math.round(value).toString(36)
const number = (text: string | undefined) => Number.parseInt(text ?? '0', 36)

type Run = { letters: string; fromMs: number; count: number; stepMs: number }
const endOf = ({ fromMs, count, stepMs }: Run) => fromMs + (count - 1) * stepMs

/** Looks of the same time are one; the same again at an even spacing are one run. */
const runsOf = (looks: readonly Look[]): Run[] => {
  const runs: Run[] = []
  const times: { atMs: number; letters: string }[] = []
  for (const look of looks) {
    const atMs = Math.round(look.scheduledAtMs)
    const before = times.at(-1)
    if (before?.atMs === atMs) before.letters += letterOf(look)
    else times.push({ atMs, letters: letterOf(look) })
  }
  for (const { atMs, letters: all } of times) {
    const run = runs.at(-1)
    const stepMs = run ? atMs - endOf(run) : 0
    const goesOn = run?.letters === all && (run.count === 1 || run.stepMs === stepMs)
    if (run && goesOn) {
      run.count++
      run.stepMs = stepMs
    } else runs.push({ letters: all, fromMs: atMs, count: 1, stepMs: 0 })
  }
  return runs
}

/** Tokens without the first one's gap, and what that counts to. */
const packLooks = (looks: readonly Look[]): { fromMs?: number; tokens: string } => {
  const runs = runsOf(looks)
  const tokens = runs.map((run, index) => {
    const before = runs[index - 1]
    const gap = before ? digits(run.fromMs - endOf(before)) : ''
    return `${gap}${run.letters}${run.count > 1 ? `${digits(run.count)}*${digits(run.stepMs)}` : ''}`
  })
  const [first] = runs
  return { ...(first ? { fromMs: first.fromMs } : {}), tokens: tokens.join(' ') }
}

const unpackLooks = (text: string, baseMs: number): Look[] => {
  const looks: Look[] = []
  let endMs = baseMs
  for (const [index, one] of (text === '' ? [] : text.split(' ')).entries()) {
    const [, gap, all = '', count, step] = token.exec(one) ?? []
    const fromMs = index === 0 ? baseMs - number(gap) : endMs + number(gap)
    const times = count === undefined ? 1 : Math.min(number(count), looksKept)
    const stepMs = number(step)
    const kinds = [...all].flatMap((letter) => meanings.get(letter) ?? [])
    for (let nth = 0; nth < times; nth++) {
      endMs = fromMs + nth * stepMs
      for (const { look, verdict } of kinds) looks.push({ scheduledAtMs: endMs, look, verdict })
    }
  }
  return looks
}

const phases = ['resolve', 'connect', 'tls', 'processing', 'transfer'] as const
const tenths = (ms: number | undefined) => (ms === undefined ? null : Math.round(ms * 10))

const packTimings = (timings: TimingsMs): (number | null)[] => {
  const took = [Math.round(timings.total * 10), ...phases.map((one) => tenths(timings[one]))]
  return took.slice(0, took.findLastIndex((one) => one !== null) + 1)
}

const unpackTimings = ([total, ...rest]: readonly (number | null)[]): TimingsMs => {
  const seen = phases.flatMap((one, index) => {
    const value = rest[index]
    return typeof value === 'number' ? [[one, value / 10]] : []
  })
  return { total: (total ?? 0) / 10, ...Object.fromEntries(seen) }
}

const isFailing = ({ verdict }: Look) => verdict === 'fail'

type Causes = PackedLocation['causes']
/** What all monitors of an item count from and refer to. */
type Ground = Pick<PackedLocation, 'baseMs' | 'causes'>

const causeIn = (causes: Causes, cause: Cause): number => {
  const known = causes.findIndex(([phase, code]) => phase === cause.phase && code === cause.code)
  return known === -1 ? causes.push([cause.phase, cause.code]) - 1 : known
}

const packAlone = ({ looks, last }: MonitorState) => {
  const newest = looks.at(-1)
  const { scheduledAtMs, cause, statusCode, certificate } = last
  const said = looks.findLast(isFailing)?.detail ?? ''
  const implied = newest && isFailing(newest) && cause ? quoted(cause.detail) : ''
  return {
    looks: packLooks(looks),
    isNewest: newest?.scheduledAtMs === scheduledAtMs && newest.look === last.look && newest.verdict === last.verdict,
    said: said === implied ? {} : { said },
    rest: {
      late: Math.round(last.startedAtMs) - Math.round(scheduledAtMs),
      took: packTimings(last.timingsMs),
      ...(statusCode === undefined ? {} : { code: statusCode }),
      ...(certificate ? { until: certificate.notAfterMs } : {}),
    },
  }
}

/** What a monitor's state is packed to wherever it lies: it is packed again with every look at one of its neighbours. */
const packedAlone = new WeakMap<MonitorState, ReturnType<typeof packAlone>>()

const packMonitor = (monitor: MonitorState, { baseMs, causes }: Ground): PackedMonitor => {
  const { last } = monitor
  const alone = packedAlone.get(monitor) ?? packAlone(monitor)
  packedAlone.set(monitor, alone)
  const { looks, isNewest, said, rest } = alone
  const { fromMs, tokens } = looks
  return {
    looks: fromMs === undefined ? '' : `${digits(baseMs - fromMs)}${tokens}`,
    ...said,
    ...(isNewest ? {} : { at: [Math.round(last.scheduledAtMs) - baseMs, letterOf(last)] }),
    ...rest,
    ...(last.cause ? { why: [causeIn(causes, last.cause), last.cause.detail] } : {}),
  }
}

const unpackMonitor = (packed: PackedMonitor, { baseMs, causes }: Ground): MonitorState => {
  const looks = unpackLooks(packed.looks, baseMs)
  const newest = looks.at(-1)
  const [offsetMs, letter = ''] = packed.at ?? []
  const seen = meanings.get(letter) ?? newest ?? { look: 'tick' as const, verdict: 'unknown' as const }
  const scheduledAtMs = offsetMs === undefined ? (newest?.scheduledAtMs ?? baseMs) : baseMs + offsetMs
  const [why = -1, detail = ''] = packed.why ?? []
  const [phase, code = ''] = causes[why] ?? []
  const said = packed.said ?? (newest && isFailing(newest) ? quoted(detail) : '')
  const failing = looks.findLastIndex(isFailing)
  return {
    looks: looks.map((look, index) => (index === failing && said !== '' ? { ...look, detail: said } : look)),
    last: {
      scheduledAtMs,
      startedAtMs: scheduledAtMs + packed.late,
      look: seen.look,
      verdict: seen.verdict,
      timingsMs: unpackTimings(packed.took),
      ...(phase === undefined ? {} : { cause: { phase, code, detail } }),
      ...(packed.code === undefined ? {} : { statusCode: packed.code }),
      ...(packed.until === undefined ? {} : { certificate: { notAfterMs: packed.until } }),
    },
  }
}

const packAlike = (ticks: NonNullable<LocationState['ticks']>, baseMs: number): PackedLocation['ticks'] => {
  const texts = Object.entries(ticks).map(([id, own]) => ({ id, text: packTicks(own, baseMs) }))
  return [...Map.groupBy(texts, ({ text }) => text)].map(([text, alike]) => [text, alike.map(({ id }) => id).join('')])
}

const unpackAlike = (all: NonNullable<PackedLocation['ticks']>, baseMs: number): LocationState['ticks'] => {
  const ticks: Record<string, Tick[]> = {}
  for (const [text, ids] of all) {
    const alike = unpackTicks(text, baseMs)
    for (let at = 0; at < ids.length; at += shortIdLength) ticks[ids.slice(at, at + shortIdLength)] = alike
  }
  return ticks
}

/** The item's value. */
export const packLocation = ({ monitors, ticks }: LocationState): PackedLocation => {
  const baseMs = Object.values(monitors).reduce(
    (newest, { last }) => Math.max(newest, Math.round(last.scheduledAtMs)),
    0,
  )
  const causes: Causes = []
  const packed = Object.entries(monitors).map(
    ([id, monitor]) => [id, packMonitor(monitor, { baseMs, causes })] as const,
  )
  const alike = ticks ? { ticks: packAlike(ticks, baseMs) } : {}
  return { form: 'packed-1', baseMs, causes, monitors: Object.fromEntries(packed), ...alike }
}

/** Reads the item's value, of this version or an earlier one. Throws a ZodError for anything else. */
export const unpackLocation = (value: unknown): LocationState => {
  const stored = storedLocation.parse(value)
  if (!('form' in stored)) return stored
  const monitors = Object.entries(stored.monitors).map(([id, one]) => [id, unpackMonitor(one, stored)] as const)
  const { ticks, baseMs } = stored
  return { monitors: Object.fromEntries(monitors), ...(ticks ? { ticks: unpackAlike(ticks, baseMs) } : {}) }
}

const keptTimings = (timings: TimingsMs): TimingsMs => unpackTimings(packTimings(timings))

const keptMonitor = ({ looks, last }: MonitorState): MonitorState => {
  const failing = looks.findLastIndex(isFailing)
  return {
    looks: looks.map(({ detail, scheduledAtMs, look, verdict }, index) => {
      const kept = { scheduledAtMs: Math.round(scheduledAtMs), look, verdict }
      return index === failing && detail ? { ...kept, detail } : kept
    }),
    last: {
      ...last,
      scheduledAtMs: Math.round(last.scheduledAtMs),
      startedAtMs: Math.round(last.startedAtMs),
      timingsMs: keptTimings(last.timingsMs),
    },
  }
}

/** What {@link unpackLocation} gives back of a state that was packed; monitors that came from there stay as they are. */
export const keptLocation = (state: LocationState, before: LocationState): LocationState => ({
  monitors: Object.fromEntries(
    Object.entries(state.monitors).map(([id, monitor]) => [
      id,
      monitor === before.monitors[id] ? monitor : keptMonitor(monitor),
    ]),
  ),
  ...(state.ticks ? { ticks: state.ticks } : {}),
})
