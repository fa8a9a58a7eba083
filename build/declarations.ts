import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const emitted = (root: string): { written: string; define: string } => {
  const outDir = mkdtempSync(join(tmpdir(), 'whodunit-types-'))
  try {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const project = join(root, 'build/tsconfig.json')
    execFileSync(process.execPath, [compiler, '-p', project, '--outDir', outDir], { stdio: 'inherit' })
    const read = (path: string) => readFileSync(join(outDir, path), 'utf8')
    return { written: read('build/written-config.d.ts'), define: read('config/define.d.ts') }
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}

/** The compiler's way of giving up; none of it may reach whoever writes a config. */
const vague = /\bany\b|\bimport\(|\/\*|\.\.\.|\bz\./

const objectType = (text: string): string => {
  const [, type] = /^export declare const configInput: (\{[\s\S]*\n\});$/m.exec(text) ?? []
  const unclear = type === undefined ? undefined : vague.exec(type.replaceAll(/"[^"]*"/g, ''))?.[0]
  if (type === undefined || unclear !== undefined) {
    throw new Error(
      `the config's type is not written out in full (${unclear ?? 'not an object'}): see build/declarations.ts`,
    )
  }
  return type
}

/**
 * The package's declarations, of plain types only: one file that needs neither zod's types nor Node's, nor those of any
 * library a kind happens to use, and that any compiler since 4.7 reads. Throws when the config's type is not plain.
 */
export const packageDeclarations = (root: string): string => {
  const { written, define } = emitted(root)
  const own = define.replaceAll(/^(import|export type) .*;\n/gm, '').trim()
  const doc = '/** `whodunit.yaml` as a person writes it. What may be left out has a default; see the reference. */'
  return `${doc}\nexport type ConfigInput = ${objectType(written)};\n${own}\n`
}
