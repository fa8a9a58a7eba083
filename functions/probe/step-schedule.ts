/**
 * Reads a schedule's message; runs its ticks at their times, each as `step.ts` does; sends what they saw.
 * One lost message loses no other: what could not be sent is answered when everything has run.
 * Run twice: the ticks have the same times, so their observations have the same ids.
 */
import type { Observation } from '../contract.ts'
import { type Due, dueTicks, type ScheduleMessage } from './due.ts'
import { type ProbeWorld, probeStep } from './step.ts'

export type ScheduleWorld = ProbeWorld & {
  /** Which monitors of this location the message asks for. */
  monitorsOf: (message: ScheduleMessage) => readonly string[]
}

export type ScheduleResult = Due & { monitors: number; lost: { id: string; cause: string }[] }

const causeOf = (thrown: unknown) => (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown))

/** Answers one message of a schedule. */
export const scheduleStep =
  (world: ScheduleWorld) =>
  async (message: ScheduleMessage): Promise<ScheduleResult> => {
    const due = dueTicks(message, world.nowMs())
    const monitorIds = world.monitorsOf(message)
    const lost: ScheduleResult['lost'] = []
    const send = async (observation: Observation) => {
      // Two periods of a shard tick at the same time: without its period the second would pass for the first one again.
      const id = `${observation.id}/${message.periodSeconds}s`
      try {
        await world.send({ ...observation, id })
      } catch (thrown) {
        lost.push({ id, cause: causeOf(thrown) })
      }
    }
    const probe = probeStep({ ...world, send })
    const tick = async (scheduledAtMs: number) => {
      await world.waitUntil(scheduledAtMs)
      await probe({ shard: message.shard, scheduledAtMs, monitorIds })
    }
    if (monitorIds.length > 0) await Promise.all(due.ticksMs.map(tick))
    return { ...due, monitors: monitorIds.length, lost }
  }
