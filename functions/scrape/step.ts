/**
 * Reads every series target of one cluster under its lease; decides what the series rules of the cluster say; writes the
 * cluster's window and sends the rule results to `evaluate`, and after the window what objectives' counters grew by in it.
 * Run twice at once: the second finds the lease taken and does nothing.
 */

import type { RuleResult } from '../../rules/contract.ts'
import type { Labels, Reading, Sample, Scrape } from '../../sources/contract.ts'
import type { Blobs } from '../../stores/contract.ts'
import type { Observation } from '../contract.ts'
import { remember, type Window } from '../window.ts'
import { loadWindow, saveWindow } from '../window-blobs.ts'
import { type Counting, countsOf, isTelling, type Summed, type Unread } from './counts.ts'
import { targetSeries } from './target-series.ts'

export type SeriesTarget = {
  kind: string
  url: string
  /** Of the target itself: its `job`, its `instance`. */
  labels: Labels
  scrape: () => Promise<Reading<Scrape>>
}

export type SeriesRule = {
  ruleId: string
  shard: string
  matches: (sample: Sample) => boolean
  /** Is it about the targets themselves (`up`)? Then it is enough to know which there are. */
  aboutTargets: boolean
}

/** A lease: how to give it back, and a number that grows by two from one holder to the next. */
export type HeldLease = { release: () => Promise<void>; fence: number }

export type ScrapeWorld = {
  blobs: Blobs
  nowMs: () => number
  /** Takes the cluster's lease, or nothing when somebody else has it. */
  lease: (cluster: string) => Promise<HeldLease | undefined>
  send: (observation: Observation) => Promise<void>
  /** Windows between two readings of one process, by cluster. */
  held: Map<string, { window: Window; fence: number; toldMs?: number | undefined }>
}

export type ClusterView = {
  cluster: string
  /** `incomplete`: which targets there are is not wholly known, for that reason. */
  find: () => Promise<{ targets: readonly SeriesTarget[]; incomplete?: string | undefined }>
  rules: readonly SeriesRule[]
  /** How long a sample is worth keeping; 0: nobody looks at its past. */
  keepMs: (kind: string, sample: Sample) => number
  longestMs: number
  /** More series than this are not remembered. */
  seriesLimit: number
  /** The objectives over its counters, if there are any. */
  counting?: Counting
}

export type TargetReport = {
  kind: string
  url: string
  up: boolean
  why?: string
  samples: number
  bytes: number
  tookMs: number
}
export type WindowReport = { series: number; leftOut: number; bytes: number }
export type ScrapeResult =
  | {
      status: 'scraped'
      targets: TargetReport[]
      window: WindowReport
      incomplete?: string
      /** Objectives some of whose events are unknown, and why. */
      unknown?: string[]
    }
  | { status: 'lease-taken' }

type Read = { target: SeriesTarget; reading: Reading<Scrape>; tookMs: number }
type Found = Awaited<ReturnType<ClusterView['find']>>

const readAll = (world: ScrapeWorld, targets: readonly SeriesTarget[]): Promise<Read[]> =>
  Promise.all(
    targets.map(async (target) => {
      const startedAtMs = world.nowMs()
      const reading = await target.scrape()
      return { target, reading, tookMs: world.nowMs() - startedAtMs }
    }),
  )

const isComplete = ({ reading }: Read) => reading.status === 'read' && reading.value.incomplete === undefined
const samplesOf = ({ reading }: Read) => (reading.status === 'read' ? reading.value.samples : [])

const ownSeries = (read: Read): Sample[] => {
  const { target, reading, tookMs } = read
  const scraped = reading.status === 'read' ? reading.value.seriesSeen : 0
  return targetSeries({ labels: target.labels, up: isComplete(read), tookMs, scraped, kept: samplesOf(read).length })
}

/** Absence is only known when every source that could have shown the series was read to its end. */
const judge = (rule: SeriesRule, reads: readonly Read[], at: { atMs: number; found: Found }): RuleResult => {
  const { ruleId } = rule
  const { atMs, found } = at
  const complete = found.incomplete === undefined && (rule.aboutTargets || reads.every(isComplete))
  const there = reads.some((read) => samplesOf(read).some(rule.matches) || ownSeries(read).some(rule.matches))
  if (there) return { ruleId, atMs, status: 'ok', active: [] }
  return complete
    ? { ruleId, atMs, status: 'ok', active: [{ labels: {}, value: 1 }] }
    : { ruleId, atMs, status: 'unknown', active: [] }
}

const reportOf = (read: Read): TargetReport => {
  const { target, reading, tookMs } = read
  const why = reading.status === 'unreadable' ? reading.why : reading.value.incomplete
  return {
    kind: target.kind,
    url: target.url,
    up: isComplete(read),
    samples: samplesOf(read).length,
    bytes: reading.status === 'read' ? reading.value.bytes : 0,
    tookMs,
    ...(why === undefined ? {} : { why }),
  }
}

