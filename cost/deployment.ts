import { isRegion } from '../config/contract.ts'
import type { Config } from '../config/schema.ts'
import { shardsNeeded, shardsWanted } from '../config/shard-count.ts'
import { shardOfRule } from '../functions/evaluate/config.ts'
import { shardOf } from '../functions/shards.ts'
import { ruleSeries } from '../rules/registry.ts'
import { ownSeries } from '../sources/registry.ts'

export type Watched = { id: string; service: string; periodSeconds: number; locations: readonly string[] }

/** The monitors of one shard and period at one location: what one schedule calls for. */
export type Tick = { shard: string; periodSeconds: number; monitors: number; shardMonitors: number }

export type Place = { location: string; region: string; ticks: readonly Tick[] }

/** A cluster: how often it is read, the shards whose rules hear of it each time, and what of CloudWatch's they read. */
export type Scrape = { intervalSeconds: number; told: readonly string[]; metrics?: number }

/** What stands on AWS for a config, in numbers. */
export type Deployment = {
  hubRegion: string
  /** Nobody named a region, so the command line's would be used; prices are those of us-east-1. */
  hubAssumed: boolean
  shards: number
  monitors: number
  services: number
  places: readonly Place[]
  /** Locations that are no region of AWS: nothing is deployed for them. */
  elsewhere: readonly string[]
  scrapes: readonly Scrape[]
  logRetentionDays: number
  keepsHistory: boolean
}

const counted = (keys: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

/** A schedule for every shard and every period there is at a location, as they are deployed: some find nothing to do. */
const ticksAt = (location: string, monitors: readonly (Watched & { shard: string })[], shards: number): Tick[] => {
  const here = monitors.filter(({ locations }) => locations.includes(location))
  const perShard = counted(here.map(({ shard }) => shard))
  const perTick = counted(here.map(({ shard, periodSeconds }) => `${shard} ${periodSeconds}`))
  const periods = [...new Set(here.map(({ periodSeconds }) => periodSeconds))]
  return Array.from({ length: shards }, (_, index) => `${index}/${shards}`).flatMap((shard) =>
    periods.map((periodSeconds) => ({
      shard,
      periodSeconds,
      monitors: perTick.get(`${shard} ${periodSeconds}`) ?? 0,
      shardMonitors: perShard.get(shard) ?? 0,
    })),
  )
}

export type Described = {
  monitors: readonly Watched[]
  locations: readonly string[]
  hubRegion?: string | undefined
  shards?: number
  scrapes?: readonly Scrape[]
  logRetentionDays?: number
  keepsHistory?: boolean
}

/** Works out what such monitors need on AWS. `local` is the hub's region. */
export const deploymentFor = (described: Described): Deployment => {
  const { monitors, locations } = described
  const shards = Math.max(described.shards ?? 1, shardsNeeded(monitors.length))
  const sharded = monitors.map((monitor) => ({ ...monitor, shard: shardOf(monitor.id, shards) }))
  const used = [...new Set([...locations, ...monitors.flatMap((monitor) => monitor.locations)])].filter((location) =>
    monitors.some((monitor) => monitor.locations.includes(location)),
  )
  const hubRegion = described.hubRegion ?? used.find(isRegion)
  const region = hubRegion ?? 'us-east-1'
  const here = used.filter((location) => location === 'local' || isRegion(location))
  return {
    hubRegion: region,
    hubAssumed: hubRegion === undefined,
    shards,
    monitors: monitors.length,
    services: new Set(monitors.map(({ service }) => service)).size,
    places: here.map((location) => ({
      location,
      region: location === 'local' ? region : location,
      ticks: ticksAt(location, sharded, shards),
    })),
    elsewhere: used.filter((location) => !here.includes(location)),
    scrapes: described.scrapes ?? [],
    logRetentionDays: described.logRetentionDays ?? 30,
    keepsHistory: described.keepsHistory ?? true,
  }
}

const scrapesOf = (config: Config): Scrape[] =>
  Object.entries(config.clusters).map(([cluster, { scrapeIntervalSeconds, sources }]) => {
    const heard = Object.entries(config.rules).filter(([, rule]) => ruleSeries(rule)?.cluster === cluster)
    const names = new Set(heard.flatMap(([, rule]) => ruleSeries(rule)?.selectors.map(({ name }) => name) ?? []))
    return {
      intervalSeconds: scrapeIntervalSeconds,
      told: [...new Set(heard.map(([ruleId]) => shardOfRule(config, ruleId)))],
      metrics: sources.flatMap(ownSeries).filter(({ name }) => names.has(name)).length,
    }
  })

/** What a config deploys. */
export const deploymentOf = (config: Config): Deployment => {
  const shards = shardsWanted(config)
  return deploymentFor({
    monitors: Object.entries(config.monitors).map(([id, { service, periodSeconds, locations }]) => ({
      id,
      service,
      periodSeconds,
      locations: locations ?? config.locations,
    })),
    locations: config.locations,
    hubRegion: config.aws.region,
    shards,
    scrapes: scrapesOf({ ...config, shards }),
    logRetentionDays: config.aws.logRetentionDays,
    keepsHistory: config.history.retentionDays > 0,
  })
}
