/** Plays one seed: thirty minutes of a town, and as much longer as it takes until nothing is left to do. */
import type { OutboxRow } from '../../functions/contract.ts'
import { deadLetterRows } from '../../functions/dead-letter.ts'
import { incidentTimerId } from '../../functions/row-ids.ts'
import { storedShards } from '../../functions/shard-count.ts'
import { unpackShard } from '../../functions/shard-packing.ts'
import { allShards, countOfShard } from '../../functions/shards.ts'
import { memoryStore } from '../../stores/memory.ts'
import { type AwaitTally, awaitCount, awaitTally } from './awaits.ts'
import { endMs, minuteMs, patienceMs, startMs } from './calendar.ts'
import { type Dice, diceOf } from './dice.ts'
import { faultsOf } from './faults.ts'
import { emptyLedger } from './ledger.ts'
import { type Mutant, unchanged } from './mutants/mutant.ts'
import { networkOf } from './network.ts'
import { hubViewOf, openIncidents } from './outcome.ts'
import { type House, houseOf } from './queues.ts'
import { type Story, untold } from './story.ts'
import { rulesIn, townOf } from './town.ts'
import { isSilent, truthOf } from './troubles.ts'
import { virtualTime } from './virtual-time.ts'
import { planWishes } from './wishes.ts'
import type { World } from './world.ts'

export type Playing = { tally?: AwaitTally; story?: Story; mutant?: (() => Mutant) | undefined }

/** Neighbouring seeds doom neighbouring awaits, so that a few hundred seeds have been through all of them. */
const doomsOf = (seed: number, dice: Dice): Int32Array => {
  const doomed = new Int32Array(awaitCount)
  const each = 10
  for (let nth = 0; nth < each; nth++) {
    // Half of them at once: some awaits are passed only once.
    const passes = Math.floor(2 ** Math.max(0, 12 * (dice.random() - 0.5)))
    doomed[(seed * each + nth) % awaitCount] = passes
  }
  return doomed
}

const worldOf = (seed: number, { tally = awaitTally(), story = untold, mutant = () => unchanged }: Playing): World => {
  const dice = diceOf(seed)
  const time = virtualTime(startMs)
  const town = townOf(dice)
  const faults = faultsOf(dice, time)
  const world: World = {
    seed,
    town,
    truth: truthOf(town.troubles),
    time,
    jumpMs: 0,
    dice,
    faults,
    story,
    ledger: emptyLedger(),
    store: memoryStore({ nowMs: time.nowMs, deadLetters: deadLetterRows }),
    network: networkOf({ time, dice, faults }),
    rulesOf: rulesIn(town),
    view: hubViewOf(town),
    shards: 1,
    scheduled: 1,
    tally,
    doomed: doomsOf(seed, dice),
    mutant: mutant(),
    observe: () => undefined,
  }
  return world
}

/** Schedules start late, and not at all while there is silence. */
const startSchedules = (world: World, house: House) => {
  const { time, dice, town, faults } = world
  const periods = [...new Set(town.monitors.map(({ periodSeconds }) => periodSeconds))]
  const start = (location: string, periodSeconds: number) => {
    const everySeconds = Math.max(60, periodSeconds)
    const fire = (atMs: number) => {
      time.at(atMs + everySeconds * 1000, () => fire(atMs + everySeconds * 1000))
      if (isSilent(town.troubles, atMs)) return
      for (const shard of allShards(world.scheduled)) {
        const lateMs = faults.strikes('schedule late', 12) ? dice.between(1000, 55_000) : dice.between(0, 900)
        const message = { shard, periodSeconds, everySeconds, scheduledAt: new Date(atMs + world.jumpMs).toISOString() }
        time.at(atMs + lateMs, () => house.schedule(location, message))
      }
    }
    time.at(startMs, () => fire(startMs))
  }
  for (const location of town.locations) for (const periodSeconds of periods) start(location, periodSeconds)
}

/** Two at once, every minute, while a town has as many schedules. */
const startSweeps = ({ time, dice, faults }: World, house: House) => {
  const round = (atMs: number) => {
    time.at(atMs + minuteMs, () => round(atMs + minuteMs))
    time.at(atMs + dice.between(0, 3000), house.sweep)
    if (faults.on()) time.at(atMs + dice.between(0, 3000), house.sweep)
  }
  time.at(startMs, () => round(startMs))
}

/** The config asks for other numbers of shards: everybody restarts, and schedules follow sooner or later. */
const planDeployments = (world: World, house: House) => {
  const { time, dice, town, faults, story } = world
  let atMs = startMs + dice.between(minuteMs, 10 * minuteMs)
  for (const shards of town.deployments) {
    time.at(atMs, () => {
      faults.counts.deployment++
      story.tell(time.nowMs(), 'deployment', () => `${shards} shards`)
      world.shards = shards
      house.cut('a deployment', 'evaluate')
    })
    time.at(atMs + dice.between(-30_000, 40_000), () => {
      world.scheduled = shards
    })
    atMs += dice.between(minuteMs, 6 * minuteMs)
  }
}

