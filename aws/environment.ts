import { readFileSync } from 'node:fs'
import type { ConfigFacts } from '../config/facts.ts'
import type { Config } from '../config/schema.ts'
import { type Environment, environment } from './contract.ts'

/** A function was deployed without what it needs: nothing it could do would be right. */
export class DeploymentError extends Error {
  override name = 'DeploymentError'
  readonly code = 'bad-environment'
}

/**
 * The named variables of a function's environment, parsed. Throws a {@link DeploymentError} that names every one that is
 * missing or wrong, and no value.
 */
export const environmentOf = <K extends keyof Environment>(
  env: NodeJS.ProcessEnv,
  names: readonly K[],
): Pick<Environment, K> => {
  const wrong: string[] = []
  const read = names.map((name) => {
    const parsed = environment.shape[name].safeParse(env[name])
    if (!parsed.success) wrong.push(env[name] ? `${name} (${parsed.error.issues[0]?.message})` : `${name} (not set)`)
    return [name, parsed.data]
  })
  if (wrong.length > 0) {
    const what = wrong.join(', ')
    throw new DeploymentError(`this function's environment lacks ${what}: the stacks set it, so run cdk deploy again`)
  }
  // `as`: every name was read with its own schema just above.
  return Object.fromEntries(read) as Pick<Environment, K>
}

const beside = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))

// `as`, twice: whoever made the bundle parsed and derived these, and parsing the config again would bring every kind's
// libraries into every bundle.

/** The config that was loaded, checked and normalised when this bundle was made, beside which it lies. */
export const deployedConfig = (): Config => beside('config.json') as Config

/** What was derived from it then. */
export const deployedFacts = (): ConfigFacts => beside('facts.json') as ConfigFacts
