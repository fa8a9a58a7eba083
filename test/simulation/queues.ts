/** What lies between the functions: which queue a nudge goes to, and who reads it. */
import { nudgeId } from '../../aws/messages.ts'
import type { DeliveryOrder, Nudge, Observation, OutboxRow } from '../../functions/contract.ts'
import type { ScheduleMessage } from '../../functions/probe/due.ts'
import { secondOpinionOf, shardOfTimer } from '../../functions/row-ids.ts'
import { type Errand, functions } from './functions.ts'
import { type Room, roomOf } from './life.ts'
import type { Send } from './network.ts'
import type { World } from './world.ts'

export type Queues = {
  nudge: (nudge: Nudge, from: string) => void
  /** A person, or a status page, has got a message. */
  read: (order: DeliveryOrder) => void
}

export type House = {
  observe: (observation: Observation) => void
  schedule: (location: string, message: ScheduleMessage) => void
  sweep: () => void
  /** A person asks the api; who hears no answer asks again. */
  ask: (errand: Errand) => void
  /** All processes end at once, or those of one function. */
  cut: (why: string, only?: 'evaluate' | 'correlate') => void
}

/** As in `cdk/`: FIFO consumers have fifteen seconds and three receives, the others a minute and five. */
const quick = { visibilityMs: 15_000, receives: 3 }
const patient = { visibilityMs: 60_000, receives: 5 }

const ignore = () => undefined

/** Somebody with the page takes the incident on after a while, and presses again when nothing happens. */
const pressesOf =
  ({ town, time, dice }: World, api: Room<Errand>) =>
  (order: DeliveryOrder) => {
    const { channel, event, incidentId } = order
    if (event !== 'opened' || !town.people.includes(channel) || !dice.oneIn(3)) return
    const press = () => api.work([{ kind: 'acknowledge', taker: { incidentId, channel } }]).catch(ignore)
    const atMs = time.nowMs() + dice.between(3000, 120_000)
    time.at(atMs, press)
    if (dice.oneIn(3)) time.at(atMs + dice.between(10, 5000), press)
  }

const roomsOf = (world: World, queues: Queues) => {
  const { locations, skewMs } = world.town
  const inEach = <M>(open: (location: string) => Room<M>) => new Map(locations.map((one) => [one, open(one)]))
  const clock = (location: string) => ({ skewMs: skewMs[location] ?? 0 })
  return {
    evaluate: roomOf(world, { fn: 'evaluate' }, functions.evaluate(world, queues)),
    correlate: roomOf(world, { fn: 'correlate' }, functions.correlate(world, queues)),
    triage: roomOf(world, { fn: 'triage' }, functions.triage(world, queues)),
    deliver: roomOf(world, { fn: 'deliver' }, functions.deliver(world, queues)),
    publish: roomOf(world, { fn: 'publish' }, functions.publish(world, queues)),
    sweep: roomOf<void>(world, { fn: 'sweep' }, functions.sweep(world, queues)),
    api: roomOf(world, { fn: 'api' }, functions.api(world, queues)),
    probes: inEach((location) => {
      const at = { fn: 'probe' as const, name: `probe@${location}`, ...clock(location) }
      return roomOf(world, at, functions.probe(world, location))
    }),
    opinions: inEach((location) => {
      const at = { fn: 'second-opinion' as const, name: `opinion@${location}`, ...clock(location) }
      return roomOf(world, at, functions.secondOpinion(world, location))
    }),
  }
}

/** Before the row's consumer hears of it, a mutant may. */
const toConsumer = (world: World, to: OutboxRow['to'], room: Room<string>) => async (rowIds: readonly string[]) => {
  for (const rowId of rowIds) await world.mutant.receive?.(to, rowId, world.store)
  return room.work(rowIds)
}

/** Opens every function and the queues between them. */
export const houseOf = (world: World): House => {
  const { network, story, time, faults, dice } = world
  let sends: Partial<Record<OutboxRow['to'], Send<string>>> = {}
  let read: Queues['read'] = ignore
  const queues: Queues = {
    read: (order) => read(order),
    nudge: (nudge, from) => {
      const { to, rowId, afterMs } = nudge
      story.tell(time.nowMs(), from, () => `nudges ${to} about ${rowId}${afterMs > 0 ? ` in ${afterMs} ms` : ''}`)
      // A FIFO queue delays no message by itself: its time is the sweep's to keep.
      if ((to === 'correlate' || to === 'evaluate') && afterMs > 0) return
      sends[to]?.(rowId, { id: nudgeId(nudge, time.nowMs()), group: 'hub', afterMs })
    },
  }
  const rooms = roomsOf(world, queues)
  read = pressesOf(world, rooms.api)
  const observations = network.fifo<Observation>({ ...quick, batch: 1, work: rooms.evaluate.work })
  const opinions = network.standard<string>({
    ...patient,
    work: async ([rowId = '']) => rooms.opinions.get(secondOpinionOf(rowId)?.location ?? '')?.work([rowId]),
  })
  const to = (name: 'triage' | 'deliver' | 'publish') =>
    network.standard<string>({ ...patient, work: toConsumer(world, name, rooms[name]) })
  sends = {
    triage: to('triage'),
    deliver: to('deliver'),
    publish: to('publish'),
    probe: opinions,
    correlate: network.fifo({ ...quick, batch: 10, work: toConsumer(world, 'correlate', rooms.correlate) }),
    evaluate: (rowId, { id }) => {
      const shard = shardOfTimer(rowId)
      observations({ kind: 'timer', id, shard, rowId }, { id, group: shard })
    },
  }
  // A schedule whose function failed is started again twice, with the same scheduled time.
  const start = (location: string, message: ScheduleMessage, tries: number): void => {
    const again = () =>
      tries > 1 && time.at(time.nowMs() + dice.between(20_000, 60_000), () => start(location, message, tries - 1))
    rooms.probes.get(location)?.work([message]).catch(again)
  }
  return {
    observe: (observation) => observations(observation, { id: observation.id, group: observation.shard }),
    schedule: (location, message) => {
      start(location, message, 3)
      if (faults.strikes('schedule doubled', 20)) start(location, message, 1)
    },
    ask: (errand) => {
      rooms.api.work([errand]).catch(ignore)
    },
    sweep: () => {
      rooms.sweep.work([]).catch(ignore)
    },
    cut: (why, only) => {
      const { probes, opinions: asked, ...hub } = rooms
      for (const room of only ? [hub[only]] : Object.values(hub)) room.cut(why)
      if (!only) for (const room of [...probes.values(), ...asked.values()]) room.cut(why)
    },
  }
}
