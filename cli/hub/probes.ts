import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../config/schema.ts'
import type { Observation } from '../../functions/contract.ts'
import { monitorRunner, monitorsOf } from '../../functions/probe/config.ts'
import { probeStep } from '../../functions/probe/step.ts'
import { secondOpinionStep } from '../../functions/probe/step-second-opinion.ts'
import { secondOpinionOf } from '../../functions/row-ids.ts'
import { allShards, placeOf } from '../../functions/shards.ts'
import type { Histogram } from '../../web/metrics.ts'
import { lookLimit } from './look-limit.ts'
import { scheduleLag } from './schedule-lag.ts'
import { startTicker } from './ticker.ts'

/**
 * So many begin side by side: more would only wait for each other and find their targets slow. So many may wait for
 * their targets: all of 5,000 monitors a minute, were each to hang for its whole time-out and be looked at again.
 */
const limits = { beginAtOnce: 100, beginsMs: 250, atOnce: 2000 }

/** The ticks of one location: the monitors of each shard and period that has any. */
const ticksOf = (config: Config, location: string) => {
  const periods = new Set(Object.values(config.monitors).map(({ periodSeconds }) => periodSeconds))
  return allShards(config.shards).flatMap((shard) =>
    [...periods].flatMap((periodSeconds) => {
      const monitorIds = monitorsOf(config, { location, shard, periodSeconds })
      return monitorIds.length > 0 ? [{ shard, periodSeconds, monitorIds }] : []
    }),
  )
}

export type ProbeOptions = {
  config: Config
  nowMs: () => number
  secret: (reference: string) => string
  send: (observation: Observation) => Promise<void>
  /** Calls off every look that is under way. */
  stopped: AbortSignal
  failed: (location: string, error: unknown) => void
}

export type Probes = {
  /** Begins to look, from every location of the config: all of them are this process. */
  start: () => { stop: () => Promise<void> }[]
  /** Answers a question for a second opinion. */
  secondOpinion: (rowId: string) => Promise<void>
  /** How late looks began, of those that became due since `start`. */
  lag: () => Histogram
}

/** All looking of one process. */
export const hubProbes = ({ config, nowMs, secret, stopped, ...options }: ProbeOptions): Probes => {
  const limited = lookLimit(limits)
  const lag = scheduleLag()
  const run = monitorRunner(config, { nowMs, secret, stopped })
  // What a look that was called off saw says nothing about its target.
  const send = async (observation: Observation) => (stopped.aborted ? undefined : options.send(observation))
  // Cut short by the stop: what is looked at then is called off at once.
  const waitUntil = async (atMs: number) => {
    await sleep(Math.max(0, atMs - nowMs()), undefined, { signal: stopped }).catch(() => undefined)
  }
  const worldOf = (location: string) => ({ nowMs, location, run, limit: limited, waitUntil, send })
  const startTicks = (location: string) => {
    const looking = new Set<string>()
    const limit = async <T>(work: () => Promise<T>, monitorId: string): Promise<T> => {
      try {
        return await limited(work)
      } finally {
        looking.delete(monitorId)
      }
    }
    const sinceMs = nowMs()
    return ticksOf(config, location).map(({ shard, periodSeconds, monitorIds }) => {
      const periodMs = periodSeconds * 1000
      // Two periods of a shard may tick at the same time: without its period the second would take the first one's place.
      const probe = probeStep({
        ...worldOf(location),
        limit,
        send: (observation) => send({ ...observation, id: `${observation.id}/${periodSeconds}s` }),
      })
      return startTicker({
        periodMs,
        phaseMs: Math.floor(placeOf(shard) * periodMs),
        overlaps: true,
        nowMs,
        tick: async (scheduledAtMs) => {
          // A monitor whose last look still runs skips this one; it alone, not all that tick with it.
          const free = monitorIds.filter((id) => !looking.has(id))
          for (const id of free) looking.add(id)
          const outcomes = await probe({ shard, scheduledAtMs, monitorIds: free })
          if (scheduledAtMs < sinceMs) return
          for (const { look, startedAtMs } of outcomes) if (look === 'tick') lag.observe(startedAtMs - scheduledAtMs)
        },
        failed: (error) => options.failed(location, error),
      })
    })
  }
  return {
    lag: lag.read,
    start: () => config.locations.flatMap(startTicks),
    secondOpinion: async (rowId) => {
      const location = secondOpinionOf(rowId)?.location
      if (location === undefined || !config.locations.includes(location)) return
      await secondOpinionStep(worldOf(location))(rowId)
    },
  }
}