const sendResults = async (world: ScrapeWorld, view: ClusterView, results: readonly RuleResult[]) => {
  for (const shard of new Set(view.rules.map((rule) => rule.shard))) {
    const ofShard = view.rules.filter((rule) => rule.shard === shard).map(({ ruleId }) => ruleId)
    const wanted = results.filter(({ ruleId }) => ofShard.includes(ruleId))
    const atMs = wanted[0]?.atMs
    if (atMs === undefined) continue
    await world.send({ kind: 'rule-results', id: `${view.cluster}:${shard}:${atMs}`, shard, results: wanted })
  }
}

/** The window as this process left it, if nobody held the lease in between; else as it was written last. */
const windowBefore = async (
  world: ScrapeWorld,
  view: ClusterView,
  at: { nowMs: number; fence: number },
): Promise<Window> => {
  const held = world.held.get(view.cluster)
  if (held && held.fence + 2 === at.fence) return held.window
  const { cluster, longestMs } = view
  return (await loadWindow(world.blobs, { cluster, longestMs, nowMs: at.nowMs })).window
}

const keepWindow = async (
  world: ScrapeWorld,
  view: ClusterView,
  { reads, atMs, fence, allTargets }: { reads: readonly Read[]; atMs: number; fence: number; allTargets: boolean },
): Promise<WindowReport> => {
  const { longestMs, keepMs, seriesLimit } = view
  const held = world.held.get(view.cluster)
  const window = await windowBefore(world, view, { nowMs: atMs, fence })
  // Not to be found half changed by the next reading, should this one fail.
  world.held.delete(view.cluster)
  // Two sources at one place, such as two tenants of a Prometheus, are one target there, whole when both are.
  const places = Map.groupBy(reads, ({ target }) => `${target.kind} ${target.url}`)
  const targets = [...places].map(([target, same]) => ({
    target,
    kind: same[0]?.target.kind ?? '',
    complete: same.every(isComplete),
    samples: same.flatMap((read) => [...samplesOf(read), ...ownSeries(read)]),
  }))
  remember(window, { atMs, targets, allTargets, longestMs, keepMs, seriesLimit })
  const { bytes } = await saveWindow(world.blobs, window, { longestMs, nowMs: atMs })
  world.held.set(view.cluster, { window, fence, toldMs: held?.window === window ? held.toldMs : undefined })
  const series = [...window.targets.values()].reduce((sum, target) => sum + target.series.size, 0)
  return { series, leftOut: window.leftOut, bytes }
}

const unreadOf = (reads: readonly Read[]): Unread[] =>
  reads.map(reportOf).flatMap(({ kind, url, why }) => (why === undefined ? [] : [{ kind, why: `${url}: ${why}` }]))

const summedOf = (reads: readonly Read[]): Summed[] =>
  reads.flatMap(({ target, reading }) =>
    reading.status === 'read' && reading.value.incomplete === undefined && reading.value.sums
      ? [{ kind: target.kind, sums: reading.value.sums }]
      : [],
  )

/**
 * Tells what the window counted for objectives since this process told it last, or as far back as that can be told: from
 * the window as it is kept, so that whoever goes on from it says the same again and nothing twice.
 */
const sendCounts = async (
  world: ScrapeWorld,
  { cluster, counting }: ClusterView,
  at: { atMs: number; reads: readonly Read[]; allTargets: boolean },
): Promise<string[]> => {
  const held = world.held.get(cluster)
  if (!counting || !held || !isTelling(counting, at.atMs)) return []
  const fromMs = held.toldMs ?? at.atMs - counting.backMs
  const counts = countsOf(held.window, counting, {
    ...at,
    fromMs,
    unread: unreadOf(at.reads),
    summed: summedOf(at.reads),
  })
  const shards = new Map(counting.objectives.map(({ ruleId, shard }) => [ruleId, shard]))
  for (const [shard = '', own] of Map.groupBy(counts, ({ ruleId }) => shards.get(ruleId)))
    await world.send({ kind: 'sli-counts', id: `${cluster}:${shard}:counts:${at.atMs}`, shard, counts: own })
  world.held.set(cluster, { ...held, toldMs: at.atMs })
  return counts.flatMap(({ ruleId, unknownWhy }) => (unknownWhy === undefined ? [] : [`${ruleId}: ${unknownWhy}`]))
}

/** Reads one cluster once. */
export const scrapeStep =
  (world: ScrapeWorld) =>
  async (view: ClusterView): Promise<ScrapeResult> => {
    const lease = await world.lease(view.cluster)
    if (!lease) return { status: 'lease-taken' }
    try {
      const atMs = world.nowMs()
      const found = await view.find()
      const reads = await readAll(world, found.targets)
      // Before the window: a full disk must not leave the rules with their last good result.
      await sendResults(
        world,
        view,
        view.rules.map((rule) => judge(rule, reads, { atMs, found })),
      )
      const allTargets = found.incomplete === undefined
      const window = await keepWindow(world, view, { reads, atMs, fence: lease.fence, allTargets })
      const unknown = await sendCounts(world, view, { atMs, reads, allTargets })
      const { incomplete } = found
      return {
        status: 'scraped',
        targets: reads.map(reportOf),
        window,
        ...(incomplete !== undefined && { incomplete }),
        ...(unknown.length > 0 && { unknown }),
      }
    } finally {
      await lease.release()
    }
  }
