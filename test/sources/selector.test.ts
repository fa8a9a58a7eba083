import { expect, test } from '@jest/globals'
import type { Matcher } from '../../sources/contract.ts'
import { compileMatchers, compileSelectors, SelectorError } from '../../sources/selector.ts'

const labels = { namespace: 'shop', pod: 'web-1', note: 'two\nlines' }

test.each<[Matcher['op'], string, string, boolean]>([
  ['=', 'namespace', 'shop', true],
  ['=', 'namespace', 'sho', false],
  ['=', 'absent', '', true],
  ['=', 'namespace', '', false],
  ['!=', 'absent', '', false],
  ['!=', 'absent', 'x', true],
  ['!=', 'namespace', 'shop', false],
  ['=~', 'namespace', 'sho', false],
  ['=~', 'namespace', 'sho.', true],
  ['=~', 'namespace', 'blog|shop', true],
  ['=~', 'namespace', 'blog|sho', false],
  ['=~', 'namespace', 'blog|', false],
  ['=~', 'absent', 'blog|', true],
  ['=~', 'absent', '.*', true],
  ['=~', 'absent', '.+', false],
  ['=~', 'absent', '', true],
  ['=~', 'namespace', '(?i)SHOP', true],
  ['=~', 'namespace', '(?P<word>sh)op', true],
  ['=~', 'pod', 'web\\-\\d', true],
  ['=~', 'pod', 'web[\\-_]1', true],
  ['=~', 'note', 'two.lines', true],
  ['=~', 'pod', '^web-1$', true],
  ['!~', 'namespace', 'sho', true],
  ['!~', 'absent', '.*', false],
  ['!~', 'absent', 'x', true],
  ['=', 'constructor', '', true],
  ['=', '__proto__', '', true],
])('%s on %s with %j is %s', (op, label, value, expected) => {
  expect(compileMatchers([{ label, op, value }])(labels)).toBe(expected)
})

test('all matchers of a selector must agree, any selector of a name is enough', () => {
  const tests = compileSelectors([
    {
      name: 'up',
      matchers: [
        { label: 'namespace', op: '=', value: 'shop' },
        { label: 'pod', op: '=', value: 'web-2' },
      ],
    },
    { name: 'up', matchers: [{ label: 'pod', op: '=', value: 'db-1' }] },
    { name: 'down' },
  ])
  expect(tests.get('up')?.(labels)).toBe(false)
  expect(tests.get('up')?.({ namespace: 'shop', pod: 'web-2' })).toBe(true)
  expect(tests.get('up')?.({ pod: 'db-1' })).toBe(true)
  expect(tests.get('down')?.({})).toBe(true)
  expect(tests.has('sideways')).toBe(false)
})

test.each(['(', 'a(?=b)', '(?<!a)b', '(a)\\1', 'a**', '[b-a]', '\\pX'])(
  'the regular expression %s is refused, not misread',
  (value) => {
    expect(() => compileMatchers([{ label: 'pod', op: '=~', value }])).toThrow(SelectorError)
  },
)
