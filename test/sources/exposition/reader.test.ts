import { expect, test } from '@jest/globals'
import type { Sample, Selector } from '../../../sources/contract.ts'
import { createNameFilter } from '../../../sources/exposition/name-filter.ts'
import { problemSentence } from '../../../sources/exposition/problem.ts'
import { createExpositionReader, type ReaderOptions } from '../../../sources/exposition/reader.ts'

type Options = Partial<Omit<ReaderOptions, 'onSample' | 'filter'>> & { keep?: readonly Selector[] | 'all' }

const read = (chunks: readonly Uint8Array[], { keep = 'all', ...options }: Options = {}) => {
  const samples: Sample[] = []
  const onSample = (sample: Sample) => samples.push(sample)
  const reader = createExpositionReader({ filter: createNameFilter(keep), onSample, ...options })
  for (const chunk of chunks) reader.push(chunk)
  const end = reader.end()
  return {
    samples,
    seriesSeen: end.seriesSeen,
    end,
    problem: end.problem,
    says: end.problem && problemSentence(end.problem),
  }
}
const readText = (text: string, options?: Options) => read([Buffer.from(text)], options)

const small = `# HELP up Is it up? ✓
# TYPE up gauge

up{place="Zürich ✓ 日本",path="C:\\\\dir",says="\\"hi\\"\\n"} 1 1795406393123
up{place="other"} NaN
 \t
down_total 3
down_total{a="b"} +Inf
{"my.metric",a="𝄞"} 0.5
last{} -1
`
const bytes = Buffer.from(small)
const whole = readText(small)

test('a small exposition is read as it stands', () => {
  expect(whole.problem).toBeUndefined()
  expect(whole.seriesSeen).toBe(6)
  expect(whole.samples).toEqual([
    {
      name: 'up',
      labels: { place: 'Zürich ✓ 日本', path: 'C:\\dir', says: '"hi"\n' },
      value: 1,
      timestampMs: 1795406393123,
    },
    { name: 'up', labels: { place: 'other' }, value: Number.NaN },
    { name: 'down_total', labels: {}, value: 3 },
    { name: 'down_total', labels: { a: 'b' }, value: Number.POSITIVE_INFINITY },
    { name: 'my.metric', labels: { a: '𝄞' }, value: 0.5 },
    { name: 'last', labels: {}, value: -1 },
  ])
})

test('two chunks, split anywhere, read the same', () => {
  for (let at = 0; at <= bytes.length; at++) {
    expect({ at, ...read([bytes.subarray(0, at), bytes.subarray(at)]) }).toEqual({ at, ...whole })
  }
})

test.each([1, 2, 3, 7, 64])('chunks of %i bytes read the same, filtered or not', (size) => {
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    Uint8Array.from(bytes.subarray(n * size, (n + 1) * size)),
  )
  expect(read(chunks)).toEqual(whole)
  const some = read(chunks, { keep: [{ name: 'down_total' }, { name: 'my.metric' }] })
  expect(some.samples).toEqual(whole.samples.slice(2, 5))
  expect(some.seriesSeen).toBe(6)
})

test('only series some selector matches are kept, the others are counted', () => {
  const keep: Selector[] = [
    { name: 'up', matchers: [{ label: 'place', op: '=~', value: 'oth.+' }] },
    { name: 'last', matchers: [{ label: 'absent', op: '=', value: '' }] },
    { name: 'las' },
  ]
  const { samples, seriesSeen } = readText(small, { keep })
  expect(samples.map((sample) => sample.name)).toEqual(['up', 'last'])
  expect(seriesSeen).toBe(6)
})

test('a name that begins like a wanted one is not it', () => {
  const text = 'a_total 1\na_total_sum 2\na_total{x="1"} 3\na 4\nab 5\na_total 6\n'
  expect(readText(text, { keep: [{ name: 'a_total' }] }).samples.map((sample) => sample.value)).toEqual([1, 3, 6])
  expect(readText(text, { keep: [{ name: 'a' }] }).samples.map((sample) => sample.value)).toEqual([4])
})

test('target labels are there when the selectors are asked', () => {
  const keep: Selector[] = [{ name: 'up', matchers: [{ label: 'cluster', op: '=', value: 'east' }] }]
  const { samples } = readText('up 1\nup{cluster="west"} 2\n', { keep, targetLabels: { cluster: 'east' } })
  expect(samples).toEqual([{ name: 'up', labels: { cluster: 'east' }, value: 1 }])
})

test.each([
  ['up{a="1"} 1', { cluster: 'east' }, { a: '1', cluster: 'east' }],
  ['up{cluster="west"} 1', { cluster: 'east' }, { cluster: 'west' }],
  ['up{ cluster="west"} 1', { cluster: 'east' }, { cluster: 'west' }],
  ['up{cluster=""} 1', { cluster: 'east' }, {}],
  ['up{ cluster=""} 1', { cluster: 'east' }, {}],
  ['up{a="b"} 1', { cluster: '' }, { a: 'b' }],
])('%s with target labels %j keeps what was scraped', (line, targetLabels, labels) => {
  expect(readText(`${line}\n`, { targetLabels }).samples).toEqual([{ name: 'up', labels, value: 1 }])
})

