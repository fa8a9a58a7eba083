/** Every function's real step, each with a world that belongs to one process. */
import type { Taker } from '../../functions/api/acknowledgement.ts'
import { wishOf } from '../../functions/api/silences.ts'
import { acknowledgeStep } from '../../functions/api/step.ts'
import { endSilenceStep, silenceStep } from '../../functions/api/step-silences.ts'
import type { SilenceBody } from '../../functions/api-contract.ts'
import type { Nudge, Observation } from '../../functions/contract.ts'
import { correlateStep } from '../../functions/correlate/step.ts'
import { deliverStep, overdue } from '../../functions/deliver/step.ts'
import { evaluateStep } from '../../functions/evaluate/step.ts'
import type { ScheduleMessage } from '../../functions/probe/due.ts'
import { scheduleStep } from '../../functions/probe/step-schedule.ts'
import { secondOpinionStep } from '../../functions/probe/step-second-opinion.ts'
import { publishStep } from '../../functions/publish/step.ts'
import { shardOf } from '../../functions/shards.ts'
import { silenceId } from '../../functions/silence-id.ts'
import { sweepRounds } from '../../functions/sweep/step-rounds.ts'
import { triageStep } from '../../functions/triage/step.ts'
import { memoryBlobs } from '../../stores/memory.ts'
import { attempt, moodOf } from './faults.ts'
import { meaningOf } from './ledger.ts'
import { atOnce, type Life, mortal, storeOf } from './life.ts'
import type { Queues } from './queues.ts'
import { home } from './town.ts'
import { verdictAt } from './troubles.ts'
import type { World } from './world.ts'

/** What a function that is read by a queue must not swallow: the message comes again. */
const orAgain = async <R extends { status: string }>(result: Promise<R>): Promise<R> => {
  const answer = await result
  if (answer.status === 'conflict') throw new Error('conflict')
  return answer
}

/** What the clock of a process shows. */
const clockOf = (world: World, life: Life) => () => world.time.nowMs() + world.jumpMs + life.skewMs

const ground = (world: World, life: Life, queues: Queues) => ({
  store: storeOf(world, life),
  nowMs: clockOf(world, life),
  nudge: (nudges: readonly Nudge[]) =>
    mortal(world, life)('nudge', () => {
      for (const nudge of world.mutant.nudge?.(nudges) ?? nudges) queues.nudge(nudge, life.name)
    }),
})

const told = (world: World, life: Life, what: string) => world.story.tell(world.time.nowMs(), life.name, () => what)

const evaluate = (world: World, queues: Queues) => (life: Life) => {
  const { town, rulesOf, shards, mutant, ledger } = world
  const step = evaluateStep({ ...ground(world, life, queues), locations: town.locations, shards, rulesOf, home })
  return async ([given]: readonly Observation[]) => {
    if (!given) return
    const { changes } = await evaluated(step(mutant.observation?.(given) ?? given))
    ledger.heard.push({ observation: given, atMs: world.time.nowMs() })
    for (const { alertId, to, reason } of changes) told(world, life, `alert ${alertId} is ${to}: ${reason}`)
  }
}

const evaluated = async (result: ReturnType<ReturnType<typeof evaluateStep>>) => {
  const answer = await orAgain(result)
  return answer.status === 'evaluated' ? answer : { changes: [] }
}

const correlate = (world: World, queues: Queues) => (life: Life) => {
  const step = correlateStep({ ...ground(world, life, queues), view: world.mutant.view?.(world.view) ?? world.view })
  return async (rowIds: readonly string[]) => {
    const result = await orAgain(step([...new Set(rowIds)]))
    told(world, life, `${result.status} ${rowIds.join(' ')}`)
  }
}

const triage = (world: World, queues: Queues) => (life: Life) => {
  const { time, dice, faults } = world
  const { nowMs, ...rest } = ground(world, life, queues)
  const call = mortal(world, life)
  const step = triageStep({
    ...rest,
    nowMs,
    investigate: ({ incidentId }) =>
      call('investigate', async () => {
        await time.sleep(dice.between(100, 4000))
        if (incidentId.startsWith('poison')) throw new Error('there is no such thing')
        if (faults.strikes('questions broken', 6)) throw new Error('the questions broke')
        return { incidentId, atMs: nowMs(), headline: 'no suspect', answers: [], suspects: [] }
      }),
  })
  return async ([rowId]: readonly string[]) => rowId !== undefined && step(rowId)
}

const deliver = (world: World, queues: Queues) => (life: Life) => {
  const { time, dice, faults, seed, ledger, story, mutant } = world
  const call = mortal(world, life)
  const own = ground(world, life, queues)
  const step = deliverStep({
    ...own,
    random: dice.random,
    kindOf: () => 'webhook',
    ratePerMinute: () => 30,
    render: ({ order }) =>
      call('render', () => ({ body: `${order.id} ${meaningOf(order)}`, contentType: 'text/plain' })),
    send: (order, _, beginByMs) =>
      call('send', () => {
        if (own.nowMs() > beginByMs) return overdue
        const { id, incidentId, service, channel, event, component } = order
        const mood = faults.on() ? moodOf(seed, channel, time.nowMs()) : 'works'
        const arrived = () => {
          const arrival = { id, incidentId, service, channel, event, atMs: time.nowMs() }
          ledger.arrivals.push(component ? { ...arrival, to: component.to } : arrival)
          story.tell(time.nowMs(), channel, () => `gets ${id}: ${meaningOf(order)}`)
          queues.read(order)
        }
        const once = () => {
          if (mood !== 'works') story.tell(time.nowMs(), channel, () => `${mood} at ${id}`)
          return attempt(mood, arrived, { time, dice, faults })
        }
        return mutant.send?.(once) ?? once()
      }),
  })
  return async ([rowId]: readonly string[]) => {
    if (rowId === undefined) return
    const result = await step(rowId)
    if (result.status === 'later') queues.nudge({ to: 'deliver', rowId, afterMs: result.afterMs }, life.name)
  }
}

