import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

export type SourceFile = { path: string; text: string; lines: number }

const listed = () =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)

const read = (path: string): SourceFile[] => {
  try {
    const text = readFileSync(path, 'utf8')
    return [{ path, text, lines: text.split('\n').length - 1 }]
  } catch {
    return []
  }
}

/** Every file of the project, tracked or about to be. */
export const allPaths = listed()

/** Every TypeScript file, tests included. */
export const typescript: SourceFile[] = allPaths.filter((path) => path.endsWith('.ts')).flatMap(read)

/** What ships: everything that is neither a test nor an example. */
export const product = typescript.filter(({ path }) => !/^(test|examples)\//.test(path))

const importPattern =
  /^\s*(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gms

export type Import = { from: string; to: string; typeOnly: boolean }

/** Imports of a file; relative ones as paths from the root, others as they are written. */
export const importsOf = ({ path, text }: SourceFile): Import[] =>
  [...text.matchAll(importPattern)].map((match) => {
    const to = match[2] ?? match[3] ?? ''
    return {
      from: path,
      to: to.startsWith('.') ? normalize(join(dirname(path), to)) : to,
      typeOnly: match[1] !== undefined,
    }
  })
