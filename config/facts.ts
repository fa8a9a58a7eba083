import { peopleOnAws } from './people.ts'
import type { Config } from './schema.ts'
import { targetsOf } from './targets.ts'

/**
 * What deployed functions must know of kinds they do not run: derived where the config is at hand with every registry, and written
 * beside a bundle, so that `correlate` carries no channel's libraries and `publish` no probe's.
 */
export type ConfigFacts = { people: readonly string[]; targets: Readonly<Record<string, string>> }

export const factsOf = (config: Pick<Config, 'channels' | 'monitors'>): ConfigFacts => ({
  people: peopleOnAws(config),
  targets: targetsOf(config),
})
