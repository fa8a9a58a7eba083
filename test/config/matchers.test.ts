import { expect, test } from '@jest/globals'
import { matcher, parseMatcher, wholeExpression } from '../../config/matchers.ts'

test.each([
  { text: 'service=shop', then: { label: 'service', op: '=', value: 'shop' } },
  { text: ' severity =~ "page|ticket" ', then: { label: 'severity', op: '=~', value: 'page|ticket' } },
  { text: 'pod!~"web-.*"', then: { label: 'pod', op: '!~', value: 'web-.*' } },
  { text: 'job!=""', then: { label: 'job', op: '!=', value: '' } },
  { text: 'summary="says \\"no\\" \\\\ never"', then: { label: 'summary', op: '=', value: 'says "no" \\ never' } },
  { text: 'shop', then: undefined },
  { text: 'a-b=c', then: undefined },
  { text: 'service=~"("', then: undefined },
  { text: 'service=a b', then: undefined },
])('$text', ({ text, then }) => expect(parseMatcher(text)).toEqual(then))

test.each([
  { text: 'service=~"shop|cart"', then: true },
  { text: 'pod=~"(web|api)-.*-[a-z0-9]+"', then: true },
  { text: 'pod=~"(?:web|api)?-.*"', then: true },
  { text: 'path=~"a\\\\+b\\\\*c\\\\+d\\\\*e"', then: true },
  { text: 'pod=~"web-.*|api-.*|db-.*|queue-.*|cache-.*"', then: true },
  { text: 'pod=~"(web|api)-(eu|us)-.*-[0-9]+"', then: true },
  { text: 'service="(a+)+"', then: true },
  { text: 'pod=~"web-[a-z0-9-]+"', then: true },
  { text: 'instance=~"[^/]+"', then: true },
  { text: 'path=~"[/(){}|&-]+"', then: true },
  { text: 'pod=~"[[:alnum:]]+"', then: false },
  { text: `service=~"${'(a|a)'.repeat(30)}b"`, then: false },
  { text: `service=~"${'(()a|a)'.repeat(25)}b"`, then: false },
  { text: `service=~"${'((a|a))'.repeat(25)}b"`, then: false },
  { text: 'service=~"(a+)+"', then: false },
  { text: 'service=~"(a|a)*b"', then: false },
  { text: 'service=~".*.*.*.*x"', then: false },
  { text: 'service=~"(?=a)b"', then: false },
  { text: 'service=~"(a)\\\\1"', then: false },
  { text: `service=~"${'a?'.repeat(40)}${'a'.repeat(40)}"`, then: false },
  { text: `service=~"${'x'.repeat(200)}"`, then: false },
])('$text may be asked for: $then', ({ text, then }) => expect(matcher.safeParse(text).success).toBe(then))

test.each([
  { text: 'service=~"("', then: 'an expression as JavaScript reads it (Unterminated group)' },
  { text: 'service=~"web\\-1"', then: 'an expression as JavaScript reads it (Invalid escape)' },
  { text: 'service=~"[b-a]"', then: 'an expression as JavaScript reads it (Range out of order in character class)' },
  { text: 'service', then: 'a matcher like service=shop or severity=~"page|ticket"' },
])('$text is refused with what is wrong with it', ({ text, then }) =>
  expect(matcher.safeParse(text).error?.issues.map(({ message }) => message)).toEqual([then]),
)

test.each(['.*.*.*b', 'a?.*.*.*b', '(a|a|a|a|a|a).*.*.*b', '(a|a)(a|a)(a|a)a+b'])(
  '%s, which may be asked for, answers in a moment on a long label',
  (expression) => {
    expect(matcher.safeParse(`x=~"${expression}"`).success).toBe(true)
    const beganMs = performance.now()
    expect(wholeExpression(expression).test('a'.repeat(300))).toBe(false)
    expect(performance.now() - beganMs).toBeLessThan(5000)
  },
)
