import { expect, test } from '@jest/globals'
import { readStrictly } from '../../conformance/exposition.ts'

const sayOf = (lines: readonly string[]) => {
  const { end } = readStrictly([Buffer.from(`${[...lines, '# EOF'].join('\n')}\n`)])
  return end.problem && { code: end.problem.code, line: end.problem.line, expected: end.problem.expected }
}

test.each([
  ['nothing at all', []],
  ['metadata without samples', ['# TYPE a counter', '# UNIT a ', '# HELP a ']],
  ['metadata in any order', ['# HELP a_s Seconds.', '# UNIT a_s s', '# TYPE a_s counter', 'a_s_total 1']],
  ['a name in UTF-8', ['# TYPE "my.metric" counter', '{"my.metric_total","a.b"="c"} 1']],
  ['families without metadata', ['a_total 1', 'a_sum 1', 'b 1']],
  ['a counter with its creation', ['# TYPE a counter', 'a_total 1', 'a_created 12.5']],
  ['the creation first', ['# TYPE a counter', 'a_created 12.5', 'a_total 1']],
  ['points in the order of time', ['# TYPE a gauge', 'a 1 1', 'a 2 2.5', 'a{b="c"} 1 1']],
  ['points nanoseconds apart', ['# TYPE a gauge', 'a 1 1600000000.1234567891', 'a 2 1600000000.1234567892']],
  ['one time written twice', ['# TYPE a summary', 'a_sum 1 1.50', 'a_count 1 1.5', 'a_sum 1 2', 'a_count 1 2']],
  [
    'a histogram of one bucket, without labels and with',
    [
      '# TYPE a histogram',
      'a_bucket{le="+Inf"} 1',
      'a_bucket{le="+Inf",b="c"} 1',
      'a_sum{b="c"} 1',
      'a_count{b="c"} 1',
    ],
  ],
  ['negative buckets without a sum', ['# TYPE a histogram', 'a_bucket{le="-1"} 1', 'a_bucket{le="+Inf"} 1']],
  [
    'a negative sum of a gauge histogram',
    ['# TYPE a gaugehistogram', 'a_bucket{le="-1"} 1', 'a_bucket{le="+Inf"} 1', 'a_gsum -2', 'a_gcount 1'],
  ],
  ['a quantile of nothing', ['# TYPE a summary', 'a{quantile="0.5"} NaN']],
  ['states in any order', ['# TYPE a stateset', 'a{x="1",a="on"} 1', 'a{a="off",x="1"} 0.0']],
  ['an exemplar in its bucket', ['# TYPE a histogram', 'a_bucket{le="1"} 1 # {} 1', 'a_bucket{le="+Inf"} 1']],
  ['an empty label, which is none', ['# TYPE a gauge', 'a{b=""} 1 1', 'a 1 2']],
])('%s is taken', (_, lines) => {
  expect(sayOf(lines)).toBeUndefined()
})

test.each<[string[], number, string]>([
  [['# TYPE a gauge', 'a 1', 'b 1', 'a{c="d"} 1'], 4, 'each family once and in one piece, and a was there before'],
  [['# TYPE a gauge', '# TYPE b gauge', '# HELP a x'], 3, 'each family once and in one piece, and a was there before'],
  [['# TYPE a counter', 'a 1'], 2, 'each family once and in one piece, and a was there before'],
  [
    ['# TYPE a counter', 'a_total 1', '# TYPE a_total gauge'],
    3,
    'each family once and in one piece, and a_total was there before',
  ],
  [['# TYPE a_sum gauge', '# TYPE a summary'], 2, 'no name that clashes with one of the family a_sum, and a_sum does'],
  [['# TYPE a gauge', 'a 1', '# HELP a x'], 3, 'metadata in front of all samples of its family'],
  [['# HELP a x', '# HELP a x'], 2, 'HELP once for each family'],
  [['# TYPE a_s info', '# UNIT a_s s'], 2, 'no unit for the type info'],
  [['# UNIT a_s s', '# TYPE a_s stateset'], 2, 'no unit for the type stateset'],
  [['# TYPE a gauge', 'a{b="c"} 1', 'a{b="d"} 1', 'a{b="c"} 1'], 4, 'all samples of a metric together'],
  [['# TYPE a gauge', 'a{b="c",d="e"} 1', 'a{d="e",b="c"} 1'], 3, 'each sample of a point once'],
  [['# TYPE a gauge', 'a 1 2', 'a 1 1.999'], 3, 'the points of a metric in the order of time'],
  [['# TYPE a gauge', 'a 1 2', 'a 1'], 3, 'all points of a metric with a timestamp or none'],
  [['# TYPE a counter', 'a_created 1'], 3, 'a counter to have its total'],
  [['# TYPE a counter', 'a_total 1', 'a_created NaN'], 3, 'a time in seconds'],
  [['# TYPE a counter', 'a_total -1'], 2, 'a counter that is neither NaN nor negative'],
  [
    ['# TYPE a histogram', 'a_bucket{le="1"} 1', 'a_sum 1', 'a_count 1'],
    5,
    'a histogram to end with the bucket le="+Inf"',
  ],
  [['# TYPE a histogram', 'a_bucket{le="+Inf"} 1', 'a_sum 1'], 4, 'a histogram with both sum and count or neither'],
  [['# TYPE a histogram', 'a_bucket{le="+Inf"} 2', 'a_sum 1', 'a_count 1'], 5, 'a count equal to the bucket le="+Inf"'],
  [['# TYPE a histogram', 'a_bucket{le="1"} 1.5'], 2, 'a whole number, not below zero, in a bucket'],
  [['# TYPE a histogram', 'a_bucket{le="x"} 1'], 2, 'a number as the label le of a bucket'],
  [['# TYPE a histogram', 'a_bucket{le="1"} 1', 'a_bucket{le="1.0"} 1'], 3, 'buckets in rising order of le'],
  [
    ['# TYPE a histogram', 'a_bucket{le="1"} 2', 'a_bucket{le="2"} 1'],
    3,
    'a bucket to hold no less than the one before',
  ],
  [['# TYPE a histogram', 'a_bucket{le="1"} 1 # {} 1.5'], 2, 'an exemplar to lie within its bucket'],
  [['# TYPE a summary', 'a{quantile="1.1"} 1'], 2, 'a label quantile from 0 to 1'],
  [['# TYPE a summary', 'a_count 1.5'], 2, 'a whole number, not below zero, as count'],
  [['# TYPE a summary', 'a_count 1 # {} 1'], 2, 'exemplars only with the total of a counter or with buckets'],
  [['# TYPE a info', 'a_info 0'], 2, '1, the value of every info'],
  [['# TYPE a stateset', 'a{b="c"} 1'], 2, 'the label a with the name of a state'],
])('%j is refused in its line', (lines, line, expected) => {
  expect(sayOf(lines)).toEqual({ code: 'against-openmetrics', line, expected })
})

test('Prometheus takes what only the specification forbids, and so do we unless asked to be strict', () => {
  const text = '# TYPE a histogram\na_sum -8.4\na_bucket{le="1",} 1\nb 1\na_sum 1\n# EOF\n'
  expect(readStrictly([Buffer.from(text)]).end.problem?.line).toBe(2)
  expect(readStrictly([Buffer.from(text)], 'openmetrics', false).end).toMatchObject({
    status: 'complete',
    seriesSeen: 4,
  })
})
