import { execFile, execFileSync } from 'node:child_process'
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as z from 'zod'

const manifestShape = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
})

const root = process.cwd()
const ours = manifestShape.parse(JSON.parse(readFileSync('package.json', 'utf8')))
const temporary = mkdtempSync(join(tmpdir(), 'whodunit-pack-'))
const clone = join(temporary, 'clone')
const home = join(temporary, 'home')
const installed = join(home, 'node_modules/whodunit')
const launcher = join(installed, 'cli/launch.mjs')

/** The project as a fresh clone has it, so that a build here and another test never see each other's `dist`. */
const cloneProject = () => {
  const listed = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate']
  const files = execFileSync('git', listed, { encoding: 'utf8' }).split('\n').filter(Boolean)
  for (const file of files.filter(
    (path) => !/^(test|docs|examples)\//.test(path) && lstatSync(path, { throwIfNoEntry: false })?.isFile(),
  )) {
    mkdirSync(dirname(join(clone, file)), { recursive: true })
    cpSync(file, join(clone, file))
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
}

/** What `npm install` of the tarball gives an empty folder, without a registry: the package and its dependencies alone. */
const install = (tarball: string) => {
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  for (const name of Object.keys(ours.dependencies)) {
    mkdirSync(dirname(join(home, 'node_modules', name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(home, 'node_modules', name))
  }
  // As `npm init -y` writes it.
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'home', version: '1.0.0', type: 'commonjs' }))
}

type Run = { code: number; stdout: string; stderr: string }

const run = (args: readonly string[]): Promise<Run> => {
  const { NODE_OPTIONS: _, ...env } = process.env
  return new Promise((resolve) => {
    const options = { cwd: home, env: { ...env, NO_COLOR: '1' }, timeout: 20_000 }
    execFile(process.execPath, [...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    )
  })
}

const whodunit = (...args: string[]) => run([launcher, ...args])

const preloaded = (source: string, ...args: string[]) =>
  run(['--import', `data:text/javascript,${encodeURIComponent(source)}`, launcher, ...args])

const server = createServer((request, response) => {
  response.statusCode = request.url === '/broken' ? 500 : 200
  response.end('fine')
})
const origin = () => {
  const address = server.address()
  // `as`: a listening TCP server's address is neither null nor a pipe's name.
  return `http://127.0.0.1:${(address as AddressInfo).port}`
}

const yaml = (path: string, kind = 'http') => `
services: { shop: {} }
monitors: { front: { kind: ${kind}, service: shop, url: "${origin()}${path}", timeoutSeconds: 3 } }
channels: { terminal: { kind: console } }
routes: [{ channels: [terminal] }]
allowTargets: [loopback]
`

const typescript = () => `import { type ConfigInput, defineConfig } from 'whodunit'

const services: ConfigInput['services'] = { shop: { owner: { team: 'storefront', role: 'developers' } } }
export default defineConfig({
  services,
  monitors: { front: { kind: 'http', service: 'shop', url: '${origin()}/', assert: { status: [200] } } },
  channels: { terminal: { kind: 'console' } },
  routes: [{ channels: ['terminal'] }],
  allowTargets: ['loopback'],
})
`

const misspelt = `import { defineConfig } from 'whodunit'

// @ts-expect-error: there is no such kind
defineConfig({ services: {}, monitors: { a: { kind: 'htp', service: 'a', url: 'http://a/' } }, channels: {}, routes: [] })
// @ts-expect-error: routes are missing
defineConfig({ services: {}, monitors: {}, channels: {} })
// @ts-expect-error: there is no such key
defineConfig({ services: {}, monitors: {}, channels: {}, routes: [], monitor: {} })
`

const compilerOptions = {
  strict: true,
  target: 'es2022',
  module: 'nodenext',
  types: [],
  noEmit: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))

beforeAll(async () => {
  cloneProject()
  execFileSync('npm', ['pack', '--pack-destination', temporary], { cwd: clone, stdio: 'pipe' })
  install(join(temporary, `whodunit-${ours.version}.tgz`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  writeFileSync(join(home, 'fine.yaml'), yaml('/'))
  writeFileSync(join(home, 'broken.yaml'), yaml('/broken'))
  writeFileSync(join(home, 'mistaken.yaml'), yaml('/', 'htp'))
  writeFileSync(join(home, 'whodunit.ts'), typescript())
  writeFileSync(join(home, 'misspelt.ts'), misspelt)
  const files = ['whodunit.ts', 'misspelt.ts']
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
}, 60_000)

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  rmSync(temporary, { recursive: true, force: true })
})

