import type { SliBucket } from '../rules/contract.ts'
import { createdName, type Labels, type MinuteSum } from '../sources/contract.ts'
import { type Step, stepsOf } from '../triage/counter-steps.ts'
import type { Point } from '../triage/past.ts'
import { seriesKey, type TargetWindow, type Window, type WindowSeries } from './window.ts'

/** The counters a selector names. */
export type Counters = {
  name: string
  /** The selector as somebody wrote it. */
  text: string
  matches: (labels: Labels) => boolean
  /** Labels without which no series can match. */
  needs: readonly string[]
  /** Labels that have one value in all that match, none of them empty. */
  equals: readonly { label: string; value: string }[]
}

/** An objective over counters: all events, and those among them that are good, or those that are bad. */
export type CounterObjective = {
  ruleId: string
  shard: string
  partIs: 'good' | 'bad'
  total: Counters
  part: Counters
}

/**
 * After `fromMs`; what lies further apart than `gapMs` cannot be said of any minute. `notCounting`: kinds of source whose
 * values are no counters.
 */
export type CountSpan = { fromMs: number; gapMs: number; notCounting: ReadonlySet<string> }

/** Events of one reading. */
export type Grown = Omit<SliBucket, 'atMs'> & { why?: string }

const startName = 'process_start_time_seconds'

/** Who counts: a process, as far as its labels tell it from others that are read at the same place. */
const counterOf = (labels: Labels): string =>
  ['namespace', 'pod', 'instance', 'job'].map((label) => labels[label] ?? '').join('\n')

/** The values of a series that were read whole: of what was cut off nobody knows what else has grown. */
const pointsOf = ({ atMs, values }: WindowSeries, whole: ReadonlySet<number>, fromMs: number): Point[] => {
  const points: Point[] = []
  for (let at = atMs.length - 1; at >= 0; at--) {
    const [time = 0, value = Number.NaN] = [atMs[at], values[at]]
    if (!whole.has(time) || !Number.isFinite(value)) continue
    points.push({ atMs: time, value })
    if (time <= fromMs) break
  }
  return points.reverse()
}

type Process = { readsAtMs: number[]; startedAtMs?: number }

/** A target's counters with what is needed to tell their steps. */
type Counting = {
  matching: (counters: Counters) => readonly WindowSeries[]
  points: (series: WindowSeries) => Point[]
  steps: (series: WindowSeries) => Step[]
}

/** When the processes were read: whenever any counter of theirs was there. */
const processesOf = (all: readonly WindowSeries[], points: (series: WindowSeries) => Point[]) => {
  const times = new Map<string, { reads: Set<number>; startedAtMs?: number }>()
  for (const series of all) {
    const key = counterOf(series.labels)
    const one = times.get(key) ?? { reads: new Set<number>() }
    times.set(key, one)
    for (const { atMs } of points(series)) one.reads.add(atMs)
    const started = series.name === startName ? points(series).at(-1)?.value : undefined
    if (started !== undefined) one.startedAtMs = started * 1000
  }
  return new Map(
    [...times].map(([key, { reads, ...one }]): [string, Process] => [
      key,
      { ...one, readsAtMs: [...reads].sort((a, b) => a - b) },
    ]),
  )
}

/** Finds series by a label that few of them share, where a selector names one: many objectives each look for their own. */
const finder = (all: readonly WindowSeries[]): Counting['matching'] => {
  const byName = Map.groupBy(all, ({ name }) => name)
  const byLabel = new Map<string, Map<string | undefined, WindowSeries[]>>()
  const having = (name: string, { label, value }: { label: string; value: string }) => {
    const key = `${name} ${label}`
    const known = byLabel.get(key) ?? Map.groupBy(byName.get(name) ?? [], ({ labels }) => labels[label])
    byLabel.set(key, known)
    return known.get(value) ?? []
  }
  return ({ name, matches, equals }) => {
    const fewest = equals.reduce<readonly WindowSeries[]>((few, equal) => {
      const own = having(name, equal)
      return own.length < few.length ? own : few
    }, byName.get(name) ?? [])
    return fewest.filter(({ labels }) => matches(labels))
  }
}

