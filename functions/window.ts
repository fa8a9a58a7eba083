import type { Labels, Sample } from '../sources/contract.ts'

/** Points of one series, oldest first: `values[i]` was read at `atMs[i]`. */
export type WindowSeries = {
  name: string
  labels: Labels
  atMs: number[]
  values: number[]
  /** How long its points are worth keeping: as far as its furthest reader looks back. */
  keepMs: number
}

export type TargetWindow = {
  kind: string
  /** When it was read to its end, oldest first: a series that is missing at one of these times was not there. */
  readAtMs: number[]
  series: Map<string, WindowSeries>
}

/** A cluster's recent past: the series that somebody compares with or computes over, by target. */
export type Window = {
  cluster: string
  targets: Map<string, TargetWindow>
  /** When every target of a kind was read to its end, by kind. */
  wholeAtMs: Map<string, number[]>
  /** Series of the last reading for which there was no room. */
  leftOut: number
  texts: Texts
}

/** What one target said at one time. `complete`: it was read to its end. */
export type TargetReading = { target: string; kind: string; complete: boolean; samples: readonly Sample[] }

export type WindowReading = {
  atMs: number
  targets: readonly TargetReading[]
  /** Is this all there is of a kind? A target that is not among all of them is gone, and its series ended with it. */
  allTargets: (kind: string) => boolean
  /** As far as anybody looks back. */
  longestMs: number
  /** More series than this are not remembered; the window says how many it left out. */
  seriesLimit: number
  /** How long a sample is worth keeping; 0: nobody looks at its past. */
  keepMs: (kind: string, sample: Sample) => number
}

export const emptyWindow = (cluster: string): Window => ({
  cluster,
  targets: new Map(),
  wholeAtMs: new Map(),
  leftOut: 0,
  texts: new Map(),
})

/** The identity of a series: its name and its labels in sorted order, each text behind its length. */
export const seriesKey = ({ name, labels }: Pick<Sample, 'name' | 'labels'>): string => {
  const parts = [name]
  for (const label of Object.keys(labels).sort()) {
    const value = labels[label] ?? ''
    parts.push(' ', String(label.length), ':', label, String(value.length), ':', value)
  }
  // Joined, not added up: a string that was added up keeps all its parts, three times the memory.
  return parts.join('')
}

/** Label values repeat from series to series, and each scrape makes them anew: one of each is enough. */
export type Texts = Map<string, string>

/** The same labels, made of the texts that are known already. */
const interned = (texts: Texts, labels: Labels): Labels => {
  const own: Record<string, string> = {}
  for (const label of Object.keys(labels)) {
    const value = labels[label] ?? ''
    const known = texts.get(value)
    if (known === undefined) texts.set(value, value)
    own[label] = known ?? value
  }
  return own
}

const dropBefore = (list: number[], fromMs: number): number => {
  let count = 0
  while (count < list.length && (list[count] ?? 0) < fromMs) count++
  if (count > 0) list.splice(0, count)
  return count
}

/** Forgets points nobody looks back to any more, and what was read longer ago than anybody looks back. */
export const forget = (window: Window, at: { nowMs: number; longestMs: number }): void => {
  const fromMs = at.nowMs - at.longestMs
  for (const [key, target] of window.targets) {
    dropBefore(target.readAtMs, fromMs)
    for (const [id, series] of target.series) {
      const dropped = dropBefore(series.atMs, at.nowMs - series.keepMs)
      if (dropped > 0) series.values.splice(0, dropped)
      if (series.atMs.length === 0) target.series.delete(id)
    }
    if (target.series.size === 0 && target.readAtMs.length === 0) window.targets.delete(key)
  }
  for (const times of window.wholeAtMs.values()) dropBefore(times, fromMs)
}

const countSeries = ({ targets }: Window): number =>
  [...targets.values()].reduce((sum, { series }) => sum + series.size, 0)

/**
 * Adds one reading of a cluster, in place: a window of a large cluster is tens of megabytes, and it is read every half
 * minute. What an incomplete reading did say is kept; only complete ones prove that a series was not there.
 */
export const remember = (window: Window, reading: WindowReading): void => {
  const { atMs, keepMs, longestMs, seriesLimit } = reading
  forget(window, { nowMs: atMs, longestMs })
  window.leftOut = 0
  let size = countSeries(window)
  // Pods come and go: texts nobody uses any more go with this, at the price of some that are there twice.
  if (window.texts.size > 4 * size + 10_000) window.texts.clear()
  for (const { target: key, kind, complete, samples } of reading.targets) {
    const target: TargetWindow = window.targets.get(key) ?? { kind, readAtMs: [], series: new Map() }
    window.targets.set(key, target)
    for (const sample of samples) {
      const keep = keepMs(kind, sample)
      if (keep === 0) continue
      const id = seriesKey(sample)
      const known = target.series.get(id)
      if (known === undefined) {
        if (size >= seriesLimit) {
          window.leftOut++
          continue
        }
        size++
        const { name } = sample
        const labels = interned(window.texts, sample.labels)
        target.series.set(id, { name, labels, atMs: [atMs], values: [sample.value], keepMs: keep })
      } else if (known.atMs.at(-1) !== atMs) {
        known.atMs.push(atMs)
        known.values.push(sample.value)
        known.keepMs = keep
      }
    }
    if (complete) target.readAtMs.push(atMs)
  }
  endTheGone(window, reading)
}

/** A target that is no more was, in a way, read to its end: nothing of it is there. */
const endTheGone = (window: Window, { atMs, targets, allTargets }: WindowReading): void => {
  const there = new Set(targets.map(({ target }) => target))
  for (const [key, { kind, readAtMs }] of window.targets) if (!there.has(key) && allTargets(kind)) readAtMs.push(atMs)
  for (const kind of new Set([...targets.map((one) => one.kind), ...window.wholeAtMs.keys()])) {
    if (!allTargets(kind)) continue
    const whole = targets.filter((one) => one.kind === kind).every(({ complete }) => complete)
    const times = window.wholeAtMs.get(kind) ?? []
    if (whole) window.wholeAtMs.set(kind, [...times, atMs])
  }
}

/**
 * When a series ended: the first complete reading of its target that lacked it, behind its last point. Undefined while it
 * goes on, and while nobody could have seen it end.
 */
export const endedAtMs = (
  { readAtMs }: Pick<TargetWindow, 'readAtMs'>,
  { atMs }: Pick<WindowSeries, 'atMs'>,
): number | undefined => {
  const lastMs = atMs.at(-1) ?? 0
  return readAtMs.find((readMs) => readMs > lastMs)
}

/** Series a kind's targets have in the window. */
export const seriesOfKind = (window: Window, kind: string): { id: string; series: WindowSeries }[] =>
  [...window.targets.values()].flatMap((target) =>
    target.kind === kind ? [...target.series].map(([id, series]) => ({ id, series })) : [],
  )
