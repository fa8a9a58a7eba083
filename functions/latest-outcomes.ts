import type { ProbeOutcome } from '../probes/contract.ts'
import type { Store } from '../stores/contract.ts'
import { keys } from './contract.ts'
import { locationState } from './shard-state.ts'
import { allShards } from './shards.ts'

export type MonitorView = {
  monitorId: string
  service: string
  target: string
  locations: readonly string[]
  periodSeconds: number
}

/** A monitor's newest outcome from one location, with the run of looks before it. */
export type LatestOutcome = ProbeOutcome & {
  service: string
  target: string
  periodSeconds: number
  /** Scheduled time of the first look of the run that ends here (of failing ones, or of passing ones). */
  runSinceMs: number
}

const runSince = (looks: readonly { scheduledAtMs: number; verdict: string }[], failing: boolean) => {
  const known = looks.filter(({ verdict }) => verdict !== 'unknown')
  const start = known.findLastIndex(({ verdict }) => (verdict === 'fail') !== failing)
  return known[start + 1]?.scheduledAtMs
}

/** The last thing every location saw of every monitor; a location that never reported is simply not there. */
export const latestOutcomes = async (
  store: Store,
  config: { shards: number; locations: readonly string[]; monitors: readonly MonitorView[] },
): Promise<LatestOutcome[]> => {
  const wanted = new Map(config.monitors.map((monitor) => [monitor.monitorId, monitor]))
  const places = allShards(config.shards).flatMap((shard) => config.locations.map((location) => ({ shard, location })))
  const items = await store.read(places.map(({ shard, location }) => keys.location(shard, location)))
  return places.flatMap(({ shard, location }) => {
    const item = items.get(keys.location(shard, location))
    if (!item) return []
    return Object.entries(locationState.parse(item.value).monitors).flatMap(([monitorId, { looks, last }]) => {
      const monitor = wanted.get(monitorId)
      if (!monitor) return []
      const { statusCode, certificate, ...outcome } = last
      const attempt = { ...(statusCode === undefined ? {} : { statusCode }), ...(certificate ? { certificate } : {}) }
      const { service, target, periodSeconds } = monitor
      const runSinceMs = runSince(looks, last.verdict === 'fail') ?? last.scheduledAtMs
      return [{ monitorId, location, ...outcome, attempt, service, target, periodSeconds, runSinceMs }]
    })
  })
}