describe('the tarball', () => {
  test('holds the launcher, the bundle and what npm always adds, and nothing else', () => {
    const files = filesIn(installed)
    expect(files.filter((file) => !['LICENSE', 'README.md'].includes(file)).sort()).toEqual([
      'cli/launch.mjs',
      'dist/config.d.mts',
      'dist/config.mjs',
      'dist/main.mjs',
      'dist/whodunit.schema.json',
      'package.json',
    ])
  })

  test('imports only Node and what it lists as dependencies', () => {
    const bundles = ['main.mjs', 'config.mjs'].map((file) => readFileSync(join(installed, 'dist', file), 'utf8'))
    const imported = bundles.flatMap((text) =>
      [...text.matchAll(/^(?:import|export)\b[^'"]*?["']([^"']+)["'];|\bimport\(\s*"([^"]+)"\s*\)/gms)].map(
        ([, fixed, late]) => fixed ?? late ?? '',
      ),
    )
    const names = imported
      .filter((name) => !name.startsWith('node:'))
      .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0])
    expect(new Set(names).size).toBeGreaterThan(5)
    expect(names.filter((name) => name === undefined || !ours.dependencies[name])).toEqual([])
  })

  test('leaves no build behind where it was packed', () => {
    expect(readdirSync(clone)).not.toContain('dist')
  })
})

describe('whodunit check, installed', () => {
  test.each([
    { given: 'a page that answers', config: 'fine.yaml', code: 0, says: 'the monitor passes' },
    { given: 'a page that fails', config: 'broken.yaml', code: 1, says: 'the monitor does not pass' },
    { given: 'a config written in TypeScript', config: 'whodunit.ts', code: 0, says: 'the monitor passes' },
  ])('$given: exit $code', async ({ config, code, says }) => {
    const checked = await whodunit('check', '--config', config)
    expect(checked).toMatchObject({ code, stdout: expect.stringContaining(says) })
  })

  test('a mistake in the config: exit 2 with file, line and column', async () => {
    const { code, stdout, stderr } = await whodunit('check', '--config', 'mistaken.yaml')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^mistaken\.yaml:3:\d+ monitors\.front\.kind/m)
  })

  test('an unknown command: exit 2', async () => {
    expect((await whodunit('chekc')).code).toBe(2)
  })
})

describe('types, installed', () => {
  test('defineConfig compiles strictly, without skipLibCheck and without other types, and refuses mistakes', async () => {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    expect(await run([compiler, '-p', home])).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('the declarations need no other package', () => {
    expect(readFileSync(join(installed, 'dist/config.d.mts'), 'utf8')).not.toMatch(
      /\bimport\b|\bany\b(?!")|<reference|\bz\./,
    )
  })
})

describe('the launcher', () => {
  test.each(['12.22.12', '18.20.8', '20.20.2', '22.18.0'])(
    'says on Node %s which one is needed, and exits 2',
    async (old) => {
      const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${old}' } })`
      expect(await preloaded(pretend, 'check')).toEqual({
        code: 2,
        stdout: '',
        stderr: `whodunit needs Node.js 22.19 or newer; this is ${old}.\n`,
      })
    },
  )

  test.each(['22.19.0', '23.1.0', '24.0.0', '100.0.0'])('starts on Node %s', async (recent) => {
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${recent}' } })`
    expect(await preloaded(pretend, '--help')).toMatchObject({ code: 0, stderr: '' })
  })

  test('has no static import, which an old Node could not even load', () => {
    expect(readFileSync(launcher, 'utf8')).not.toMatch(/^(import|export)\b|^(const|let) .*= await\b/m)
  })

  test('keeps the warning about SQLite to itself and lets every other one through', async () => {
    const warn = (text: string) => `process.emitWarning('${text}', 'ExperimentalWarning')`
    const both = `${warn('SQLite is an experimental feature and might change')};${warn('something else')}`
    const { code, stderr } = await preloaded(`setTimeout(() => { ${both} }, 0)`, 'check', '--config', 'fine.yaml')
    expect(code).toBe(0)
    expect(stderr).toContain('ExperimentalWarning: something else')
    expect(stderr).not.toContain('SQLite')
  })
})
