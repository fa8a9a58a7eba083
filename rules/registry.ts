import * as z from 'zod'
import type { Facts, Judgement, RuleSeries } from './contract.ts'
import { absenceRule } from './kinds/absence.ts'
import { adviseAvailability, availabilityRule } from './kinds/availability.ts'

export const ruleKinds = [absenceRule, availabilityRule] as const

export const ruleSpec = z.discriminatedUnion('kind', [absenceRule.schema, availabilityRule.schema])
export type RuleSpec = z.output<typeof ruleSpec>

/** A rule's judgement of what was seen. */
export const judge = (spec: RuleSpec, facts: Facts): Judgement => {
  switch (spec.kind) {
    case 'absence':
      return absenceRule.judge(spec, facts)
    case 'availability':
      return availabilityRule.judge(spec, facts)
    default:
      return spec satisfies never
  }
}

/** A rule's advisory as a judgement of its own, where its kind gives one. */
export const advise = (spec: RuleSpec): ((facts: Facts) => Judgement) | undefined => {
  switch (spec.kind) {
    case 'absence':
      return undefined
    case 'availability':
      return (facts) => adviseAvailability(spec, facts)
    default:
      return spec satisfies never
  }
}

/** Which monitor's outcomes the rule judges. */
export const ruleMonitor = (spec: RuleSpec): string | undefined => {
  switch (spec.kind) {
    case 'absence':
      return absenceRule.monitor(spec)
    case 'availability':
      return availabilityRule.monitor(spec)
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
    default:
      return spec satisfies never
  }
}
