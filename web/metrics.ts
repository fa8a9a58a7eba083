import type { AlertNow } from '../functions/alerts-now.ts'
import type { LatestOutcome } from '../functions/latest-outcomes.ts'
import type { WindowReport } from '../functions/scrape/step.ts'

type Metric = { name: string; help: string; values: { labels: Record<string, string>; value: number | undefined }[] }

/** How often a value was at most each bound and above the one before it; `count` and `sum` are of all values. */
export type Histogram = { buckets: { bound: number; count: number }[]; count: number; sum: number }

const quoted = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const labelText = (labels: Record<string, string>) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${quoted(value)}"`)
    .join(',')

const family = ({ name, help, values }: Metric): string[] => {
  const lines = values.flatMap(({ labels, value }) =>
    value === undefined || !Number.isFinite(value) ? [] : [`${name}{${labelText(labels)}} ${value}`],
  )
  return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines]
}

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000)

const phases = ['resolve', 'connect', 'tls', 'processing', 'transfer'] as const
const verdicts = ['pass', 'degraded', 'fail', 'unknown'] as const

const alertFamilies = (alerts: readonly AlertNow[]): Metric[] => [
  {
    name: 'whodunit_alert',
    help: 'Alerts that are pending, firing or held; advisories too, which page nobody',
    values: alerts.map(({ alertId, service, labels, standing }) => ({
      labels: { alertname: alertId, service, severity: labels['severity'] ?? '', alertstate: standing },
      value: 1,
    })),
  },
  {
    name: 'whodunit_alert_flaps',
    help: 'How often an alert that is there now came back within the last hour',
    values: alerts.map(({ alertId, service, flaps }) => ({ labels: { alertname: alertId, service }, value: flaps })),
  },
]
const windowFamilies = (windows: ReadonlyMap<string, WindowReport>): Metric[] => {
  const of = (pick: (window: WindowReport) => number) =>
    [...windows].map(([cluster, window]) => ({ labels: { cluster }, value: pick(window) }))
  return [
    {
      name: 'whodunit_window_series',
      help: 'Series in the window of a cluster',
      values: of(({ series }) => series),
    },
    {
      name: 'whodunit_window_left_out_series',
      help: 'Series of the last reading for which the window of a cluster had no room',
      values: of(({ leftOut }) => leftOut),
    },
    {
      name: 'whodunit_window_chunk_bytes',
      help: 'Bytes of the part of a cluster’s window that was written last',
      values: of(({ bytes }) => bytes),
    },
  ]
}

/** Prometheus' text format counts cumulatively: https://prometheus.io/docs/instrumenting/exposition_formats/ */
const histogram = (name: string, help: string, { buckets, count, sum }: Histogram): string[] => {
  let below = 0
  const lines = buckets.map((one) => {
    below += one.count
    return `${name}_bucket{le="${one.bound}"} ${below}`
  })
  const all = [`${name}_bucket{le="+Inf"} ${count}`, `${name}_sum ${sum}`, `${name}_count ${count}`]
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, ...all]
}

/**
 * The last outcomes under blackbox_exporter's names, so that dashboards made for it work. What was not seen is left
 * out: a monitor we could not look at has no `probe_success`, and a phase that was not reached has no duration.
 * `own` is of this process: how late its looks began, and the clusters' windows as it wrote them last.
 */
export const metricsText = (
  outcomes: readonly LatestOutcome[],
  alerts: readonly AlertNow[],
  own: { lag?: Histogram | undefined; windows?: ReadonlyMap<string, WindowReport> } = {},
): string => {
  const of = (pick: (outcome: LatestOutcome) => number | undefined) =>
    outcomes.map((outcome) => ({ labels: base(outcome), value: pick(outcome) }))
  const families: Metric[] = [
    {
      name: 'probe_success',
      help: 'Displays whether or not the probe was a success',
      values: of(({ verdict }) => (verdict === 'unknown' ? undefined : verdict === 'fail' ? 0 : 1)),
    },
    {
      name: 'probe_duration_seconds',
      help: 'Returns how long the probe took to complete in seconds',
      values: of(({ timingsMs }) => seconds(timingsMs.total)),
    },
    {
      name: 'probe_http_status_code',
      help: 'Response HTTP status code',
      values: of(({ attempt }) => attempt?.statusCode),
    },
    {
      name: 'probe_http_duration_seconds',
      help: 'Duration of http request by phase, summed over all redirects',
      values: outcomes.flatMap((outcome) =>
        phases.map((phase) => ({ labels: { ...base(outcome), phase }, value: seconds(outcome.timingsMs[phase]) })),
      ),
    },
    {
      name: 'probe_ssl_earliest_cert_expiry',
      help: 'Returns last SSL chain expiry in unixtime',
      values: of(({ attempt }) => seconds(attempt?.certificate?.notAfterMs)),
    },
    {
      name: 'whodunit_verdict',
      help: 'The last verdict: pass, degraded, fail or unknown',
      values: outcomes.flatMap((outcome) =>
        verdicts.map((verdict) => ({
          labels: { ...base(outcome), verdict },
          value: outcome.verdict === verdict ? 1 : 0,
        })),
      ),
    },
    {
      name: 'whodunit_scheduled_timestamp_seconds',
      help: 'The time the last look was scheduled for',
      values: of(({ scheduledAtMs }) => scheduledAtMs / 1000),
    },
  ]
  const lateness = 'How late looks began after the time they were scheduled for'
  const late = own.lag ? histogram('whodunit_schedule_lag_seconds', lateness, own.lag) : []
  const gauges = [...families, ...alertFamilies(alerts), ...windowFamilies(own.windows ?? new Map())]
  return `${[...gauges.flatMap(family), ...late].join('\n')}\n`
}

const base = ({ monitorId, service, location, target }: LatestOutcome): Record<string, string> => ({
  monitor: monitorId,
  service,
  location,
  target,
})
