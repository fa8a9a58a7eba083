import { expect, test } from '@jest/globals'
import { cluster as clusterSchema } from '../../config/schema.ts'
import { windowCost, windowFinding, windowSentence } from '../../config/window-budget.ts'
import type { WindowNeed } from '../../config/window-needs.ts'
import { seriesToRemember } from '../../triage/registry.ts'

const cluster = (changes: object = {}) =>
  clusterSchema.parse({ size: { pods: 1000, nodes: 20, namespaces: 30 }, ...changes })
const questions: WindowNeed[] = seriesToRemember('kube-state-metrics').map((selector) => ({
  kind: 'kube-state-metrics',
  selector,
  rangeSeconds: 900,
}))
const cpu = (rule: string, rangeSeconds: number): WindowNeed => ({
  rule,
  selector: { name: 'container_cpu_usage_seconds_total' },
  rangeSeconds,
})

test('a window that fits is no finding, and a sentence', () => {
  expect(windowFinding('main', cluster(), questions)).toBeUndefined()
  expect(windowSentence('main', windowCost(questions, cluster()))).toMatch(
    /^window of main: about [\d,]+ series, \d+ MiB in memory, \d+ MiB stored$/,
  )
})

test('one that does not fit names the rule that takes the most, and the ways out', () => {
  const finding = windowFinding('main', cluster(), [...questions, cpu('short', 300), cpu('day-of-cpu', 86_400)])
  expect(finding).toMatchObject({ severity: 'error', code: 'window-too-large', path: ['rules', 'day-of-cpu'] })
  expect(finding?.message).toMatch(
    /^the window of cluster main would take about \d+ MiB of memory \(windowBudgetMiB 256\), taking it to have 1,000 pods and 20 nodes; rule day-of-cpu takes \d+ MiB: 3,400 series, 9,792,000 points$/,
  )
  for (const way of ['a native slo', 'a recording rule', 'a remote Prometheus']) expect(finding?.hint).toContain(way)
})

test('when the questions alone take more it is the cluster that is named', () => {
  const finding = windowFinding('main', cluster({ size: { pods: 100_000 }, windowSeconds: 900 }), questions)
  expect(finding).toMatchObject({
    path: ['clusters', 'main'],
    message: expect.stringContaining('the questions alone remember'),
  })
})

test('two who read the same series pay for it once, as long as the longer looks', () => {
  const both = windowCost([cpu('a', 300), cpu('b', 3600)], cluster())
  expect(both).toEqual(windowCost([cpu('b', 3600)], cluster()))
})

test('a shorter interval is more points, not more series', () => {
  const [slow, fast] = [30, 10].map((scrapeIntervalSeconds) =>
    windowCost(questions, cluster({ scrapeIntervalSeconds })),
  )
  expect(fast?.series).toBe(slow?.series)
  expect((fast?.points ?? 0) / (slow?.points ?? 1)).toBeCloseTo(3)
})

test('metrics of CloudWatch are as many as the config names', () => {
  const metric = (name: string) => ({ namespace: 'AWS/ELB', metric: 'RequestCount', stat: 'Sum', dimensions: { name } })
  const source = { kind: 'cloudwatch', region: 'eu-west-1', metrics: [metric('a'), metric('b')] }
  const need = { rule: 'quiet', selector: { name: 'aws_elb_request_count_sum' }, rangeSeconds: 300 }
  expect(windowCost([need], cluster({ sources: [source] }))).toMatchObject({ series: 2, points: 20 })
})

test('what a Prometheus holds is as much as its own source would have', () => {
  const source = { kind: 'prometheus', url: 'https://prometheus', holds: ['node'] }
  const discover = [{ kind: 'node', role: 'pod', namespaces: ['one'] }]
  const need = { kind: 'node', selector: { name: 'node_load1' }, rangeSeconds: 300 }
  expect(windowCost([need], cluster({ discover })).series).toBeLessThan(20)
  expect(windowCost([need], cluster({ discover, sources: [source] })).series).toBe(20)
})
