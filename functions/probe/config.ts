import type { Config } from '../../config/schema.ts'
import { targetsOf } from '../../config/targets.ts'
import type { ProbeWorld, Sighting } from '../../probes/contract.ts'
import { runProbe } from '../../probes/registry.ts'
import type { MonitorView } from '../latest-outcomes.ts'
import { monitorViewsOf } from '../monitor-views.ts'
import { shardOf } from '../shards.ts'

type Outside = Pick<ProbeWorld, 'nowMs' | 'secret'> & {
  /** Calls off every look that is under way. */
  stopped?: AbortSignal
}

const proberFailed = (detail: string, totalMs: number): Sighting => ({
  verdict: 'unknown',
  cause: { phase: 'prober', code: 'prober-failed', detail },
  timingsMs: { total: totalMs },
})

/** A probe that ignores its signal is left alone this long after its time-out, or its location would never look again. */
const graceMs = 2000

const orOverdue = async (sighting: Promise<Sighting>, timeoutMs: number): Promise<Sighting> => {
  const { promise, resolve } = Promise.withResolvers<Sighting>()
  const overdue = proberFailed('the probe did not end within its time-out', timeoutMs + graceMs)
  const timer = setTimeout(() => resolve(overdue), timeoutMs + graceMs)
  try {
    return await Promise.race([sighting, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Runs a monitor of the config once, within its time-out. A defect of ours is `unknown`, never a failing target. */
export const monitorRunner =
  (config: Config, { stopped, ...outside }: Outside) =>
  async (monitorId: string): Promise<Sighting> => {
    const spec = config.monitors[monitorId]
    if (!spec) return proberFailed(`no monitor ${monitorId} in the config`, 0)
    const startedAtMs = outside.nowMs()
    const timeoutMs = Math.ceil(spec.timeoutSeconds * 1000)
    const deadline = AbortSignal.timeout(timeoutMs)
    const signal = stopped ? AbortSignal.any([deadline, stopped]) : deadline
    try {
      return await orOverdue(runProbe(spec, { ...outside, allowTargets: config.allowTargets, signal }), timeoutMs)
    } catch (error) {
      return proberFailed(error instanceof Error ? error.message : String(error), outside.nowMs() - startedAtMs)
    }
  }

/** The config's monitors as the status page and the questions see them. */
export const monitorViews = (config: Config): MonitorView[] => monitorViewsOf(config, { targets: targetsOf(config) })

/** Which monitors one schedule of one location asks for. */
export const monitorsOf = (
  config: Config,
  { location, shard, periodSeconds }: { location: string; shard: string; periodSeconds: number },
): string[] =>
  Object.entries(config.monitors)
    .filter(([id, spec]) => spec.periodSeconds === periodSeconds && shardOf(id, config.shards) === shard)
    .filter(([, spec]) => (spec.locations ?? config.locations).includes(location))
    .map(([id]) => id)
