import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { Config } from '../../config/schema.ts'
import type { Observation } from '../../functions/contract.ts'
import { monitorRunner, monitorsOf } from '../../functions/probe/config.ts'
import { probeStep } from '../../functions/probe/step.ts'
import { secondOpinionStep } from '../../functions/probe/step-second-opinion.ts'
import { secondOpinionOf } from '../../functions/row-ids.ts'
import { allShards } from '../../functions/shards.ts'
import { startTicker } from './ticker.ts'

const probesAtOnce = 100

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
}

/** All looking of one process. */
export const hubProbes = ({ config, nowMs, secret, stopped, ...options }: ProbeOptions): Probes => {
  const limit = pLimit(probesAtOnce)
  const run = monitorRunner(config, { nowMs, secret, stopped })
  // What a look that was called off saw says nothing about its target.
  const send = async (observation: Observation) => (stopped.aborted ? undefined : options.send(observation))
  // Cut short by the stop: what is looked at then is called off at once.
  const waitUntil = async (atMs: number) => {
    await sleep(Math.max(0, atMs - nowMs()), undefined, { signal: stopped }).catch(() => undefined)
  }
  const worldOf = (location: string) => ({
    nowMs,
    location,
    run,
    limit: <T>(work: () => Promise<T>) => limit(work),
    waitUntil,
    send,
  })
  return {
    start: () =>
      config.locations.flatMap((location) => {
        const world = worldOf(location)
        return ticksOf(config, location).map(({ shard, periodSeconds, monitorIds }) => {
          // Two periods of a shard tick at the same time: without its period the second would take the first one's place.
          const probe = probeStep({
            ...world,
            send: (observation) => send({ ...observation, id: `${observation.id}/${periodSeconds}s` }),
          })
          return startTicker({
            periodMs: periodSeconds * 1000,
            nowMs,
            tick: async (scheduledAtMs) => {
              await probe({ shard, scheduledAtMs, monitorIds })
            },
            failed: (error) => options.failed(location, error),
          })
        })
      }),
    secondOpinion: async (rowId) => {
      const location = secondOpinionOf(rowId)?.location
      if (location === undefined || !config.locations.includes(location)) return
      await secondOpinionStep(worldOf(location))(rowId)
    },
  }
}
