import { seededRandom } from '../../examples/emojivoto/random-names.ts'
import type { DeliveryEvent, DeliveryOrder, Nudge, Observation, OutboxRow } from '../../functions/contract.ts'
import { correlateStep } from '../../functions/correlate/step.ts'
import { deliverStep } from '../../functions/deliver/step.ts'
import { evaluateStep } from '../../functions/evaluate/step.ts'
import { secondOpinionStep } from '../../functions/probe/step-second-opinion.ts'
import { publishStep } from '../../functions/publish/step.ts'
import { secondOpinionOf, shardOfTimer } from '../../functions/row-ids.ts'
import { allShards, countOfShard, shardOf } from '../../functions/shards.ts'
import { sweepStep } from '../../functions/sweep/step.ts'
import { triageStep } from '../../functions/triage/step.ts'
import type { Store } from '../../stores/contract.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import { availability, outcome, ruleView, start } from '../functions/builders.ts'
import { attempt, type Chance, chance, type Faults, faultyStore, moodOf, mortal, type Process } from './faults.ts'
import { type VirtualTime, virtualTime } from './virtual-time.ts'

export const monitors = { front: 'shop', cart: 'shop', pay: 'till' } as const
type MonitorId = keyof typeof monitors
const ids: readonly MonitorId[] = ['front', 'cart', 'pay']
export const people = ['pager', 'chat', 'mail']
export const statusChannel = 'board'
const periodMs = 10_000
const faultsEndMs = start + 120_000
const probesEndMs = start + 190_000

export type Arrival = {
  id: string
  incidentId: string
  channel: string
  event: DeliveryEvent
  to?: string
  atMs: number
}
export type World = {
  seed: number
  time: VirtualTime
  /** What every clock on the wall shows: it may jump, time itself does not. */
  nowMs: () => number
  jumpMs: number
  dice: Chance
  faults: Faults
  store: Store
  arrivals: Arrival[]
  quarantined: string[]
  /** What the config says that processes are started with; the store remembers the most there ever were. */
  shards: number
  /** How schedules are split: they are deployed before or after whoever hears them. */
  scheduled: number
  locations: readonly string[]
  deaths: number
  /** Second opinions that were looked for. */
  opinions: number
  /** Spans in which a monitor's target is broken; with a location, only as seen from there. */
  broken: { monitor: MonitorId; fromMs: number; toMs: number; location?: string }[]
  processes: {
    process: Process
    consume: Record<OutboxRow['to'], (rowId: string) => Promise<unknown>>
    evaluate: (one: Observation) => Promise<{ status: string }>
    sweep: () => Promise<unknown>
  }[]
}

const home = (id: string, count: number) => shardOf(id.replace(/-down$/, ''), count)

/** The quick half: nudges get lost, doubled and late, and come to any process. */
const nudger = (world: World) => async (nudges: readonly Nudge[]) => {
  const { dice, faults, time } = world
  for (const { to, rowId, afterMs } of nudges) {
    const copies = faults.on() && dice.oneIn(5) ? 0 : faults.on() && dice.oneIn(6) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const lateMs = faults.on() && dice.oneIn(4) ? dice.between(0, 3000) : 0
      void time.sleep(afterMs + lateMs).then(() => work(world, to, rowId))
    }
  }
}

/** A consumer that throws leaves its row to the sweep; one told "later" comes back, as a queue would. */
const work = async (world: World, to: OutboxRow['to'], rowId: string): Promise<void> => {
  const one = world.processes[world.dice.between(0, world.processes.length)]
  try {
    const result = await one?.consume[to](rowId)
    const later = typeof result === 'object' && result && 'afterMs' in result ? Number(result.afterMs) : undefined
    if (later !== undefined) await nudger(world)([{ to, rowId, afterMs: later }])
  } catch {
    // As `serve` does: warned, and the sweep brings it back.
  }
}

const arrivalOf = (order: DeliveryOrder, atMs: number): Arrival => {
  const { id, incidentId, channel, event, component } = order
  return { id, incidentId, channel, event, atMs, ...(component ? { to: component.to } : {}) }
}

const deliverIn = (world: World, store: Store, process: Process) => {
  const { time, dice, faults, seed, arrivals } = world
  const call = mortal(process, faults)
  return deliverStep({
    store,
    nowMs: world.nowMs,
    random: dice.random,
    nudge: nudger(world),
    render: ({ order }) => ({ body: order.id, contentType: 'text/plain' }),
    send: (order) => {
      const mood = faults.on() ? moodOf(seed, order.channel, time.nowMs()) : 'works'
      return call(() => attempt(mood, () => arrivals.push(arrivalOf(order, time.nowMs())), faults))
    },
  })
}

