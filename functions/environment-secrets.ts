import { readFileSync } from 'node:fs'
import { MissingSecretError } from '../config/contract.ts'

/**
 * Secrets of one machine or one Lambda: `secret:NAME` is the environment variable NAME, or the content of the file that NAME_FILE
 * names (as container platforms mount them). Errors name the reference, never a value.
 */
export const environmentSecrets =
  (env: NodeJS.ProcessEnv) =>
  (reference: string): string => {
    const name = reference.replace(/^secret:/, '').replaceAll(/[^A-Za-z0-9_]/g, '_')
    const value = env[name]
    if (value) return value
    const file = env[`${name}_FILE`]
    if (!file) {
      const how = `put it in the environment as ${name} or name its file in ${name}_FILE`
      throw new MissingSecretError(`${reference} is not set: ${how}`)
    }
    try {
      return readFileSync(file, 'utf8').trimEnd()
    } catch {
      throw new Error(`${reference} cannot be read from the file that ${name}_FILE names`)
    }
  }
