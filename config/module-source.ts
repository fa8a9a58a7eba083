import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { showsSecret } from './secrecy.ts'

/** What a config module exported, or why it could not be asked. */
export type ModuleSource =
  | { status: 'read'; data: unknown }
  | { status: 'broken'; code: string; message: string; hint?: string; place?: { line: number; column?: number } }

export type ModuleWorld = {
  /** Loads a module by its URL; Node's own `import()` when absent. */
  importModule?: ((url: string) => Promise<unknown>) | undefined
  /** A module may wait for things, but not for ever. */
  importTimeoutMs?: number | undefined
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The first place in this very file that the error's stack names. Its positions are those of the source: types are blanked out. */
const placeIn = (stack: string, url: URL): { line: number; column?: number } | undefined => {
  const bare = new URL(url)
  bare.search = ''
  const name = `(?:${escaped(bare.href)}|${escaped(fileURLToPath(bare))})`
  const [, line, column] = new RegExp(`${name}(?:\\?[\\w=]*)?:(\\d+)(?::(\\d+))?`).exec(stack) ?? []
  return line === undefined ? undefined : { line: Number(line), ...(column && { column: Number(column) }) }
}

/** Where it was thrown, when that is another file: `lib.ts:3`. */
const elsewhere = (stack: string): string | undefined => {
  const [, file, line] = /file:\/\/[^\s)]*?([^/\s?)]+)(?:\?[\w=]*)?:(\d+):\d+/.exec(stack) ?? []
  return file === undefined ? undefined : `${file}:${line}`
}

/** The module is its author's, who may well have put a value into the message. */
const firstLine = (text: string): string => {
  const line = (text.split('\n', 1)[0] ?? '').slice(0, 300)
  return showsSecret(line) ? 'a message that may hold a secret' : line
}

const codeOf = (error: object): string => ('code' in error && typeof error.code === 'string' ? error.code : '')

const isSyntax = (error: Error) => error.name === 'SyntaxError' || codeOf(error).includes('TYPESCRIPT_SYNTAX')

const broken = (thrown: unknown, url: URL): ModuleSource => {
  // Another realm's errors (a module loaded in a vm) are no instances of ours.
  const isError = typeof thrown === 'object' && thrown !== null && 'message' in thrown && 'name' in thrown
  if (!isError)
    return { status: 'broken', code: 'module-threw', message: 'the module threw something that is not an error' }
  const error = new Error(String(thrown.message))
  error.name = String(thrown.name)
  const stack = 'stack' in thrown ? String(thrown.stack) : ''
  const code = codeOf(thrown)
  const place = placeIn(stack, url)
  const where = place ? { place } : {}
  const said = firstLine(error.message)
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
    const [, wanted = 'a module'] = /Cannot find (?:package|module) '([^']+)'/.exec(said) ?? []
    const hint = 'install the package, or check the path (relative imports need their extension)'
    return {
      status: 'broken',
      code: 'module-import',
      message: `the config imports ${wanted}, which is not there`,
      hint,
      ...where,
    }
  }
  if (isSyntax(Object.assign(error, { code }))) {
    const hint = 'enums, namespaces and parameter properties cannot be used: types are only stripped'
    const helps = code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' ? { hint } : {}
    return { status: 'broken', code: 'module-syntax', message: `a syntax error: ${said}`, ...helps, ...where }
  }
  const from = place ? undefined : elsewhere(stack)
  const message = `the module threw ${error.name}: ${said}`
  return { status: 'broken', code: 'module-threw', message, ...(from && { hint: `thrown at ${from}` }), ...where }
}

const within = async <T>(work: Promise<T>, timeoutMs: number): Promise<T | 'late'> => {
  const { promise, resolve: finish } = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => finish('late'), timeoutMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

const exported = (loaded: unknown): ModuleSource => {
  const hint = 'export default defineConfig({ … })'
  const data = typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined
  const failed = (message: string, better = hint): ModuleSource => ({
    status: 'broken',
    code: 'module-export',
    message,
    hint: better,
  })
  if (data === undefined) return failed('the module has no default export')
  if (typeof data === 'function') return failed('the default export is a function, expected the config itself')
  if (typeof data === 'object' && data !== null && 'then' in data) {
    return failed('the default export is a promise, expected the config itself', 'export default await …')
  }
  return { status: 'read', data }
}

/**
 * Runs a config module and takes its default export. Everything it can do wrong is a value: throwing, not parsing,
 * waiting for ever, exporting nothing. `bytes` are the file's: a changed file is loaded anew in the same process.
 */
export const readModule = async (path: string, bytes: Uint8Array, world: ModuleWorld = {}): Promise<ModuleSource> => {
  const url = pathToFileURL(resolve(path))
  url.search = `v=${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`
  const { importModule = (href: string): Promise<unknown> => import(href), importTimeoutMs = 20_000 } = world
  try {
    const loaded = await within(importModule(url.href), importTimeoutMs)
    if (loaded !== 'late') return exported(loaded)
    const message = `the module did not finish within ${importTimeoutMs / 1000} s`
    return { status: 'broken', code: 'module-late', message, hint: 'something it awaits never comes' }
  } catch (thrown) {
    return broken(thrown, url)
  }
}
