/** What every command of this program finds around it: a clock, a terminal, an environment, a config. */
import { readConfigFile } from '../config/config-file.ts'
import { issueText } from '../config/issues.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { environmentSecrets } from '../functions/environment-secrets.ts'
import { writeLines } from './terminal.ts'

export const defaultConfig = 'whodunit.yaml'

export const nowMs = () => Date.now()
export const secret = environmentSecrets(process.env)
export const print = (text: string) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
/** Advice that nobody can be given is no reason to stop. */
export const printError = (text: string): void => void writeLines(process.stderr, text).catch(() => undefined)

export const columns = () => process.stderr.columns

/** A mistake of whoever called us, already told: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Warnings are one line here: they are advice, and what was asked for comes first. */
export const readConfig = async (path: string): Promise<Config> => {
  const loaded = await loadConfig(path, { readFile: readConfigFile, nowMs })
  if (loaded.ok) {
    const count = loaded.warnings.length
    const how = path === defaultConfig ? '' : ` --config ${path}`
    if (count > 0)
      printError(`${count === 1 ? '1 warning' : `${count} warnings`}: \`whodunit validate${how}\` shows more`)
    return loaded.config
  }
  for (const issue of loaded.issues) printError(`${issueText(issue, loaded.source, columns())}\n`)
  throw new UsageError(`${path} has ${loaded.issues.length === 1 ? 'a mistake' : `${loaded.issues.length} mistakes`}`)
}

export const configOption = ['-c, --config <path>', 'the config file', defaultConfig] as const
