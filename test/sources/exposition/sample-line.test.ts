import { expect, test } from '@jest/globals'
import type { ExpositionForm } from '../../../sources/exposition/number.ts'
import { createLineParser } from '../../../sources/exposition/sample-line.ts'

const parse = (line: string, form: ExpositionForm = 'text', strict = false) =>
  createLineParser({ form, labelLimit: 4, strict })(line)

test.each([
  ['up 1', 'up', {}, 1],
  ['  up\t1', 'up', {}, 1],
  ['up{} 1', 'up', {}, 1],
  ['up { } 1', 'up', {}, 1],
  ['up{}1', 'up', {}, 1],
  ['up{a="b"} 1 ', 'up', { a: 'b' }, 1],
  ['up{a="b",} 1', 'up', { a: 'b' }, 1],
  ['up{ a = "b" , c = "d" } 1', 'up', { a: 'b', c: 'd' }, 1],
  ['a:b:c{_x="1"} 1', 'a:b:c', { _x: '1' }, 1],
  ['up{a="} # {",b=","} 1', 'up', { a: '} # {', b: ',' }, 1],
  ['up{a="\\\\",b="\\"",c="\\n"} 1', 'up', { a: '\\', b: '"', c: '\n' }, 1],
  ['up{a="\\\\n",b="\\d"} 1', 'up', { a: '\\n', b: '\\d' }, 1],
  ['up{a="日本 ✓ é"} 1', 'up', { a: '日本 ✓ é' }, 1],
  ['up{a="",b="x"} 1', 'up', { a: '', b: 'x' }, 1],
  ['up { a = "b" c = "d" } 1', 'up', { a: 'b', c: 'd' }, 1],
  ['up{a="b"c="d"} 1', 'up', { a: 'b', c: 'd' }, 1],
  ['{"up"} 1', 'up', {}, 1],
  ['{"my.metric",a="b"} 1', 'my.metric', { a: 'b' }, 1],
  ['{"my.metric","a.b"="c"} 1', 'my.metric', { 'a.b': 'c' }, 1],
  ['{a="b","my.metric"} 1', 'my.metric', { a: 'b' }, 1],
  ['up{constructor="x"} 1', 'up', { constructor: 'x' }, 1],
  ['up 5e-324', 'up', {}, 5e-324],
  ['up 1.7356896e+09', 'up', {}, 1735689600],
  ['up 9223372036854775808', 'up', {}, 2 ** 63],
  ['up 00000000000000000000001.2e-1', 'up', {}, 0.12],
  ['up .5', 'up', {}, 0.5],
  ['up -5.', 'up', {}, -5],
  ['up +Inf', 'up', {}, Number.POSITIVE_INFINITY],
  ['up inf', 'up', {}, Number.POSITIVE_INFINITY],
  ['up -INF', 'up', {}, Number.NEGATIVE_INFINITY],
  ['up -infinity', 'up', {}, Number.NEGATIVE_INFINITY],
  ['up NaN', 'up', {}, Number.NaN],
  ['up nan', 'up', {}, Number.NaN],
])('%s is read', (line, name, labels, value) => {
  expect(parse(line)).toEqual({ name, labels, value })
})

test.each<[string, ExpositionForm, number]>([
  ['up 1 1795406393123', 'text', 1795406393123],
  ['up 1 -5', 'text', -5],
  ['up 1 1795406393123 # {trace="x"} 1', 'text', 1795406393123],
  ['up 1 1795406393.123', 'openmetrics', 1795406393123],
  ['up 1 1.795406393e9', 'openmetrics', 1795406393000],
  ['up 1 1795406393.123 # {trace="x"} 0.5 1795406393', 'openmetrics', 1795406393123],
])('the time in %s as %s is milliseconds', (line, form, timestampMs) => {
  expect(parse(line, form)).toMatchObject({ name: 'up', labels: {}, value: 1, timestampMs })
})

test('the text format has no exemplars, and one that is written all the same is left unread', () => {
  expect(parse('up_bucket{le="1"} 3 # {trace="} 9"} 0.5')).toEqual({ name: 'up_bucket', labels: { le: '1' }, value: 3 })
})

