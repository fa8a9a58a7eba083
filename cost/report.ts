import type { Config } from '../config/schema.ts'
import { type BillLine, monthOf } from './bill.ts'
import { type Deployment, deploymentOf } from './deployment.ts'
import { measured } from './measured.ts'
import { monthSeconds, peers, pricesAsOf, pricesIn } from './prices.ts'
import { dearest, perCheckRegion, type SceneTotal, sceneMonth, sceneRegions, sceneTotal, unlisted } from './scenes.ts'

export type PeerPrice = { name: string; usd: number; times: number; besides: string; source: string }
export type Target = {
  what: string
  targetUsd: number
  usd: number
  met: boolean
  usdAfterAlwaysFree?: number
  /** The dearest parts, where it is missed. */
  because?: { what: string; usd: number }[]
}

/** What `whodunit cost --json` prints. All figures are US dollars a month at list prices, nothing rounded. */
export type CostReport = {
  perCheckRegionMonthUsd: number
  perServiceMonthUsd: number
  totals: readonly SceneTotal[]
  /** Of the config, the dearest first. */
  byService: Readonly<Record<string, number>>
  usd: number
  usdAfterAlwaysFree: number
  lines: readonly BillLine[]
  dominant: { service: string; what: string; usd: number; share: number } | undefined
  deployment: {
    monitors: number
    services: number
    locations: readonly string[]
    hubRegion: string
    shards: number
    /** Monitors times the locations each is looked at from. */
    checks: number
    runs: number
  }
  perCheckRegion: ReturnType<typeof perCheckRegion>
  /** What looking, or scraping, once a minute instead of more often would save: waiting below a minute is paid. */
  onceAMinuteSavesUsd: { looks: number; scrapes: number }
  targets: readonly Target[]
  peers: readonly PeerPrice[]
  notes: readonly string[]
  notCounted: readonly string[]
  pricesAsOf: string
  measuredAsOf: string
}

const notCounted = [
  'tax, support plans, discounts for volume or commitment',
  'incidents: pages, second opinions, the questions, SNS deliveries (e-mail $2 per 100,000, SMS by country); a look that fails sends two messages of its own',
  'readers of the status page (CloudFront: 1 TB and 10 million requests a month are always free) and of incident pages',
  'the dashboard: the first three of an account are free, a further one is $3',
  'secrets: SSM parameters are free, KMS asks some cents a month for decrypting them',
  'a NAT gateway, where your network (aws.network) has one; targets in AWS that charge you for being reached',
  'keeping the history in S3 (some cents: 20 bytes a look)',
  'cold starts and deployments (some cents)',
]

const notesOn = ({ hubRegion, hubAssumed, places, elsewhere }: Deployment): string[] => {
  const without = unlisted([hubRegion, ...places.map(({ region }) => region)])
  return [
    ...(hubAssumed ? ['no region is named, so the command line decides: priced as us-east-1'] : []),
    ...without.map((region) => `${region} has no row here: priced at the highest of the regions that have one`),
    ...elsewhere.map((location) => `${location} is no AWS region: nothing is deployed for it, nothing is counted`),
    ...(places.some(({ region }) => region === 'ap-southeast-1')
      ? ['DynamoDB’s prices in ap-southeast-1 were not checked against the price list']
      : []),
  ]
}

const atLeastAMinute = <T>(all: Readonly<Record<string, T>>, slower: (one: T) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(all).map(([id, one]) => [id, slower(one)]))

const onceAMinuteSaves = (config: Config, usd: number): CostReport['onceAMinuteSavesUsd'] => {
  const saves = (slower: Config) => usd - monthOf(deploymentOf(slower)).usd
  const monitors = atLeastAMinute(config.monitors, (one) => ({
    ...one,
    periodSeconds: Math.max(60, one.periodSeconds),
  }))
  const clusters = atLeastAMinute(config.clusters, (one) => ({
    ...one,
    scrapeIntervalSeconds: Math.max(60, one.scrapeIntervalSeconds),
  }))
  return { looks: saves({ ...config, monitors }), scrapes: saves({ ...config, clusters }) }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

const targetsOf = (regions: readonly string[], perCheck: number): Target[] => {
  const [hub = 'us-east-1'] = regions
  const ten = sceneMonth({ monitors: 10, regions: [hub], services: 1 })
  const missed = ten.usd > 5
  return [
    {
      what: 'a one-minute HTTP monitor from one region at 250 a shard',
      targetUsd: 0.02,
      usd: perCheck,
      met: perCheck <= 0.02,
    },
    {
      what: 'ten one-minute monitors from one region, everything',
      targetUsd: 5,
      usd: ten.usd,
      met: !missed,
      usdAfterAlwaysFree: ten.usdAfterAlwaysFree,
      ...(missed ? { because: dearest(ten, 5).map(({ what, usd }) => ({ what, usd })) } : {}),
    },
  ]
}

/** Prices a config, and scenes to compare it with. */
export const costReport = (config: Config): CostReport => {
  const deployment = deploymentOf(config)
  const bill = monthOf(deployment)
  const ticks = deployment.places.flatMap((place) => place.ticks)
  const runs = sum(ticks.map(({ monitors, periodSeconds }) => (monitors * monthSeconds) / periodSeconds))
  const regions = sceneRegions(deployment, 3)
  const perCheck = perCheckRegion(regions)
  const [service] = Object.keys(bill.byService)
  const inService = bill.lines.find((line) => line.service === service)
  return {
    perCheckRegionMonthUsd: perCheck.usd,
    perServiceMonthUsd: measured.metricsPerService * pricesIn(deployment.hubRegion).row.metrics,
    totals: [10, 100, 1000, 10_000].map((monitors) => sceneTotal(monitors, regions)),
    byService: bill.byService,
    usd: bill.usd,
    usdAfterAlwaysFree: bill.usdAfterAlwaysFree,
    lines: bill.lines,
    dominant:
      service !== undefined && inService
        ? {
            service,
            what: inService.what,
            usd: bill.byService[service] ?? 0,
            share: (bill.byService[service] ?? 0) / bill.usd,
          }
        : undefined,
    deployment: {
      monitors: deployment.monitors,
      services: deployment.services,
      locations: deployment.places.map(({ location }) => location),
      hubRegion: deployment.hubRegion,
      shards: deployment.shards,
      checks: sum(ticks.map(({ monitors }) => monitors)),
      runs,
    },
    perCheckRegion: perCheck,
    onceAMinuteSavesUsd: onceAMinuteSaves(config, bill.usd),
    targets: targetsOf(regions, perCheck.usd),
    peers: peers.map(({ name, usdPerRun, besides, source }) => {
      const usd = runs * usdPerRun
      return { name, usd, times: usd / bill.usd, besides, source }
    }),
    notes: notesOn(deployment),
    notCounted,
    pricesAsOf,
    measuredAsOf: measured.asOf,
  }
}
