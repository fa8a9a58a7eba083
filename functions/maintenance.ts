import type { Maintenance } from '../config/contract.ts'
import { type Schedule, scheduleOf } from '../config/cron.ts'

/** A maintenance window that is open. `name` and `startsAtMs` together name one occurrence of it. */
export type ActiveWindow = {
  name: string
  startsAtMs: number
  endsAtMs: number
  /** All of them must match. */
  matchers: string[]
  reason: string
}

/** Names of services are letters, digits and dashes: nothing in them means anything to a regular expression. */
const matchersOf = ({ services, matchers = [] }: Maintenance): string[] => {
  if (services === undefined) return [...matchers]
  const [only, ...others] = services
  return [others.length === 0 ? `service="${only}"` : `service=~"${services.join('|')}"`, ...matchers]
}

/** Between two of its moments the latest stays the same, so it is asked for once. */
type Known = { schedule: Schedule; fromMs: number; untilMs: number; latestMs: number | undefined }
const known = new WeakMap<Maintenance, Known>()

const latestStart = (window: Maintenance, cron: string, nowMs: number): number | undefined => {
  const before = known.get(window)
  if (before && nowMs >= before.fromMs && nowMs < before.untilMs) return before.latestMs
  const schedule = before?.schedule ?? scheduleOf(cron, window.timeZone ?? 'UTC')
  const latestMs = schedule.latest(nowMs)
  const [nextMs] = schedule.next(1, nowMs)
  known.set(window, {
    schedule,
    latestMs,
    fromMs: latestMs ?? Number.NEGATIVE_INFINITY,
    untilMs: nextMs ?? Number.POSITIVE_INFINITY,
  })
  return latestMs
}

const occurrence = (window: Maintenance, nowMs: number): { startsAtMs: number; endsAtMs: number } | undefined => {
  const { from, to, cron, durationSeconds } = window
  if (from !== undefined && to !== undefined) return { startsAtMs: Date.parse(from), endsAtMs: Date.parse(to) }
  if (cron === undefined || durationSeconds === undefined) return undefined
  const startsAtMs = latestStart(window, cron, nowMs)
  return startsAtMs === undefined ? undefined : { startsAtMs, endsAtMs: startsAtMs + durationSeconds * 1000 }
}

/**
 * The maintenance windows that are open, each from its begin to before its end. A window by cron lasts `durationSeconds`
 * by the stop watch, whatever the clocks do; `validate` wants a gap before it begins again. Cheap enough
 * to be asked with every message.
 */
export const maintenanceAt = (windows: Readonly<Record<string, Maintenance>>, nowMs: number): ActiveWindow[] =>
  Object.entries(windows).flatMap(([name, window]) => {
    const now = occurrence(window, nowMs)
    if (!now || nowMs < now.startsAtMs || nowMs >= now.endsAtMs) return []
    return [{ name, ...now, matchers: matchersOf(window), reason: window.reason }]
  })
