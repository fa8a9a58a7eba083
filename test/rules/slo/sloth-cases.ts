import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import type { BurnRate } from '../../../rules/slo/burn-rate.ts'
import { isInstalled } from '../../engines/installed.ts'

const fixture = (path: string) =>
  fileURLToPath(new URL(`../../../../shared/fixtures/rules/sloth/${path}`, import.meta.url))

/** An objective of sloth, and the rules it makes of it. */
export const specFile = fixture('spec/getting-started.yml')
export const rulesFile = fixture('gen/getting-started.yml')

/** Prometheus' own tool and the rules that sloth wrote: where either is missing there is nothing to compare with. */
export const canCompare = existsSync(rulesFile) && isInstalled('promtool')

export const minuteMs = 60_000
export const eventsAMinute = 1000

export type Case = { given: string; severity: BurnRate['severity']; cleanMinutes: number; badShare: number }
export const cases: readonly Case[] = [
  { given: 'one in fifty fails', severity: 'page', cleanMinutes: 7 * 60, badShare: 0.02 },
  { given: 'one in ten fails', severity: 'page', cleanMinutes: 7 * 60, badShare: 0.1 },
  { given: 'all of it fails', severity: 'page', cleanMinutes: 7 * 60, badShare: 1 },
  { given: 'one in a hundred and fifty fails', severity: 'page', cleanMinutes: 7 * 60, badShare: 0.007 },
  { given: 'one in two hundred fails', severity: 'ticket', cleanMinutes: 73 * 60, badShare: 0.005 },
]

/** How long after the traffic turned bad something is sure to have fired. */
export const patienceMinutes = ({ severity }: Case): number => (severity === 'page' ? 6 : 24) * 60

export const counterName = 'http_request_duration_seconds_count'

/** Counters of the same traffic: the events of a minute are in the sample at its end. */
export const seriesOf = ({ cleanMinutes, badShare }: Case) => {
  const bad = Math.round(eventsAMinute * badShare)
  const name = `${counterName}{job="myservice"`
  const clean = cleanMinutes - 1
  const from = clean * eventsAMinute
  return [
    {
      series: `${name},code="200"}`,
      values: `0+${eventsAMinute}x${clean} ${from + eventsAMinute - bad}+${eventsAMinute - bad}x1500`,
    },
    { series: `${name},code="500"}`, values: `0+0x${clean} ${bad}+${bad}x1500` },
  ]
}

const firing = (alerts: string, minute: number, count: number) => ({
  expr: `min(count(ALERTS{${alerts},alertstate="firing"}) or vector(0)) > bool 0`,
  eval_time: `${minute}m`,
  exp_samples: [{ labels: '{}', value: count }],
})

/** What promtool says of rules whose alerts are to begin to fire at a minute, give or take a tick. */
export const promtoolSays = (
  directory: string,
  one: Case,
  at: { rules: readonly { file: string; alerts: string }[]; firesAtMinute: number },
): string => {
  const file = join(directory, `${one.given.replaceAll(' ', '-')}.yaml`)
  const checks = at.rules.flatMap(({ alerts }) => [
    firing(alerts, at.firesAtMinute - 2, 0),
    firing(alerts, at.firesAtMinute + 1, 1),
  ])
  const tests = [{ interval: '1m', input_series: seriesOf(one), promql_expr_test: checks }]
  writeFileSync(
    file,
    stringify({ rule_files: at.rules.map((rules) => rules.file), evaluation_interval: '1m', tests }, { lineWidth: 0 }),
  )
  try {
    return execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8', timeout: 120_000, stdio: 'pipe' })
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? `${error.message} ${String(error.stderr)}` : String(error)
  }
}
