import type { Severity } from '../../config/contract.ts'
import type { Config } from '../../config/schema.ts'
import type { Incident } from '../../functions/hub-state.ts'
import { latenciesNow } from '../../functions/latency-keeping.ts'
import { type Quantiles, quantilesOf } from '../../functions/latency-sketch.ts'
import { readHub } from '../../functions/publish/step.ts'
import { sliOf } from '../../functions/sli-state.ts'
import { slisNow } from '../../functions/slis-now.ts'
import type { Sli } from '../../rules/contract.ts'
import { periodOf, type SloSpec, sloBudget } from '../../rules/kinds/slo.ts'
import { ruleMonitor } from '../../rules/registry.ts'
import { spanOf } from '../../rules/slo/budget.ts'
import { percentWords, periodWords } from '../../rules/slo/words.ts'
import type { Blobs, Store } from '../../stores/contract.ts'

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
  /** How long the looks that were answered took; absent where nobody knows. */
  latency?: Quantiles
  /** Hours in which nobody could look at some of it, together where one follows the other. */
  unknownSpans: { fromMs: number; toMs: number }[]
  /** Its alerts that people heard of within the window, the newest first. */
  alerts: SloAlert[]
  /** What was left of the budget at the end of each hour, from 1 down, below 0 when it is overdrawn. */
  burnDown: { atMs: number; leftRatio: number }[]
}

/** One alert of an objective, and the incident that people heard of it by. */
export type SloAlert = {
  alertId: string
  severity: Severity
  sinceMs: number
  firing: boolean
  /** The end of its incident, which it ended before; absent as long as that goes on. */
  endedAtMs?: number
  incidentId: string
  summary: string
}

/** More than fit a page somebody reads. */
const alertsShown = 20

const alertsOf = (rule: string, incidents: readonly Incident[], fromMs: number): SloAlert[] =>
  incidents
    .flatMap(({ id, alerts, resolvedAtMs }) =>
      Object.entries(alerts).flatMap(([alertId, { ruleId, severity, sinceMs, firing, summary }]): SloAlert[] => {
        const endedAtMs = firing ? undefined : resolvedAtMs
        if (ruleId !== rule || (endedAtMs ?? fromMs) < fromMs) return []
        const ended = endedAtMs === undefined ? {} : { endedAtMs }
        return [{ alertId, severity, sinceMs, firing, ...ended, incidentId: id, summary }]
      }),
    )
    .sort((a, b) => b.sinceMs - a.sinceMs)
    .slice(0, alertsShown)

const unknownSpansOf = (sli: Sli, fromMs: number): SloReport['unknownSpans'] => {
  const hours = [...sli.hours, ...sli.minutes].flatMap(({ atMs, unknown }) =>
    unknown > 0 && atMs + hourMs > fromMs ? [Math.floor(atMs / hourMs) * hourMs] : [],
  )
  const spans: { fromMs: number; toMs: number }[] = []
  for (const atMs of hours) {
    const last = spans.at(-1)
    if (last && atMs <= last.toMs) last.toMs = atMs + hourMs
    else spans.push({ fromMs: atMs, toMs: atMs + hourMs })
  }
  return spans
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

type Known = { sli: Sli; nowMs: number; latency: Quantiles | undefined; incidents: readonly Incident[] }

const reportOf = (rule: string, spec: SloSpec, { sli, nowMs, latency, incidents }: Known): SloReport => {
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
    ...(latency ? { latency } : {}),
    unknownSpans: unknownSpansOf(sli, fromMs),
    alerts: alertsOf(rule, incidents, fromMs),
    burnDown: burnDownOf(sli, { fromMs, nowMs, allowed }),
  }
}

type World = { store: Store; blobs: Pick<Blobs, 'get' | 'list'> }
type Objective = readonly [id: string, spec: SloSpec]

/** By objective; one without a monitor has no latencies. */
const latenciesOf = async (
  { blobs }: World,
  objectives: readonly Objective[],
  at: { nowMs: number; lost: (key: string) => void },
): Promise<Map<string, Quantiles>> => {
  const spans = objectives.flatMap(([id, spec]) => {
    const monitorId = ruleMonitor(spec)
    return monitorId === undefined ? [] : [{ id, monitorId, fromMs: spanOf(periodOf(spec), at.nowMs).fromMs }]
  })
  const sketches = await latenciesNow(blobs, spans, at)
  return new Map(
    spans.flatMap(({ id }, nth) => {
      const quantiles = sketches[nth] && quantilesOf(sketches[nth])
      return quantiles ? [[id, quantiles] as const] : []
    }),
  )
}

