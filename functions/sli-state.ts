/**
 * Item `slo/<rule>`: the events of an objective. The last six to seven hours are kept look by look, so that a repeat is
 * known however late it comes; what is older is counted by the hour, and a look that arrives later than that is left out.
 */
import * as z from 'zod'
import type { Sli, SliBucket } from '../rules/contract.ts'
import { closedUntilMs, daysKept, keptFromMs } from './sli-span.ts'
import { packTicks, type Tick, ticksText, unpackTicks, withTicks } from './sli-ticks.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** So long after its last event no window reaches what an item holds: that of a rule that left the config goes then. */
export const sliKeepMs = (daysKept + 1) * 24 * hourMs

export type SliState = {
  /** By location, sorted. */
  ticks: Readonly<Record<string, readonly Tick[]>>
  /** Closed hours that had events, oldest first. */
  hours: readonly SliBucket[]
  /** The end of the last hour that is closed: what is before it is in `hours`. */
  closedMs: number
  /** Of an objective whose events are counted elsewhere: its minutes, and it has no ticks. */
  minutes?: readonly SliBucket[]
}

export const emptySli: SliState = { ticks: {}, hours: [], closedMs: 0 }

/** `<gap> <good> <bad> <unknown>[*<times>]`, numbers in base 36: hours that follow one another and are alike are one. */
const hourText = /^[0-9a-z]+,[0-9a-z]+,[0-9a-z]+,[0-9a-z]+(\*[0-9a-z]+)?$/
const hoursText = z.string().refine((text) => text === '' || text.split(' ').every((one) => hourText.test(one)))

const packed = z.strictObject({
  form: z.literal('sli-1'),
  closedMs: z.number(),
  ticks: z.record(z.string(), ticksText),
  hours: hoursText,
})
export type PackedSli = z.infer<typeof packed>

const digits = (value: number) => value.toString(36)
const number = (text: string | undefined) => Number.parseInt(text ?? '0', 36)

const sameCounts = (a: SliBucket, b: SliBucket) => a.good === b.good && a.bad === b.bad && a.unknown === b.unknown

const packHours = (hours: readonly SliBucket[]): string => {
  const texts: string[] = []
  let lastMs = 0
  for (let at = 0; at < hours.length; ) {
    const first = hours[at]
    if (!first) break
    let end = at + 1
    for (let next = hours[end]; next; next = hours[++end]) {
      if (next.atMs !== first.atMs + (end - at) * hourMs || !sameCounts(first, next)) break
    }
    const { good, bad, unknown } = first
    const times = end - at > 1 ? `*${digits(end - at)}` : ''
    texts.push(`${[(first.atMs - lastMs) / hourMs, good, bad, unknown].map(digits).join(',')}${times}`)
    lastMs = first.atMs + (end - at - 1) * hourMs
    at = end
  }
  return texts.join(' ')
}

const unpackHours = (text: string): SliBucket[] => {
  const hours: SliBucket[] = []
  let atMs = 0
  for (const one of text === '' ? [] : text.split(' ')) {
    const [counts = '', times] = one.split('*')
    const [gap, good, bad, unknown] = counts.split(',').map(number)
    atMs += (gap ?? 0) * hourMs
    const count = times === undefined ? 1 : Math.min(number(times), daysKept * 24)
    for (let nth = 0; nth < count; nth++) {
      if (nth > 0) atMs += hourMs
      hours.push({ atMs, good: good ?? 0, bad: bad ?? 0, unknown: unknown ?? 0 })
    }
  }
  return hours
}

/** The item's value. */
export const packSli = ({ ticks, hours, closedMs }: SliState): PackedSli => ({
  form: 'sli-1',
  closedMs,
  ticks: Object.fromEntries(Object.entries(ticks).map(([location, own]) => [location, packTicks(own, closedMs)])),
  hours: packHours(hours),
})

/** Reads the item's value. Throws a ZodError for anything else. */
export const unpackSli = (value: unknown): SliState => {
  const { ticks, hours, closedMs } = packed.parse(value)
  const all = Object.entries(ticks).map(([location, text]) => [location, unpackTicks(text, closedMs)] as const)
  return { ticks: Object.fromEntries(all), hours: unpackHours(hours), closedMs }
}

