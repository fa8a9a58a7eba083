import type { Config } from '../config/schema.ts'
import type { Environment } from './contract.ts'
import { deployedConfig, environmentOf } from './environment.ts'
import { type Telemetry, telemetry } from './telemetry.ts'

type Always = 'WHODUNIT_NAME' | 'WHODUNIT_HUB_REGION'

/** The process a function runs in. */
export type Process = { env: NodeJS.ProcessEnv; nowMs: () => number }

/** What every deployed function has: its environment, its config, and somebody to tell how it is. */
export type Deployed<K extends keyof Environment> = {
  env: Pick<Environment, K | Always>
  /** `aws.name` of the config. */
  name: string
  /** Where the hub is. */
  region: string
  config: Config
  nowMs: () => number
  health: Telemetry
}

/** Reads what was deployed with a function. Throws a {@link DeploymentError} when that is not what it needs. */
export const deployed = <K extends keyof Environment>(
  { env: variables, nowMs }: Process,
  { role, needs }: { role: string; needs: readonly K[] },
): Deployed<K> => {
  const env: Pick<Environment, K | Always> = environmentOf(variables, [
    'WHODUNIT_NAME',
    'WHODUNIT_HUB_REGION',
    ...needs,
  ])
  const { WHODUNIT_NAME: name, WHODUNIT_HUB_REGION: region } = env
  const location = role === 'probe' ? variables['WHODUNIT_LOCATION'] : undefined
  const health = telemetry({ name, role, ...(location === undefined ? {} : { location }) })
  return { env, name, region, config: deployedConfig(), nowMs, health }
}
