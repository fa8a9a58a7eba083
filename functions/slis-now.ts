import type { Store } from '../stores/contract.ts'
import { keys } from './contract.ts'
import { unpackLocation } from './location-packing.ts'
import { storedShards } from './shard-count.ts'
import { allShards, parentShard } from './shards.ts'
import { noCounts, withBuckets } from './sli-counts.ts'
import { readCounts } from './sli-kept.ts'
import { emptySli, type LocationTicks, type SliState, unpackSli, withWaiting } from './sli-state.ts'
import { shortId } from './sli-ticks.ts'

/** Every shard there is or ever was: one that has not taken its part over yet has left it with the one it comes from. */
const withAncestors = (count: number): string[] => {
  const all = new Set(allShards(count))
  for (const shard of all) {
    const parent = parentShard(shard)
    if (parent !== undefined) all.add(parent)
  }
  return [...all]
}

/** Those of them whose events are counted. A shard that was split off knows what was counted before with the others too. */
const countedNow = async (store: Store, ruleIds: readonly string[]): Promise<Map<string, SliState>> => {
  const shards = allShards(await storedShards(store))
  const all = (await Promise.all(shards.map((shard) => readCounts(store, shard)))).map(({ state }) => state)
  const closedMs = Math.max(...all.map((state) => state.closedMs))
  const minutes = all.reduce((sum, state) => withBuckets(sum, state.minutes), noCounts.minutes)
  const hours = all.reduce((sum, state) => withBuckets(sum, state.hours), noCounts.hours)
  const states = ruleIds.map((ruleId): [string, SliState] => {
    const own = (minutes.get(shortId(ruleId)) ?? []).filter(({ atMs }) => atMs >= closedMs)
    return [ruleId, { ticks: {}, closedMs, minutes: own, hours: hours.get(shortId(ruleId)) ?? [] }]
  })
  return new Map(states.filter(([, state]) => state.hours.length + (state.minutes?.length ?? 0) > 0))
}

/** The events of these objectives as they stand now: their own items, and the ticks that still wait in the locations'. */
export const slisNow = async (
  store: Store,
  at: { ruleIds: readonly string[]; locations: readonly string[]; nowMs: number },
): Promise<Map<string, SliState>> => {
  const { ruleIds, locations, nowMs } = at
  const shards = withAncestors(await storedShards(store))
  const places = shards.flatMap((shard) =>
    locations.map((location) => ({ location, key: keys.location(shard, location) })),
  )
  const waiting = await store.read(places.map(({ key }) => key))
  // Ticks move from there to here, so this is read behind them: what is in both counts once.
  const own = await store.read(ruleIds.map(keys.slo))
  const states = new Map(
    ruleIds.map((ruleId): [string, SliState] => {
      const item = own.get(keys.slo(ruleId))
      return [ruleId, item ? unpackSli(item.value) : emptySli]
    }),
  )
  const all = places.map(({ location, key }) => {
    const item = waiting.get(key)
    return { location, ticks: (item && unpackLocation(item.value).ticks) ?? {} }
  })
  for (const [ruleId, state] of states) {
    const own = all.flatMap(({ location, ticks }): LocationTicks[] => {
      const one = ticks[shortId(ruleId)]
      return one ? [[location, one]] : []
    })
    if (own.length > 0) states.set(ruleId, withWaiting(state, own, nowMs))
  }
  for (const [ruleId, state] of await countedNow(store, ruleIds)) states.set(ruleId, state)
  return states
}
