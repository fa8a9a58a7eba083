import { windowSlots } from '../functions/contract.ts'
import { callPattern } from './calls.ts'
import type { Deployment, Place, Scrape, Tick } from './deployment.ts'
import { measured } from './measured.ts'
import { monthSeconds, type UnitName } from './prices.ts'

/** So much of a unit in a month in a region, and what it is for. */
export type Usage = { unit: UnitName; what: string; region: string; quantity: number }

const gigabyte = 1_000_000_000
const minutes = monthSeconds / 60

const atFullShare = (cpuMs: number) => cpuMs / measured.cpuShare

/** How long the looks of a tick take together: waiting for targets and computing overlap, the longer one counts. */
export const tickMs = (monitors: number): number => {
  const { targetMs, looksAtOnce, cpuMsPerLook } = measured
  const waitMs = Math.max(targetMs.slowest, (monitors * targetMs.usual) / looksAtOnce)
  return Math.max(waitMs, atFullShare(monitors * cpuMsPerLook))
}

/** An observation of so many outcomes: halved until every message fits; SQS bills every 64 KB of each. */
export const messagesOf = (outcomes: number): { messages: number; bytes: number; chunks: number } => {
  const { fixedBytes, bytesPerOutcome, limitBytes, chunkBytes } = measured.message
  const bytes = fixedBytes + outcomes * bytesPerOutcome
  if (bytes <= limitBytes || outcomes < 2) return { messages: 1, bytes, chunks: Math.ceil(bytes / chunkBytes) }
  const halves = [Math.ceil(outcomes / 2), Math.floor(outcomes / 2)].map(messagesOf)
  const sum = (of: (half: { messages: number; bytes: number; chunks: number }) => number) =>
    halves.reduce((total, half) => total + of(half), 0)
  return {
    messages: sum((half) => half.messages),
    bytes: sum((half) => half.bytes),
    chunks: sum((half) => half.chunks),
  }
}

const locationItemBytes = (monitors: number) => measured.items.fixedBytes + monitors * measured.items.bytesPerMonitor
const shardItemBytes = (monitors: number) => measured.items.fixedBytes + monitors * measured.items.ruleBytesPerMonitor

/** Write units of a tick of one shard from one location in which nothing changes: its counters, written alone. */
export const writesPerTick = (shardMonitorsHere: number): number =>
  Math.ceil(locationItemBytes(shardMonitorsHere) / measured.writeUnitBytes)

const readUnits = (bytes: number) => Math.ceil(bytes / measured.readUnitBytes)

/** What a shard holds, over all locations. */
type Shard = { monitors: number; hereByPlace: readonly number[] }

const shardsOf = ({ places }: Deployment): Map<string, Shard> => {
  const shards = new Map<string, Shard>()
  for (const { ticks } of places) {
    for (const [shard, here] of new Map(ticks.map((tick) => [tick.shard, tick.shardMonitors]))) {
      const { monitors, hereByPlace } = shards.get(shard) ?? { monitors: 0, hereByPlace: [] }
      // Monitors of one shard at several locations are mostly the same ones.
      shards.set(shard, { monitors: Math.max(monitors, here), hereByPlace: [...hereByPlace, here] })
    }
  }
  return shards
}

const calls = (what: string, region: string, at: { count: number; ms: number; memoryGb?: number }): Usage[] => {
  const memoryGb = at.memoryGb ?? measured.memoryGb.usual
  return [
    { unit: 'lambdaCalls', what: 'calls of all functions', region, quantity: at.count },
    { unit: 'lambdaGbSeconds', what, region, quantity: (at.count * at.ms * memoryGb) / 1000 },
    { unit: 'logGb', what: 'logs written', region, quantity: (at.count * measured.logBytesPerCall) / gigabyte },
  ]
}

