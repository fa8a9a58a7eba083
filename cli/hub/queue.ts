import type { Nudge, OutboxRow } from '../../functions/contract.ts'

export type Destination = OutboxRow['to']

/** Works on rows; answers the ones that must be tried again, and when. */
export type Consumer = {
  /** How many calls may run side by side. */
  concurrency: number
  /** How many rows one call takes. */
  batch: number
  /** Rows that may hold each other up, such as those of one channel; every group has calls of its own. */
  groupOf?: (rowId: string) => string
  consume: (rowIds: readonly string[]) => Promise<{ rowId: string; afterMs: number }[]>
}

export type QueueOptions = {
  consumers: Readonly<Record<Destination, Consumer>>
  /** A consumer threw: the row stays in the store and the sweep will bring it back. */
  failed: (to: Destination, rowIds: readonly string[], error: unknown) => void
}

/** A longer delay is waited for in steps, since timers take no more than 24 days. */
const longestTimerMs = 3_600_000

type Lane = { to: Destination; waiting: Set<string>; running: Set<string>; again: Set<string>; calls: number }

/**
 * SQS in one process: nudges become calls of the consumers, with delays, batches and a bound on concurrency. Nothing
 * in here is remembered: a lost nudge is found by the sweep.
 */
export class Queue {
  readonly #lanes = new Map<string, Lane>()
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
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        this.#enqueue(nudge.to, nudge.rowId)
      },
      Math.min(nudge.afterMs, longestTimerMs),
    )
    this.#timers.add(timer)
  }

  #lane = (to: Destination, rowId: string): Lane => {
    const name = `${to} ${this.#options.consumers[to].groupOf?.(rowId) ?? ''}`
    const known = this.#lanes.get(name)
    if (known) return known
    const lane: Lane = { to, waiting: new Set(), running: new Set(), again: new Set(), calls: 0 }
    this.#lanes.set(name, lane)
    return lane
  }

  #enqueue = (to: Destination, rowId: string) => {
    if (!this.#open) return
    const lane = this.#lane(to, rowId)
    if (lane.running.has(rowId)) lane.again.add(rowId)
    else lane.waiting.add(rowId)
    this.#drain(lane)
  }

  #drain = (lane: Lane) => {
    const { concurrency, batch } = this.#options.consumers[lane.to]
    while (this.#open && lane.waiting.size > 0 && lane.calls < concurrency) {
      const rowIds = [...lane.waiting].slice(0, batch)
      for (const rowId of rowIds) {
        lane.waiting.delete(rowId)
        lane.running.add(rowId)
      }
      lane.calls++
      void this.#call(lane, rowIds)
    }
  }

  #call = async (lane: Lane, rowIds: readonly string[]) => {
    const { to } = lane
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
    this.#drain(lane)
    if (!this.#busy()) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
