/** Writes `dist/`: what `npm pack` ships beside the launcher. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { configJsonSchema } from '../config/json-schema.ts'
import { packageDeclarations } from './declarations.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
mkdirSync(dist)
// Dependencies stay outside: npm installs them, audits them, and shares them with the rest of a project.
await build({
  absWorkingDir: root,
  entryPoints: { main: 'cli/main.ts', config: 'config/define.ts' },
  outdir: dist,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node22.19',
  format: 'esm',
  charset: 'utf8',
  logLevel: 'warning',
})
writeFileSync(join(dist, 'config.d.mts'), packageDeclarations(root))
writeFileSync(join(dist, 'whodunit.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
