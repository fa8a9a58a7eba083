import { burnRatesOf } from '../rules/kinds/slo.ts'
import { budgetRatioOf, neverFires } from '../rules/slo/burn-rate.ts'
import type { Finding } from './issues.ts'
import type { Config } from './schema.ts'

const short = (value: number) => String(Math.round(value * 1e6) / 1e6)

/** Objectives whose alerts can never fire, however bad it gets: with the arithmetic. */
export const sloFindings = ({ rules }: Pick<Config, 'rules'>): Finding[] =>
  Object.entries(rules).flatMap(([id, rule]) => {
    if (rule.kind !== 'slo') return []
    const { objectivePercent, burnRates } = rule
    const budget = budgetRatioOf(objectivePercent)
    return burnRatesOf(rule).flatMap((rate, index): Finding[] => {
      if (!neverFires(rate, budget)) return []
      const { severity, factor, longSeconds } = rate
      const hours = `${short(longSeconds / 3600)} h`
      const sum = `${short(factor)} × (100 % − ${objectivePercent} %) = ${short(factor * budget * 100)} %`
      const message = `the ${severity} of the ${hours} window can never fire: it waits for ${sum} bad events, and no more than 100 % can be bad`
      const path = burnRates ? ['rules', id, 'burnRates', index, 'factor'] : ['rules', id, 'objectivePercent']
      const most = Math.floor(100 / budget) / 100
      const hint = burnRates
        ? `a factor below ${most}`
        : `an objectivePercent above ${short(Math.ceil((1 - 1 / factor) * 1e4) / 100)}, or burnRates of your own with factors below ${most}`
      return [{ severity: 'error', code: 'never-fires', path, at: 'value', message, hint }]
    })
  })
