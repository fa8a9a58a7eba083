import type { Sli } from '../contract.ts'
import { type Budget, burnSince, type Period } from './budget.ts'
import type { BurnRate } from './burn-rate.ts'
import { dayWords } from './calendar.ts'

const minuteMs = 60_000

/** `2.3 %`, `0.04 %`, `143 %` */
export const percentWords = (ratio: number): string => {
  const percent = ratio * 100
  const digits = percent >= 99.95 ? 0 : percent >= 0.095 || percent === 0 ? 1 : 2
  return `${Number(percent.toFixed(digits))} %`
}

/** `58 min`, `6 h`, `2.5 h`, `3 d` */
export const spanWords = (ms: number): string => {
  const minutes = Math.max(1, Math.round(ms / minuteMs))
  if (minutes < 60) return `${minutes} min`
  const hours = minutes / 60
  if (hours < 24) return `${Number(hours.toFixed(1))} h`
  return `${Number((hours / 24).toFixed(1))} d`
}

export const periodWords = (period: Period): string => {
  if ('calendarMonth' in period) return 'the month'
  if (period.windowDays === 7) return 'the week'
  return period.windowDays === 90 ? 'the quarter' : 'the month'
}

/** What somebody is told at 3 a.m.: how much is gone, how fast, until when it lasts, and which window said so. */
export const burnWords = (
  sli: Sli,
  at: { nowMs: number; period: Period; timeZone: string; budget: Budget; fired: BurnRate },
): string => {
  const { nowMs, period, budget, fired } = at
  const window = `the ${spanWords(fired.longSeconds * 1000)} window fired`
  const burn = burnSince(sli, { nowMs, budget, fromMs: nowMs - fired.longSeconds * 1000 })
  if (!burn) return window
  const burnt = `${percentWords(burn.burntRatio)} of ${periodWords(period)}'s budget burnt in ${spanWords(burn.spanMs)}`
  const empty =
    budget.spentRatio >= 1
      ? 'nothing is left of it'
      : `empty on ${dayWords(at.timeZone, burn.emptyAtMs, nowMs)} at this rate`
  return `${burnt}; ${empty}; ${window}`
}
