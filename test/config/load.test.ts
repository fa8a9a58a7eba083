import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from '@jest/globals'
import { configLimitBytes, readConfigFile } from '../../config/config-file.ts'
import { type LoadedConfig, loadConfig } from '../../config/load.ts'

const directory = mkdtempSync(join(tmpdir(), 'whodunit-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

const minimal = readFileSync(join(import.meta.dirname, 'good/minimal.yaml'), 'utf8')

const load = (content: string | Uint8Array, path = 'whodunit.yaml') =>
  loadConfig(path, { readFile: async () => content })

const saved = (name: string, content: string | Uint8Array) => {
  const path = join(directory, name)
  writeFileSync(path, content)
  return loadConfig(path, { readFile: readConfigFile, importTimeoutMs: 300 })
}

const said = (loaded: LoadedConfig) =>
  loaded.ok ? ['ok'] : loaded.issues.map(({ code, message }) => `${code}: ${message}`)

const json = JSON.stringify({
  services: { web: {} },
  monitors: { home: { kind: 'http', service: 'web', url: 'https://example.com/' } },
  channels: { terminal: { kind: 'console' } },
  routes: [{ channels: ['terminal'] }],
})

test('the minimal config has ten lines at most and no errors', async () => {
  expect(minimal.trimEnd().split('\n').length).toBeLessThanOrEqual(10)
  expect(said(await load(minimal))).toEqual(['ok'])
})

test('a config with everything in it has neither errors nor warnings', async () => {
  const loaded = await load(readFileSync(join(import.meta.dirname, 'good/commented.yaml')))
  expect(said(loaded)).toEqual(['ok'])
  expect(loaded.ok && loaded.warnings).toEqual([])
})

test.each([
  { given: 'a byte order mark', content: `\ufeff${minimal}` },
  { given: 'line ends of Windows', content: minimal.replaceAll('\n', '\r\n') },
  { given: 'line ends of an old Macintosh', content: minimal.replaceAll('\n', '\r') },
  { given: 'a start marker', content: `---\n${minimal}...\n` },
  { given: 'JSON', content: json },
  { given: 'JSON with tabs', content: JSON.stringify(JSON.parse(json), null, '\t') },
])('$given is read like any other', async ({ content }) => {
  expect(said(await load(content))).toEqual(['ok'])
  expect(said(await load(new TextEncoder().encode(content), 'whodunit.json'))).toEqual(['ok'])
})

test('positions count the same with a byte order mark and Windows line ends', async () => {
  const loaded = await load(`\ufeff${minimal.replace('service: web', 'service: wbe')}`.replaceAll('\n', '\r\n'))
  expect(loaded).toMatchObject({ ok: false, issues: [{ line: 4, column: 32, path: 'monitors.home.service' }] })
})

test.each([
  { given: 'UTF-16', content: Buffer.from(`\ufeff${minimal}`, 'utf16le'), then: /not-text: this is UTF-16/ },
  { given: 'Latin 1', content: Buffer.from('# caf\xe9\n', 'latin1'), then: /not-text: this is not UTF-8/ },
  { given: 'a binary file', content: Buffer.from([1, 2, 0, 3]), then: /not-text: this is not a text file/ },
  { given: 'an empty file', content: '', then: /^empty: / },
  { given: 'only null', content: '~\n', then: /^empty: / },
  { given: 'a single word', content: 'hello\n', then: /not-a-map: the config is a single value/ },
  {
    given: 'more than 5 MB',
    content: 'x'.repeat(configLimitBytes + 1),
    then: /too-large: the file is larger than 5 MB/,
  },
  { given: 'a hundred lists in each other', content: `a: ${'['.repeat(100)}${']'.repeat(100)}`, then: /^too-deep: / },
  { given: 'an endless row of brackets', content: `a: ${'['.repeat(20_000)}`, then: /^too-deep: / },
  { given: '__proto__ as a key', content: `${minimal}__proto__: {}\n`, then: /yaml-key: __proto__/ },
])('$given is one clear issue', async ({ content, then }) => {
  const all = said(await load(content))
  expect(all).toHaveLength(1)
  expect(all[0]).toMatch(then)
})

test.each([
  { given: 'no such file', path: join(directory, 'nothing.yaml'), then: /^file-missing: / },
  { given: 'a file where a directory should be', path: '/dev/null/whodunit.yaml', then: /^file-missing: / },
  { given: 'a directory', path: directory, then: /^file-unreadable: this is a directory/ },
  { given: 'a file without end', path: '/dev/zero', then: /^too-large: / },
])('$given is an issue, not an exception', async ({ path, then }) => {
  expect(said(await loadConfig(path, { readFile: readConfigFile }))).toEqual([expect.stringMatching(then)])
})

test.each([
  { code: 'EACCES', then: 'file-unreadable: no permission to read this file' },
  { code: 'EIO', then: 'file-unreadable: the file cannot be read (EIO)' },
])('a read that fails with $code says so', async ({ code, then }) => {
  const readFile = () => Promise.reject(Object.assign(new Error('no'), { code }))
  expect(said(await loadConfig('whodunit.yaml', { readFile }))).toEqual([then])
})

test('a file of another kind is refused by name', async () => {
  const loaded = await load(minimal, 'whodunit.toml')
  expect(said(loaded)).toEqual(['unknown-extension: a config cannot be a .toml file'])
})

test('an id that every object inherits is still unknown', async () => {
  expect(said(await load(minimal.replace('service: web', 'service: constructor')))).toEqual([
    'unknown-service: there is no service constructor',
  ])
})

test('an anchored value can be used again, and positions stay those of the anchor', async () => {
  const text = minimal.replace('web: {}', 'web: { owner: &o { team: a, role: sre } }\n  vote: { owner: *o }')
  expect(said(await load(text))).toEqual(['ok'])
  const wrong = await load(text.replace('role: sre', 'role: boss'))
  expect(wrong).toMatchObject({
    issues: [{ line: 2, path: 'services.vote.owner.role' }, { path: 'services.web.owner.role' }],
  })
})

test('a misspelt entry does not make references to it a second mistake', async () => {
  const loaded = await load(minimal.replace('web: {}', 'web: { runbok: https://example.com/ }'))
  expect(said(loaded)).toEqual(['unknown-key: unknown key'])
})

test('a part of the wrong type is said once, not once for every reference into it', async () => {
  expect(said(await load(minimal.replace('web: {}', '- web')))).toHaveLength(1)
})

test('a huge list of mistakes is cut, and says so', async () => {
  const keys = Array.from({ length: 2000 }, (_, index) => `k${index}: 1`).join('\n')
  const loaded = await load(`${minimal}${keys}\n`)
  expect(said(loaded)).toHaveLength(501)
  expect(said(loaded).at(-1)).toBe('too-many-issues: 1500 more issues are not listed')
})

const moduleText = `export default ${json}\n`

test.each([
  { given: 'a module that exports a config', name: 'a.mjs', content: moduleText, then: 'ok' },
  { given: 'a module with types', name: 'a.ts', content: `const n: number = 1\n${moduleText}`, then: 'ok' },
  { given: 'no default export', name: 'b.mjs', content: 'export const a = 1\n', then: /^module-export: .* no default/ },
  { given: 'a function', name: 'c.mjs', content: 'export default () => ({})\n', then: /^module-export: .* a function/ },
  {
    given: 'a promise',
    name: 'd.mjs',
    content: 'export default Promise.resolve({})\n',
    then: /^module-export: .* promise/,
  },
  { given: 'a list', name: 'e.mjs', content: 'export default []\n', then: /^not-a-map: the config is a list/ },
  { given: 'a thrown text', name: 'f.mjs', content: 'throw "no"\n', then: /^module-threw: .* not an error/ },
  { given: 'a thrown secret', name: 'g.mjs', content: 'throw new Error("bad token=abc")\n', then: /may hold a secret/ },
  {
    given: 'a wait for ever',
    name: 'h.mjs',
    content: 'await new Promise(() => {})\n',
    then: /did not finish within 0.3 s/,
  },
])('$given is told', async ({ name, content, then }) => {
  expect(said(await saved(name, content))).toEqual([expect.stringMatching(then)])
})

/** What Node itself makes of a module, and not the test runner: `edits` are saved and loaded one after the other. */
const inNode = async (name: string, ...edits: string[]): Promise<string[]> => {
  const script = `
    import { writeFileSync } from 'node:fs'
    import { readConfigFile } from './config/config-file.ts'
    import { loadConfig } from './config/load.ts'
    const [path, ...edits] = JSON.parse(process.argv[1])
    for (const edit of edits) {
      writeFileSync(path, edit)
      const loaded = await loadConfig(path, { readFile: readConfigFile })
      const [issue] = loaded.ok ? [] : loaded.issues
      console.log(issue ? [issue.code, issue.line, issue.column].join(' ').trimEnd() : 'ok')
    }`
  const argument = JSON.stringify([join(directory, name), ...edits])
  const cwd = join(import.meta.dirname, '../..')
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, argument], {
    cwd,
  })
  return stdout.trimEnd().split('\n')
}