test.each([
  [
    'up 1\nup{a="b} 2\nup 3\n',
    1,
    'line 2, column 11: expected a closing quote for the value of the label a, found the end of the line',
  ],
  ['up 1\nup two\n', 1, 'line 2, column 4: expected a number, found "two"'],
  ['up 1\r\n', 0, 'line 1, column 4: expected a number, found "1\\r"'],
  ['up 1\n\r\nup 1\n', 1, 'line 2, column 1: expected a metric name, found "\\r"'],
  ['\ufeff# TYPE up gauge\nup 1\n', 0, 'line 1, column 1: expected a metric name, found "\ufeff# TYPE up gauge"'],
  ['\r# a remark\nup 1\n', 0, 'line 1, column 1: expected a metric name, found "\\r# a remark"'],
  ['<!DOCTYPE html>\n<html>\n', 0, 'line 1, column 1: expected a metric name, found "<!DOCTYPE html>"'],
  [`up x${'y'.repeat(100)}\n`, 0, `line 1, column 4: expected a number, found "x${'y'.repeat(39)}"…`],
  [
    'up 1\nup 12',
    1,
    'line 2, column 6: expected a line break after the last line, found the end of the text after "up 12"',
  ],
])('%j ends at its problem, what stood before it stays', (text, kept, says) => {
  const outcome = readText(text)
  expect(outcome.says).toBe(says)
  expect(outcome.samples).toHaveLength(kept)
})

test('text that is no UTF-8 is refused, a replacement character that was sent is not', () => {
  const invalid = Buffer.concat([Buffer.from('up{a="'), Buffer.from([0xc3, 0x28]), Buffer.from('"} 1\n')])
  expect(read([invalid]).says).toBe('line 1, column 7: expected UTF-8, found "�(\\"} 1"')
  expect(readText('up{a="\ufffd"} 1\n').samples).toHaveLength(1)
  const behind = Buffer.concat([Buffer.from('up 1\nup{a="é\ufffd'), Buffer.from([0xff]), Buffer.from('"} 1\n')])
  expect(read([behind]).problem).toMatchObject({ line: 2, column: 9, byteOffset: 16, expected: 'UTF-8' })
  expect(read([behind], { keep: [{ name: 'other' }] }).problem).toMatchObject({ line: 2, column: 9, byteOffset: 16 })
})

test.each([
  ['# HELP up ', 'text', 11],
  ['  # HELP up ', 'text', 13],
  ['# TYPE up ', 'text', 11],
  ['# HELP up ', 'openmetrics', 11],
  ['# a remark ', 'text', undefined],
] as const)('%j in another encoding, as %s, has its problem in column %s', (start, form, column) => {
  const text = Buffer.concat([Buffer.from(start), Buffer.from([0xff]), Buffer.from('\nup 1\n')])
  expect(read([text], { form }).problem?.column).toBe(column)
})

test('the place of a problem is told in lines, characters and bytes', () => {
  const { end } = readText('# HELP a é\n# ß\nup{a="日本𝄞"} 1\nup{a="日本𝄞"b} 1\nup 1\n')
  expect(end).toMatchObject({ status: 'incomplete', seriesSeen: 1, lines: 4 })
  expect(end.problem).toMatchObject({ line: 4, column: 13, byteOffset: 56, expected: '"=" after the label name b' })
  expect(end.bytes).toBe(56)
})

test('OpenMetrics has exemplars and creation times, and they are handed on when asked for', () => {
  const text = '# TYPE a counter\na_total 1 # {trace="x"} 0.5 2.25\na_created 12.5\n# EOF\n'
  const created = { name: 'a_created', labels: {}, value: 12.5 }
  const total = { name: 'a_total', labels: {}, value: 1 }
  expect(readText(text, { form: 'openmetrics' }).samples).toEqual([total, created])
  expect(readText(text, { form: 'openmetrics', exemplars: true }).samples).toEqual([
    { ...total, exemplar: { labels: { trace: 'x' }, value: 0.5, timestampMs: 2250 } },
    created,
  ])
})

test('metadata is handed on when asked for', () => {
  const comments: unknown[] = []
  const onComment = (comment: unknown) => comments.push(comment)
  readText('# HELP a_s A\n# TYPE a_s counter\n# UNIT a_s s\na_s_total 1\n# EOF\n', { form: 'openmetrics', onComment })
  expect(comments).toEqual([
    { says: 'help', name: 'a_s', text: 'A' },
    { says: 'type', name: 'a_s', type: 'counter' },
    { says: 'unit', name: 'a_s', unit: 's' },
    { says: 'end' },
  ])
})

test.each([
  ['up 1\n# TYPE up thing\n', 'line 2, column 11: expected a metric type, found "thing"'],
  ['up 1\n  # HELP 1 x\n', 'line 2, column 10: expected a metric name, found "1 x"'],
])('%j has a header that is none', (text, says) => {
  expect(readText(text).says).toBe(says)
})

