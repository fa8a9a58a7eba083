import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compileRegex } from '../../sources/regex.ts'
import { RegexError } from '../../sources/regex-syntax.ts'

test.each<[string, string[], string[]]>([
  ['', [''], ['a']],
  ['abc', ['abc'], ['ab', 'abcd', 'xabc', '']],
  ['a|bc|', ['a', 'bc', ''], ['b', 'abc']],
  ['a.c', ['abc', 'a\nc', 'a𝄞c'], ['ac', 'abbc']],
  ['(?-s:a.c)', ['abc'], ['a\nc']],
  ['a*b+c?', ['b', 'aabbc'], ['aac', 'c']],
  ['a{2}b{1,}c{0,2}', ['aab', 'aabbcc'], ['ab', 'aabccc']],
  ['a{,2}', ['a{,2}'], ['', 'a', 'aa']],
  ['a{x}', ['a{x}'], ['a']],
  ['(ab)*?', ['', 'abab'], ['aba']],
  ['(?:)*', [''], ['a']],
  ['(a*)*', ['', 'aaa'], ['b']],
  ['(?P<name>a)(?<other>b)', ['ab'], ['a']],
  ['(?i)Shop', ['shop', 'SHOP'], ['shopp']],
  ['(?i:a)b', ['Ab', 'ab'], ['aB']],
  ['a(?i)b|c', ['aB', 'C'], ['AB']],
  ['(a(?i)b)c', ['aBc'], ['aBC']],
  ['(?i)k[^s]', ['\u212aa'], ['ks', 'k\u017f', 'kS']],
  ['(?i)straße', ['STRAßE'], ['STRASSE']],
  ['[a-c\\-x]+', ['abc-x'], ['d']],
  ['[^a-c]', ['d', '\n'], ['a', '']],
  ['[]a]+', [']a'], ['[']],
  ['[a-]+', ['a-'], ['b']],
  ['[\\d_]+[\\s\\S]', ['1_\n'], ['_']],
  ['[[:alpha:]][[:^digit:]]', ['a-', 'Z\n'], ['1-', 'a1', 'éa']],
  ['\\pL\\p{Lu}\\P{Greek}\\p{^Greek}', ['éÉaa'], ['ééaa', 'éÉαa']],
  ['\\w\\W\\d\\D\\s\\S', ['a-1a\tx'], ['é-1a\tx', 'a-١a\tx']],
  ['\\s', [' ', '\t', '\n'], ['\v', '\u00a0']],
  ['\\x41\\x{1D11E}\\101\\n\\t', ['A𝄞A\n\t'], []],
  ['\\Qa.b\\E.', ['a.bx'], ['axbx']],
  ['\\Qa.b', ['a.b'], ['axb']],
  ['\\.\\-\\_\\/\\#', ['.-_/#'], ['x-_/#']],
  ['^abc$', ['abc'], ['abcd']],
  ['(^a|b$)', ['a', 'b'], ['ab']],
  ['a$b', [], ['ab', 'a\nb']],
  ['(?m)a$\\n^b', ['a\nb'], ['ab']],
  ['\\Aa\\z', ['a'], ['aa']],
  ['a\\b.b', ['a b'], ['aab']],
  ['a\\Bb', ['ab'], ['a b']],
  ['web-[0-9a-f]{8,10}-\\w{5}', ['web-7c9d8f66b-x2z4q'], ['web-7c9d8f66b-x2z4']],
])('%s matches what RE2 matches', (pattern, matching, others) => {
  const test = compileRegex(pattern)
  expect(matching.filter((text) => !test(text))).toEqual([])
  expect(others.filter((text) => test(text))).toEqual([])
  // Remembered answers are the same answers.
  expect(matching.every(test)).toBe(true)
})

test.each([
  ['(', '"(" without ")"'],
  ['a)', '")" without "("'],
  ['[a', '"[" without "]"'],
  ['[]', '"[" without "]"'],
  ['*a', 'nothing to repeat before "*"'],
  ['a|+', 'nothing to repeat before "+"'],
  ['a**', 'a repeat of a repeat'],
  ['a{2}{3}', 'a repeat of a repeat'],
  ['a{1001}', 'the repeat {1001}'],
  ['a{3,2}', 'the repeat {3,2}'],
  ['[b-a]', 'a range of characters from high to low'],
  ['(a)\\1', 'the escape \\1'],
  ['\\8', 'the escape \\8'],
  ['\\k<a>', 'the escape \\k'],
  ['\\', 'the escape \\'],
  ['\\x{110000}', 'a character beyond U+10FFFF'],
  ['a(?=b)', 'a group RE2 does not know'],
  ['(?<!a)b', 'a group RE2 does not know'],
  ['(?x)a', 'a group RE2 does not know'],
  ['\\p{Nothing}', 'the class \\p{Nothing}'],
  ['[[:letter:]]', 'the class [:letter:]'],
  ['((a{1000}){1000}){1000}', 'a pattern that long'],
  [`${'('.repeat(101)}a${')'.repeat(101)}`, 'groups more than 100 deep'],
])('%s is refused', (pattern, why) => {
  expect(() => compileRegex(pattern)).toThrow(new RegexError(why))
})

test.each(['(a+)+', '(a|a)*b', '(a*)*b', '.*.*.*.*x', '(a?){50}a{50}', '(.+)+\\d'])(
  '%s does not hang on a long value',
  (pattern) => {
    const startedAt = performance.now()
    compileRegex(pattern)(`${'a'.repeat(20_000)}!`)
    expect(performance.now() - startedAt).toBeLessThan(5000)
  },
)

const shared = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\d', '-', '\\.', '^', '$', '\\b', ''),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => a + b),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a}|${b})`),
    fc.tuple(tie('any'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '*?')).map(([a, times]) => `(?:${a})${times}`),
  ),
}))

test('where the syntaxes agree, so do the answers of the engine of JavaScript', () => {
  fc.assert(
    fc.property(
      shared.any,
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '1', '-', '.', '\n'), maxLength: 6 })),
      (pattern, texts) => {
        const ours = compileRegex(pattern)
        const theirs = new RegExp(`^(?:${pattern})$`, 'su')
        for (const text of texts) expect([pattern, text, ours(text)]).toEqual([pattern, text, theirs.test(text)])
      },
    ),
    { numRuns: 1000 },
  )
})
