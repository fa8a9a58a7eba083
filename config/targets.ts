import { probeTarget } from '../probes/registry.ts'
import type { Config } from './schema.ts'

/** What each monitor looks at, as a person would say it. */
export const targetsOf = ({ monitors }: Pick<Config, 'monitors'>): Record<string, string> =>
  Object.fromEntries(Object.entries(monitors).map(([id, spec]) => [id, probeTarget(spec)]))
