import { stringify } from 'yaml'
import type { Config } from '../../config/schema.ts'
import { burnRatesOf, type SloSpec, sloCounters } from '../../rules/kinds/slo.ts'
import { prometheusRules } from '../../rules/slo/prometheus.ts'
import { summedSeries } from '../../sources/registry.ts'

/** What Prometheus has no word for, so that whoever leaves knows what stays behind. */
const lost = (id: string, spec: SloSpec): string[] => [
  `${id}: minEvents ${spec.minEvents} and minBadEvents ${spec.minBadEvents} are not carried over: with little traffic the rules alert sooner`,
  ...(spec.budgetPolicy.length > 0 ? [`${id}: the steps of its budget policy are not carried over`] : []),
  ...(spec.calendarMonth ? [`${id}: the budget of a calendar month is not carried over; its windows are`] : []),
  ...(spec.series === undefined
    ? []
    : [`${id}: what cannot be read is unknown here, and to the rules it is not there`]),
  ...(spec.summary === undefined ? [] : [`${id}: its summary is not carried over`]),
]

/**
 * Every objective of a config as a Prometheus rule file, over the metrics of `/metrics` or over the counters it names, and
 * what it cannot say.
 */
export const exportSlos = ({
  rules,
  clusters = {},
}: Pick<Config, 'rules'> & Partial<Pick<Config, 'clusters'>>): { text: string; lost: string[] } => {
  const all = Object.entries(rules).flatMap(([id, rule]) => (rule.kind === 'slo' ? [[id, rule] as const] : []))
  const isSummed = (spec: SloSpec) => {
    const counters = sloCounters(spec)
    const sources =
      counters && Object.hasOwn(clusters, counters.cluster) ? clusters[counters.cluster]?.sources : undefined
    return (sources ?? []).flatMap(summedSeries).some(({ name }) => name === counters?.total.name)
  }
  const summed = all.filter(([, spec]) => isSummed(spec))
  const objectives = all.filter((one) => !summed.includes(one))
  const groups = objectives.map(([ruleId, spec]) => {
    const { monitor = '', series, objectivePercent, latencyMs, service = ruleId } = spec
    const sli = series ?? { monitor, latencyMs }
    return prometheusRules({ ruleId, service, sli, objectivePercent, burnRates: burnRatesOf(spec) })
  })
  const left = [
    ...summed.map(
      ([id]) => `${id}: it is over sums of CloudWatch, which Prometheus has no rate of, and is not carried over`,
    ),
    ...objectives.flatMap(([id, spec]) => lost(id, spec)),
  ]
  return { text: stringify({ groups }, { lineWidth: 0 }), lost: left }
}
