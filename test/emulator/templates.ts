// npm run templates: what `cdk synth` writes, checked by cfn-lint against AWS' resource schemas. Exits 1 when it is not clean.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const version = '1.51.0'
const root = join(import.meta.dirname, '..', '..')
const venv = join(root, '.cache', `cfn-lint-${version}`)
const binary = join(venv, 'bin', 'cfn-lint')
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'], timeout: 300_000 }

if (!existsSync(binary)) {
  execFileSync('python3', ['-m', 'venv', venv], quiet)
  execFileSync(
    join(venv, 'bin', 'pip'),
    ['install', '--quiet', '--disable-pip-version-check', `cfn-lint==${version}`],
    quiet,
  )
}
const folder = mkdtempSync(join(tmpdir(), 'whodunit-templates-'))
const configs = ['examples/emojivoto/whodunit.yaml', 'examples/reference/whodunit.yaml']
// W3005: the CDK writes a dependency that a reference implies as well.
const ignored = ['--ignore-checks', 'W3005', '--']
let status = 0
for (const [index, config] of configs.entries()) {
  const output = join(folder, String(index))
  const cdk = join(root, 'node_modules', '.bin', 'cdk')
  execFileSync(cdk, ['synth', '--quiet', '-c', `config=${config}`, '--output', output], { ...quiet, cwd: root })
  const templates = readdirSync(output).filter((name) => name.endsWith('.template.json'))
  const { status: found } = spawnSync(binary, [...ignored, ...templates.map((name) => join(output, name))], {
    stdio: 'inherit',
  })
  process.stdout.write(`${config}: ${templates.length} templates, ${found === 0 ? 'clean' : 'not clean'}\n`)
  if (found !== 0 || templates.length === 0) status = 1
}
rmSync(folder, { recursive: true, force: true })
process.exitCode = status
