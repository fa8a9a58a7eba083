import { expect, test } from '@jest/globals'
import { periodsOf } from '../../triage/counters.ts'
import { trafficOf } from '../../triage/flows.ts'
import { seriesOf } from '../../triage/past.ts'
import { minute, noon, parse, testimonyOf } from './witness-stand.ts'

const own = 'namespace="shop",deployment="cart",pod="cart-1"'
const answered = (count: number) => `response_total{${own},direction="inbound",classification="success"} ${count}`
const proxy = `process_start_time_seconds{${own}} 1700000000`

/** What came in to cart since the cut, which lies before all readings but the first. */
const inbound = (...texts: readonly string[]) => {
  const scraped = texts.map((text, index) => ({ atMs: noon + index * minute, samples: parse(`${proxy}\n${text}`) }))
  const series = seriesOf(testimonyOf(scraped))
  return trafficOf(series, periodsOf(series, noon + 1.5 * minute)).stops.get('shop/cart')?.inbound.now
}

test.each<[string, readonly string[], number | undefined]>([
  ['counts on', [answered(50), answered(60), answered(70)], 20],
  ['starts again', [answered(50), answered(60), answered(5)], 15],
  ['was idle, was dropped and counts from 0 again, past its old value', [answered(5), '', answered(7)], 7],
  ['comes first when its proxy was known already', ['', answered(3), answered(4)], 4],
  ['is gone: nothing was counted since', [answered(5), answered(9), '', ''], 4],
])('a counter of a proxy that %s', (_, texts, expected) => {
  expect(inbound(...texts)).toBe(expected)
})
