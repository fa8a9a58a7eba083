import type { Sli, SliBucket } from '../../../rules/contract.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** `eventsAMinute` since `fromMs`, of which a share is bad since `badFromMs`: what is known of them at `nowMs`. */
export type Traffic = { fromMs: number; badFromMs: number; eventsAMinute: number; badShare: number }

/** A timeline of whole minutes and its hours, made once; `at` cuts out what is known at a time. */
export const timeline = ({ fromMs, badFromMs, eventsAMinute, badShare }: Traffic, untilMs: number) => {
  const bad = Math.round(eventsAMinute * badShare)
  const minutes: SliBucket[] = []
  for (let atMs = fromMs; atMs <= untilMs; atMs += minuteMs) {
    const failing = atMs >= badFromMs ? bad : 0
    minutes.push({ atMs, good: eventsAMinute - failing, bad: failing, unknown: 0 })
  }
  const hours = [...Map.groupBy(minutes, ({ atMs }) => Math.floor(atMs / hourMs) * hourMs)].map(([atMs, own]) => ({
    atMs,
    good: own.reduce((sum, { good }) => sum + good, 0),
    bad: own.reduce((sum, one) => sum + one.bad, 0),
    unknown: 0,
  }))
  return {
    at: (nowMs: number): Sli => {
      const closedMs = Math.max(fromMs, Math.floor(nowMs / hourMs - 6) * hourMs)
      const first = (closedMs - fromMs) / minuteMs
      return {
        minutes: minutes.slice(first, (nowMs - fromMs) / minuteMs + 1),
        hours: hours.slice(0, Math.floor(closedMs / hourMs) - Math.floor(fromMs / hourMs)),
      }
    },
  }
}
