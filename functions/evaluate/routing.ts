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

/** What the config's locations say. One that left it looks on while its stack is there, and has no item here. */
export const fromLocations = (observation: ShardObservation, locations: readonly string[]) => {
  if (observation.kind !== 'outcomes') return { heard: observation, strangers: [] }
  const isKnown = ({ location }: { location: string }) => locations.includes(location)
  const others = observation.outcomes.filter((one) => !isKnown(one))
  const heard = others.length === 0 ? observation : { ...observation, outcomes: observation.outcomes.filter(isKnown) }
  return { heard, strangers: [...new Set(others.map(({ location }) => location))] }
}

const grouped = <T>(all: readonly T[], homeOf: (one: T) => string) =>
  [...Map.groupBy(all, homeOf)].map(([shard, own]) => ({ shard, own }))

/** An observation as the shards of today's count must hear it. Nothing of it is left out, nothing is in two parts. */
export const partsOf = (observation: Divisible, count: number, home: Home): Divisible[] => {
  const ofRule = ({ ruleId }: { ruleId: string }) => home.rule(ruleId, count)
  switch (observation.kind) {
    case 'outcomes': {
      const parts = grouped(observation.outcomes, ({ monitorId }) => home.monitor(monitorId, count))
      return parts.map(({ shard, own }) => ({ ...observation, shard, outcomes: own }))
    }
    case 'rule-results':
      return grouped(observation.results, ofRule).map(({ shard, own }) => ({ ...observation, shard, results: own }))
    case 'sli-counts':
      return grouped(observation.counts, ofRule).map(({ shard, own }) => ({ ...observation, shard, counts: own }))
    default:
      return observation satisfies never
  }
}

/** Is all of it about the shard it is addressed to? */
export const isAtHome = (observation: ShardObservation, count: number, home: Home): boolean => {
  const { shard } = observation
  const isOfRule = ({ ruleId }: { ruleId: string }) => home.rule(ruleId, count) === shard
  switch (observation.kind) {
    case 'timer':
      return true
    case 'outcomes':
      return observation.outcomes.every(({ monitorId }) => home.monitor(monitorId, count) === shard)
    case 'rule-results':
      return observation.results.every(isOfRule)
    case 'sli-counts':
      return observation.counts.every(isOfRule)
    default:
      return observation satisfies never
  }
}