test.each([1, 7, 1000])('more bytes or labels than allowed end the reading, in chunks of %i bytes as well', (size) => {
  const cut = (text: string) =>
    Array.from({ length: Math.ceil(text.length / size) }, (_, n) => Buffer.from(text.slice(n * size, (n + 1) * size)))
  const long = read(cut('up 1\nup 2\nup 3\nup 4\n'), { limits: { bytes: 12 } })
  expect(long.samples).toHaveLength(2)
  expect(long.says).toBe('line 3, column 1: expected at most 12 bytes, found more')
  expect(long.problem).toMatchObject({ code: 'too-many-bytes', byteOffset: 12 })
  const wide = read(cut('up{a="1",b="2"} 1\nup{a="1",b="2",c="3"} 1\n'), { limits: { labels: 2 } })
  expect(wide.samples).toHaveLength(1)
  expect(wide.says).toBe('line 2, column 16: expected at most 2 labels, found "c=\\"3\\"} 1"')
})

test.each([
  ['Please log in\n', 'a page in words'],
  ['{"status":"ok"}\n', 'JSON'],
  ['other{a="b" 1\n', 'a broken line'],
  ['other 1\nother{a="cut off\n', 'a broken line in a run'],
  ['other 1\nother 1\r\n', 'a carriage return in a run'],
  ['other{a="1"} 1\nother{a="1"} 1\r\n', 'a carriage return behind labels in a run'],
  ['other{a="1"} 1\nother{a="1"} \n', 'a missing value in a run'],
  ['other{a="1"} 1\nother{a="10\nother{a="1"} 1\n', 'a cut label in a run'],
])('lines nobody asked for are looked at all the same: %j', (text) => {
  expect(readText(text, { keep: [{ name: 'up' }] }).problem?.code).toBe('syntax')
})

test('the last line may lack its break only when it is the end mark', () => {
  expect(readText('up 1\n# EOF').problem).toBeUndefined()
  expect(readText('up 1\n# bye').problem?.code).toBe('unterminated-line')
  expect(readText('up 1\n# HELP other How ma').problem?.code).toBe('unterminated-line')
  expect(readText('up 1\nup{').problem?.code).toBe('unterminated-line')
  expect(readText('up 1\nother 1', { keep: [{ name: 'up' }] }).problem?.code).toBe('unterminated-line')
})

test('OpenMetrics ends with its end mark, and with nothing behind it', () => {
  const form = 'openmetrics'
  expect(readText('up 1 1.5\n# EOF\n', { form }).samples).toEqual([
    { name: 'up', labels: {}, value: 1, timestampMs: 1500 },
  ])
  expect(readText('up 1\n# EOF', { form }).problem).toBeUndefined()
  expect(readText('up 1\n', { form }).problem?.code).toBe('no-end-marker')
  expect(readText('up 1\n# EOFblah', { form }).problem?.code).toBe('unterminated-line')
  expect(readText('up 1\n# EOF\nup 2\n', { form }).problem?.code).toBe('text-after-end')
  expect(readText('up 1\n# EOF\n\n', { form }).problem?.code).toBe('text-after-end')
  expect(readText('up 1\n# EOF\nup 2\n').samples).toHaveLength(2)
})

test.each([1, 10, 1000])('a line over its limit ends the reading, in chunks of %i bytes as well', (size) => {
  const text = Buffer.from(`up 1\nup{a="${'x'.repeat(200)}"} 1\nup 2\n`)
  const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
    text.subarray(n * size, (n + 1) * size),
  )
  const outcome = read(chunks, { limits: { lineBytes: 100 } })
  expect(outcome.problem).toMatchObject({ code: 'line-too-long', line: 2, expected: 'a line of at most 100 bytes' })
  expect(outcome.samples).toHaveLength(1)
})

test('a line of exactly the limit is read, whole or in pieces', () => {
  const text = Buffer.from(`up{a="${'x'.repeat(89)}"} 12\n`)
  expect(text.length).toBe(101)
  const limits = { lineBytes: 100 }
  expect(read([text], { limits }).samples).toHaveLength(1)
  expect(read([text.subarray(0, 100), text.subarray(100)], { limits }).samples).toHaveLength(1)
})

test('a line break that never comes does not fill the memory', () => {
  const chunk = Buffer.alloc(16 * 1024, 'x')
  const reader = createExpositionReader({ filter: createNameFilter('all'), onSample: () => undefined })
  const answers = Array.from({ length: 8 }, () => reader.push(chunk)?.code)
  expect(answers.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined])
  expect(answers.slice(4)).toEqual(Array(4).fill('line-too-long'))
})

test('more series than allowed end the reading, series nobody wants do not count', () => {
  const text = `${'other 1\n'.repeat(10)}up 1\nup 2\nup 3\n`
  const outcome = readText(text, { keep: [{ name: 'up' }], limits: { series: 2 } })
  expect(outcome.samples).toHaveLength(2)
  expect(outcome.says).toBe('line 13, column 1: expected at most 2 series to keep, found one more')
})
