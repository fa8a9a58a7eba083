import type { Nudge, OutboxRow } from '../../functions/contract.ts'

export type Destination = OutboxRow['to']

/** Works on rows; answers the ones that must be tried again, and when. */
export type Consumer = {
  /** How many calls may run side by side. */
  concurrency: number
  /** How many rows one call takes. */
  batch: number
  consume: (rowIds: readonly string[]) => Promise<{ rowId: string; afterMs: number }[]>
}

export type QueueOptions = {
  consumers: Readonly<Record<Destination, Consumer>>
  /** A consumer threw: the row stays in the store and the sweep will bring it back. */
  failed: (to: Destination, rowIds: readonly string[], error: unknown) => void
}

type Lane = { waiting: Set<string>; running: Set<string>; again: Set<string>; calls: number }

/**
 * SQS in one process: nudges become calls of the consumers, with delays, batches and a bound on concurrency. Nothing
 * in here is remembered: a lost nudge is found by the sweep.
 */
export class Queue {
  readonly #lanes = new Map<Destination, Lane>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #options: QueueOptions
  #open = true
  #idle: (() => void)[] = []

  constructor(options: QueueOptions) {
    this.#options = options
  }

  nudge = async (nudges: readonly Nudge[]): Promise<void> => {
    for (const { to, rowId, afterMs } of nudges) {
      if (afterMs > 0) this.#later({ to, rowId, afterMs })
      else this.#enqueue(to, rowId)
    }
  }

  inHand = (rowId: string): boolean =>
    [...this.#lanes.values()].some(({ waiting, running }) => waiting.has(rowId) || running.has(rowId))

  /** Takes nothing new and waits until what runs has ended. */
  close = async (): Promise<void> => {
    this.#open = false
    for (const timer of this.#timers) clearTimeout(timer)
    for (const lane of this.#lanes.values()) lane.waiting.clear()
    if (this.#busy()) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #busy = () => [...this.#lanes.values()].some(({ calls }) => calls > 0)

  #later = (nudge: Nudge) => {
    if (!this.#open) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#enqueue(nudge.to, nudge.rowId)
    }, nudge.afterMs)
    this.#timers.add(timer)
  }

  #lane = (to: Destination): Lane => {
    const known = this.#lanes.get(to)
    if (known) return known
    const lane: Lane = { waiting: new Set(), running: new Set(), again: new Set(), calls: 0 }
    this.#lanes.set(to, lane)
    return lane
  }

  #enqueue = (to: Destination, rowId: string) => {
    if (!this.#open) return
    const lane = this.#lane(to)
    if (lane.running.has(rowId)) lane.again.add(rowId)
    else lane.waiting.add(rowId)
    this.#drain(to)
  }

  #drain = (to: Destination) => {
    const lane = this.#lane(to)
    const { concurrency, batch } = this.#options.consumers[to]
    while (this.#open && lane.waiting.size > 0 && lane.calls < concurrency) {
      const rowIds = [...lane.waiting].slice(0, batch)
      for (const rowId of rowIds) {
        lane.waiting.delete(rowId)
        lane.running.add(rowId)
      }
      lane.calls++
      void this.#call(to, rowIds)
    }
  }

  #call = async (to: Destination, rowIds: readonly string[]) => {
    const lane = this.#lane(to)
    try {
      const later = await this.#options.consumers[to].consume(rowIds)
      for (const { rowId, afterMs } of later) this.#later({ to, rowId, afterMs })
    } catch (error) {
      this.#options.failed(to, rowIds, error)
    }
    lane.calls--
    for (const rowId of rowIds) {
      lane.running.delete(rowId)
      if (lane.again.delete(rowId)) lane.waiting.add(rowId)
    }
    this.#drain(to)
    if (!this.#busy()) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
