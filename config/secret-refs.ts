import type { Config } from './schema.ts'

const referencesIn = (value: unknown): string[] => {
  if (typeof value === 'string') return value.startsWith('secret:') ? [value] : []
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(referencesIn) : []
}

const distinct = (value: unknown): string[] => [...new Set(referencesIn(value))].sort()

/** Which `secret:` references a function of a config needs: what it may read, and nothing else, is derived from this. */
export const secretsOf = (config: Config) => ({
  /** For `probe` and `watch` of a location. */
  monitors: (location: string): string[] =>
    distinct(Object.values(config.monitors).filter(({ locations = config.locations }) => locations.includes(location))),
  /** For `scrape` and `triage`. */
  clusters: distinct(config.clusters),
  /** For `deliver`. */
  channels: distinct(config.channels),
  /** For `api`. */
  api: distinct('api' in config ? config.api : undefined),
  /** For `watch`, besides its location's monitors. */
  watch: distinct(config.aws.deadMansSwitch),
})
