import { type BurnRate, budgetRatioOf } from './burn-rate.ts'

/** What of an objective Prometheus needs to know. */
export type Exported = {
  ruleId: string
  service: string
  monitor: string
  objectivePercent: number
  latencyMs?: number | undefined
  burnRates: readonly BurnRate[]
}

/** `5m`, `6h`, `3d` */
const durationText = (seconds: number): string => {
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}

const badRatio = ({ monitor, latencyMs }: Exported, window: string): string => {
  const success = `probe_success{monitor="${monitor}"}`
  // A subquery: whether one look was in time cannot be had from an average.
  const good =
    latencyMs === undefined
      ? `avg_over_time(${success}[${window}])`
      : `avg_over_time((${success} * (probe_duration_seconds{monitor="${monitor}"} <= bool ${latencyMs / 1000}))[${window}:1m])`
  return `1 - avg(${good})`
}

const recorded = (window: string) => `whodunit:slo_bad:ratio_${window}`

/** A Prometheus rule file for one objective: a recorded ratio for each window, and an alert for each pair. */
export const prometheusRules = (objective: Exported) => {
  const { ruleId, service, burnRates, objectivePercent } = objective
  const labels = { service, slo: ruleId }
  const windows = new Set(burnRates.flatMap(({ longSeconds, shortSeconds }) => [shortSeconds, longSeconds]))
  const ratios = [...windows]
    .sort((a, b) => a - b)
    .map(durationText)
    .map((window) => ({ record: recorded(window), expr: badRatio(objective, window), labels }))
  const alerts = burnRates.map(({ severity, longSeconds, shortSeconds, factor }) => {
    const [long, short] = [durationText(longSeconds), durationText(shortSeconds)]
    const limit = `${factor} * ${budgetRatioOf(objectivePercent)}`
    const over = (window: string) => `${recorded(window)}{slo="${ruleId}"} > ${limit}`
    return {
      alert: `${ruleId}-${severity}-${long}`,
      expr: `${over(short)} and ${over(long)}`,
      labels: { ...labels, severity },
      annotations: {
        summary: `the budget of ${ruleId} (${objectivePercent} %) burns more than ${factor} times too fast; the ${long} window fired`,
      },
    }
  })
  return { name: `whodunit-${ruleId}`, rules: [...ratios, ...alerts] }
}
