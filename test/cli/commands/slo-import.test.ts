import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { Command } from 'commander'
import { parse } from 'yaml'
import { importSlos, importText } from '../../../cli/commands/slo-import.ts'
import { addSloCommands } from '../../../cli/slo-program.ts'
import { UsageError } from '../../../cli/surroundings.ts'
import { loadConfig } from '../../../config/load.ts'

const at = { cluster: 'main', prometheus: 'http://127.0.0.1:9090' }

const read = (text: string) => {
  const imported = importSlos(text, at)
  if (imported.status !== 'read') throw new Error(`${imported.line} ${imported.why}`)
  return { ...imported, rules: imported.config === '' ? {} : parse(imported.config).rules, imported }
}

const problems = async (config: string): Promise<string[]> => {
  const loaded = await loadConfig('imported.yaml', { readFile: async () => config })
  return loaded.ok ? [] : loaded.issues.map(({ message, line }) => `${line}: ${message}`)
}

const sloth = `version: prometheus/v1
service: My Service
labels: { owner: myteam }
slos:
  - name: requests
    objective: 99.5
    description: Requests are answered.
    sli:
      events:
        error_query: sum(rate(requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
    alerting:
      name: Burning
      annotations: { runbook: "https://runbooks.example.com/my" }
      page_alert: { labels: { severity: critical } }
      ticket_alert: { disable: true }
`

test('a file of sloth is a config that can be tried as it is, and every line that has no place here is said', async () => {
  const { config, imported } = read(sloth)
  expect(parse(config)).toEqual({
    services: { 'my-service': { runbook: 'https://runbooks.example.com/my' } },
    monitors: {},
    clusters: { main: { sources: [{ kind: 'prometheus', url: 'http://127.0.0.1:9090' }] } },
    rules: {
      'my-service-requests': {
        kind: 'slo',
        service: 'my-service',
        summary: 'Requests are answered',
        series: { cluster: 'main', total: 'requests_total', bad: 'requests_total{code=~"5.."}' },
        objectivePercent: 99.5,
        burnRates: [
          { severity: 'page', longSeconds: 3600, shortSeconds: 300, factor: 14.4 },
          { severity: 'page', longSeconds: 21600, shortSeconds: 1800, factor: 6 },
        ],
      },
    },
    channels: { terminal: { kind: 'console' } },
    routes: [{ channels: ['terminal'] }],
  })
  expect(await problems(config)).toEqual([])
  expect(importText('slos.yaml', imported).split('\n')).toEqual([
    'slos.yaml:3 labels: an alert has the labels of its rule, its service and its severity, and routes go by those',
    'slos.yaml:13 slos[0].alerting.name: alerts are called like their rule',
    'slos.yaml:15 slos[0].alerting.page_alert: who is told of a page follows from the routes',
    'carried over: 1 of 1 objectives; not carried over: 3',
  ])
})

const openslo = `apiVersion: openslo/v1
kind: DataSource
metadata: { name: Metrics }
spec: { type: Prometheus, connectionDetails: { url: "https://prometheus.example.com" } }
---
apiVersion: openslo/v1
kind: SLI
metadata: { name: fast }
spec:
  ratioMetric:
    counter: true
    good: { metricSource: { metricSourceRef: Metrics, type: Prometheus, spec: { query: 'sum(took_bucket{le="0.3"})' } } }
    total: { metricSource: { metricSourceRef: Metrics, type: Prometheus, spec: { query: sum(took_count) } } }
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: { name: quick }
spec: { severity: page, condition: { kind: burnrate, op: gte, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m } }
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: { name: on-call }
spec:
  conditions: [{ conditionRef: quick }]
  notificationTargets: [{ targetRef: pager }]
---
apiVersion: openslo/v1
kind: SLO
metadata: { name: search, displayName: Searching }
spec:
  service: shop
  indicatorRef: fast
  budgetingMethod: Occurrences
  timeWindow: [{ duration: 1M, isRolling: false, calendar: { startTime: "2026-01-01 00:00:00", timeZone: Europe/Berlin } }]
  objectives: [{ target: 0.99 }, { target: 0.8, displayName: at least }]
  alertPolicies: [on-call]
`

test('documents of OpenSLO find each other by name', async () => {
  const { config, rules, imported } = read(openslo)
  const series = { cluster: 'metrics', total: 'took_count', good: 'took_bucket{le="0.3"}' }
  const common = {
    kind: 'slo',
    service: 'shop',
    summary: 'Searching',
    series,
    calendarMonth: true,
    timeZone: 'Europe/Berlin',
  }
  const page = { severity: 'page', longSeconds: 3600, shortSeconds: 300, factor: 14.4 }
  expect(rules).toEqual({ 'shop-search-0': { ...common, objectivePercent: 99, burnRates: [page] } })
  expect(parse(config).clusters).toEqual({
    metrics: { sources: [{ kind: 'prometheus', url: 'https://prometheus.example.com' }] },
  })
  expect(await problems(config)).toEqual([])
  expect(imported.lost.map(({ line, what }) => `${line} ${what}`)).toEqual([
    '15 a condition has one window: one of 5 min goes with it, so that the alert ends soon',
    '18 a pair of windows fires when both are over',
    '25 who is told follows from the routes',
    '35 the page of its 1 h window can never fire at 80 % and is left out',
    '35 the objective is not carried over: none of its alerts can ever fire',
  ])
})

const slo = (spec: string) =>
  `apiVersion: openslo/v1\nkind: SLO\nmetadata: { name: a }\nspec:\n  service: shop\n  objectives: [{ target: 0.99 }]\n${spec}`