/** One schedule's month: the function that looks, what it sends and what `evaluate` does with it. */
const tickUsage = (tick: Tick, place: Place, hub: { region: string; shard: Shard; keepsHistory: boolean }): Usage[] => {
  const { region } = place
  const { everySeconds, activeShare, waitSeconds } = callPattern(tick.periodSeconds)
  const count = monthSeconds / everySeconds
  const busyMs = tick.monitors === 0 ? 0 : waitSeconds * 1000 + activeShare * tickMs(tick.monitors)
  const scheduled: Usage[] = [
    { unit: 'schedulerCalls', what: 'schedules', region, quantity: count },
    ...calls('probe, its waiting included', region, { count, ms: measured.callMs + busyMs }),
  ]
  if (tick.monitors === 0) return scheduled
  const ticks = monthSeconds / tick.periodSeconds
  const { messages, bytes, chunks } = messagesOf(tick.monitors)
  const { fixedMs, cpuMsPerMonitor, cpuMsPerMonitorAndLocation } = measured.evaluate
  const seenByAll = hub.shard.hereByPlace.reduce((sum, here) => sum + here, 0)
  const cpuMs = (cpuMsPerMonitor * tick.monitors) / messages + cpuMsPerMonitorAndLocation * seenByAll
  const reads = hub.shard.hereByPlace.map((here) => readUnits(locationItemBytes(here)))
  const perMessage = 1 + readUnits(shardItemBytes(hub.shard.monitors)) + reads.reduce((sum, one) => sum + one, 0)
  const inHub = (unit: UnitName, what: string, quantity: number): Usage => ({
    unit,
    what,
    region: hub.region,
    quantity,
  })
  return [
    ...scheduled,
    ...calls('evaluate', hub.region, { count: ticks * messages, ms: fixedMs + atFullShare(cpuMs) }),
    // Sent and received by the chunk, deleted by the message.
    inHub('fifoRequests', 'observations', ticks * (2 * chunks + messages)),
    inHub('tableWrites', 'counters and alerts', ticks * messages * writesPerTick(tick.shardMonitors)),
    inHub('tableReads', 'counters and alerts', ticks * messages * perMessage),
    // Added to its minute's object: read, then written again.
    ...(hub.keepsHistory
      ? [inHub('objectPuts', 'history', ticks * messages), inHub('objectGets', 'history', ticks * messages)]
      : []),
    {
      unit: 'internetGb',
      what: 'requests of the looks',
      region,
      quantity: (ticks * tick.monitors * measured.bytesOutPerLook) / gigabyte,
    },
    ...(region === hub.region
      ? []
      : [{ unit: 'regionGb' as const, what: 'observations to the hub', region, quantity: (ticks * bytes) / gigabyte }]),
  ]
}

const polls = (queues: number) => (queues * measured.polls.atOnce * monthSeconds) / measured.polls.seconds

const idlePolls = 'long polls of idle queues'

/** What a location costs however few monitors it has. */
const placeUsage = ({ region }: Place, hubRegion: string): Usage[] => {
  const { watch, alarms, ownMetrics, queues } = measured
  return [
    { unit: 'schedulerCalls', what: 'schedules', region, quantity: minutes },
    ...calls('watch', region, { count: minutes, ms: watch.callMs }),
    { unit: 'tableReads', what: 'watch', region: hubRegion, quantity: minutes * watch.hubReads },
    { unit: 'tableReads', what: 'watch', region, quantity: minutes * watch.ownReads },
    ...(region === hubRegion
      ? []
      : [
          {
            unit: 'regionGb' as const,
            what: 'watch',
            region: hubRegion,
            quantity: (minutes * watch.bytes) / gigabyte,
          },
        ]),
    { unit: 'standardRequests', what: idlePolls, region, quantity: polls(queues.location) },
    { unit: 'alarms', what: 'alarms', region, quantity: alarms.location },
    { unit: 'metrics', what: 'metrics of our own health', region, quantity: ownMetrics.location },
  ]
}

/** The hub's minute: pulse, sweep and status page. */
const hubUsage = (deployment: Deployment, shards: readonly Shard[]): Usage[] => {
  const { hubRegion: region, services } = deployment
  const { pulse, sweep, publish, alarms, ownMetrics, queues, metricsPerService, metricsPerCall } = measured
  const here = shards.flatMap(({ hereByPlace }) => hereByPlace)
  const monitors = here.reduce((sum, one) => sum + one, 0)
  const publishMs = publish.callMs + atFullShare(publish.cpuMsPerMonitorAndLocation * monitors)
  const pageReads = 1 + here.reduce((sum, one) => sum + readUnits(locationItemBytes(one)), 0)
  const metrics = metricsPerService * services
  const of = (unit: UnitName, what: string, quantity: number): Usage => ({ unit, what, region, quantity })
  return [
    of('schedulerCalls', 'schedules', 2 * minutes),
    ...calls('pulse', region, { count: pulse.calls * minutes, ms: pulse.callMs }),
    ...calls('sweep', region, { count: minutes, ms: sweep.callMs }),
    ...calls('publish', region, { count: minutes, ms: publishMs }),
    of('tableWrites', 'pulse', pulse.writes * minutes),
    of('tableReads', 'pulse', pulse.reads * minutes),
    of('tableReads', 'sweep', sweep.reads * minutes),
    of('tableReads', 'status page', pageReads * minutes),
    // Each is sent, received and deleted.
    of('fifoRequests', 'pulse', 3 * pulse.fifoSends * minutes),
    of('standardRequests', 'pulse', 3 * pulse.standardSends * minutes),
    of('fifoRequests', idlePolls, polls(queues.hubFifo)),
    of('standardRequests', idlePolls, polls(queues.hubStandard)),
    of('objectPuts', 'status page', minutes),
    of('alarms', 'alarms', alarms.hub),
    of('metrics', 'metrics of our own health', ownMetrics.hub),
    of('metrics', 'metrics of the services', metrics),
    of('metricCalls', 'sending the services’ metrics', Math.ceil(metrics / metricsPerCall) * minutes),
  ]
}

