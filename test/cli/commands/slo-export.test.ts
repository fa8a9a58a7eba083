import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { exportSlos } from '../../../cli/commands/slo-export.ts'
import { cluster } from '../../../config/schema.ts'
import { ruleSpec } from '../../../rules/registry.ts'
import { isInstalled } from '../../engines/installed.ts'

const rules = {
  'front-slo': ruleSpec.parse({ kind: 'slo', service: 'shop', monitor: 'front', objectivePercent: 99.9 }),
  'front-fast': ruleSpec.parse({
    kind: 'slo',
    service: 'shop',
    monitor: 'front',
    latencyMs: 800,
    objectivePercent: 99,
    burnRates: [{ severity: 'ticket', longSeconds: 7200, shortSeconds: 600, factor: 5 }],
    calendarMonth: true,
  }),
}
const { text, lost } = exportSlos({ rules })

test('each objective is a group: a ratio for each window, and an alert for each pair that says which window fired', () => {
  const { groups } = parse(text)
  expect(groups.map(({ name }: { name: string }) => name)).toEqual(['whodunit-front-slo', 'whodunit-front-fast'])
  expect(groups[0].rules.length).toBe(7 + 4)
  expect(groups[0].rules[7]).toEqual({
    alert: 'front-slo-page-1h',
    expr: 'whodunit:slo_bad:ratio_5m{slo="front-slo"} > 14.4 * 0.001 and whodunit:slo_bad:ratio_1h{slo="front-slo"} > 14.4 * 0.001',
    labels: { service: 'shop', slo: 'front-slo', severity: 'page' },
    annotations: {
      summary: 'the budget of front-slo (99.9 %) burns more than 14.4 times too fast; the 1h window fired',
    },
  })
})

test('what cannot be carried over is said', () => {
  expect(lost).toContain('front-fast: the budget of a calendar month is not carried over; its windows are')
  expect(lost.filter((one) => one.startsWith('front-slo:')).length).toBe(2)
})

const withPromtool = isInstalled('promtool') ? test : test.skip

withPromtool('Prometheus takes the rules', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slo-export-'))
  const file = join(directory, 'rules.yaml')
  writeFileSync(file, text)
  const said = execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
  rmSync(directory, { recursive: true })
  expect(said).toContain('SUCCESS: 14 rules found')
})

const counters = (series: object) => ({
  a: ruleSpec.parse({
    kind: 'slo',
    service: 'shop',
    series: { cluster: 'main', total: 'a_count', ...series },
    objectivePercent: 99,
  }),
})

test.each([
  { series: { bad: 'a_count{code="500"}' }, expr: 'sum(rate(a_count{code="500"}[5m])) / sum(rate(a_count[5m]))' },
  {
    series: { good: 'a_count{code="200"}' },
    expr: '1 - (sum(rate(a_count{code="200"}[5m])) or vector(0)) / sum(rate(a_count[5m]))',
  },
  // A bucket that is not there is unknown to us, and nothing to Prometheus.
  { series: { good: 'a_bucket{le="0.3"}' }, expr: '1 - sum(rate(a_bucket{le="0.3"}[5m])) / sum(rate(a_count[5m]))' },
])('an objective over counters is exported as a ratio of their rates, $expr', ({ series, expr }) => {
  const exported = exportSlos({ rules: counters(series) })
  expect(parse(exported.text).groups[0].rules[0]).toMatchObject({ record: 'whodunit:slo_bad:ratio_5m', expr })
})

withPromtool('Prometheus takes those over counters too', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slo-export-'))
  const file = join(directory, 'rules.yaml')
  writeFileSync(file, exportSlos({ rules: counters({ good: 'a_count{code="200"}' }) }).text)
  const said = execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
  rmSync(directory, { recursive: true })
  expect(said).toContain('SUCCESS: 11 rules found')
})

test('an objective over sums of CloudWatch is not exported, and that is said', () => {
  const metrics = ['a_count', 'b_count'].map((name) => ({ namespace: 'Shop', metric: name, stat: 'Sum', name }))
  const main = cluster.parse({ sources: [{ kind: 'cloudwatch', region: 'eu-west-1', metrics }] })
  const exported = exportSlos({ rules: counters({ bad: 'b_count' }), clusters: { main } })
  expect(parse(exported.text)).toEqual({ groups: [] })
  expect(exported.lost).toEqual([expect.stringMatching(/^a: it is over sums of CloudWatch/)])
})
