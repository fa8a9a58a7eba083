import { type Bill, monthOf } from './bill.ts'
import { type Deployment, deploymentFor } from './deployment.ts'
import { listedRegions, units } from './prices.ts'

/** A deployment of one-minute HTTP monitors, to have prices to compare that are nobody's config. */
export type Scene = { monitors: number; regions: readonly string[]; services: number }

/** Services are what costs a metric; so many monitors share one in the totals. */
export const monitorsPerService = 10

export const sceneDeployment = ({ monitors, regions, services }: Scene): Deployment =>
  deploymentFor({
    monitors: Array.from({ length: monitors }, (_, index) => ({
      id: `monitor-${index}`,
      service: `service-${index % services}`,
      periodSeconds: 60,
      locations: regions,
    })),
    locations: regions,
    hubRegion: regions[0],
  })

export const sceneMonth = (scene: Scene): Bill => monthOf(sceneDeployment(scene))

/** Far apart, in this order, where a config names fewer regions than a scene needs. */
const farApart = ['us-east-1', 'eu-central-1', 'ap-southeast-1', 'eu-west-1']

/** The hub's region first, then the config's others, then others until there are `count`. */
export const sceneRegions = ({ hubRegion, places }: Deployment, count: number): string[] =>
  [...new Set([hubRegion, ...places.map(({ region }) => region), ...farApart])].slice(0, count)

/** Those of the regions that have no prices of their own here. */
export const unlisted = (regions: readonly string[]): string[] =>
  [...new Set(regions)].filter((region) => !listedRegions.includes(region))

export type SceneTotal = {
  monitors: number
  locations: number
  services: number
  shards: number
  usd: number
  usdAfterAlwaysFree: number
  /** What the services' metrics are of it. */
  serviceMetricsUsd: number
}

const serviceMetricsUsd = ({ lines }: Bill): number =>
  lines.filter(({ what }) => what === 'metrics of the services').reduce((sum, { usd }) => sum + usd, 0)

/** One row of the totals. */
export const sceneTotal = (monitors: number, regions: readonly string[]): SceneTotal => {
  const services = Math.ceil(monitors / monitorsPerService)
  const deployment = sceneDeployment({ monitors, regions, services })
  const bill = monthOf(deployment)
  const { usd, usdAfterAlwaysFree } = bill
  return {
    monitors,
    locations: regions.length,
    services,
    shards: deployment.shards,
    usd,
    usdAfterAlwaysFree,
    serviceMetricsUsd: serviceMetricsUsd(bill),
  }
}

/** Monitors of a full shard. */
const fullShard = 250

/**
 * What one one-minute HTTP monitor from one region costs where shards are full. All of one service: its metrics do not
 * grow with monitors, and have a price of their own.
 */
export const perCheckRegion = (regions: readonly string[]) => {
  const [hub = 'us-east-1'] = regions
  const usd = (monitors: number, from: readonly string[]) => sceneMonth({ monitors, regions: from, services: 1 })
  const four = 4 * fullShard
  const one = usd(fullShard, [hub])
  return {
    /** 1,000 monitors (four shards) from these regions, everything included. */
    usd: usd(four, regions).usd / (four * regions.length),
    /** One shard from the hub's own region: a whole hub for 250 looks a minute. */
    oneShardUsd: one.usd / fullShard,
    oneShardUsdAfterAlwaysFree: one.usdAfterAlwaysFree / fullShard,
    /** A second such shard beside the first. */
    nextShardUsd: (usd(2 * fullShard, [hub]).usd - one.usd) / fullShard,
  }
}

/** What the dearest lines of a bill are, by what they are for. */
export const dearest = ({ lines }: Bill, count: number): { what: string; service: string; usd: number }[] => {
  const whats = new Map<string, { what: string; service: string; usd: number }>()
  for (const { unit, what, usd } of lines) {
    const { service } = units[unit]
    const key = `${service} ${what}`
    whats.set(key, { what, service, usd: (whats.get(key)?.usd ?? 0) + usd })
  }
  return [...whats.values()].sort((a, b) => b.usd - a.usd).slice(0, count)
}