/** Looks once from the location that was asked, when it gets round to it; its answer travels as any outcome. */
const lookAgain = (world: World) => async (rowId: string) => {
  const { time, dice } = world
  const location = secondOpinionOf(rowId)?.location ?? ''
  const step = secondOpinionStep({
    nowMs: world.nowMs,
    location,
    waitUntil: (atMs) => time.sleep(Math.min(1000, Math.max(0, atMs - world.nowMs()))),
    run: async (monitorId) => {
      world.opinions++
      const known = ids.find((id) => id === monitorId)
      const verdict = known && isBroken(world, known, { atMs: time.nowMs(), location }) ? 'fail' : 'pass'
      await time.sleep(dice.between(10, 9000))
      return dice.oneIn(12) ? { verdict: 'unknown', timingsMs: { total: 1 } } : { verdict, timingsMs: { total: 1 } }
    },
    send: async (observation) => {
      void observe(world, observation)
    },
  })
  await step(rowId)
}

/** A timer's nudge as a queue brings it: an observation. */
const wake = (world: World) => async (rowId: string) => {
  void observe(world, { kind: 'timer', id: rowId, shard: shardOfTimer(rowId), rowId })
}

const startProcess = (world: World, slot: number): void => {
  const { time, dice, faults } = world
  const { nowMs } = world
  const process: Process = {
    alive: true,
    die: () => {
      if (!process.alive) return
      process.alive = false
      world.deaths++
      void time.sleep(dice.between(100, 4000)).then(() => startProcess(world, slot))
    },
  }
  const store = faultyStore(world.store, process, faults)
  const nudge = nudger(world)
  const { locations, shards } = world
  const rules = ids.map((monitorId) =>
    ruleView(availability(), { ruleId: `${monitorId}-down`, monitorId, service: monitors[monitorId], locations }),
  )
  const evaluate = evaluateStep({
    store,
    nowMs,
    nudge,
    locations,
    shards,
    rulesOf: (shard) => rules.filter(({ ruleId }) => home(ruleId, countOfShard(shard)) === shard),
    home: { monitor: home, rule: home },
  })
  const availabilityRules = (service: string) =>
    rules.filter((rule) => rule.service === service).map(({ ruleId }) => ruleId)
  const correlate = correlateStep({
    store,
    nowMs,
    nudge,
    view: {
      routing: { routes: [{ channels: ['pager', 'chat'] }], people },
      statusChannels: [statusChannel],
      availabilityRules,
    },
  })
  const triage = triageStep({
    store,
    nowMs,
    nudge,
    investigate: async ({ incidentId }) => {
      await time.sleep(dice.between(100, 4000))
      if (faults.on() && dice.oneIn(6)) throw new Error('the questions broke')
      return { incidentId, atMs: nowMs(), headline: 'no suspect', answers: [], suspects: [] }
    },
  })
  const deliver = deliverIn(world, store, process)
  const config = { title: 'town', shards, locations, monitors: [] }
  const publish = publishStep({ store, nowMs, blobs: memoryBlobs(), render: () => 'page', config })
  const consume = {
    correlate: (rowId: string) => correlate([rowId]),
    triage,
    deliver,
    publish,
    evaluate: wake(world),
    probe: lookAgain(world),
  }
  const quarantined = ({ id }: OutboxRow) => world.quarantined.push(id)
  const sweep = sweepStep({ store, nowMs, nudge, inHand: () => false, quarantined })
  world.processes[slot] = { process, consume, evaluate, sweep }
  void sweepAgainAndAgain(world, slot, process)
  for (const shard of allShards(shards)) {
    void observe(world, { kind: 'timer', id: `start:${shard}`, shard, rowId: '' })
  }
}

const sweepAgainAndAgain = async (world: World, slot: number, process: Process) => {
  while (process.alive) {
    await Promise.race([world.processes[slot]?.sweep().catch(() => undefined), world.time.sleep(5000)])
    await world.time.sleep(world.faults.on() ? 1000 : 5000)
  }
}

/** One observation on its way: late, doubled, tried again, and dropped in the end, as its queue would. */
const observe = async (world: World, observation: Observation): Promise<void> => {
  const { dice, faults, time } = world
  if (faults.on() && dice.oneIn(10)) void time.sleep(dice.between(0, 30_000)).then(() => apply(world, observation))
  if (faults.on() && dice.oneIn(8)) await time.sleep(dice.between(0, 12_000))
  await apply(world, observation)
}

const apply = async (world: World, observation: Observation) => {
  for (let tries = 0; tries < 5; tries++) {
    const one = world.processes[world.dice.between(0, world.processes.length)]
    const result = await one?.evaluate(observation).catch(() => undefined)
    if (result && result.status !== 'conflict') return
    await world.time.sleep(200)
  }
}