const publish = (world: World, queues: Queues) => (life: Life) => {
  const { town, shards } = world
  const { store, nowMs } = ground(world, life, queues)
  const monitors = town.monitors.map(({ id, ...monitor }) => ({ ...monitor, monitorId: id, target: id }))
  const config = { title: 'town', shards, locations: town.locations, monitors }
  const blobs = memoryBlobs()
  const call = mortal(world, life)
  const put = (key: string, bytes: Uint8Array) => call('blobs.put', () => blobs.put(key, bytes))
  const step = publishStep({ store, nowMs, blobs: { ...blobs, put }, render: ({ overall }) => overall, config })
  return async (rowIds: readonly string[]) => step(...rowIds)
}

const sweep = (world: World, queues: Queues) => (life: Life) => {
  const { time, ledger, shards } = world
  const call = mortal(world, life)
  const { nowMs, ...rest } = ground(world, life, queues)
  const rounds = sweepRounds({
    ...rest,
    nowMs,
    shards,
    quarantined: ({ id }) => {
      ledger.quarantined.push(id)
      told(world, life, `sets ${id} aside`)
    },
    waitUntil: (atMs) => call('waitUntil', () => time.sleep(atMs - nowMs())),
  })
  return () => rounds()
}

/** What a person asks of the `api`. */
export type Errand =
  | { kind: 'acknowledge'; taker: Taker }
  | { kind: 'silence'; body: SilenceBody }
  | { kind: 'end-silence'; body: SilenceBody }

const api = (world: World, queues: Queues) => (life: Life) => {
  const around = { ...ground(world, life, queues), warn: () => undefined }
  const [acknowledge, silence, endSilence] = [acknowledgeStep(around), silenceStep(around), endSilenceStep(around)]
  return async ([errand]: readonly Errand[]) => {
    if (!errand) return
    if (errand.kind !== 'acknowledge') {
      const id = silenceId(wishOf(errand.body, 0))
      const { ok } = await (errand.kind === 'silence' ? silence(errand.body) : endSilence({ id, by: 'lena' }))
      return told(world, life, `is asked for ${errand.kind} ${id}: ${ok ? 'yes' : 'no'}`)
    }
    const receiver = errand.taker
    const { status } = await acknowledge(receiver)
    const who = 'channel' in receiver ? receiver.channel : receiver.by
    told(world, life, `${who} takes on ${receiver.incidentId}: ${status}`)
  }
}

/** A look takes next to no time where all is well; `atOnce` because there are thousands of them. */
const lookFrom = (world: World, life: Life, location: string) => {
  const { time, truth, dice, faults } = world
  const [instant, lasting] = [atOnce(world, life), mortal(world, life)]
  return (monitorId: string) => {
    const seen = verdictAt(truth, { monitorId, location, atMs: time.nowMs() })
    const verdict = seen === 'fail' && faults.on() && dice.oneIn(12) ? 'unknown' : seen
    const sighting = { verdict, timingsMs: { total: 12 } }
    if (verdict !== 'fail') return instant('run', () => sighting)
    return lasting('run', () => ({
      ...sighting,
      cause: { phase: 'assert' as const, code: 'assert-status', detail: 'expected 2xx, saw 500' },
    }))
  }
}

const sender = (world: World, life: Life) => (observation: Observation) =>
  mortal(world, life)('send', () => {
    if (world.faults.strikes('send refused', 40)) throw new Error('not sent')
    world.observe(observation)
    if (world.faults.strikes('answer lost', 60)) throw new Error('no answer')
  })

const waiter = (world: World, life: Life) => async (atMs: number) => {
  const waitMs = atMs - clockOf(world, life)()
  if (waitMs > 0) await mortal(world, life)('waitUntil', () => world.time.sleep(waitMs))
}

const probe = (world: World, location: string) => (life: Life) => {
  const { town } = world
  const nowMs = clockOf(world, life)
  const step = scheduleStep({
    nowMs,
    location,
    run: lookFrom(world, life, location),
    limit: (work) => work(),
    send: sender(world, life),
    waitUntil: waiter(world, life),
    monitorsOf: ({ shard, periodSeconds }) => {
      const count = Number(shard.split('/')[1])
      return town.monitors
        .filter((one) => one.periodSeconds === periodSeconds && one.locations.includes(location))
        .flatMap(({ id }) => (shardOf(id, count) === shard ? [id] : []))
    },
  })
  return async ([message]: readonly ScheduleMessage[]) => {
    const lost = message ? (await step(message)).lost : []
    if (lost.length > 0) throw new Error('observations not sent')
  }
}

const secondOpinion = (world: World, location: string) => (life: Life) => {
  const step = secondOpinionStep({
    nowMs: clockOf(world, life),
    location,
    run: lookFrom(world, life, location),
    send: sender(world, life),
    waitUntil: waiter(world, life),
  })
  return async ([rowId]: readonly string[]) => {
    if (rowId === undefined) return
    const { status } = await step(rowId)
    told(world, life, `second opinion on ${rowId}: ${status}`)
  }
}

export const functions = { evaluate, correlate, triage, deliver, publish, sweep, api, probe, secondOpinion }
