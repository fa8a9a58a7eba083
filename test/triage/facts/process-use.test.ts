import { describe, expect, test } from '@jest/globals'
import { histogramsOf, summariesOf } from '../../../triage/facts/distributions.ts'
import { processUseReads, processUses } from '../../../triage/facts/process-use.ts'
import { readings, recorded, sharedTest } from './readings.ts'

sharedTest('the recorded Linkerd proxy tells of its own process', async () => {
  const labels = { namespace: 'shop', pod: 'cart-1' }
  const series = await recorded('linkerd/sampleMetrics.txt', { kind: 'app', reads: processUseReads, labels })
  expect(processUses(series)).toEqual([
    {
      of: labels,
      residentBytes: 17805312,
      openFileDescriptors: 22,
      fileDescriptorsUsedRatio: 22 / 1048576,
      startedAtMs: 1650967123000,
    },
  ])
})

sharedTest('the recorded process tells how its runtime collects', async () => {
  const [process] = processUses(await recorded('promtool/metrics-test.prom', { kind: 'app', reads: processUseReads }))
  expect(process).toMatchObject({ of: {}, goVersion: 'go1.17' })
  expect(process?.collections).toMatchObject({ quantiles: { 0.5: 0.000118953, 1: 0.005201208 }, from: 'summary' })
})

describe('a summary', () => {
  const text = (sum: number, count: number, last: number | string) =>
    [
      `rpc{service="a",quantile="0.5"} 0.05`,
      `rpc{service="a",quantile="0.99"} ${last}`,
      `rpc_sum{service="a"} ${sum}`,
      `rpc_count{service="a"} ${count}`,
    ].join('\n')

  test('has its own quantiles, and a pace between two readings', () => {
    expect(summariesOf(readings(text(10, 100, 0.9), text(22, 160, 0.8)), 'rpc')).toEqual([
      {
        name: 'rpc',
        labels: { service: 'a' },
        from: 'summary',
        over: 'its-own-window',
        quantiles: { 0.5: 0.05, 0.99: 0.8 },
        perSecond: 1,
        mean: 0.2,
      },
    ])
  })

  test('has no quantile where it observed nothing (NaN), and no pace with one reading', () => {
    expect(summariesOf(readings(text(0, 0, 'NaN')), 'rpc')).toMatchObject([{ quantiles: { 0.5: 0.05 } }])
    expect(summariesOf(readings(text(0, 0, 'NaN')), 'rpc')[0]).not.toHaveProperty('mean')
  })

  test('without any quantile is none of these', () => {
    expect(summariesOf(readings('rpc_sum 1\nrpc_count 2'), 'rpc')).toEqual([])
  })
})

describe('a histogram', () => {
  const text = (small: number, all: number) =>
    [
      `h_bucket{le="1"} ${small}`,
      `h_bucket{le="2.0"} ${all}`,
      `h_bucket{le="+Inf"} ${all}`,
      `h_count ${all}`,
      `h_sum ${all * 1.5}`,
    ].join('\n')

  test('is of the last five minutes, not of all that was ever observed', () => {
    const [recent] = histogramsOf(readings(text(1000, 1000), text(1000, 1060)), 'h')
    expect(recent).toMatchObject({ over: 'five-minutes', quantiles: { 0.5: 1.5, 0.9: 1.9 }, perSecond: 1, mean: 1.5 })
  })

  test('that was read once is of all time', () => {
    expect(histogramsOf(readings(text(50, 100)), 'h')).toMatchObject([{ over: 'all-time', quantiles: { 0.5: 1 } }])
  })

  test('in which nothing was observed has no quantile', () => {
    expect(histogramsOf(readings(text(5, 9), text(5, 9)), 'h')).toMatchObject([{ quantiles: {}, perSecond: 0 }])
  })
})
