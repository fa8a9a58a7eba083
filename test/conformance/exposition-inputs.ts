import fc from 'fast-check'
import type { ExpositionForm } from '../../sources/exposition/number.ts'
import { limits } from './exposition-reads.ts'

const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 24, arbitrary: usual }, { weight: 1, arbitrary: odd })
const oneOf = (...texts: string[]): fc.Arbitrary<string> => fc.constantFrom(...texts)

const name = mostly(
  oneOf('up', 'a', 'a_total', 'a_bucket', 'a_sum', 'a_count', 'b:c', 'up'),
  fc.oneof(oneOf('0a', '', 'é', '{"x.y"}', '{"x.y",a="1"}', ' up', 'a-b'), fc.string({ maxLength: 5 })),
)
const labelName = mostly(
  oneOf('a', 'b', 'c', 'd', 'e', 'le', 'quantile', 'cluster'),
  oneOf('"a.b"', '__proto__', 'constructor', 'é', ''),
)
const labelText = mostly(
  oneOf('1', '2', 'web-1', 'x'.repeat(90), '', '+Inf', 'a}b', 'a,b=', 'a # {b'),
  fc.oneof(
    oneOf('é日𝄞', '\\"', '\\\\', '\\n', '\\d', '"', '\\', '\0', '\ufffd'),
    fc.string({ maxLength: 8, unit: 'binary' }),
  ),
)
const label = fc
  .tuple(labelName, mostly(oneOf('='), oneOf(' = ', '', '=\t')), labelText)
  .map(([key, equals, text]) => ({ key, written: `${key}${equals}"${text}"` }))
const labels = fc
  .tuple(
    mostly(fc.uniqueArray(label, { maxLength: 7, selector: ({ key }) => key }), fc.array(label, { maxLength: 8 })),
    mostly(oneOf(','), oneOf(', ', ' ', '', ',,')),
    mostly(oneOf('}'), oneOf(',}', ' }', '')),
  )
  .map(([all, between, close]) =>
    all.length === 0 ? '' : `{${all.map(({ written }) => written).join(between)}${close}`,
  )
const value = mostly(
  oneOf('0', '1', '-1', '1.5', '1e+09', '1.7356896e+09', '.5', '5.', '-0', 'NaN', '+Inf', '1e-300', '9007199254740993'),
  oneOf(
    '123456789012345',
    '1234567890123456',
    '0.1234567890123456789',
    '4.9e-324',
    '1e999',
    '0x1',
    '1_0',
    '',
    '+1',
    '1e5',
  ),
)
const time = mostly(
  oneOf('', '', '', ' 1', ' 1795406393123'),
  oneOf(' 1795406393.123', ' -5', ' 12345678901234567890', ' 1.5e3', ' x', ' '),
)
const sample = fc
  .tuple(
    name,
    labels,
    mostly(oneOf(' '), oneOf('', '\t', '  ')),
    value,
    time,
    mostly(oneOf(''), oneOf(' # {trace="1"} 0.5 12.5', ' # {} 1')),
  )
  .map((parts) => `${parts.join('')}\n`)
const header = fc
  .tuple(
    mostly(oneOf('# HELP ', '# TYPE '), oneOf('# UNIT ', '# META ', '#HELP ', '  # TYPE ')),
    mostly(oneOf('up', 'a', 'b:c'), name),
    mostly(
      oneOf(' counter\n', ' gauge\n', ' summary\n', ' histogram\n'),
      oneOf(' untyped\n', ' info\n', ' s\n', ' words \\n\n', '\n'),
    ),
  )
  .map((parts) => parts.join(''))
const line = fc.oneof(
  { weight: 12, arbitrary: sample },
  { weight: 2, arbitrary: header },
  { weight: 1, arbitrary: mostly(oneOf('\n'), oneOf('  \n', '# a comment\n', '# EOF\n', '#\n')) },
)
/** The same line again and again is what runs of one family look like. */
const family = fc
  .tuple(line, fc.array(line, { maxLength: 2 }), fc.integer({ min: 1, max: 6 }))
  .map(([first, others, times]) => first.repeat(times) + others.join(''))

const metric = fc.tuple(
  oneOf('', 'x="1",', 'x="2",', 'y="1",'),
  mostly(oneOf(''), oneOf(' 1', ' 2', ' 1.0')),
  mostly(oneOf('0', '1', '2'), oneOf('-1', 'NaN', '1.5')),
)
const typed = ([labels, time, n]: [string, string, string], type: string, of: string): string => {
  const own = labels === '' ? '' : `{${labels.slice(0, -1)}}`
  const plain = (suffix: string, text = n) => `${of}${suffix}${own} ${text}${time}\n`
  const withLabel = (suffix: string, label: string, text = n) => `${of}${suffix}{${labels}${label}} ${text}${time}\n`
  switch (type) {
    case 'counter':
      return plain('_total') + plain('_created', '12.5')
    case 'histogram':
      return `${withLabel('_bucket', 'le="0.5"', '0')}${withLabel('_bucket', 'le="+Inf"')}${plain('_sum')}${plain('_count')}`
    case 'gaugehistogram':
      return `${withLabel('_bucket', 'le="-1"', '0')}${withLabel('_bucket', 'le="+Inf"')}${plain('_gsum')}${plain('_gcount')}`
    case 'summary':
      return `${withLabel('', 'quantile="0.9"')}${plain('_sum')}${plain('_count')}`
    case 'info':
      return plain('_info', '1')
    case 'stateset':
      return withLabel('', `${of}="on"`, '1') + withLabel('', `${of}="off"`, '0')
    default:
      return plain('')
  }
}
const typedFamily = fc
  .tuple(
    oneOf('counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset', 'unknown'),
    mostly(fc.nat(30), fc.nat(3)),
    fc.array(metric, { maxLength: 3 }),
  )
  .map(([type, n, metrics]) => `# TYPE m${n} ${type}\n${metrics.map((of) => typed(of, type, `m${n}`)).join('')}`)

const damaged = (texts: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(texts, mostly(fc.constant(false), fc.constant(true)), fc.nat(), fc.nat(255))
    .map(([text, damage, at, byte]) => {
      const bytes = Buffer.from(text)
      if (damage && bytes.length > 0) bytes[at % bytes.length] = byte
      return bytes
    })

const pieces = oneOf(
  ...[
    '{',
    '}',
    '"',
    ',',
    '=',
    ' ',
    '\t',
    '\n',
    '\r',
    '\\',
    '#',
    ' # {',
    '\\n',
    '\0',
    '𝄞',
    '# EOF',
    '# HELP ',
    '# TYPE ',
  ],
  ...['up', 'a_bucket', '{a="1"}', '{le="+Inf"}', ' counter\n', ' gauge\n', ' 1\n', ' NaN\n', ' 1 2\n'],
)

/** Expositions that are right, nearly right or damaged, and bytes that are nothing. */
export const inputs: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 6, arbitrary: damaged(fc.array(family, { maxLength: 6 }).map((parts) => parts.join(''))) },
  { weight: 6, arbitrary: damaged(fc.array(typedFamily, { maxLength: 5 }).map((parts) => `${parts.join('')}# EOF\n`)) },
  { weight: 3, arbitrary: damaged(fc.array(sample, { maxLength: 12 }).map((parts) => `${parts.join('')}# EOF\n`)) },
  { weight: 2, arbitrary: fc.array(pieces, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
)

export const cuts = fc.array(fc.nat(limits.bytes), { maxLength: 6 })
export const forms = fc.constantFrom<ExpositionForm>('text', 'openmetrics')