const sli = (metric: string) => `  indicator: { spec: { ${metric} } }\n`
const counted = (good: string) =>
  sli(
    `ratioMetric: { good: { metricSource: { ${good} } }, total: { metricSource: { spec: { query: "rate(a[5m])" } } } }`,
  )

test.each([
  {
    given: 'a threshold',
    text: slo(sli('thresholdMetric: { metricSource: {} }')),
    why: 'compares a value with a threshold',
  },
  { given: 'another database', text: slo(counted('type: Datadog, spec: { query: "x" }')), why: 'of a Prometheus' },
  {
    given: 'time slices',
    text: slo(`  budgetingMethod: Timeslices\n${counted('spec: { query: "rate(b[5m])" }')}`),
    why: 'Timeslices',
  },
  { given: 'an SLI that is elsewhere', text: slo('  indicatorRef: other\n'), why: 'there is no SLI other here' },
])('with $given an objective is not carried over, and the reason is said', ({ text, why }) => {
  const { objectives, rules, lost } = read(text)
  expect([objectives, rules]).toEqual([1, {}])
  expect(lost.map(({ what }) => what).join('\n')).toContain(why)
})

test.each([
  { given: 'no YAML', text: 'a: [', why: /^Flow sequence|sequence/ },
  { given: 'another version', text: sloth.replace('v1', 'v999'), why: /no objective of sloth/ },
  { given: 'the rules that were made of it', text: 'groups: [{ name: a }]', why: /these are Prometheus rules/ },
  { given: 'nothing', text: '', why: /no objective/ },
])('$given cannot be used', ({ text, why }) => {
  expect(importSlos(text, at)).toEqual({
    status: 'unusable',
    line: expect.any(Number),
    why: expect.stringMatching(why),
  })
})

const run = async (file: string, ...flags: string[]) => {
  const said: { code?: number; out: string; errors: string } = { out: '', errors: '' }
  const root = new Command()
  addSloCommands(root, {
    nowMs: () => 0,
    print: (text) => (said.out += text),
    printError: (text) => (said.errors += text),
    readConfig: () => Promise.reject(new Error()),
    withState: () => Promise.reject(new Error()),
    exit: (code) => (said.code = code),
  })
  await root.parseAsync(['slo', 'import', file, ...flags], { from: 'user' })
  return said
}

const anchors = `version: prometheus/v1
service: shop
x-usual: &usual
  objective: 99.9
  sli: &sli { events: { error_query: 'sum(rate(e[5m]))', total_query: 'sum(rate(t[5m]))' } }
  labels: { a: b }
slos:
  - { name: a, <<: *usual }
  - { name: b, objective: 99, sli: *sli }
`

test('anchors, aliases and merged maps are carried over, and what is not is said once, where its anchor is', () => {
  const { rules, imported } = read(anchors)
  const series = { cluster: 'main', total: 't', bad: 'e' }
  expect(rules).toEqual({
    'shop-a': { kind: 'slo', service: 'shop', series, objectivePercent: 99.9 },
    'shop-b': { kind: 'slo', service: 'shop', series, objectivePercent: 99 },
  })
  expect(imported.lost.map(({ line, where }) => `${line} ${where}`)).toEqual(['6 x-usual.labels'])
})

test('aliases within aliases, and one within itself, take no longer than what they stand for', () => {
  const levels = Array.from({ length: 30 }, (_, nth) => `l${nth + 1}: &l${nth + 1} [*l${nth}, *l${nth}, *l${nth}]`)
  const text = `version: prometheus/v1\nservice: a\nl0: &l0 [x]\n${levels.join('\n')}\nslos:\n  - &m { <<: *m, sli: *m }\n`
  const { imported } = read(text)
  expect(imported.rules).toEqual([])
  expect(imported.lost.length).toBe(32)
})

test('the exit code says whether everything was carried over', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'slo-import-'))
  const put = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const whole = slo(counted('spec: { query: "rate(b[5m])" }'))
  const all = await run(put('whole.yaml', whole), '--cluster', 'east', '--prometheus', 'https://p.example.com')
  expect([all.code, all.errors]).toEqual([0, 'carried over: 1 of 1 objectives; not carried over: nothing'])
  expect(parse(all.out).clusters).toEqual({ east: { sources: [{ kind: 'prometheus', url: 'https://p.example.com' }] } })
  expect((await run(put('part.yaml', sloth))).code).toBe(1)
  expect((await run(put('none.yaml', 'a: 1'))).code).toBe(2)
  await expect(run(join(directory, 'missing.yaml'))).rejects.toThrow(UsageError)
  rmSync(directory, { recursive: true })
})

const folder = fileURLToPath(new URL('../../../../shared/fixtures/rules/', import.meta.url))
const files = existsSync(folder) ? globSync(`${folder}{sloth,openslo}/**/*.{yaml,yml}`).sort() : []
const withFixtures = files.length > 0 ? test : test.skip

withFixtures(
  'what sloth and OpenSLO have as examples is carried over or spoken of, and validate takes it',
  async () => {
    const sum = { files: files.length, unusable: 0, objectives: 0, carried: 0, lost: 0 }
    for (const file of files) {
      const imported = importSlos(readFileSync(file, 'utf8'), at)
      if (imported.status === 'unusable') {
        sum.unusable++
        continue
      }
      sum.objectives += imported.objectives
      sum.carried += imported.rules.length
      sum.lost += imported.lost.length
      if (imported.config !== '') expect([file, await problems(imported.config)]).toEqual([file, []])
      const spoken = imported.lost.filter(({ what }) => what.startsWith('the objective is not carried over: '))
      expect(imported.rules.length + spoken.length).toBe(imported.objectives)
    }
    // The rules sloth made (11) and the version it does not know.
    expect(sum).toEqual({ files: 42, unusable: 12, objectives: 46, carried: 37, lost: 129 })
  },
)
