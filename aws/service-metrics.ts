import { CloudWatchClient, type MetricDatum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { isFresh } from '../functions/freshness.ts'
import type { LatestOutcome } from '../functions/latest-outcomes.ts'
import { causeOf } from './cause.ts'
import { clientOptions } from './clients.ts'

export const serviceNamespace = 'Whodunit/Services'

/** CloudWatch's limit for different values in one datum, and a number of data that is sure to fit one call's 1 MB. */
const valuesPerDatum = 150
const dataPerCall = 200
const timeoutMs = 3000

type Put = { metric: string; service: string; unit: 'None' | 'Milliseconds'; values: readonly number[] }

/** Values with how often each was seen, as CloudWatch takes them: it can say any percentile of them. */
const dataOf = ({ metric, service, unit, values }: Put, at: { name: string; nowMs: number }): MetricDatum[] => {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const all = [...counts]
  return Array.from({ length: Math.ceil(all.length / valuesPerDatum) }, (_, part) => {
    const some = all.slice(part * valuesPerDatum, (part + 1) * valuesPerDatum)
    return {
      MetricName: metric,
      Dimensions: [
        { Name: 'Deployment', Value: at.name },
        { Name: 'Service', Value: service },
      ],
      Timestamp: new Date(at.nowMs),
      Unit: unit,
      Values: some.map(([value]) => value),
      Counts: some.map(([, count]) => count),
    }
  })
}

/**
 * Two metrics a service ($0.30 each a month), from the newest look of every monitor and location that is still fresh:
 * `Availability`, 1 for a look that passed or was degraded and 0 for one that failed, so that its average is the share
 * of good looks; `LatencyMs` of the good ones. A look that is unknown is no value, and no value at all is no metric.
 */
export const serviceMetrics = (
  outcomes: readonly LatestOutcome[],
  at: { name: string; nowMs: number },
): MetricDatum[] => {
  const seen = outcomes.filter((look) => look.verdict !== 'unknown' && isFresh(look, at.nowMs))
  return [...Map.groupBy(seen, ({ service }) => service)].flatMap(([service, looks]) => {
    const good = looks.filter(({ verdict }) => verdict !== 'fail')
    const availability = looks.map(({ verdict }) => (verdict === 'fail' ? 0 : 1))
    const latency = good.map(({ timingsMs }) => Math.round(timingsMs.total))
    return [
      ...dataOf({ metric: 'Availability', service, unit: 'None', values: availability }, at),
      ...dataOf({ metric: 'LatencyMs', service, unit: 'Milliseconds', values: latency }, at),
    ]
  })
}

/** Sends them; answers why not. A minute that is lost is a gap, which the next minute does not fill with guesses. */
export const putServiceMetrics =
  ({ client }: { client: CloudWatchClient }) =>
  async (data: readonly MetricDatum[]): Promise<{ status: 'put' } | { status: 'lost'; cause: string }> => {
    try {
      for (let at = 0; at < data.length; at += dataPerCall) {
        const command = new PutMetricDataCommand({
          Namespace: serviceNamespace,
          MetricData: data.slice(at, at + dataPerCall),
        })
        await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) })
      }
      return { status: 'put' }
    } catch (thrown) {
      return { status: 'lost', cause: causeOf(thrown) }
    }
  }

/** The same with a client of its own. */
export const deployedServiceMetrics = (region: string) =>
  putServiceMetrics({ client: new CloudWatchClient(clientOptions(region)) })