/** Every objective of a config, the one with the least budget left first. `lost` is told of what cannot be read. */
export const sloReports = async (
  world: World,
  at: { config: Pick<Config, 'rules' | 'locations'>; nowMs: number; lost?: (key: string) => void },
): Promise<SloReport[]> => {
  const { config, nowMs, lost = () => undefined } = at
  const objectives = Object.entries(config.rules).flatMap(([id, rule]): Objective[] =>
    rule.kind === 'slo' ? [[id, rule]] : [],
  )
  const ruleIds = objectives.map(([id]) => id)
  const states = await slisNow(world.store, { ruleIds, locations: config.locations, nowMs })
  const { incidents } = await readHub(world.store)
  const latencies = await latenciesOf(world, objectives, { nowMs, lost })
  return objectives
    .flatMap(([id, spec]) => {
      const state = states.get(id)
      return state ? [reportOf(id, spec, { sli: sliOf(state), nowMs, latency: latencies.get(id), incidents })] : []
    })
    .sort((a, b) => b.spentRatio - a.spentRatio)
}

/** Rounded, but never to 100 % with bad events nor up to an objective that was missed. */
export const achievedWords = ({ achievedPercent, objectivePercent }: SloReport): string => {
  if (achievedPercent === undefined) return 'nothing seen'
  const digits = Math.max(3, String(objectivePercent).split('.')[1]?.length ?? 0)
  const rounded = Number(achievedPercent.toFixed(digits))
  const isFlattering = [100, objectivePercent].some((limit) => rounded >= limit && achievedPercent < limit)
  return `${isFlattering ? Math.floor(achievedPercent * 10 ** digits) / 10 ** digits : rounded} %`
}

/** `92.3 % left`, `overdrawn by 12 %`, `nothing known` */
export const leftWords = ({ spentRatio, achievedPercent }: SloReport): string => {
  if (achievedPercent === undefined) return 'nothing known'
  return spentRatio > 1 ? `overdrawn by ${percentWords(spentRatio - 1)}` : `${percentWords(1 - spentRatio)} left`
}

/** `2026-11-20 08:12 UTC` */
export const minuteWords = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** `12,345 events, 12 bad, 3 unknown (not counted)` */
export const eventWords = ({ good, bad, unknown }: SloReport): string => {
  const events = `${(good + bad).toLocaleString('en')} events, ${bad.toLocaleString('en')} bad`
  return unknown > 0 ? `${events}, ${unknown.toLocaleString('en')} unknown (not counted)` : events
}

/** `fires still`, `until 2026-11-20 08:12 UTC`, `over` */
export const endWords = ({ firing, endedAtMs }: SloAlert): string => {
  if (firing) return 'fires still'
  return endedAtMs === undefined ? 'over, its incident is not' : `until ${minuteWords(endedAtMs)}`
}

/** `page since 2026-11-20 08:12 UTC, fires still` */
const alertWords = (alert: SloAlert): string =>
  `${alert.severity} since ${minuteWords(alert.sinceMs)}, ${endWords(alert)} (${alert.alertId})`

const seconds = (ms: number) => (ms < 1000 ? `${ms} ms` : `${Number((ms / 1000).toPrecision(3))} s`)

/** `p50 132 ms, p95 245 ms, p99 1.2 s` */
export const latencyWords = ({ p50Ms, p95Ms, p99Ms }: Quantiles): string =>
  `p50 ${seconds(p50Ms)}, p95 ${seconds(p95Ms)}, p99 ${seconds(p99Ms)}`

/** A few lines an objective: it fits a phone. */
export const sloReportText = (reports: readonly SloReport[]): string => {
  if (reports.length === 0) return 'there is no objective: a rule of kind slo makes one'
  return reports
    .map((report) => {
      const head = `${report.rule} (${report.service}): ${leftWords(report)} of ${report.period}'s budget`
      const took = report.latency ? `\n  ${latencyWords(report.latency)}` : ''
      const fired = report.alerts.slice(0, 3).map((one) => `\n  ${alertWords(one)}`)
      return `${head}\n  ${achievedWords(report)} of ${report.objectivePercent} % promised\n  ${eventWords(report)}${took}${fired.join('')}`
    })
    .join('\n')
}
