import * as z from 'zod'
import type { Severity } from '../config/contract.ts'
import type { Facts, Judgement, RuleCounters, RuleSeries, SliVerdict } from './contract.ts'
import { absenceAlerts, absenceRule } from './kinds/absence.ts'
import { availabilityRule } from './kinds/availability.ts'
import { sliVerdictOf, sloAlerts, sloCounters, sloRule } from './kinds/slo.ts'
import { adviseAvailability } from './quorum.ts'

export const ruleKinds = [absenceRule, availabilityRule, sloRule] as const

export const ruleSpec = z.discriminatedUnion('kind', [absenceRule.schema, availabilityRule.schema, sloRule.schema])
export type RuleSpec = z.output<typeof ruleSpec>

/** A rule's judgement of what was seen. */
export const judge = (spec: RuleSpec, facts: Facts): Judgement => {
  switch (spec.kind) {
    case 'absence':
      return absenceRule.judge(spec, facts)
    case 'availability':
      return availabilityRule.judge(spec, facts)
    case 'slo':
      return sloRule.judge(spec, facts)
    default:
      return spec satisfies never
  }
}

/** How bad the rule's own alert is. */
export const ruleSeverity = (spec: RuleSpec): Severity => (spec.kind === 'slo' ? 'page' : spec.severity)

/** An alert a rule has besides its own, called `<rule>:<part>`. */
export type RuleAlert = {
  part: string
  severity: Severity
  judge: (facts: Facts) => Judgement
  /** It does not fire while an availability rule of its monitor pages, or is about to. */
  behindAvailability?: boolean
  /** Judged although nothing comes, when nothing was heard for so long. */
  afterSilenceMs?: number
}

/** A rule's further alerts, where its kind gives some. */
export const ruleAlerts = (spec: RuleSpec): RuleAlert[] => {
  switch (spec.kind) {
    case 'absence':
      return absenceAlerts(spec)
    case 'availability':
      return [{ part: 'advisory', severity: 'advisory', judge: (facts) => adviseAvailability(spec, facts) }]
    case 'slo':
      return sloAlerts(spec)
    default:
      return spec satisfies never
  }
}

/** What a look at the rule's monitor is to its objective, if it has one. */
export const ruleSli = (
  spec: RuleSpec,
): ((seen: { verdict: 'pass' | 'degraded' | 'fail' | 'unknown'; tookMs: number }) => SliVerdict) | undefined =>
  spec.kind === 'slo' && spec.monitor !== undefined ? (seen) => sliVerdictOf(spec, seen) : undefined

/** Which monitor's outcomes the rule judges. */
export const ruleMonitor = (spec: RuleSpec): string | undefined => {
  switch (spec.kind) {
    case 'absence':
      return absenceRule.monitor(spec)
    case 'availability':
      return availabilityRule.monitor(spec)
    case 'slo':
      return sloRule.monitor(spec)
    default:
      return spec satisfies never
  }
}

/** Which series `scrape` reads for the rule. */
export const ruleSeries = (spec: RuleSpec): RuleSeries | undefined => {
  switch (spec.kind) {
    case 'absence':
      return absenceRule.series(spec)
    case 'availability':
      return undefined
    case 'slo':
      return sloRule.series(spec)
    default:
      return spec satisfies never
  }
}

/** The counters whose growth is the events of the rule's objective, if it has one over counters. */
export const ruleCounters = (spec: RuleSpec): RuleCounters | undefined =>
  spec.kind === 'slo' ? sloCounters(spec) : undefined