const isBroken = (world: World, monitor: MonitorId, at: { atMs: number; location: string }) =>
  world.broken.some(
    ({ fromMs, toMs, ...span }) =>
      span.monitor === monitor && fromMs <= at.atMs && at.atMs < toMs && (span.location ?? at.location) === at.location,
  )

const tick = (world: World, atMs: number, { monitorId, location }: { monitorId: MonitorId; location: string }) => {
  const verdict = isBroken(world, monitorId, { atMs, location }) ? ('fail' as const) : ('pass' as const)
  for (const look of verdict === 'fail' ? ['tick', 'recheck'] : ['tick']) {
    const scheduledAtMs = atMs + world.jumpMs
    const seen = outcome({ monitorId, location, verdict, scheduledAtMs, startedAtMs: scheduledAtMs, look })
    const shard = shardOf(monitorId, world.scheduled)
    const id = `${monitorId}@${location}:${scheduledAtMs}:${look}`
    void observe(world, { kind: 'outcomes', id, shard, outcomes: [seen] })
  }
}

const probe = async (world: World) => {
  for (let atMs = start; atMs < probesEndMs; atMs += periodMs) {
    await world.time.sleep(atMs - world.time.nowMs())
    for (const location of world.locations) for (const monitorId of ids) tick(world, atMs, { monitorId, location })
  }
}

/** The config asks for another number of shards; everybody restarts, and schedules follow sooner or later. */
const deploy = async (world: World, shards: number) => {
  const { time, dice } = world
  await time.sleep(dice.between(10_000, 45_000))
  void time.sleep(dice.between(0, 20_000)).then(() => {
    world.scheduled = shards
  })
  await time.sleep(dice.between(0, 20_000))
  world.shards = shards
  for (const { process } of world.processes) process.die()
}

const growths: readonly (readonly number[])[] = [[2], [4, 8], [8, 1], [2, 4, 1]]

/** The shard count grows in the middle of things, and a config may forget that it did. */
const grow = async (world: World) => {
  for (const shards of growths[world.dice.between(0, growths.length)] ?? []) await deploy(world, shards)
}

/** Somebody corrects the clock by half an hour. */
const jump = async (world: World) => {
  await world.time.sleep(world.dice.between(10_000, 110_000))
  world.jumpMs = world.dice.oneIn(2) ? 1_800_000 : -1_800_000
}

/** One location's own network fails: what only it sees is nobody's incident. */
const localTrouble = (dice: Chance, locations: readonly string[]): World['broken'] => {
  const location = locations[dice.between(0, locations.length)] ?? ''
  return ids.map((monitor) => {
    const fromMs = start + dice.between(60_000, 90_000)
    return { monitor, location, fromMs, toMs: fromMs + dice.between(5000, 80_000) }
  })
}

const newWorld = (seed: number): World => {
  const time = virtualTime(start)
  const dice = chance(seededRandom(seed))
  const faults = { on: () => time.nowMs() < faultsEndMs, chance: dice, sleep: time.sleep }
  const broken = ids.map((monitor) => {
    const fromMs = start + dice.between(0, 60_000)
    return { monitor, fromMs, toMs: fromMs + dice.between(15_000, 80_000) }
  })
  const several = dice.oneIn(2)
  const locations = several ? ['eu-central-1', 'us-east-1', 'ap-southeast-2'] : ['local']
  const nowMs = () => time.nowMs() + world.jumpMs
  const store = memoryStore({ nowMs })
  const world: World = {
    nowMs,
    jumpMs: 0,
    seed,
    time,
    dice,
    faults,
    store,
    arrivals: [],
    quarantined: [],
    shards: 1,
    scheduled: 1,
    locations,
    deaths: 0,
    opinions: 0,
    broken: several && dice.oneIn(2) ? localTrouble(dice, locations) : broken,
    processes: [],
  }
  return world
}

/** Rows that must not be left when everything is over; a shard's timer always is. */
export const rowsLeft = async (world: World): Promise<OutboxRow[]> =>
  (await world.store.due(Number.MAX_SAFE_INTEGER, 10_000)).map(({ row }) => row).filter(({ to }) => to !== 'evaluate')

/** Plays one town through its faults and then until nothing is left to do, for an hour at most. */
export const play = async (seed: number): Promise<World> => {
  const world = newWorld(seed)
  startProcess(world, 0)
  startProcess(world, 1)
  void probe(world)
  if (world.dice.oneIn(3)) void grow(world)
  if (world.dice.oneIn(4)) void jump(world)
  await world.time.run(probesEndMs)
  for (let minutes = 0; minutes < 60 && (await rowsLeft(world)).length > 0; minutes++) {
    await world.time.run(world.time.nowMs() + 60_000)
  }
  return world
}