test.each([
  {
    given: 'a module that changes is loaded anew',
    name: 'n1.mjs',
    edits: ['export default 1\n', moduleText],
    then: ['not-a-map  ', 'ok'],
  },
  {
    given: 'a throw has its line',
    name: 'n2.ts',
    edits: ['const a: number = 1\nthrow new Error(a.toFixed())\n'],
    then: ['module-threw 2 7'],
  },
  {
    given: 'a syntax error in types has its line',
    name: 'n3.ts',
    edits: ['const a: number =\nexport default {}\n'],
    then: ['module-syntax 2 '],
  },
  {
    given: 'an enum cannot be stripped',
    name: 'n4.ts',
    edits: ['enum A { B }\nexport default A\n'],
    then: ['module-syntax 1 '],
  },
  {
    given: 'an import of nothing',
    name: 'n5.ts',
    edits: [`import './nothing.ts'\n${moduleText}`],
    then: ['module-import  '],
  },
])('$given', async ({ name, edits, then }) => {
  expect(await inNode(name, ...edits)).toEqual(then.map((line) => line.trimEnd()))
})

test('what is wrong in a module has a path and a file, and no line', async () => {
  const loaded = await saved('wrong.mjs', moduleText.replace('"url"', '"endpoint"'))
  const { issues } = loaded.ok ? { issues: [] } : loaded
  expect(issues).toEqual([
    {
      severity: 'error',
      code: 'unknown-key',
      file: join(directory, 'wrong.mjs'),
      path: 'monitors.home.endpoint',
      message: 'unknown key',
      hint: 'did you mean url?',
    },
  ])
})
