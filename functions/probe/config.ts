import type { Config } from '../../config/schema.ts'
import type { ProbeWorld, Sighting } from '../../probes/contract.ts'
import { probeTarget, runProbe } from '../../probes/registry.ts'
import type { MonitorView } from '../latest-outcomes.ts'

type Outside = Pick<ProbeWorld, 'nowMs' | 'secret'>

const proberFailed = (detail: string, totalMs: number): Sighting => ({
  verdict: 'unknown',
  cause: { phase: 'prober', code: 'prober-failed', detail },
  timingsMs: { total: totalMs },
})

/** Runs a monitor of the config once, within its time-out. A defect of ours is `unknown`, never a failing target. */
export const monitorRunner =
  (config: Config, outside: Outside) =>
  async (monitorId: string): Promise<Sighting> => {
    const spec = config.monitors[monitorId]
    if (!spec) return proberFailed(`no monitor ${monitorId} in the config`, 0)
    const startedAtMs = outside.nowMs()
    const signal = AbortSignal.timeout(Math.ceil(spec.timeoutSeconds * 1000))
    try {
      return await runProbe(spec, { ...outside, allowTargets: config.allowTargets, signal })
    } catch (error) {
      return proberFailed(error instanceof Error ? error.message : String(error), outside.nowMs() - startedAtMs)
    }
  }

/** The config's monitors as the status page and the questions see them. */
export const monitorViews = (config: Config): MonitorView[] =>
  Object.entries(config.monitors).map(([monitorId, spec]) => ({
    monitorId,
    service: spec.service,
    target: probeTarget(spec),
    locations: spec.locations ?? config.locations,
    periodSeconds: spec.periodSeconds,
  }))
