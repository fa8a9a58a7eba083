import { expect, test } from '@jest/globals'
import { ratioOfOne, ratioOfTwo } from '../../../cli/slo-import/promql.ts'

const total = 'sum(rate(a_total{job="x"}[{{.window}}]))'
const all = 'a_total{job="x"}'

test.each([
  { part: 'sum(rate(a_total{job="x",code=~"(5..|429)"}[{{.window}}]))', is: 'a_total{job="x",code=~"(5..|429)"}' },
  { part: 'sum(rate(a_total{code!~`5..`, job="x"}[{{ .window }}]))', is: 'a_total{code!~"5..",job="x"}' },
  { part: "rate(a_total{path='it\\'s'}[{{.window}}])", is: 'a_total{path="it\'s"}' },
  {
    part: 'rate(a_total{path=~"/v1\\\\.0",x="\\x41\\102\\u00e9"}[{{.window}}])',
    is: 'a_total{path=~"/v1\\\\.0",x="ABé"}',
  },
  { part: '(\n sum(increase(errors_total[{{.window}}]))\n)', is: 'errors_total' },
  { part: 'sum((rate(errors_total{}[{{.window}}])))', is: 'errors_total' },
])('$part counts $is', ({ part, is }) => {
  expect(ratioOfTwo({ total, part, partIs: 'bad' })).toEqual({ found: { total: all, bad: is } })
})

test('all events but the good ones are told by the good ones', () => {
  const part = `${total} - sum(rate(a_bucket{le="0.3"}[{{.window}}]))`
  expect(ratioOfTwo({ total, part, partIs: 'bad' })).toEqual({ found: { total: all, good: 'a_bucket{le="0.3"}' } })
})

test.each([
  { query: 'sum(rate(b[5m])) / sum(rate(a[5m]))', is: { total: 'a', bad: 'b' } },
  { query: '1 - (sum(rate(b[5m])) / sum(rate(a[5m])))', is: { total: 'a', good: 'b' } },
  { query: '(sum(rate(a[1h])) - sum(rate(b[1h]))) / sum(rate(a[1h]))', is: { total: 'a', good: 'b' } },
  { query: 'b / a', is: { total: 'a', bad: 'b' } },
])('$query is a ratio', ({ query, is }) => {
  expect(ratioOfOne(query, 'bad')).toEqual({ found: is })
})

test.each([
  { query: 'sum(rate(b[5m])', why: 'it is no PromQL' },
  { query: '', why: 'it is no PromQL' },
  { query: 'slo:errors:ratio', why: 'it is no ratio of two counters' },
  { query: 'sum(rate(b[5m])) / sum(rate(a[1h]))', why: 'the two rates are of different windows' },
  { query: 'sum by (pod) (rate(b[5m])) / sum by (pod) (rate(a[5m]))', why: 'a sum by labels has a ratio for each' },
  { query: 'sum(rate(b[5m])) / on(x) sum(rate(a[5m]))', why: 'it is no ratio of two counters' },
  { query: 'avg(rate(b[5m])) / sum(rate(a[5m]))', why: 'avg() of series' },
  { query: 'sum(irate(b[5m])) / sum(rate(a[5m]))', why: 'irate() of a series' },
  { query: 'sum(rate(b[5m] offset 1h)) / sum(rate(a[5m]))', why: 'no offset, @ or subquery' },
  { query: 'sum(rate(b[1h:5m])) / sum(rate(a[5m]))', why: 'no offset, @ or subquery' },
  { query: 'sum(rate({job="x"}[5m])) / sum(rate(a[5m]))', why: 'a selector without the name of a metric' },
  { query: '(sum(rate(c[5m])) - sum(rate(b[5m]))) / sum(rate(a[5m]))', why: 'a difference that is not of all events' },
  {
    query: '(sum(rate(c[5m])) + sum(rate(b[5m]))) / sum(rate(a[5m]))',
    why: 'neither a counter nor the difference of two',
  },
  { query: 'b{x="\\a"} / a', why: 'an escape that cannot be carried over, \\a' },
  { query: 'b{x="\\."} / a', why: 'an escape that cannot be carried over, \\.' },
  { query: 'b{x="\\xff"} / a', why: 'an escape that cannot be carried over, \\xff' },
  { query: 'b{x=`a\tb`} / a', why: 'is no selector that can be carried over' },
  { query: 'b > bool 0.3', why: 'it is no ratio of two counters' },
])('$query: $why', ({ query, why }) => {
  expect(ratioOfOne(query, 'bad')).toEqual({ why: expect.stringContaining(why) })
})
