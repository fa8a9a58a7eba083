import { expect, test } from '@jest/globals'
import { type ConfigIssue, type Finding, issueLimit, issueText, pathText, placeFindings } from '../../config/issues.ts'
import { loadConfig } from '../../config/load.ts'

const issue: ConfigIssue = {
  severity: 'error',
  code: 'unknown-key',
  file: 'whodunit.yaml',
  line: 2,
  column: 3,
  path: 'monitors.vote.perodSeconds',
  message: 'unknown key',
  hint: 'did you mean periodSeconds?',
}
const source = 'monitors:\n  perodSeconds: 60\n'

test('an issue is place, path and message, then hint, then the line with a caret', () => {
  expect(issueText(issue)).toBe(
    'whodunit.yaml:2:3 monitors.vote.perodSeconds: unknown key\n    hint: did you mean periodSeconds?',
  )
  expect(issueText(issue, source)).toBe(`${issueText(issue)}\n    2 |   perodSeconds: 60\n      |   ^`)
})

test('a warning says that it is one, and an issue without a line stands alone', () => {
  const { line: _line, column: _column, hint: _hint, ...rest } = issue
  expect(issueText({ ...rest, severity: 'warning', path: '' }, source)).toBe('whodunit.yaml: warning: unknown key')
})

test.each([20, 30, 40, 60])('nothing but a single long word is wider than a terminal of %i columns', (columns) => {
  const long = {
    ...issue,
    line: 1,
    column: 150,
    message: 'expected one of these words and nothing else at all, got another',
  }
  const text = issueText(long, `  ${'word: '.repeat(60)}`, columns)
  const lines = text.split('\n')
  for (const line of lines.filter((one) => one.trim().includes(' '))) expect(line.length).toBeLessThanOrEqual(columns)
  const [excerptLine = '', caretLine = ''] = lines.slice(-2)
  expect(caretLine.indexOf('^')).toBeLessThan(excerptLine.length)
})

test('the caret stays below the column when the line is cut', () => {
  const line = `${'a'.repeat(200)}X${'b'.repeat(200)}`
  const [shown = '', caret = ''] = issueText({ ...issue, line: 1, column: 201 }, line, 60)
    .split('\n')
    .slice(-2)
  expect(shown[caret.indexOf('^')]).toBe('X')
})

