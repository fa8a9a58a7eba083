import type { Sli } from '../contract.ts'
import { eventsSince, knownSinceMs } from './burn-rate.ts'
import { monthOf } from './calendar.ts'

/** The span a budget is for. */
export type Period = { windowDays: number } | { calendarMonth: { timeZone: string } }

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A window that ends now, or the calendar month now is in. */
export const spanOf = (period: Period, nowMs: number): { fromMs: number; lengthMs: number } => {
  if ('windowDays' in period) {
    const lengthMs = period.windowDays * dayMs
    return { fromMs: nowMs - lengthMs, lengthMs }
  }
  const { fromMs, toMs } = monthOf(period.calendarMonth.timeZone, nowMs)
  return { fromMs, lengthMs: toMs - fromMs }
}

export type Budget = {
  good: number
  bad: number
  unknown: number
  /** How many events may be bad in the whole span, going by those there were so far. */
  allowed: number
  /** Share of `allowed` that is gone; more than 1 when it is overdrawn. */
  spentRatio: number
}

/**
 * What is left to lose. An objective that is younger than its span or comes back in it, or a month that has just begun, is
 * given the budget of the whole span, or its first bad event would empty it.
 */
export const budgetAt = (sli: Sli, at: { nowMs: number; period: Period; budgetRatio: number }): Budget => {
  const { fromMs, lengthMs } = spanOf(at.period, at.nowMs)
  const counted = eventsSince(sli, fromMs)
  const seenMs = Math.min(lengthMs, Math.max(hourMs, at.nowMs - (knownSinceMs(sli, fromMs) ?? at.nowMs)))
  const events = (counted.good + counted.bad) * (lengthMs / seenMs)
  const allowed = events * at.budgetRatio
  return { ...counted, allowed, spentRatio: allowed === 0 ? 0 : counted.bad / allowed }
}

/** How fast the budget goes: since the first bad event after `fromMs`. Undefined when there is none. */
export const burnSince = (
  sli: Sli,
  at: { nowMs: number; fromMs: number; budget: Budget },
): { spanMs: number; burntRatio: number; emptyAtMs: number } | undefined => {
  const { nowMs, fromMs, budget } = at
  const isFirst = ({ atMs, bad }: { atMs: number; bad: number }) => bad > 0 && atMs > fromMs
  const first = sli.hours.find(isFirst) ?? sli.minutes.find(isFirst)
  if (!first || budget.allowed === 0) return undefined
  const spanMs = Math.max(60_000, nowMs - first.atMs)
  const { bad } = eventsSince(sli, first.atMs - 1)
  const left = Math.max(0, budget.allowed - budget.bad)
  return { spanMs, burntRatio: bad / budget.allowed, emptyAtMs: nowMs + (left / bad) * spanMs }
}
