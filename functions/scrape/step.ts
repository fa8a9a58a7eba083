/**
 * Reads every series source of one cluster under its lease; decides what the series rules of the cluster say; writes the
 * cluster's window and sends the rule results to `evaluate`.
 * Run twice at once: the second finds the lease taken and does nothing.
 */

import type { RuleResult } from '../../rules/contract.ts'
import type { Reading, Sample, Scrape } from '../../sources/contract.ts'
import type { Blobs } from '../../stores/contract.ts'
import { type Observation, windowKey } from '../contract.ts'
import { emptyWindow, packWindow, remember, unpackWindow } from '../window.ts'

export type SeriesTarget = {
  kind: string
  url: string
  scrape: () => Promise<Reading<Scrape>>
  /** Is this a series whose past some question compares with? */
  remembers: (sample: Sample) => boolean
}

export type SeriesRule = { ruleId: string; shard: string; matches: (sample: Sample) => boolean }

export type ScrapeWorld = {
  blobs: Blobs
  nowMs: () => number
  /** Takes the cluster's lease; answers how to give it back, or nothing when somebody else has it. */
  lease: (cluster: string) => Promise<(() => Promise<void>) | undefined>
  send: (observation: Observation) => Promise<void>
}

export type ClusterView = {
  cluster: string
  windowMs: number
  targets: readonly SeriesTarget[]
  rules: readonly SeriesRule[]
}

export type TargetReport = { kind: string; url: string; up: boolean; why?: string; samples: number; tookMs: number }
export type ScrapeResult = { status: 'scraped'; targets: TargetReport[] } | { status: 'lease-taken' }

type Read = { target: SeriesTarget; reading: Reading<Scrape>; tookMs: number }

const readAll = (world: ScrapeWorld, targets: readonly SeriesTarget[]): Promise<Read[]> =>
  Promise.all(
    targets.map(async (target) => {
      const startedAtMs = world.nowMs()
      const reading = await target.scrape()
      return { target, reading, tookMs: world.nowMs() - startedAtMs }
    }),
  )

/** Absence is only known when every source that could have shown the series was read to its end. */
const judge = (rule: SeriesRule, reads: readonly Read[], atMs: number): RuleResult => {
  const { ruleId } = rule
  const complete = reads.every(({ reading }) => reading.status === 'read' && reading.value.incomplete === undefined)
  const there = reads.some(({ reading }) => reading.status === 'read' && reading.value.samples.some(rule.matches))
  if (there) return { ruleId, atMs, status: 'ok', active: [] }
  return complete
    ? { ruleId, atMs, status: 'ok', active: [{ labels: {}, value: 1 }] }
    : { ruleId, atMs, status: 'unknown', active: [] }
}

/** A kind enters the window only when all its targets were read, so that a missing series means it was not there. */
const windowReadings = (reads: readonly Read[], atMs: number) =>
  [...new Set(reads.map(({ target }) => target.kind))].flatMap((kind) => {
    const ofKind = reads.filter(({ target }) => target.kind === kind)
    const samples = ofKind.map(({ target, reading }) =>
      reading.status === 'read' && reading.value.incomplete === undefined
        ? reading.value.samples.filter(target.remembers)
        : undefined,
    )
    return samples.every((part) => part !== undefined) ? [{ kind, atMs, samples: samples.flat() }] : []
  })

const reportOf = ({ target, reading, tookMs }: Read): TargetReport => ({
  kind: target.kind,
  url: target.url,
  up: reading.status === 'read',
  samples: reading.status === 'read' ? reading.value.samples.length : 0,
  tookMs,
  ...(reading.status === 'unreadable' ? { why: reading.why } : {}),
})

const sendResults = async (world: ScrapeWorld, view: ClusterView, results: readonly RuleResult[]) => {
  for (const shard of new Set(view.rules.map((rule) => rule.shard))) {
    const ofShard = view.rules.filter((rule) => rule.shard === shard).map(({ ruleId }) => ruleId)
    const wanted = results.filter(({ ruleId }) => ofShard.includes(ruleId))
    const atMs = wanted[0]?.atMs
    if (atMs === undefined) continue
    await world.send({ kind: 'rule-results', id: `${view.cluster}:${shard}:${atMs}`, shard, results: wanted })
  }
}

/** Reads one cluster once. */
export const scrapeStep =
  (world: ScrapeWorld) =>
  async (view: ClusterView): Promise<ScrapeResult> => {
    const release = await world.lease(view.cluster)
    if (!release) return { status: 'lease-taken' }
    try {
      const atMs = world.nowMs()
      const reads = await readAll(world, view.targets)
      // Before the window: a full disk must not leave the rules with their last good result.
      await sendResults(
        world,
        view,
        view.rules.map((rule) => judge(rule, reads, atMs)),
      )
      const bytes = await world.blobs.get(windowKey(view.cluster))
      const before = (bytes && unpackWindow(bytes)) ?? emptyWindow(view.cluster)
      const after = windowReadings(reads, atMs).reduce((so, reading) => remember(so, reading, view.windowMs), before)
      await world.blobs.put(windowKey(view.cluster), packWindow(after))
      return { status: 'scraped', targets: reads.map(reportOf) }
    } finally {
      await release()
    }
  }
