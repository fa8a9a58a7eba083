import { burnRatesOf } from '../rules/kinds/slo.ts'
import { ruleCounters } from '../rules/registry.ts'
import { budgetRatioOf, neverFires } from '../rules/slo/burn-rate.ts'
import { ownSeries, type SourceSpec, summedSeries } from '../sources/registry.ts'
import type { Finding } from './issues.ts'
import type { Config } from './schema.ts'

const short = (value: number) => String(Math.round(value * 1e6) / 1e6)

/** Objectives over series of CloudWatch that are no sums of events, and so cannot be added up. */
export const summedFindings = ({ rules, clusters }: Pick<Config, 'rules' | 'clusters'>): Finding[] =>
  Object.entries(rules).flatMap(([id, rule]) => {
    const counters = ruleCounters(rule)
    const sources = counters && Object.hasOwn(clusters, counters.cluster) ? clusters[counters.cluster]?.sources : []
    if (!counters || !sources) return []
    const names = (of: (source: SourceSpec) => readonly { name: string }[]) =>
      new Set(sources.flatMap(of).map(({ name }) => name))
    const [all, summed] = [names(ownSeries), names(summedSeries)]
    const parts = { total: counters.total, [counters.partIs]: counters.part }
    return Object.entries(parts).flatMap(([part, { name }]): Finding[] => {
      const path = ['rules', id, 'series', part]
      const error = { severity: 'error', path, at: 'value' } as const
      if (all.has(name) && !summed.has(name)) {
        const message = `${name} is no number of events: only stat Sum and stat SampleCount can be added up`
        return [{ ...error, code: 'no-sum', message, hint: 'give the metric of CloudWatch stat: Sum' }]
      }
      if (part === 'total' || all.has(name) === all.has(counters.total.name)) return []
      const message = 'total and its part must come from the same source, and one of them is a metric of CloudWatch'
      return [{ ...error, code: 'two-sources', message, hint: 'name both among the metrics of one cloudwatch source' }]
    })
  })

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

/** Alerts whose windows hold fewer looks than they wait for. The others of the objective may fire, so it is advice. */
export const rareFindings = ({
  rules,
  monitors,
  locations,
}: Pick<Config, 'rules' | 'monitors' | 'locations'>): Finding[] =>
  Object.entries(rules).flatMap(([id, rule]) => {
    const name = rule.kind === 'slo' ? rule.monitor : undefined
    const monitor = name !== undefined && Object.hasOwn(monitors, name) ? monitors[name] : undefined
    if (rule.kind !== 'slo' || !monitor) return []
    const wanted = Math.max(rule.minEvents, rule.minBadEvents)
    const places = (monitor.locations ?? locations).length
    return burnRatesOf(rule).flatMap(({ severity, longSeconds }): Finding[] => {
      const looks = Math.ceil(longSeconds / monitor.periodSeconds) * places
      if (looks >= wanted) return []
      const hours = `${short(longSeconds / 3600)} h`
      const times = looks === 1 ? 'once' : `${looks} times`
      const message = `the ${severity} of the ${hours} window can never fire: it waits for ${wanted} events, and ${name} is looked at ${times} in ${hours}`
      const hint = 'a shorter periodSeconds, more locations, or smaller minEvents and minBadEvents'
      return [{ severity: 'warning', code: 'too-rare', path: ['rules', id], at: 'key', message, hint }]
    })
  })
