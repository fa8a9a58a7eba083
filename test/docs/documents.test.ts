import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { loadConfig } from '../../config/load.ts'
import { referenceText } from '../../config/reference.ts'
import { configSchema } from '../../config/schema.ts'
import { allPaths } from '../architecture/sources.ts'

const read = (path: string) => readFileSync(path, 'utf8')
const documents = allPaths.filter((path) => path.endsWith('.md') && existsSync(path))

test('the reference is what the schemas say (`npm run docs` writes it)', () => {
  expect(read('docs/reference.md')).toBe(referenceText())
})

test.each(documents)('every file and folder that %s links to is there', (path) => {
  const links = [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) =>
    join(dirname(path), target),
  )
  expect(links.filter((target) => !existsSync(target))).toEqual([])
})

test('every path that CONTRIBUTING names is there', () => {
  const named = [...read('CONTRIBUTING.md').matchAll(/`((?:[\w-]+\/)+[\w.-]+\.(?:ts|md|yaml))`/g)].map(
    ([, path = '']) => path,
  )
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((path) => !existsSync(path))).toEqual([])
})

const yamlIn = (path: string) => [...read(path).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)

test('the config on the README’s first screen is one', () => {
  const configs = yamlIn('README.md')
  expect(configs.map((text) => configSchema.safeParse(parse(text)).error?.issues)).toEqual([undefined])
  expect(configs[0]?.trim().split('\n').length).toBeLessThanOrEqual(12)
})

// Of these pages the first snippet is whodunit's; what follows is for Kubernetes or a Prometheus.
const firstOf = [
  'docs/alertmanager.md',
  'docs/objectives.md',
  ...allPaths.filter((path) => /^docs\/kubernetes-.*\.md$/.test(path)),
]
const snippets = [
  ...yamlIn('docs/alerting.md').map((text) => ['docs/alerting.md', text] as const),
  ...firstOf.map((path) => [path, yamlIn(path)[0] ?? ''] as const),
]

test.each(snippets)('what %s shows fits into a config (%#)', (_, text) => {
  expect(text).not.toBe('')
  const around: unknown = parse(yamlIn('README.md')[0] ?? '')
  const whole = { ...Object(around), ...Object(parse(text)) }
  expect(configSchema.safeParse(whole).error?.issues).toBeUndefined()
})

const examples = allPaths.filter((path) => /^examples\/.*whodunit\.(yaml|ts)$/.test(path))

test.each(examples)('%s is a config without mistakes', async (path) => {
  const { readFile } = await import('node:fs/promises')
  const loaded = await loadConfig(path, { readFile })
  expect(loaded.ok ? [] : loaded.issues).toEqual([])
})

test('every dependency has a line that says why', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'))
  const said = read('docs/dependencies.md')
  const silent = [...Object.keys(dependencies), ...Object.keys(devDependencies)].filter(
    (name) => !said.includes(`\`${name}\``),
  )
  expect(silent).toEqual([])
})

test('the lock file names no registry', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": *"http/)
})
