import { type BurnRate, budgetRatioOf } from './burn-rate.ts'

/** What of an objective Prometheus needs to know. */
export type Exported = {
  ruleId: string
  service: string
  objectivePercent: number
  sli:
    | { monitor: string; latencyMs?: number | undefined }
    | { total: string; good?: string | undefined; bad?: string | undefined }
  burnRates: readonly BurnRate[]
}

/** `5m`, `6h`, `3d` */
const durationText = (seconds: number): string => {
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}

/** What a selector's counters grew by each second, together. */
const rateOf = (selector: string, window: string) => `sum(rate(${selector}[${window}]))`

/** A bucket that is not there says nothing; any other series of good events that is not there says that none was good. */
const goodRate = (good: string, window: string) =>
  /[{,]\s*le\s*=/.test(good) ? rateOf(good, window) : `(${rateOf(good, window)} or vector(0))`

const badRatio = ({ sli }: Exported, window: string): string => {
  if ('total' in sli) {
    const total = rateOf(sli.total, window)
    return sli.good === undefined
      ? `${rateOf(sli.bad ?? sli.total, window)} / ${total}`
      : `1 - ${goodRate(sli.good, window)} / ${total}`
  }
  const { monitor, latencyMs } = sli
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
