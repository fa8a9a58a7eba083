import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { type BurnRate, budgetRatioOf, burns, usualBurnRates } from '../../../rules/slo/burn-rate.ts'
import { timeline } from './traffic.ts'

const rulesFile = fileURLToPath(
  new URL('../../../../shared/fixtures/rules/sloth/gen/getting-started.yml', import.meta.url),
)

const isInstalled = (): boolean => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
/** Prometheus' own tool and the rules that sloth wrote: where either is missing there is nothing to compare with. */
const canCompare = existsSync(rulesFile) && isInstalled()

const minuteMs = 60_000
const eventsAMinute = 1000

type Case = { given: string; severity: BurnRate['severity']; cleanMinutes: number; badShare: number }
const cases: readonly Case[] = [
  { given: 'one in fifty fails', severity: 'page', cleanMinutes: 7 * 60, badShare: 0.02 },
  { given: 'one in ten fails', severity: 'page', cleanMinutes: 7 * 60, badShare: 0.1 },
  { given: 'all of it fails', severity: 'page', cleanMinutes: 7 * 60, badShare: 1 },
  { given: 'one in a hundred and fifty fails', severity: 'page', cleanMinutes: 7 * 60, badShare: 0.007 },
  { given: 'one in two hundred fails', severity: 'ticket', cleanMinutes: 73 * 60, badShare: 0.005 },
]

/** The minute of the first tick at which one of our pairs fires. */
const firesAt = ({ severity, cleanMinutes, badShare }: Case): number => {
  const badFromMs = cleanMinutes * minuteMs
  const traffic = { fromMs: 0, badFromMs, eventsAMinute, badShare }
  const untilMs = badFromMs + 6 * 60 * minuteMs * (severity === 'page' ? 1 : 4)
  const { at } = timeline(traffic, untilMs)
  const rates = usualBurnRates(30).filter((rate) => rate.severity === severity)
  const wanted = { budgetRatio: budgetRatioOf(99.9), guard: { minEvents: 1, minBadEvents: 1 } }
  for (let nowMs = badFromMs; nowMs <= untilMs; nowMs += minuteMs) {
    if (rates.some((rate) => burns(at(nowMs), rate, { nowMs, ...wanted }))) return nowMs / minuteMs
  }
  throw new Error('none of our pairs fires')
}

/** Counters of the same traffic: the events of a minute are in the sample at its end. */
const seriesOf = ({ cleanMinutes, badShare }: Case) => {
  const bad = Math.round(eventsAMinute * badShare)
  const name = 'http_request_duration_seconds_count{job="myservice"'
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

const firing = (severity: string, minute: number, count: number) => ({
  expr: `count(ALERTS{alertname="MyServiceHighErrorRate",sloth_severity="${severity}",alertstate="firing"}) or vector(0)`,
  eval_time: `${minute}m`,
  exp_samples: [{ labels: '{}', value: count }],
})

const told = (directory: string, one: Case): string => {
  const ours = firesAt(one)
  const file = join(directory, `${one.given.replaceAll(' ', '-')}.yaml`)
  const checks = [firing(one.severity, ours - 2, 0), firing(one.severity, ours + 1, 1)]
  const tests = [{ interval: '1m', input_series: seriesOf(one), promql_expr_test: checks }]
  writeFileSync(file, stringify({ rule_files: [rulesFile], evaluation_interval: '1m', tests }, { lineWidth: 0 }))
  try {
    return execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8', timeout: 120_000, stdio: 'pipe' })
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? `${error.message} ${String(error.stderr)}` : String(error)
  }
}

const compare = canCompare ? test.each(cases) : test.skip.each(cases)

compare(
  "when $given, sloth's rules in Prometheus fire the same $severity within one tick of ours",
  (one) => {
    const directory = mkdtempSync(join(tmpdir(), 'sloth-'))
    try {
      expect(told(directory, one)).toContain('SUCCESS')
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  180_000,
)