test('no control character of a config reaches the terminal', () => {
  const hostile = { ...issue, path: 'a\u001b[2Jb', message: 'got \u0007\u202e' }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point.
  expect(issueText(hostile, 'x\n  \u001b]0;title\u0007: 1\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
})

test.each([
  { path: ['routes', 0, 'channels', 1], text: 'routes[0].channels[1]' },
  { path: ['monitors', 'vote-app', 'url'], text: 'monitors.vote-app.url' },
  { path: ['headers', 'X Foo', 'a.b'], text: 'headers["X Foo"]["a.b"]' },
  { path: [], text: '' },
])('$path is written $text', ({ path, text }) => expect(pathText(path)).toBe(text))

const finding = (path: string, line: number, column: number): Finding => ({
  severity: 'error',
  code: 'wrong-value',
  path: [path],
  at: 'value',
  message: 'no',
  place: { line, column },
})

test('issues come in the order of the file, each once, and not without end', () => {
  const nowhere = () => undefined
  const some = [finding('c', 9, 1), finding('b', 2, 7), finding('a', 2, 3), finding('b', 2, 7)]
  expect(placeFindings(some, 'f', nowhere).map(({ path }) => path)).toEqual(['a', 'b', 'c'])
  const many = Array.from({ length: issueLimit + 5 }, (_, index) => finding('x', index + 1, 1))
  const placed = placeFindings(many, 'f', nowhere)
  expect(placed).toHaveLength(issueLimit + 1)
  expect(placed.at(-1)).toMatchObject({ code: 'too-many-issues', message: '5 more issues are not listed' })
})

const secret = 'hunter2-Zx81qqPlm'

/** Configs in which a literal secret stands somewhere, with something wrong on or near its line. */
const leaks = [
  `channels: { hook: { kind: webhook, url: https://x.example, secret: ${secret} } }`,
  `channels: { hook: { kind: webhook, url: https://x.example, secret: ${secret}, foo: 1 } }`,
  `channels: { hook: { kind: webhook, url: https://x.example, secret: [${secret}] } }`,
  `channels: { hook: { kind: webhook, url: https://x.example, secret: { value: ${secret} } } }`,
  `channels: { hook: { kind: webhook, url: https://x.example, apiKey: ${secret} } }`,
  `channels: { hook: { kind: pagerduty, routingKey: ${secret} } }`,
  `channels: { hook: { kind: webhook, url: "https://me:${secret}@x.example" } }`,
  `channels: { hook: { kind: webhook, url: "ftp://x.example/?token=${secret}" } }`,
  `channels:\n  hook:\n    kind: webhook\n    secret:\n      ${secret}`,
  `channels:\n  hook:\n    kind: webhook\n    secret: |\n      ${secret}\n     oops`,
  `channels:\n  hook:\n    password: "${secret}\n    more\n`,
  `channels:\n  hook:\n    token: ${secret}: x`,
  `channels:\n  hook:\n    token:${secret}\n    kind: webhook`,
  `channels:\n  hook:\n    token: @${secret}`,
  `channels:\n  hook:\n    token: "\\q${secret}"`,
  `channels:\n  hook:\n    token: *${secret}`,
  `channels:\n  hook:\n    token: !${secret} x`,
  `channels:\n  hook:\n    token: &a ${secret}\n    token: ${secret}`,
  `clusters:\n  main:\n    sources:\n      - kind: loki\n        auth: { bearer: ${secret} }`,
  `clusters:\n  main:\n    sources:\n      - kind: loki\n        auth: { basic: { username: u, password: ${secret} } }`,
  `clusters:\n  main:\n    sources:\n      - kind: loki\n        auth: { basic: { user: u, password: ${secret} } }`,
  `clusters:\n  main:\n    sources:\n      - { kind: lokii, password: ${secret} }`,
  `monitors:\n  home:\n    kind: http\n    headers:\n      - { name: Authorization, value: ${secret} }`,
  `monitors:\n  home:\n    kind: http\n    headers:\n      - name: X-Api-Key\n        value: ${secret}\n        value: ${secret}`,
  `monitors:\n  home:\n    kind: http\n    headers: { Authorization: "Bearer ${secret}\\n" }`,
  `password: ${secret}\nfoo: 1`,
  `channels:\n  hook:\n    token:\n      a: ${secret}\n      a: ${secret}`,
  `channels:\n  hook:\n    token: { a: ${secret}, a: ${secret} }`,
  `channels: { hook: { kind: sns, topicArn: { token: ${secret} }, region: [${secret}], token:${secret} } }`,
  `services:\n  { token:${secret} }`,
  `clusters: { main: { sources: [{ kind: loki, auth: ${secret} }] } }`,
  `clusters: { main: { sources: [{ kind: loki, auth: { ${secret} } }] } }`,
  `clusters: { main: { sources: [{ kind: loki, auth: { basic: ${secret} } }] } }`,
  `clusters: { main: { sources: [{ kind: loki, auth: [${secret}] }] } }`,
  `clusters:\n  main:\n    sources:\n      - kind: loki\n        auth:\n          login: ${secret}`,
  `channels: { hook: { kind: sns, sms: true, topicArn: x, apiKey: x } }\nshards: { password: ${secret} }`,
  `monitors: { home: { kind: http, headers: { X-Token: [${secret}], Cookie: { a: ${secret} } } } }`,
  `- password: ${secret}`,
  `"token=${secret}"`,
]

test('a number behind a key that looks secret is not repeated either', async () => {
  const config = 'services: {}\nmonitors: { home: { kind: http, headers: { X-Token: 48151623 } } }\n'
  const loaded = await loadConfig('whodunit.yaml', { readFile: async () => config })
  expect(JSON.stringify(loaded.ok || loaded.issues)).toContain('expected text, got a number')
  expect(JSON.stringify(loaded.ok || loaded.issues)).not.toContain('48151623')
})

test.each(leaks)('a literal secret is never repeated: %#', async (config) => {
  const loaded = await loadConfig('whodunit.yaml', { readFile: async () => `services: {}\n${config}\n` })
  const alone = await loadConfig('whodunit.yaml', { readFile: async () => `${config}\n` })
  for (const { issues, source } of [loaded, alone].flatMap((one) => (one.ok ? [] : [one]))) {
    expect(issues.length).toBeGreaterThan(0)
    expect(issues.map((one) => issueText(one, source, 80)).join('\n')).not.toContain(secret)
    expect(JSON.stringify(issues)).not.toContain(secret)
  }
  expect(loaded.ok || alone.ok).toBe(false)
})
