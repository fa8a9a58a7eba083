/** Queues as SQS has them: standard ones, and FIFO ones with groups, deduplication and visibility time-outs. */

import { minuteMs } from './calendar.ts'
import type { Dice } from './dice.ts'
import type { FaultKind, Faults } from './faults.ts'
import type { VirtualTime } from './virtual-time.ts'

export type Ground = { time: VirtualTime; dice: Dice; faults: Faults }

/** Works on messages that were received together; rejects, or never ends, when they must come again. */
type Work<M> = (messages: readonly M[]) => Promise<unknown>

type Options<M> = { visibilityMs: number; receives: number; work: Work<M> }
export type Send<M> = (message: M, at: { id: string; group: string; afterMs?: number }) => void
export type Network = {
  /** A message may be received more than once and in any order. */
  standard: <M>(options: Options<M>) => Send<M>
  /** In order within a group, one batch of it at a time, while its consumer lives and is quick enough. */
  fifo: <M>(options: Options<M> & { batch: number }) => Send<M>
}

/** What comes of work: done, or to be received again when its messages are visible again. */
const outcome = (work: Promise<unknown>, done: () => void) => {
  work.then(done, () => undefined)
}

const copiesOf = ({ faults }: Ground, lost: FaultKind) =>
  faults.strikes(lost, 6) ? 0 : faults.strikes('message doubled', 8) ? 2 : 1

/** A queue that loses nudge after nudge is none: what is nudged so often and never consumed is rightly set aside. */
const lostInARow = 2

const latencyMs = ({ dice, faults }: Ground) =>
  faults.strikes('message late', 6) ? dice.between(500, 15_000) : dice.between(5, 60)

const standard =
  (ground: Ground): Network['standard'] =>
  ({ visibilityMs, receives, work }) => {
    const { time } = ground
    type M = Parameters<typeof work>[0][number]
    const receive = (message: M, nth: number) => {
      let isDone = false
      outcome(work([message]), () => {
        isDone = true
      })
      if (nth >= receives) return
      time.at(time.nowMs() + visibilityMs, () => {
        if (!isDone) receive(message, nth + 1)
      })
    }
    const lost = new Map<M, number>()
    return (message, { afterMs = 0 }) => {
      const before = lost.get(message) ?? 0
      const given = copiesOf(ground, 'nudge lost')
      lost.set(message, given === 0 ? before + 1 : 0)
      for (let copies = before < lostInARow ? given : Math.max(1, given); copies > 0; copies--) {
        time.at(time.nowMs() + afterMs + latencyMs(ground), () => receive(message, 1))
      }
    }
  }

/** SQS forgets ids after five minutes; whatever is sent again by then is a new message. */
const deduplicatedMs = 5 * minuteMs

type Waiting<M> = { message: M; receives: number }
type Group<M> = { waiting: Waiting<M>[]; busy: number }

const fifo =
  (ground: Ground): Network['fifo'] =>
  ({ visibilityMs, receives, batch, work }) => {
    const { time, dice, faults } = ground
    // Where a queue keeps no order, as in one process, two consumers work on the same things at once.
    const isCrowded = dice.oneIn(3)
    type M = Parameters<typeof work>[0][number]
    const groups = new Map<string, Group<M>>()
    const known = new Map<string, number>()
    const kick = (group: Group<M>) => {
      const consumers = isCrowded && faults.on() ? 2 : 1
      if (group.busy >= consumers || group.waiting.length === 0) return
      const taken = group.waiting.splice(0, batch)
      group.busy++
      let isOver = false
      const free = (again: readonly Waiting<M>[]) => {
        if (isOver) return
        isOver = true
        group.waiting.unshift(...again)
        group.busy--
        kick(group)
      }
      outcome(work(taken.map(({ message }) => message)), () => free([]))
      time.at(time.nowMs() + visibilityMs, () => {
        const again = taken.map((one) => ({ ...one, receives: one.receives + 1 }))
        free(again.filter((one) => one.receives < receives))
      })
    }
    const enqueue = (message: M, name: string) => {
      const group: Group<M> = groups.get(name) ?? { waiting: [], busy: 0 }
      groups.set(name, group)
      group.waiting.push({ message, receives: 0 })
      kick(group)
    }
    return (message, { id, group, afterMs = 0 }) => {
      const nowMs = time.nowMs()
      if (nowMs < (known.get(id) ?? 0)) return
      known.set(id, nowMs + deduplicatedMs)
      if (faults.strikes('nudge lost', 12)) return
      time.at(nowMs + afterMs + latencyMs(ground), () => enqueue(message, group))
      if (faults.strikes('message again after its deduplication window', 60)) {
        time.at(nowMs + deduplicatedMs + dice.between(0, minuteMs), () => enqueue(message, group))
      }
      // Neither behind the others nor alone: as a second sender, or a queue that is no FIFO, would hand it out.
      if (faults.strikes('message out of order', 15)) {
        time.at(nowMs + dice.between(0, dice.oneIn(2) ? 100 : 10_000), () => outcome(work([message]), () => undefined))
      }
    }
  }

export const networkOf = (ground: Ground): Network => ({ standard: standard(ground), fifo: fifo(ground) })