/** In one town of three a new config groups alerts otherwise: what fires already ends where it is. */
const planRegrouping = (world: World, house: House) => {
  const { time, dice, faults, story } = world
  if (!dice.oneIn(3)) return
  const by = dice.pick([['service'], ['alertname']])
  time.at(startMs + dice.between(4 * minuteMs, 16 * minuteMs), () => {
    faults.counts.deployment++
    story.tell(time.nowMs(), 'deployment', () => `groups by ${by.join(', ')}`)
    world.view = { ...world.view, grouping: { ...world.view.grouping, by } }
    house.cut('a deployment', 'correlate')
  })
}

const planPowerCut = ({ time, dice, faults, story }: World, house: House) => {
  if (!dice.oneIn(6)) return
  time.at(startMs + dice.between(minuteMs, 20 * minuteMs), () => {
    faults.counts['power cut']++
    story.tell(time.nowMs(), 'power cut', () => 'everybody dies')
    house.cut('a power cut')
  })
}

/** In one town of ten somebody corrects all clocks by half an hour. */
const planJump = (world: World) => {
  if (world.seed % 10 !== 3) return
  const { time, dice, faults, story } = world
  time.at(startMs + dice.between(minuteMs, 18 * minuteMs), () => {
    world.jumpMs = dice.oneIn(2) ? 30 * minuteMs : -30 * minuteMs
    faults.counts['clocks corrected']++
    story.tell(time.nowMs(), 'somebody', () => `corrects all clocks by ${world.jumpMs / minuteMs} minutes`)
  })
}

export const poisonId = 'triage:poison'

/** A row that nobody can ever work on, nudged for a while already: it is set aside, and in nobody's way until then. */
const planPoison = ({ time, dice, faults, store }: World) => {
  if (!dice.oneIn(3)) return
  const atMs = startMs + dice.between(0, minuteMs)
  const brief = { incidentId: 'poison', service: 'none', severity: 'page' as const, sinceMs: atMs, summaries: [] }
  const body = { brief, nudge: [], answerByMs: atMs }
  const row: OutboxRow = { id: poisonId, to: 'triage', dueAtMs: atMs, nudges: 8, nudgedAtMs: atMs, body }
  time.at(atMs, () => {
    faults.counts['poison row']++
    void store.commit([], [{ id: row.id, expect: 0, row }])
  })
}

/** Rows that must not be left when everything is over; a shard's timer always is, and that of what is under way. */
export const rowsLeft = async (world: World): Promise<OutboxRow[]> => {
  const { underWay } = await openNow(world)
  const timers = underWay.map(({ id }) => incidentTimerId(id))
  const rows = (await world.store.due(Number.MAX_SAFE_INTEGER, 10_000)).map(({ row }) => row)
  return rows.filter(({ id, to }) => to !== 'evaluate' && !timers.includes(id))
}

/** By the clocks on the wall. */
export const openNow = ({ store, time, jumpMs }: World) => openIncidents(store, time.nowMs() + jumpMs)

/** The alerts of all shards, moved or not, as `shard/index/count: alert`. */
export const alertsLeft = async ({ store }: World): Promise<string[]> => {
  const items = [...(await store.list('shard/', { limit: 1000 }))].filter(([key]) => !key.includes('/at/'))
  return items.flatMap(([key, { value }]) => Object.keys(unpackShard(value).alerts).map((id) => `${key}: ${id}`))
}

/** Timers of shards that there are no more; each goes when it is due. */
export const movedTimers = async ({ store }: World): Promise<string[]> => {
  const count = await storedShards(store)
  const rows = await store.due(Number.MAX_SAFE_INTEGER, 1000)
  return rows.flatMap(({ row }) => (row.to === 'evaluate' && countOfShard(row.body.shard) !== count ? [row.id] : []))
}

/** One town of eight lasts until the last dead letter is over. */
const isOver = async (world: World) => {
  const { late, underWay } = await openNow(world)
  if (late.length > 0 || (underWay.length > 0 && world.seed % 8 === 0)) return false
  return (
    (await rowsLeft(world)).length === 0 &&
    (await alertsLeft(world)).length === 0 &&
    (await movedTimers(world)).length === 0
  )
}

export const play = async (seed: number, playing: Playing = {}): Promise<World> => {
  const world = worldOf(seed, playing)
  const { time, town, faults } = world
  for (const skewMs of Object.values(town.skewMs)) if (skewMs !== 0) faults.counts['clock skewed']++
  const house = houseOf(world)
  world.observe = house.observe
  startSchedules(world, house)
  startSweeps(world, house)
  planDeployments(world, house)
  planRegrouping(world, house)
  planPowerCut(world, house)
  planPoison(world)
  planJump(world)
  planWishes(world, house)
  await time.run(endMs)
  while (time.nowMs() < endMs + patienceMs && !(await isOver(world))) {
    await time.run(time.nowMs() + minuteMs)
  }
  return world
}
