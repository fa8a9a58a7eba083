import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { validateCommand } from '../../cli/commands/validate.ts'
import { loadConfig } from '../../config/load.ts'

const directory = join(import.meta.dirname, 'mistakes')
const fixtures = readdirSync(directory)
  .filter((file) => file.endsWith('.yaml'))
  .sort()

const readFile = async (path: string) => readFileSync(join(directory, path))
const expected = (fixture: string) => readFileSync(join(directory, fixture.replace('.yaml', '.txt')), 'utf8')

/** Lines of a fixture that are marked as wrong. */
const marked = (fixture: string) =>
  readFileSync(join(directory, fixture), 'utf8')
    .split('\n')
    .flatMap((line, index) => (line.includes('# !') ? [index + 1] : []))

const issuesOf = async (fixture: string) => {
  const loaded = await loadConfig(fixture, { readFile })
  return loaded.ok ? [] : loaded.issues
}

/** Mistakes whose message says all there is: what is missing, what range, which of two. */
const needNoHint = [
  'broken-rule',
  'missing-key',
  'wrong-value',
  'wrong-type',
  'alias-loop',
  'too-large',
  'not-a-map',
  'dependency-cycle',
]

test('there are at least thirty mistakes, each with what is said about it', () => {
  expect(fixtures.length).toBeGreaterThanOrEqual(30)
  const texts = readdirSync(directory).filter((file) => file.endsWith('.txt'))
  expect(texts.map((file) => file.replace('.txt', '.yaml')).sort()).toEqual(fixtures)
})

describe.each(fixtures)('%s', (fixture) => {
  test('prints exactly what is expected and exits with 2', async () => {
    let printed = ''
    const print = (text: string) => {
      printed += `${text}\n`
    }
    const exit = await validateCommand({ config: fixture, json: false, print, printError: print, readFile })
    expect(printed).toBe(expected(fixture))
    expect(exit).toBe(2)
  })

  test('points at the marked lines and no others', async () => {
    const issues = await issuesOf(fixture)
    expect([...new Set(issues.map(({ line }) => line))]).toEqual(marked(fixture))
  })

  test('names file, line and column, in the order of the file, each mistake once', async () => {
    const issues = await issuesOf(fixture)
    for (const issue of issues) {
      expect(issue).toMatchObject({
        severity: 'error',
        file: fixture,
        line: expect.any(Number),
        column: expect.any(Number),
      })
    }
    const places = issues.map(({ line = 0, column = 0 }) => line * 10_000 + column)
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(new Set(issues.map(({ path, message }) => `${path} ${message}`)).size).toBe(issues.length)
  })

  test('has a path unless the text itself is broken, and a hint where one is possible', async () => {
    const aboutText = /^(yaml-|too-|empty|not-a-map)/
    for (const { code, path, hint } of await issuesOf(fixture)) {
      if (!aboutText.test(code)) expect(path).not.toBe('')
      if (hint === undefined) expect(needNoHint).toContain(code)
    }
  })
})

test('no message repeats a secret from any of the mistakes', () => {
  for (const fixture of fixtures) expect(expected(fixture)).not.toContain('hunter2')
})
