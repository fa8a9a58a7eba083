import type { SliBucket, SliCount } from '../../rules/contract.ts'
import type { MinuteSum } from '../../sources/contract.ts'
import { type CounterObjective, type Growth, growthOfSums, growthsOf } from '../sli-increments.ts'
import type { Window } from '../window.ts'

/** How the objectives of a cluster are counted. */
export type Counting = {
  objectives: readonly CounterObjective[]
  intervalMs: number
  /** What was counted within longer than this cannot be said of any minute. */
  gapMs: number
  /** Kinds of source that add up by the minute instead of counting on. */
  summing: ReadonlySet<string>
  /** So far back every step can still be told: as far is told again by a process that does not know what was told. */
  backMs: number
}

/** What a source added up by the minute. */
export type Summed = { kind: string; sums: readonly MinuteSum[] }

/** A reading that says nothing of what it should have shown, and why. */
export type Unread = { kind: string; why: string }

const minuteMs = 60_000
const minuteOf = (atMs: number) => Math.floor(atMs / minuteMs) * minuteMs

/** The last reading of a minute tells of it: what is told is written each time. */
export const isTelling = ({ intervalMs }: Counting, atMs: number): boolean =>
  minuteOf(atMs + intervalMs) > minuteOf(atMs)

const bucket = (atMs: number): SliBucket => ({ atMs, good: 0, bad: 0, unknown: 0 })

/** One objective's minutes. What could not be read counts as one event that nobody knows, each time. */
const countOf = (
  { ruleId, total }: CounterObjective,
  { kinds, grown }: Growth,
  at: { atMs: number; unread: readonly Unread[]; allTargets: boolean; isFull: boolean },
): SliCount => {
  const minutes = new Map<number, SliBucket>()
  const whys: string[] = []
  const minute = (atMs: number) => {
    const startMs = minuteOf(atMs)
    const one = minutes.get(startMs) ?? bucket(startMs)
    minutes.set(startMs, one)
    return one
  }
  for (const [atMs, { good, bad, unknown, why }] of grown) {
    const one = minute(atMs)
    one.good += good
    one.bad += bad
    one.unknown += unknown
    if (why !== undefined) whys.push(why)
  }
  const silent = at.unread.filter(({ kind }) => kinds.size === 0 || kinds.has(kind))
  const lacks = kinds.size === 0 && silent.length === 0 ? [`no series ${total.text}`] : []
  const missing = [...silent.map(({ why }) => why), ...lacks, ...(at.allTargets ? [] : ['not all targets are known'])]
  if (missing.length > 0) minute(at.atMs).unknown += missing.length
  if (at.isFull) {
    // What it left out may be the bad ones.
    const one = minute(at.atMs)
    one.unknown += Math.max(1, one.good + one.bad)
    one.good = 0
    one.bad = 0
    whys.unshift('the window is full')
  }
  const [unknownWhy] = [...whys, ...missing]
  return {
    ruleId,
    minutes: [...minutes.values()].sort((a, b) => a.atMs - b.atMs),
    ...(unknownWhy !== undefined && { unknownWhy: unknownWhy.slice(0, 300) }),
  }
}

/** An objective whose events some source adds up is over those sums and over no counters. */
const withSums = (objective: CounterObjective, growth: Growth, summed: readonly Summed[]): Growth => {
  for (const { kind, sums } of summed) {
    const grown = growthOfSums(objective, sums)
    if (grown.size > 0) return { kinds: new Set([kind]), grown }
  }
  return growth
}

type Told = {
  fromMs: number
  atMs: number
  unread: readonly Unread[]
  summed: readonly Summed[]
  allTargets: boolean
}

/** What a window says of every objective since `fromMs`, whole minutes of it; pure, and the same whoever asks again. */
export const countsOf = (window: Window, { objectives, gapMs, summing }: Counting, at: Told): SliCount[] => {
  const fromMs = minuteOf(at.fromMs) - 1
  const growths = growthsOf(window, objectives, { fromMs, gapMs, notCounting: summing })
  const none: Growth = { kinds: new Set(), grown: new Map() }
  const isFull = window.leftOut > 0
  return objectives
    .map((objective) => {
      const growth = withSums(objective, growths.get(objective.ruleId) ?? none, at.summed)
      return countOf(objective, growth, { ...at, isFull })
    })
    .filter(({ minutes }) => minutes.length > 0)
}
