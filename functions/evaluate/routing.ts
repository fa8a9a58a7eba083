import type { Observation } from '../contract.ts'

/** The shard a monitor or a rule lives in when there are `count` of them; the two have names of their own. */
export type Home = {
  monitor: (id: string, count: number) => string
  rule: (id: string, count: number) => string
}

type Pulse = Extract<Observation, { kind: 'pulse' }>
type Timer = Extract<Observation, { kind: 'timer' }>
/** What is about the state of shards. */
export type ShardObservation = Exclude<Observation, Pulse>
/** What can be taken apart by what it is about. */
export type Divisible = Exclude<ShardObservation, Timer>

const grouped = <T>(all: readonly T[], homeOf: (one: T) => string) =>
  [...Map.groupBy(all, homeOf)].map(([shard, own]) => ({ shard, own }))

/** An observation as the shards of today's count must hear it. Nothing of it is left out, nothing is in two parts. */
export const partsOf = (observation: Divisible, count: number, home: Home): Divisible[] =>
  observation.kind === 'outcomes'
    ? grouped(observation.outcomes, ({ monitorId }) => home.monitor(monitorId, count)).map(({ shard, own }) => ({
        ...observation,
        shard,
        outcomes: own,
      }))
    : grouped(observation.results, ({ ruleId }) => home.rule(ruleId, count)).map(({ shard, own }) => ({
        ...observation,
        shard,
        results: own,
      }))

/** Is all of it about the shard it is addressed to? */
export const isAtHome = (observation: ShardObservation, count: number, home: Home): boolean => {
  if (observation.kind === 'timer') return true
  const { shard } = observation
  return observation.kind === 'outcomes'
    ? observation.outcomes.every(({ monitorId }) => home.monitor(monitorId, count) === shard)
    : observation.results.every(({ ruleId }) => home.rule(ruleId, count) === shard)
}
