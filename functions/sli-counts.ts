/**
 * The events of objectives that are counted, not looked at one by one: by the minute for six to seven hours, by the hour
 * before. A minute is said again and again while it grows, or late; what was said with the most events of it counts, so any
 * order and any repeats of what is said come to the same. What is said of an hour that is closed is left out.
 */
import type { RuleCounters, Sli, SliBucket } from '../rules/contract.ts'
import { aheadMs } from './freshness.ts'
import { closedUntilMs, keptFromMs } from './sli-span.ts'

const hourMs = 3_600_000

/** What is known of each objective, oldest first, by its `shortId`. */
type Buckets = ReadonlyMap<string, readonly SliBucket[]>
/** The objectives of one shard. `closedMs`: the end of the last hour that is closed, what is before it is in `hours`. */
export type SliCounts = { closedMs: number; minutes: Buckets; hours: Buckets }

export const noCounts: SliCounts = { closedMs: 0, minutes: new Map(), hours: new Map() }

/** The beginnings of the minutes and hours that are no longer what they were. */
export type Touched = { minutes: Set<number>; hours: Set<number> }

const eventsOf = ({ good, bad, unknown }: SliBucket) => good + bad + unknown

/** The events that are read besides all of them; the others are the rest. */
type Part = RuleCounters['partIs']

/** Counters grow, and so does what CloudWatch adds up late: more events are the later word, of as many more of the part. */
const isMore = (one: SliBucket, other: SliBucket, part: Part): boolean =>
  (eventsOf(one) - eventsOf(other) || one[part] - other[part] || one.unknown - other.unknown) > 0

/** With one bucket more, or the greater of the two; the same object when it says nothing new. */
const withBucket = (known: readonly SliBucket[], one: SliBucket, part: Part): readonly SliBucket[] => {
  let end = known.length
  while (end > 0 && (known[end - 1]?.atMs ?? 0) > one.atMs) end--
  const before = known[end - 1]
  if (before?.atMs !== one.atMs) return known.toSpliced(end, 0, one)
  return isMore(one, before, part) ? known.toSpliced(end - 1, 1, one) : known
}

/** Where nobody knows which part is read, the worse of two that hold as many events. */
const joined = (known: readonly SliBucket[], more: readonly SliBucket[]) =>
  more.reduce((all, one) => withBucket(all, one, 'bad'), known)

/** Both at once: what two shards know of the same objectives, where one comes from the other. */
export const withBuckets = (all: Buckets, more: Buckets): Buckets => {
  const both = new Map(all)
  for (const [id, own] of more) {
    const known = all.get(id)
    both.set(id, known ? joined(known, own) : own)
  }
  return both
}

const hoursOf = (minutes: readonly SliBucket[]): SliBucket[] =>
  [...Map.groupBy(minutes, ({ atMs }) => Math.floor(atMs / hourMs) * hourMs)].map(([atMs, own]) => ({
    atMs,
    good: own.reduce((sum, { good }) => sum + good, 0),
    bad: own.reduce((sum, { bad }) => sum + bad, 0),
    unknown: own.reduce((sum, { unknown }) => sum + unknown, 0),
  }))

/** Closes the hours that are no longer needed by the minute, and forgets those beyond the longest window. */
const closed = (state: SliCounts, nowMs: number, touched: Touched): SliCounts => {
  const closedMs = Math.max(state.closedMs, closedUntilMs(nowMs))
  if (closedMs === state.closedMs) return state
  const [minutes, hours] = [new Map(state.minutes), new Map(state.hours)]
  const firstMs = keptFromMs(nowMs)
  for (const [id, own] of minutes) {
    const closing = hoursOf(own.filter(({ atMs }) => atMs < closedMs))
    for (const { atMs } of closing) touched.hours.add(atMs)
    const all = joined(hours.get(id) ?? [], closing).filter(({ atMs }) => atMs >= firstMs)
    if (all.length > 0) hours.set(id, all)
    const open = own.filter(({ atMs }) => atMs >= closedMs)
    if (open.length > 0) minutes.set(id, open)
    else minutes.delete(id)
  }
  return { closedMs, minutes, hours }
}

/** Takes minutes of objectives in. The same ones again change nothing. */
export const withCounts = (
  before: SliCounts,
  counts: readonly { id: string; partIs: Part; minutes: readonly SliBucket[] }[],
  nowMs: number,
): { state: SliCounts; touched: Touched } => {
  const touched: Touched = { minutes: new Set(), hours: new Set() }
  const minutes = new Map(before.minutes)
  for (const { id, partIs, minutes: news } of counts) {
    let own = minutes.get(id) ?? []
    for (const one of news) {
      if (one.atMs < before.closedMs || one.atMs > nowMs + aheadMs) continue
      const all = withBucket(own, one, partIs)
      if (all !== own) touched.minutes.add(one.atMs)
      own = all
    }
    if (own.length > 0) minutes.set(id, own)
  }
  return { state: closed({ ...before, minutes }, nowMs, touched), touched }
}

/** What a rule may know of its SLI. */
export const sliOfCounts = ({ minutes, hours }: SliCounts, id: string): Sli => ({
  minutes: minutes.get(id) ?? [],
  hours: hours.get(id) ?? [],
})
