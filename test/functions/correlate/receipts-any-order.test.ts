import { test } from '@jest/globals'
import fc from 'fast-check'
import type { DeliveryOrder } from '../../../functions/contract.ts'
import type { HubDecision, HubView } from '../../../functions/correlate/hub.ts'
import { deadlineMs } from '../../../functions/correlate/timers.ts'
import { hubView, start } from '../builders.ts'
import { apply, firing, nothing, orders, over, receipt } from './hub.ts'

const base = hubView([{ channels: ['a', 'b'], escalateAfterSeconds: 60 }, { channels: ['c'] }], ['a', 'b', 'c'])
const view: HubView = { ...base, grouping: { ...base.grouping, reopenMs: 300_000, updateEveryMs: 1000 } }

type Move =
  | { kind: 'fire' | 'end'; alert: string }
  | { kind: 'answer'; nth: number; how: 'delivered' | 'rejected' | 'doubtful' }
  | { kind: 'wait'; seconds: number }

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constantFrom('fire' as const, 'end' as const), alert: fc.constantFrom('x', 'y') }),
  fc.record({
    kind: fc.constant('answer' as const),
    nth: fc.nat(5),
    how: fc.constantFrom('delivered' as const, 'rejected' as const, 'doubtful' as const),
  }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 90 }) }),
)

/** What one channel was brought: what its receiver believes; the same message twice is one. */
class Receiver {
  told: 'nothing' | 'page' | 'end' = 'nothing'
  /** The sender cannot know that the last end arrived, so it may say it again. */
  #mayHearAgain = false
  readonly #heard = new Set<string>()
  hear({ event, id }: DeliveryOrder, how: 'delivered' | 'doubtful'): void {
    if (this.#heard.has(id)) return
    this.#heard.add(id)
    const isPage = event === 'opened' || event === 'reopened'
    if (event === 'resolved' && this.told !== 'page' && !this.#mayHearAgain)
      throw new Error(`${id}: an end without a page`)
    if (!isPage && event !== 'resolved' && this.told !== 'page') throw new Error(`${id}: ${event} without a page`)
    if (event === 'reopened' && this.told === 'nothing') throw new Error(`${id}: back without a page`)
    if (event === 'resolved') this.#mayHearAgain = how === 'doubtful'
    this.told = isPage ? 'page' : event === 'resolved' ? 'end' : this.told
  }
}

/** A receiver follows each incident for itself. */
const threadOf = ({ incidentId, channel }: DeliveryOrder) => `${incidentId} on ${channel}`

class World {
  hub: HubDecision = nothing
  nowMs = start
  #seen = 0
  #flying: DeliveryOrder[] = []
  readonly receivers = new Map<string, Receiver>()

  #say(message: Parameters<typeof apply>[1]): void {
    this.hub = apply(this.hub, message, { view, afterMs: this.nowMs - start })
    const all = orders(this.hub)
    this.#flying.push(...all.slice(this.#seen))
    this.#seen = all.length
  }

  get flying(): number {
    return this.#flying.length
  }

  answer(nth: number, how: 'delivered' | 'rejected' | 'doubtful'): void {
    const [order] = this.#flying.splice(nth % Math.max(1, this.#flying.length), 1)
    if (!order) return
    if (this.#flying.some((other) => threadOf(other) === threadOf(order))) throw new Error(`${order.id}: two at once`)
    // In doubt, it arrived.
    if (how !== 'rejected') {
      const receiver = this.receivers.get(threadOf(order)) ?? new Receiver()
      this.receivers.set(threadOf(order), receiver)
      receiver.hear(order, how)
    }
    const status = how === 'delivered' ? 'delivered' : 'rejected'
    this.#say(receipt(order, status, how === 'doubtful' ? { mayHaveArrived: true } : {}))
  }

  play(one: Move): void {
    if (one.kind === 'answer') this.answer(one.nth, one.how)
    else if (one.kind === 'wait') this.pass(one.seconds)
    else {
      const more = { alertId: one.alert, ruleId: one.alert }
      this.#say(one.kind === 'fire' ? firing(more) : over(more))
    }
  }

  pass(seconds: number): void {
    this.nowMs += seconds * 1000
    for (const incident of this.hub.incidents.values()) {
      const atMs = deadlineMs(incident, { view, nowMs: this.nowMs })
      if (atMs !== undefined && atMs <= this.nowMs) this.#say({ kind: 'incident-timer', incidentId: incident.id })
    }
  }

  /** Everything works from now on. */
  settle(): void {
    for (let left = 200; this.flying > 0; left--) {
      if (left === 0) throw new Error('it never comes to rest')
      this.answer(0, 'delivered')
    }
  }
}

test('whatever is refused, in doubt or late: pages first, one end for whoever was paged, and somebody is reached', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const world = new World()
      for (const one of moves) world.play(one)
      world.settle()
      const [incident] = [...world.hub.incidents.values()].slice(-1)
      const told = [...world.receivers].flatMap(([thread, one]) =>
        thread.startsWith(`${incident?.id} `) ? [one.told] : [],
      )
      if (incident && incident.counts.firing > 0 && !told.includes('page')) throw new Error('nobody has the page')
      for (const alert of ['x', 'y']) world.play({ kind: 'end', alert })
      world.settle()
      world.pass(3600)
      world.settle()
      for (const [thread, { told }] of world.receivers) {
        if (told === 'page') throw new Error(`${thread} was never told of the end`)
      }
      for (const { channels } of world.hub.incidents.values()) {
        for (const [channel, { inFlight, waiting }] of Object.entries(channels)) {
          if (inFlight || waiting.length > 0) throw new Error(`${channel} waits for ever`)
        }
      }
    }),
    { numRuns: 2000 },
  )
})