/** Deadlines that wake a shard, and the room its items take. */
const shardUsage = (shard: Shard, region: string): Usage[] => {
  const { timer, evaluate } = measured
  const count = monthSeconds / timer.everySeconds
  const bytes =
    shardItemBytes(shard.monitors) + shard.hereByPlace.reduce((sum, here) => sum + locationItemBytes(here), 0)
  const of = (unit: UnitName, what: string, quantity: number): Usage => ({ unit, what, region, quantity })
  return [
    ...calls('evaluate', region, {
      count,
      ms: evaluate.fixedMs + atFullShare(evaluate.cpuMsPerMonitor * shard.monitors),
    }),
    of('tableWrites', 'deadlines', count * timer.writes),
    of('tableReads', 'deadlines', count * timer.reads),
    of('fifoRequests', 'deadlines', 3 * count),
    of('tableGb', 'state', bytes / gigabyte),
    of('backupGb', 'point-in-time backup', bytes / gigabyte),
  ]
}

/** What its rules' results cost where they go: a shard's alerts are written each time. */
const toldUsage = (shard: Shard, at: { scrapes: number; region: string }): Usage[] => {
  const { evaluate, writeUnitBytes } = measured
  const { scrapes, region } = at
  const seenByAll = shard.hereByPlace.reduce((sum, here) => sum + here, 0)
  const itemBytes = shardItemBytes(shard.monitors)
  const reads = shard.hereByPlace.reduce(
    (sum, here) => sum + readUnits(locationItemBytes(here)),
    1 + readUnits(itemBytes),
  )
  const ms = evaluate.fixedMs + atFullShare(evaluate.cpuMsPerMonitorAndLocation * seenByAll)
  const of = (unit: UnitName, what: string, quantity: number): Usage => ({ unit, what, region, quantity })
  return [
    ...calls('evaluate', region, { count: scrapes, ms }),
    of('fifoRequests', 'rule results of scrapes', 3 * scrapes),
    of('tableWrites', 'rule results of scrapes', scrapes * Math.ceil(itemBytes / writeUnitBytes)),
    of('tableReads', 'rule results of scrapes', scrapes * reads),
  ]
}

const scrapeUsage = (
  { intervalSeconds, told, metrics = 0, windowBytes = 0 }: Scrape,
  region: string,
  shards: ReadonlyMap<string, Shard>,
): Usage[] => {
  const { scrape, memoryGb } = measured
  const { activeShare, waitSeconds } = callPattern(intervalSeconds, 60)
  const scrapes = monthSeconds / intervalSeconds
  const ms = measured.callMs + waitSeconds * 1000 + activeShare * scrape.ms
  const of = (unit: UnitName, what: string, quantity: number): Usage => ({ unit, what, region, quantity })
  return [
    of('schedulerCalls', 'schedules', minutes),
    ...calls('scrape, its waiting included', region, { count: minutes, ms, memoryGb: memoryGb.scrape }),
    of('tableWrites', 'leases of scrapes', scrapes * scrape.writes),
    of('tableReads', 'leases of scrapes', scrapes * scrape.reads),
    of('objectPuts', 'windows of clusters', scrapes),
    of('objectGets', 'windows of clusters', (monthSeconds / 86_400) * measured.coldStartsPerDay * windowSlots),
    of('objectGb', 'windows of clusters, kept', windowBytes / gigabyte),
    // GetMetricData is billed by the metric, as other calls are by the call.
    ...(metrics > 0 ? [of('metricCalls', 'metrics read from CloudWatch', metrics * scrapes)] : []),
    // A rule without a monitor may live in a shard that has none.
    ...told.flatMap((shard) => toldUsage(shards.get(shard) ?? { monitors: 0, hereByPlace: [] }, { scrapes, region })),
  ]
}

/** Logs are kept as long as the config says, compressed. */
const keptLogs = (usage: readonly Usage[], retentionDays: number): Usage[] =>
  usage
    .filter(({ unit }) => unit === 'logGb')
    .map(({ region, quantity }) => ({
      unit: 'keptLogGb',
      what: 'logs kept',
      region,
      quantity: quantity * measured.keptLogRatio * (retentionDays / (monthSeconds / 86_400)),
    }))

/** Everything a deployment uses in a month in which nothing happens. */
export const usageOf = (deployment: Deployment): Usage[] => {
  const { hubRegion, places, scrapes, logRetentionDays, keepsHistory } = deployment
  const shards = shardsOf(deployment)
  const ticks = places.flatMap((place) =>
    place.ticks.flatMap((tick) => {
      const shard = shards.get(tick.shard)
      return shard ? tickUsage(tick, place, { region: hubRegion, shard, keepsHistory }) : []
    }),
  )
  const usage = [
    ...ticks,
    ...places.flatMap((place) => placeUsage(place, hubRegion)),
    ...hubUsage(deployment, [...shards.values()]),
    ...[...shards.values()].flatMap((shard) => shardUsage(shard, hubRegion)),
    ...scrapes.flatMap((scrape) => scrapeUsage(scrape, hubRegion, shards)),
  ]
  return [...usage, ...keptLogs(usage, logRetentionDays)]
}
