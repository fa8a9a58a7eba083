import { normalise } from '../../config/normalise.ts'
import { configSchema } from '../../config/schema.ts'
import type { AlertChange, Nudge, Observation } from '../../functions/contract.ts'
import { evaluateView } from '../../functions/evaluate/config.ts'
import { evaluateStep } from '../../functions/evaluate/step.ts'
import { probeStep } from '../../functions/probe/step.ts'
import { secondOpinionStep } from '../../functions/probe/step-second-opinion.ts'
import { secondOpinionOf } from '../../functions/row-ids.ts'
import type { Sighting } from '../../probes/contract.ts'
import { memoryStore } from '../../stores/memory.ts'
import { start } from '../functions/builders.ts'
import { type Dice, diceOf } from './dice.ts'
import { type VirtualTime, virtualTime } from './virtual-time.ts'

const locations = ['eu-central-1', 'us-east-1', 'ap-southeast-2']
/** Everything as a config says it that says nothing. */
const config = normalise(
  configSchema.parse({
    services: { shop: {} },
    monitors: { front: { kind: 'http', service: 'shop', url: 'https://shop.example/' } },
    channels: { pager: { kind: 'console' } },
    routes: [{ channels: ['pager'] }],
    locations,
  }),
)
const { periodSeconds = 60, timeoutSeconds = 10 } = config.monitors['front'] ?? {}
const periodMs = periodSeconds * 1000
export const timeoutMs = timeoutSeconds * 1000

/** How late a location's tick starts. */
const latestTickMs = 3000
/** A message between two functions, a cold start now and then. */
const transitMs = (dice: Dice) => (dice.oneIn(20) ? dice.between(400, 900) : dice.between(10, 200))

type Span = { fromMs: number; toMs: number }
type Manner = 'refuses' | 'answers 500' | 'hangs'
type Outage = Span & { manner: Manner }
type Partition = Span & { location: string; manner: Manner | 'unknown' }

const holds = ({ fromMs, toMs }: Span, atMs: number) => atMs >= fromMs && atMs < toMs

/** An outage that lasts so long is looked at by somebody, and must be paged before it ends. */
export const worthAPageMs = periodMs + latestTickMs + 2 * timeoutMs + 6000

const manners: readonly Manner[] = ['refuses', 'answers 500', 'hangs']
const oneOf = <T>(dice: Dice, all: readonly [T, ...T[]] | readonly T[]): T => all[dice.between(0, all.length)] as T

/** What happens in one town: an hour's quarter with a long outage, a while of flapping, and a region that is cut off. */
const planOf = (dice: Dice) => {
  const minutes = (from: number, to: number) => dice.between(from * 60_000, to * 60_000)
  const outages: Outage[] = []
  const fromMs = start + minutes(2, 5)
  outages.push({ fromMs, toMs: fromMs + minutes(2, 4), manner: oneOf(dice, manners) })
  const manner = oneOf(dice, manners)
  const flapsUntilMs = start + minutes(15, 18)
  for (let atMs = start + minutes(11, 13); atMs < flapsUntilMs; ) {
    const toMs = atMs + dice.between(1000, 100_000)
    outages.push({ fromMs: atMs, toMs, manner })
    atMs = toMs + dice.between(2000, 60_000)
  }
  const cutMs = start + minutes(0, 14)
  const partition: Partition = {
    location: oneOf(dice, locations),
    fromMs: cutMs,
    toMs: cutMs + minutes(2, 6),
    manner: oneOf(dice, [...manners, 'unknown'] as const),
  }
  const loss = new Map(locations.map((location) => [location, dice.random() * 0.05]))
  return { outages, partition, loss, endMs: start + 24 * 60_000 }
}

/** What one attempt met, besides what it saw. */
type Attempt = { location: string; startedAtMs: number; endedAtMs: number; failedFor?: 'loss' | 'partition' | Outage }

export type Town = {
  seed: number
  outages: Outage[]
  attempts: Attempt[]
  told: AlertChange[]
  lost: number
  opinions: number
}

type World = Town & { time: VirtualTime; dice: Dice; plan: ReturnType<typeof planOf> }

const tookMs: Readonly<Record<Manner, number>> = { refuses: 30, 'answers 500': 250, hangs: timeoutMs }

const failing = (manner: Manner): Sighting => ({
  verdict: 'fail',
  cause: { phase: 'connect', code: manner, detail: `the target ${manner}` },
  timingsMs: { total: tookMs[manner] },
})

/** One attempt from one location: through the network it has, at the target as it is when it is reached. */
const attempt = (world: World, location: string) => async (): Promise<Sighting> => {
  const { time, dice, plan, attempts } = world
  const startedAtMs = time.nowMs()
  const outage = plan.outages.find((one) => holds(one, startedAtMs))
  const cut = plan.partition.location === location && holds(plan.partition, startedAtMs)
  const lost = dice.random() < (plan.loss.get(location) ?? 0)
  const end = async (sighting: Sighting, failedFor?: Attempt['failedFor']) => {
    await time.sleep(sighting.timingsMs.total)
    attempts.push({ location, startedAtMs, endedAtMs: time.nowMs(), ...(failedFor ? { failedFor } : {}) })
    return sighting
  }
  if (cut && plan.partition.manner === 'unknown') {
    return end({ verdict: 'unknown', timingsMs: { total: 5 } }, 'partition')
  }
  if (cut) return end(failing(plan.partition.manner as Manner), 'partition')
  if (lost) {
    world.lost++
    return end(failing('hangs'), 'loss')
  }
  return outage
    ? end(failing(outage.manner), outage)
    : end({ verdict: 'pass', timingsMs: { total: dice.between(40, 900) } })
}