const countingOf = (target: TargetWindow, names: ReadonlySet<string>, { fromMs, gapMs }: CountSpan): Counting => {
  const whole = new Set(target.readAtMs)
  const all = [...target.series.values()].filter(({ name }) => names.has(name) || name === startName)
  const known = new Map<WindowSeries, Point[]>()
  const points = (series: WindowSeries) => {
    const found = known.get(series) ?? pointsOf(series, whole, fromMs)
    known.set(series, found)
    return found
  }
  const processes = processesOf(all, points)
  const created = ({ name, labels: { le: _, ...labels } }: WindowSeries) => {
    const value = target.series.get(seriesKey({ name: createdName(name), labels }))?.values.at(-1)
    return value !== undefined && Number.isFinite(value) ? value * 1000 : undefined
  }
  const steps = (series: WindowSeries): Step[] => {
    const { readsAtMs = [], startedAtMs } = processes.get(counterOf(series.labels)) ?? {}
    const own = points(series)
    const createdAtMs = created(series)
    const grown = stepsOf({ points: own, readsAtMs, ...(createdAtMs !== undefined && { createdAtMs }) })
    const [first] = own
    if (!first || first.atMs <= fromMs) return grown
    // It was not there before: it began at 0 when whoever counts was read without it, or is itself new.
    const lately = (atMs: number) => atMs > first.atMs - gapMs
    const began =
      readsAtMs.some((atMs) => atMs < first.atMs && lately(atMs)) ||
      [startedAtMs, createdAtMs].some((atMs) => atMs !== undefined && atMs <= first.atMs && lately(atMs))
    return began ? [{ fromMs: first.atMs, atMs: first.atMs, by: first.value }, ...grown] : grown
  }
  return { matching: finder(all), points, steps }
}

const labelsText = (labels: Labels) =>
  Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(',')

const withoutLe = ({ le: _, ...labels }: Labels): string => seriesKey({ name: '', labels })

/**
 * Why a series of `total` cannot be told apart into good and bad: a histogram without that bucket, or a label nobody has.
 * A good series that is not there is otherwise no riddle: nothing was good so far.
 */
const riddleOf = (
  { total, part }: CounterObjective,
  counting: Counting,
  parts: readonly WindowSeries[],
): ((series: WindowSeries, atMs: number) => string | undefined) => {
  if (part.needs.includes('le')) {
    const isOfHistogram = createdName(part.name) === createdName(total.name)
    const there = new Map<number, Set<string>>()
    for (const series of parts)
      for (const { atMs } of counting.points(series))
        there.set(atMs, (there.get(atMs) ?? new Set()).add(isOfHistogram ? withoutLe(series.labels) : ''))
    return ({ name, labels }, atMs) =>
      there.get(atMs)?.has(isOfHistogram ? withoutLe(labels) : '')
        ? undefined
        : `there is no bucket ${part.text} beside ${name}{${labelsText(labels)}}`
  }
  if (part.name !== total.name) return () => undefined
  return ({ name, labels }) => {
    const lacks = part.needs.find((label) => labels[label] === undefined)
    return lacks === undefined ? undefined : `${name}{${labelsText(labels)}} has no label ${lacks}`
  }
}

type Sum = { total: number; part: number; unknown: number; why?: string }

/** Good and bad at each reading of one target. More of a part than there is in all is nobody's event. */
const grownAt = ({ partIs }: CounterObjective, { total, part, unknown, why }: Sum): Grown => {
  const [all, some] = [Math.round(total), Math.round(Math.min(total, part))]
  const excess = Math.round(Math.max(0, part - total))
  const [good, bad] = partIs === 'good' ? [some, all - some] : [all - some, some]
  const reason = why ?? (excess > 0 ? `more ${partIs} events than there were in all` : undefined)
  return { good, bad, unknown: Math.round(unknown) + excess, ...(reason !== undefined && { why: reason }) }
}

/** A thousand billion: an exporter that says more says "as many as there can be", and sums must stay whole numbers. */
const grownAtMost = 1e12

