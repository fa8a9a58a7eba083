/** What the truth says of an alert: was there something to see, and who was in a position to deny it? */
import { apartMs, minuteMs } from './calendar.ts'
import type { TownRule } from './town.ts'
import type { Trouble } from './troubles.ts'
import type { World } from './world.ts'

type Span = { fromMs: number; toMs: number }

const overlaps = (one: Span, other: Span) => one.fromMs < other.toMs && other.fromMs < one.toMs

const troublesOf = ({ truth }: World, monitorId: string, kinds: readonly Trouble['kind'][]) =>
  (truth.get(monitorId) ?? []).filter(({ kind }) => kinds.includes(kind))

/** A look counts for two periods and a minute; messages are late, and a queue stands still for a while. */
const memoryMs = (periodSeconds: number) => (2 * periodSeconds + 60) * 1000

/** A look of this location that says "not failing" was known all through the span. */
const couldDeny = (world: World, { monitor }: TownRule, at: Span & { location: string }): boolean => {
  let knownMs = Number.NEGATIVE_INFINITY
  let deniedFromMs = at.fromMs
  for (const { observation, atMs } of world.ledger.heard) {
    if (observation.kind !== 'outcomes' || atMs > at.toMs) continue
    for (const { monitorId, location, verdict, scheduledAtMs } of observation.outcomes) {
      if (monitorId !== monitor.id || location !== at.location) continue
      if (atMs > deniedFromMs && atMs > knownMs + memoryMs(monitor.periodSeconds)) return false
      if (verdict === 'unknown' && atMs >= at.fromMs) return false
      if (verdict === 'pass') knownMs = Math.max(knownMs, scheduledAtMs)
      deniedFromMs = Math.max(deniedFromMs, atMs)
    }
  }
  return at.toMs <= knownMs + memoryMs(monitor.periodSeconds)
}

/** Nobody saw it failing, or fewer than the quorum did while somebody else saw that it was not. */
export const isUnfounded = (world: World, rule: TownRule, openedAtMs: number): boolean => {
  const { monitor, spec } = rule
  // After a jump of all clocks looks from before are none.
  if (spec.kind !== 'availability' || world.jumpMs !== 0) return false
  const before = { fromMs: openedAtMs - memoryMs(monitor.periodSeconds) - 6 * minuteMs, toMs: openedAtMs + apartMs }
  const seen = troublesOf(world, monitor.id, ['outage', 'local']).filter((trouble) => overlaps(trouble, before))
  const saw = new Set(seen.flatMap(({ locations }) => locations.filter((one) => monitor.locations.includes(one))))
  if (saw.size === 0) return true
  if (saw.size >= (spec.quorum ?? Math.floor(monitor.locations.length / 2) + 1)) return false
  return monitor.locations.some((location) => !saw.has(location) && couldDeny(world, rule, { location, ...before }))
}

/**
 * So long may it take from the first failure to an alert: one period passes before the first look, every further one
 * adds two looks; a schedule starts a minute late, its message is late and received three times by a queue that had
 * nobody to work for it for a minute. Silence is found by a timer, which the sweep brings within its minute.
 */
const noticedWithinMs = ({ monitor, spec }: TownRule): number => {
  if (spec.kind === 'absence') return spec.forSeconds * 1000 + 4 * minuteMs
  const ticks = spec.kind === 'availability' ? Math.ceil(spec.failureThreshold / 2) : 1
  return (1 + ticks) * monitor.periodSeconds * 1000 + 4 * minuteMs
}

/** Spans in which the rule must have fired. */
export const dueAlerts = (world: World, rule: TownRule): Span[] => {
  if (world.jumpMs !== 0) return []
  const { monitor, spec } = rule
  const everywhere = (trouble: Trouble) => monitor.locations.every((one) => trouble.locations.includes(one))
  const kinds = spec.kind === 'absence' ? (['blind', 'silence'] as const) : (['outage'] as const)
  const blinding = troublesOf(world, monitor.id, ['blind', 'silence', 'local'])
  return troublesOf(world, monitor.id, kinds).filter((span) => {
    if (!everywhere(span) || span.toMs - span.fromMs <= noticedWithinMs(rule)) return false
    // What nobody could see meanwhile is nobody's fault.
    return spec.kind === 'absence' || !blinding.some((other) => overlaps(other, span))
  })
}