test.each([
  ['up 3 # {trace="} 9",a.b="x"} 0.5', undefined],
  ['up 3 # {trace="} 9","a.b"="x"} 0.5', { labels: { trace: '} 9', 'a.b': 'x' }, value: 0.5 }],
  ['up 3 # {} -Inf 1795406393.123', { labels: {}, value: Number.NEGATIVE_INFINITY, timestampMs: 1795406393123 }],
  ['up 3 12 # {a="b"} 1', { labels: { a: 'b' }, value: 1 }],
  [`up 3 # {ab="${'é'.repeat(126)}"} 1`, { labels: { ab: 'é'.repeat(126) }, value: 1 }],
  [`up 3 # {ab="${'é'.repeat(127)}"} 1`, undefined],
  ['up 3 # {"trace"} 1', undefined],
  ['up 3 # {a="b",a="c"} 1', undefined],
  ['up 3 # {a="b"}1', undefined],
  ['up 3 # {a="b"} 1 ', undefined],
  ['up 3 # {a="b"} 1 NaN', undefined],
  ['up 3 # {a="b"} 1 1 # {} 1', undefined],
  ['up 3 # a="b"} 1', undefined],
  ['up 3 #{a="b"} 1', undefined],
  ['up 3# {a="b"} 1', undefined],
])('the exemplar in %s is read or refused', (line, exemplar) => {
  const parsed = parse(line, 'openmetrics')
  expect('exemplar' in parsed ? parsed.exemplar : undefined).toEqual(exemplar)
  expect('expected' in parsed).toBe(exemplar === undefined)
})

test.each([
  [' up 1', 0, 'a metric name'],
  ['up  1', 3, 'a number'],
  ['up\t1', 2, 'a space'],
  ['up 1 ', 5, 'a timestamp in seconds'],
  ['up 1\t', 3, 'a number'],
  ['up{ a="b"} 1', 3, 'a label name or "}"'],
  ['up{a="b" } 1', 8, '"," or "}" after a label'],
  ['up{a="b"}1', 9, 'a space'],
  ['up {a="b"} 1', 3, 'a number'],
  ['up{a="1"b="2"} 1', 8, '"," or "}" after a label'],
  ['', 0, 'a metric name'],
])('OpenMetrics knows no blanks but single spaces between parts: %j', (line, at, expected) => {
  expect(parse(line, 'openmetrics')).toEqual({ at, expected })
})

test('a comma behind the last label is refused only where the specification is followed to the letter', () => {
  expect(parse('up{a="b",} 1', 'openmetrics')).toMatchObject({ labels: { a: 'b' } })
  expect(parse('up{a="b",} 1', 'openmetrics', true)).toEqual({ at: 9, expected: 'a label after ","' })
})

test('more labels than allowed are refused', () => {
  expect(parse('up{a="1",b="2",c="3",d="4"} 1')).toMatchObject({ value: 1 })
  expect(parse('up{a="1",b="2",c="3",d="4",e="5"} 1')).toEqual({
    at: 27,
    expected: 'at most 4 labels',
    code: 'too-many-labels',
  })
})

test('a label called __proto__ is a label', () => {
  const sample = parse('up{__proto__="x"} 1')
  expect('labels' in sample ? Object.entries(sample.labels) : sample).toEqual([['__proto__', 'x']])
})

test.each([
  ['0a 1', 0, 'a metric name'],
  ['a-b 1', 1, '"{" or a space after the metric name'],
  ['café 1', 3, '"{" or a space after the metric name'],
  ['a', 1, '"{" or a space after the metric name'],
  ['a ', 2, 'a number'],
  ['a a', 2, 'a number'],
  ['a 1_2', 2, 'a number'],
  ['a 0x1', 2, 'a number'],
  ['a 0x1p-3', 2, 'a number'],
  ['a 0b1', 2, 'a number'],
  ['a 0o1', 2, 'a number'],
  ['a 1e999', 2, 'a number'],
  ['a +nan', 2, 'a number'],
  ['a 1\r', 2, 'a number'],
  ['a {', 3, 'a label name or "}"'],
  ['a{a} 1', 3, '"=" after the label name a'],
  ['a{a=} 1', 4, 'a value in double quotes for the label a'],
  ["a{a='1'} 1", 4, 'a value in double quotes for the label a'],
  ['a{a="} 1', 8, 'a closing quote for the value of the label a'],
  ['a{a="\\', 6, 'a closing quote for the value of the label a'],
  ['a{a="1"=b} 1', 7, '"," or "}" after a label'],
  ['a{,} 1', 2, 'a label name or "}"'],
  ['a{1="x"} 1', 2, 'a label name or "}"'],
  ['a{b:c="x"} 1', 3, '"=" after the label name b'],
  ['a{b="1",b="1"} 1', 8, 'each label once, and b stands there twice'],
  ['a{b="",b="1"} 1', 7, 'each label once, and b stands there twice'],
  ['a{"b"} 1', 2, 'one metric name'],
  ['{"a","b"} 1', 5, 'one metric name'],
  ['{} 1', 2, 'a metric name'],
  ['{a="b"} 1', 7, 'a metric name'],
  ['{""} 1', 1, 'a name that is not empty'],
  ['a 1 1.5', 4, 'a timestamp in whole milliseconds'],
  ['a 1 Inf', 4, 'a timestamp in whole milliseconds'],
  ['a 1 12 13', 7, 'the end of the line'],
  ['a 1 # exemplar', 4, 'the end of the line'],
])('%j is refused at the right place', (line, at, expected) => {
  expect(parse(line)).toEqual({ at, expected })
})
