import type { Alert, ShardState } from '../shard-state.ts'

/** An alert that fired before within this time has come back. */
const withinMs = 60 * 60_000
/** More often than anybody needs to be told; a shard's item must hold it for all of its alerts. */
const timesKept = 12
/** Coming back once is a relapse; more often than that it is flapping, and said. */
const saidFrom = 2

type Fired = Readonly<ShardState['fired'][string]>

const lately = (times: readonly number[], nowMs: number): number[] =>
  times.filter((atMs) => atMs > nowMs - withinMs && atMs <= nowMs)

/** How often an alert that fires, or has just ended, came back within the hour, and the words for it when it is flapping. */
export const flapping = (
  { firedAtMs }: Alert,
  at: { nowMs: number; fired: Fired },
): { flaps: number; words?: string } => {
  const before = lately(at.fired, at.nowMs)
  const flaps = before.length
  if (flaps < saidFrom) return { flaps }
  const minutes = Math.max(1, Math.round(((firedAtMs ?? at.nowMs) - (before[0] ?? at.nowMs)) / 60_000))
  return { flaps, words: `flapping: fired ${flaps + 1} times in ${minutes} min` }
}

/**
 * When alerts that are over fired, as long as that is recent. One that fires for the first time is not in it: its own
 * state says when.
 */
export const firedLately = (
  before: ShardState,
  after: ShardState['alerts'],
  at: { nowMs: number; known: ReadonlySet<string> },
): ShardState['fired'] => {
  const over = Object.entries(before.alerts).flatMap(([alertId, { firedAtMs }]) =>
    after[alertId] === undefined && firedAtMs !== undefined ? [[alertId, firedAtMs] as const] : [],
  )
  const all = new Map(Object.entries(before.fired))
  for (const [alertId, atMs] of over) all.set(alertId, [...(all.get(alertId) ?? []), Math.round(atMs)])
  const recent = [...all].flatMap(([alertId, times]) => {
    const kept = lately(times, at.nowMs).slice(-timesKept)
    return kept.length > 0 && at.known.has(alertId) ? [[alertId, kept] as const] : []
  })
  return Object.fromEntries(recent)
}