/** Why a step cannot be said of its minute. */
const unsaid = ({ fromMs, atMs, by }: Step, gapMs: number): string | undefined => {
  if (atMs - fromMs > gapMs) return `nothing was read for ${Math.round((atMs - fromMs) / 1000)} s`
  if (by > grownAtMost) return `it is no counter: it grew by ${by}`
  return by < 0 ? 'it is no counter: it is below 0' : undefined
}

const grownOf = (objective: CounterObjective, counting: Counting, gapMs: number): Map<number, Grown> => {
  const sums = new Map<number, Sum>()
  const at = (atMs: number): Sum => {
    const sum = sums.get(atMs) ?? { total: 0, part: 0, unknown: 0 }
    sums.set(atMs, sum)
    return sum
  }
  const parts = counting.matching(objective.part)
  const riddle = riddleOf(objective, counting, parts)
  for (const series of counting.matching(objective.total)) {
    for (const { fromMs, atMs, by } of counting.steps(series)) {
      const sum = at(atMs)
      const why = unsaid({ fromMs, atMs, by }, gapMs) ?? (by > 0 ? riddle(series, atMs) : undefined)
      if (why === undefined) sum.total += by
      else {
        sum.unknown += by > grownAtMost ? 1 : Math.max(1, by)
        sum.why = why
      }
    }
  }
  for (const series of parts)
    for (const { fromMs, atMs, by } of counting.steps(series)) {
      const sum = sums.get(atMs)
      if (sum && unsaid({ fromMs, atMs, by }, gapMs) === undefined) sum.part += by
    }
  return new Map([...sums].map(([atMs, sum]) => [atMs, grownAt(objective, sum)]))
}

const added = (one: Grown | undefined, more: Grown): Grown =>
  one
    ? { ...one, ...more, good: one.good + more.good, bad: one.bad + more.bad, unknown: one.unknown + more.unknown }
    : more

/** What a source added up, as an objective's good and bad events by the minute. A part that has no sum there had no events. */
export const growthOfSums = (objective: CounterObjective, sums: readonly MinuteSum[]): ReadonlyMap<number, Grown> => {
  const of = ({ name, matches }: Counters) =>
    Map.groupBy(
      sums.filter((one) => one.name === name && matches(one.labels)),
      ({ atMs }) => atMs,
    )
  const add = (all: readonly MinuteSum[] = []) => all.reduce((sum, { value }) => sum + Math.max(0, value), 0)
  const parts = of(objective.part)
  const totals = [...of(objective.total)]
  return new Map(
    totals.map(([atMs, all]) => {
      const [total, part] = [add(all), add(parts.get(atMs))]
      return Math.max(total, part) > grownAtMost
        ? [atMs, { good: 0, bad: 0, unknown: 1, why: `it is no number of events: ${Math.max(total, part)}` }]
        : [atMs, grownAt(objective, { total, part, unknown: 0 })]
    }),
  )
}

/** What the objectives' counters grew by at each reading of a window, and the kinds of source that have such counters. */
export type Growth = { kinds: ReadonlySet<string>; grown: ReadonlyMap<number, Grown> }

export const growthsOf = (
  window: Window,
  objectives: readonly CounterObjective[],
  span: CountSpan,
): ReadonlyMap<string, Growth> => {
  const names = new Set(objectives.flatMap(({ total, part }) => [total.name, part.name]))
  const targets = [...window.targets.values()]
    .filter(({ kind }) => !span.notCounting.has(kind))
    .map((target) => ({ target, counting: countingOf(target, names, span) }))
  return new Map(
    objectives.map((objective) => {
      const grown = new Map<number, Grown>()
      const kinds = new Set<string>()
      for (const { target, counting } of targets) {
        if (counting.matching(objective.total).length > 0) kinds.add(target.kind)
        for (const [atMs, more] of grownOf(objective, counting, span.gapMs))
          grown.set(atMs, added(grown.get(atMs), more))
      }
      return [objective.ruleId, { kinds, grown }] as const
    }),
  )
}
