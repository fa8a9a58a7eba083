import type { Config } from '../../config/schema.ts'
import { sliOf } from '../../functions/sli-state.ts'
import { slisNow } from '../../functions/slis-now.ts'
import type { Sli } from '../../rules/contract.ts'
import { periodOf, type SloSpec, sloBudget } from '../../rules/kinds/slo.ts'
import { spanOf } from '../../rules/slo/budget.ts'
import { percentWords, periodWords } from '../../rules/slo/words.ts'
import type { Store } from '../../stores/contract.ts'

const hourMs = 3_600_000

/** One objective and what became of its budget. */
export type SloReport = {
  rule: string
  service: string
  objectivePercent: number
  /** `the month` */
  period: string
  fromMs: number
  toMs: number
  good: number
  bad: number
  /** What nobody could look at; in no ratio. */
  unknown: number
  /** Absent when nothing was seen. */
  achievedPercent?: number
  spentRatio: number
  /** What was left of the budget at the end of each hour, from 1 down, below 0 when it is overdrawn. */
  burnDown: { atMs: number; leftRatio: number }[]
}

/** What was left after each hour that had events, and now. */
const burnDownOf = (sli: Sli, at: { fromMs: number; nowMs: number; allowed: number }): SloReport['burnDown'] => {
  const byHour = new Map<number, number>()
  for (const { atMs, bad } of [...sli.hours, ...sli.minutes]) {
    if (atMs + hourMs <= at.fromMs) continue
    const endMs = Math.min(at.nowMs, Math.floor(atMs / hourMs) * hourMs + hourMs)
    byHour.set(endMs, (byHour.get(endMs) ?? 0) + bad)
  }
  let gone = 0
  const steps = [...byHour].map(([atMs, bad]) => {
    gone += bad
    return { atMs, leftRatio: at.allowed === 0 ? 1 : 1 - gone / at.allowed }
  })
  const [first] = steps
  return first ? [{ atMs: Math.max(at.fromMs, first.atMs - hourMs), leftRatio: 1 }, ...steps] : []
}

const reportOf = (rule: string, spec: SloSpec, at: { sli: Sli; nowMs: number }): SloReport => {
  const { sli, nowMs } = at
  const period = periodOf(spec)
  const { fromMs } = spanOf(period, nowMs)
  const { good, bad, unknown, allowed, spentRatio } = sloBudget(spec, sli, nowMs)
  const events = good + bad
  return {
    rule,
    service: spec.service ?? rule,
    objectivePercent: spec.objectivePercent,
    period: periodWords(period),
    fromMs,
    toMs: nowMs,
    good: Math.round(good),
    bad: Math.round(bad),
    unknown: Math.round(unknown),
    ...(events > 0 ? { achievedPercent: (good / events) * 100 } : {}),
    spentRatio,
    burnDown: burnDownOf(sli, { fromMs, nowMs, allowed }),
  }
}

/** Every objective of a config, the one with the least budget left first. */
export const sloReports = async (
  store: Store,
  at: { config: Pick<Config, 'rules' | 'locations'>; nowMs: number },
): Promise<SloReport[]> => {
  const { config, nowMs } = at
  const objectives = Object.entries(config.rules).flatMap(([id, rule]) =>
    rule.kind === 'slo' ? [[id, rule] as const] : [],
  )
  const states = await slisNow(store, { ruleIds: objectives.map(([id]) => id), locations: config.locations, nowMs })
  return objectives
    .flatMap(([id, spec]) => {
      const state = states.get(id)
      return state ? [reportOf(id, spec, { sli: sliOf(state), nowMs })] : []
    })
    .sort((a, b) => b.spentRatio - a.spentRatio)
}

const achieved = ({ achievedPercent }: SloReport) =>
  achievedPercent === undefined ? 'nothing seen' : `${Number(achievedPercent.toFixed(3))} %`

/** `92.3 % left`, `overdrawn by 12 %`, `nothing known` */
export const leftWords = ({ spentRatio, achievedPercent }: SloReport): string => {
  if (achievedPercent === undefined) return 'nothing known'
  return spentRatio > 1 ? `overdrawn by ${percentWords(spentRatio - 1)}` : `${percentWords(1 - spentRatio)} left`
}

/** `12,345 events, 12 bad, 3 unknown (not counted)` */
export const eventWords = ({ good, bad, unknown }: SloReport): string => {
  const events = `${(good + bad).toLocaleString('en')} events, ${bad.toLocaleString('en')} bad`
  return unknown > 0 ? `${events}, ${unknown.toLocaleString('en')} unknown (not counted)` : events
}

/** Three lines an objective: it fits a phone. */
export const sloReportText = (reports: readonly SloReport[]): string => {
  if (reports.length === 0) return 'there is no objective: a rule of kind slo makes one'
  return reports
    .map((report) => {
      const head = `${report.rule} (${report.service}): ${leftWords(report)} of ${report.period}'s budget`
      return `${head}\n  ${achieved(report)} of ${report.objectivePercent} % promised\n  ${eventWords(report)}`
    })
    .join('\n')
}
