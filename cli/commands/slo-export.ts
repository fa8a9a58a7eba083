import { stringify } from 'yaml'
import type { Config } from '../../config/schema.ts'
import { burnRatesOf, type SloSpec } from '../../rules/kinds/slo.ts'
import { prometheusRules } from '../../rules/slo/prometheus.ts'

/** What Prometheus has no word for, so that whoever leaves knows what stays behind. */
const lost = (id: string, spec: SloSpec): string[] => [
  `${id}: minEvents ${spec.minEvents} and minBadEvents ${spec.minBadEvents} are not carried over: with little traffic the rules alert sooner`,
  ...(spec.budgetPolicy.length > 0 ? [`${id}: the steps of its budget policy are not carried over`] : []),
  ...(spec.calendarMonth ? [`${id}: the budget of a calendar month is not carried over; its windows are`] : []),
  ...(spec.summary === undefined ? [] : [`${id}: its summary is not carried over`]),
]

/** Every objective of a config as a Prometheus rule file over the metrics of `/metrics`, and what it cannot say. */
export const exportSlos = ({ rules }: Pick<Config, 'rules'>): { text: string; lost: string[] } => {
  const objectives = Object.entries(rules).flatMap(([id, rule]) => (rule.kind === 'slo' ? [[id, rule] as const] : []))
  const groups = objectives.map(([ruleId, spec]) => {
    const { monitor = '', series, objectivePercent, latencyMs, service = ruleId } = spec
    const sli = series ?? { monitor, latencyMs }
    return prometheusRules({ ruleId, service, sli, objectivePercent, burnRates: burnRatesOf(spec) })
  })
  return { text: stringify({ groups }, { lineWidth: 0 }), lost: objectives.flatMap(([id, spec]) => lost(id, spec)) }
}
