import type { Config } from '../config/schema.ts'
import type { MonitorView } from './latest-outcomes.ts'

/** The config's monitors as the status page and the questions see them; `targets` by monitor (`config/facts.ts`). */
export const monitorViewsOf = (
  config: Config,
  { targets }: { targets: Readonly<Record<string, string>> },
): MonitorView[] =>
  Object.entries(config.monitors).map(([monitorId, spec]) => ({
    monitorId,
    service: spec.service,
    target: targets[monitorId] ?? monitorId,
    locations: spec.locations ?? config.locations,
    periodSeconds: spec.periodSeconds,
  }))
