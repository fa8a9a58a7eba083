import type { Observation } from '../../functions/contract.ts'
import type { EvaluateResult } from '../../functions/evaluate/step.ts'

const tries = 5
const pauseMs = 200

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/**
 * The FIFO queue `observations` in one process: one shard's observations one after the other, shards side by side.
 * What still fails after its tries is dropped and told: the next tick looks again.
 */
export class Observations {
  #closed = false
  readonly #tails = new Map<string, Promise<void>>()
  readonly #evaluate: (observation: Observation) => Promise<EvaluateResult>
  readonly #dropped: (observation: Observation, why: unknown) => void

  constructor(
    evaluate: (observation: Observation) => Promise<EvaluateResult>,
    dropped: (observation: Observation, why: unknown) => void,
  ) {
    this.#evaluate = evaluate
    this.#dropped = dropped
  }

  /** Resolves when the observation has been applied or dropped. */
  send = (observation: Observation): Promise<void> => {
    if (this.#closed) return Promise.resolve()
    const before = this.#tails.get(observation.shard) ?? Promise.resolve()
    const after = before.then(() => this.#apply(observation))
    this.#tails.set(observation.shard, after)
    return after
  }

  /** Takes nothing new and waits for what it has. */
  close = async (): Promise<void> => {
    this.#closed = true
    await Promise.all(this.#tails.values())
  }

  #apply = async (observation: Observation): Promise<void> => {
    let why: unknown
    for (let index = 1; index <= tries; index++) {
      try {
        const { status } = await this.#evaluate(observation)
        if (status === 'evaluated') return
        why = status
      } catch (error) {
        why = error
      }
      await pause(pauseMs * index)
    }
    this.#dropped(observation, why)
  }
}