/** Adds ticks to the bucket they are in; `all` is sorted, and most ticks are in its last one. */
const addTo = (all: SliBucket[], ticks: Iterable<Tick>, sizeMs: number): SliBucket[] => {
  for (const { atMs, was } of ticks) {
    const startMs = Math.floor(atMs / sizeMs) * sizeMs
    let at = all.length - 1
    while (at >= 0 && (all[at]?.atMs ?? 0) > startMs) at--
    const known = all[at]
    if (known?.atMs === startMs) known[was]++
    else all.splice(at + 1, 0, { atMs: startMs, good: 0, bad: 0, unknown: 0, [was]: 1 })
  }
  return all
}

/** Closes the hours that are no longer needed look by look, and forgets those beyond the longest window. */
const closed = (state: SliState, nowMs: number): SliState => {
  const closedMs = Math.max(state.closedMs, closedUntilMs(nowMs))
  if (closedMs === state.closedMs) return state
  const all = Object.entries(state.ticks)
  const old = all.flatMap(([, own]) => own.filter(({ atMs }) => atMs < closedMs)).sort((a, b) => a.atMs - b.atMs)
  const hours = addTo(
    state.hours.map((hour) => ({ ...hour })),
    old,
    hourMs,
  )
  const recent = all.flatMap(([location, own]) => {
    const kept = own.filter(({ atMs }) => atMs >= closedMs)
    return kept.length > 0 ? [[location, kept] as const] : []
  })
  const firstMs = keptFromMs(nowMs)
  return { ticks: Object.fromEntries(recent), hours: hours.filter(({ atMs }) => atMs >= firstMs), closedMs }
}

export type LocationTicks = readonly [location: string, ticks: readonly Tick[]]

/** Takes ticks in, of all locations before an hour closes. The same ones again change nothing. */
export const withWaiting = (state: SliState, waiting: Iterable<LocationTicks>, nowMs: number): SliState => {
  const ticks = { ...state.ticks }
  for (const [location, own] of waiting) {
    const fresh = own.filter(({ atMs }) => atMs >= state.closedMs)
    ticks[location] = withTicks(ticks[location] ?? [], fresh)
  }
  return closed({ ...state, ticks }, nowMs)
}

/** Takes ticks of one location in. */
export const withSli = (state: SliState, location: string, at: { ticks: readonly Tick[]; nowMs: number }): SliState =>
  withWaiting(state, [[location, at.ticks]], at.nowMs)

/** Minutes of a state that stays as it is for half an hour; made once. */
const minutesKnown = new WeakMap<SliState, readonly SliBucket[]>()

const minutesOf = (state: SliState): readonly SliBucket[] => {
  const known = state.minutes ?? minutesKnown.get(state)
  if (known) return known
  const all = Object.values(state.ticks).flat()
  const minutes = addTo(
    [],
    all.sort((a, b) => a.atMs - b.atMs),
    minuteMs,
  )
  minutesKnown.set(state, minutes)
  return minutes
}

/**
 * What a rule may know of its SLI: minutes where they are kept, hours before. `waiting` are ticks that are not in the
 * state yet; none of them may be in it as well.
 */
export const sliOf = (state: SliState, waiting: readonly Tick[] = []): Sli => {
  const minutes = minutesOf(state)
  const news = waiting.filter(({ atMs }) => atMs >= state.closedMs)
  if (news.length === 0) return { minutes, hours: state.hours }
  // Only what lies behind the first of them is touched.
  const firstMs = news.reduce((first, { atMs }) => Math.min(first, atMs), Number.POSITIVE_INFINITY)
  const from = minutes.findLastIndex(({ atMs }) => atMs <= firstMs - minuteMs) + 1
  const touched = minutes.slice(from).map((minute) => ({ ...minute }))
  return { minutes: [...minutes.slice(0, from), ...addTo(touched, news, minuteMs)], hours: state.hours }
}