/** `evaluate` as its FIFO queue calls it: one observation after the other, each some time after it was sent. */
const hubOf = (world: World, ask: (rowId: string) => void) => {
  const { time, dice } = world
  const evaluate = evaluateStep({
    store: memoryStore({ nowMs: time.nowMs }),
    nowMs: time.nowMs,
    nudge: async (nudges: readonly Nudge[]) => {
      for (const { to, rowId } of nudges) if (to === 'probe') ask(rowId)
    },
    ...evaluateView(config),
  })
  let before: Promise<void> = Promise.resolve()
  return async (observation: Observation) => {
    await time.sleep(transitMs(dice))
    before = before.then(async () => {
      const result = await evaluate(observation)
      if (result.status === 'conflict') throw new Error('nobody else writes this shard')
      world.told.push(...result.changes)
    })
  }
}

const look = (world: World) => {
  const { time, dice, plan } = world
  const ask = async (rowId: string) => {
    const location = secondOpinionOf(rowId)?.location ?? ''
    await time.sleep(transitMs(dice))
    world.opinions++
    await secondOpinionStep(worldOf(location))(rowId)
  }
  const observe = hubOf(world, (rowId) => void ask(rowId))
  const worldOf = (location: string) => ({
    nowMs: time.nowMs,
    location,
    run: attempt(world, location),
    limit: <T>(work: () => Promise<T>) => work(),
    waitUntil: (atMs: number) => time.sleep(Math.max(0, atMs - time.nowMs())),
    // A probe does not wait until its message is applied.
    send: async (observation: Observation) => void observe(observation),
  })
  for (const location of locations) {
    const probe = probeStep(worldOf(location))
    const ticks = async () => {
      for (let scheduledAtMs = start; scheduledAtMs < plan.endMs; scheduledAtMs += periodMs) {
        await time.sleep(scheduledAtMs + dice.between(0, latestTickMs) - time.nowMs())
        void probe({ shard: '0/1', scheduledAtMs, monitorIds: ['front'] })
      }
    }
    void ticks()
  }
}

/** Plays one town to its end. */
export const playTown = async (seed: number): Promise<Town> => {
  const dice = diceOf(seed)
  const time = virtualTime(start)
  const plan = planOf(dice)
  const world: World = { seed, outages: plan.outages, attempts: [], told: [], lost: 0, opinions: 0, time, dice, plan }
  look(world)
  await time.run(plan.endMs + 60_000)
  return world
}

const pagesOf = ({ told }: Town) => told.filter(({ severity }) => severity === 'page')

/** When the page was open. */
const openSpans = (town: Town): Span[] => {
  const pages = pagesOf(town)
  return pages.flatMap(({ to, atMs }, index) => {
    if (to !== 'firing') return []
    const end = pages.slice(index + 1).find((one) => one.to === 'inactive')
    return [{ fromMs: atMs, toMs: end?.atMs ?? Number.POSITIVE_INFINITY }]
  })
}

/** Pages of a target that was up since the first look they speak of. */
export const falsePages = (town: Town): AlertChange[] =>
  pagesOf(town).filter(
    ({ to, sinceMs, atMs }) =>
      to === 'firing' && !town.outages.some(({ fromMs, toMs }) => fromMs < atMs && toMs > sinceMs),
  )

/** Outages long enough during which no page was open. */
export const missedOutages = (town: Town): Outage[] =>
  town.outages.filter(
    ({ fromMs, toMs }) =>
      toMs - fromMs >= worthAPageMs && !openSpans(town).some((page) => page.fromMs < toMs && page.toMs > fromMs),
  )

/**
 * How long after the end of the first attempt that failed of it each outage was paged; of those that lasted long enough
 * to be, and that no page was open for already.
 */
export const detectionsMs = (town: Town): number[] =>
  town.outages.flatMap((outage) => {
    const first = town.attempts
      .filter(({ failedFor }) => failedFor === outage)
      .sort((a, b) => a.endedAtMs - b.endedAtMs)[0]
    const open = openSpans(town)
    const isLong = first !== undefined && outage.toMs - first.endedAtMs >= 2 * timeoutMs
    if (!isLong || open.some((page) => page.fromMs < first.endedAtMs && page.toMs > first.endedAtMs)) return []
    const page = open.find(({ fromMs }) => fromMs >= first.endedAtMs)
    return [page ? page.fromMs - first.endedAtMs : Number.POSITIVE_INFINITY]
  })

export type Figures = {
  towns: number
  outages: number
  pages: number
  lostAttempts: number
  secondOpinions: number
  falsePages: string[]
  missedOutages: string[]
  detectionsMs: number[]
}

/** So many towns, and what they say of us. */
export const playTowns = async (count: number, firstSeed = 1): Promise<Figures> => {
  const figures: Figures = {
    towns: count,
    outages: 0,
    pages: 0,
    lostAttempts: 0,
    secondOpinions: 0,
    falsePages: [],
    missedOutages: [],
    detectionsMs: [],
  }
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const town = await playTown(seed)
    const at = (ms: number) => `seed ${seed} at ${((ms - start) / 1000).toFixed(1)} s`
    figures.outages += town.outages.length
    figures.pages += openSpans(town).length
    figures.lostAttempts += town.lost
    figures.secondOpinions += town.opinions
    figures.falsePages.push(...falsePages(town).map(({ atMs, summary }) => `${at(atMs)}: ${summary}`))
    figures.missedOutages.push(...missedOutages(town).map(({ fromMs, manner }) => `${at(fromMs)}: ${manner}`))
    figures.detectionsMs.push(...detectionsMs(town))
  }
  figures.detectionsMs.sort((a, b) => a - b)
  return figures
}
