import { extname } from 'node:path'
import { configLimitBytes, textOf } from './config-file.ts'
import { withoutEchoes } from './echoes.ts'
import { type ConfigIssue, type Finding, type Locate, placeFindings } from './issues.ts'
import { schemaFindings } from './mistakes.ts'
import { type ModuleWorld, readModule } from './module-source.ts'
import { normalise } from './normalise.ts'
import { meaningFindings, nameFindings, namesIn } from './references.ts'
import { salvage } from './salvage.ts'
import { type Config, configSchema } from './schema.ts'
import { readYaml } from './yaml-source.ts'

/** What loading a config touches. */
export type ConfigWorld = ModuleWorld & {
  /** The file's bytes or text; rejects as `node:fs/promises` does. `readConfigFile` is one that reads no more than it must. */
  readFile: (path: string) => Promise<Uint8Array | string>
  /** For what time makes of a config, such as a maintenance window that is over; not said when absent. */
  nowMs?: () => number
}

/** `source` is the file's text, for showing the line an issue is about. */
export type LoadedConfig =
  | { ok: true; config: Config; warnings: ConfigIssue[]; path: string; source: string }
  | { ok: false; issues: ConfigIssue[]; source?: string }

const textExtensions = ['.yaml', '.yml', '.json']
const moduleExtensions = ['.ts', '.mts', '.js', '.mjs']

/** `usable`: there is a map whose parts can be checked. */
type Data = { data: unknown; findings: Finding[]; locate: Locate; usable: boolean }

const nowhere: Locate = () => undefined

const wholeFile = (code: string, message: string, hint?: string): Finding => ({
  severity: 'error',
  code,
  path: [],
  at: 'value',
  message,
  ...(hint === undefined ? {} : { hint }),
})

const unreadable = (thrown: unknown): Finding => {
  const code =
    typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : 'no reason given'
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return wholeFile(
        'file-missing',
        'there is no such file',
        'name it with --config, or begin with the ten lines of the README',
      )
    case 'EISDIR':
      return wholeFile(
        'file-unreadable',
        'this is a directory, expected a file',
        'name the file in it, such as whodunit.yaml',
      )
    case 'EACCES':
    case 'EPERM':
      return wholeFile('file-unreadable', 'no permission to read this file')
    default:
      return wholeFile('file-unreadable', `the file cannot be read (${code})`)
  }
}

const decoded = (bytes: Uint8Array): string | Finding => {
  const text = textOf(bytes)
  return typeof text === 'string' ? text : wholeFile('not-text', text.message, text.hint)
}

const readBytes = async (path: string, world: ConfigWorld): Promise<Uint8Array | Finding> => {
  try {
    const content = await world.readFile(path)
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    if (bytes.byteLength <= configLimitBytes) return bytes
    const limit = configLimitBytes / 1024 / 1024
    return wholeFile(
      'too-large',
      `the file is larger than ${limit} MB`,
      'is this the config? Split it into several hubs if so',
    )
  } catch (thrown) {
    return unreadable(thrown)
  }
}

const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

const shapeOf = (data: unknown): string => {
  if (Array.isArray(data)) return 'a list'
  return typeof data === 'object' ? 'a map' : 'a single value'
}

const sections = 'services, monitors, channels and routes'

/** The top level must be a map before anything else can be said. */
const topLevel = (data: unknown): Finding | undefined => {
  if (data === undefined || data === null) return wholeFile('empty', 'the config is empty', `it needs ${sections}`)
  if (shapeOf(data) === 'a map') return undefined
  return wholeFile('not-a-map', `the config is ${shapeOf(data)}, expected a map with ${sections}`)
}

const readData = async (path: string, bytes: Uint8Array, text: string, world: ConfigWorld): Promise<Data> => {
  if (!moduleExtensions.includes(extname(path).toLowerCase())) {
    const { data, findings, locate, whole } = readYaml(text)
    const top = whole && findings.length === 0 ? topLevel(data) : undefined
    return { data, findings: top ? [top] : findings, locate, usable: whole && !top && isMap(data) }
  }
  const source = await readModule(path, bytes, world)
  if (source.status === 'read') {
    const top = topLevel(source.data)
    return { data: source.data, findings: top ? [top] : [], locate: nowhere, usable: !top }
  }
  const { code, message, hint, place } = source
  const finding = { ...wholeFile(code, message, hint), ...(place && { place }) }
  return { data: undefined, findings: [finding], locate: nowhere, usable: false }
}

/** Checks data of any origin: shape first, then what its parts say of each other. */
const checked = (data: unknown, { nowMs }: ConfigWorld): { config?: Config; findings: Finding[] } => {
  const parsed = configSchema.safeParse(data)
  const names = nameFindings(data, namesIn(data))
  const time = nowMs ? { nowMs: nowMs() } : {}
  if (parsed.success) return { config: parsed.data, findings: [...names, ...meaningFindings(parsed.data, data, time)] }
  const { issues } = parsed.error
  const rest = salvage(data, issues)
  const meaning = rest ? meaningFindings(rest, data, { partial: true, ...time }) : []
  return { findings: [...schemaFindings(issues, data), ...names, ...meaning] }
}

const extensionFinding = (path: string): Finding | undefined => {
  const extension = extname(path).toLowerCase()
  // A pipe (`/dev/stdin`, `<(…)`) has no extension; it is read as YAML.
  if (extension === '' || textExtensions.includes(extension) || moduleExtensions.includes(extension)) return undefined
  const known = [...textExtensions, ...moduleExtensions].join(', ')
  return wholeFile('unknown-extension', `a config cannot be a ${extension} file`, `extensions that are read: ${known}`)
}

/**
 * Reads, checks and normalises a config: YAML or JSON text, or a module that exports it. Never throws: everything that
 * is wrong is an issue, all of them at once, in the order of the file. Warnings do not keep a config from being used.
 */
export const loadConfig = async (path: string, world: ConfigWorld): Promise<LoadedConfig> => {
  const failed = (finding: Finding): LoadedConfig => ({ ok: false, issues: placeFindings([finding], path, nowhere) })
  const bytes = await readBytes(path, world)
  if (!(bytes instanceof Uint8Array)) return failed(bytes)
  const extension = extensionFinding(path)
  if (extension) return failed(extension)
  const text = decoded(bytes)
  if (typeof text !== 'string') return failed(text)
  const { data, findings, locate, usable } = await readData(path, bytes, text, world)
  const result = usable ? checked(data, world) : { findings: [] }
  const issues = placeFindings([...findings, ...withoutEchoes(findings, result.findings)], path, locate)
  const errors = issues.filter(({ severity }) => severity === 'error')
  if (errors.length > 0 || result.config === undefined) return { ok: false, issues: errors, source: text }
  return { ok: true, config: normalise(result.config), warnings: issues, path, source: text }
}
