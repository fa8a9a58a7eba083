import type { Observation } from '../../functions/contract.ts'
import type { EvaluateResult } from '../../functions/evaluate/step.ts'
import { storeIsAway } from '../../stores/contract.ts'

const tries = 5
const pauseMs = 200

/** So many outcomes of a shard wait at most, as they do while the store is away: several rounds of all its monitors. */
export const waitingLimit = 2000

/** What one step applies together: as many answers as it can tell of second opinions in its transaction. */
const foldedAtOnce = 20

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

type Waiting = { observation: Observation; done: () => void }

/** The first in line with the outcomes right behind it, as one: a step costs the same for one look as for all of them. */
const takeFolded = (line: Waiting[]): { observation: Observation; taken: Waiting[] } | undefined => {
  const [first] = line
  if (!first) return undefined
  if (first.observation.kind !== 'outcomes') return { observation: first.observation, taken: line.splice(0, 1) }
  const end = line.findIndex(({ observation }, index) => observation.kind !== 'outcomes' || index === foldedAtOnce)
  const taken = line.splice(0, end === -1 ? line.length : end)
  const outcomes = taken.flatMap(({ observation }) => (observation.kind === 'outcomes' ? observation.outcomes : []))
  return { observation: { ...first.observation, outcomes }, taken }
}

const sizeOf = ({ observation }: Waiting) => (observation.kind === 'outcomes' ? observation.outcomes.length : 1)

const passes = ({ verdict }: { verdict: string }) => verdict === 'pass'

/** Takes out of a line what is missed least: the oldest outcomes that passed, else the oldest outcomes, else the oldest. */
const takeLeast = (line: Waiting[]): Waiting | undefined => {
  const holds = (wanted: (outcome: { verdict: string }) => boolean) =>
    line.findIndex(({ observation }) => observation.kind === 'outcomes' && observation.outcomes.some(wanted))
  const passing = holds(passes)
  const index =
    passing === -1
      ? Math.max(
          0,
          holds(() => true),
        )
      : passing
  const one = line[index]
  if (one?.observation.kind !== 'outcomes') return line.splice(index, 1)[0]
  const kept = passing === -1 ? [] : one.observation.outcomes.filter((outcome) => !passes(outcome))
  if (kept.length === 0) return line.splice(index, 1)[0]
  const { observation } = one
  line[index] = { ...one, observation: { ...observation, outcomes: kept } }
  return { observation: { ...observation, outcomes: observation.outcomes.filter(passes) }, done: () => undefined }
}

/**
 * The FIFO queue `observations` in one process: one shard's observations one after the other, shards side by side;
 * outcomes that wait in line are applied together. What still fails after its tries is dropped and told: the next tick
 * looks again. So is what a line has no room for.
 */
export class Observations {
  #closed = false
  readonly #lines = new Map<string, Waiting[]>()
  readonly #working = new Map<string, Promise<void>>()
  readonly #evaluate: (observation: Observation) => Promise<EvaluateResult>
  readonly #dropped: (observation: Observation, why: unknown) => void
  readonly #pause: (ms: number) => Promise<void>

  constructor(
    evaluate: (observation: Observation) => Promise<EvaluateResult>,
    dropped: (observation: Observation, why: unknown) => void,
    waits = pause,
  ) {
    this.#evaluate = evaluate
    this.#dropped = dropped
    this.#pause = waits
  }

  /** Resolves when the observation has been applied or dropped. */
  send = (observation: Observation): Promise<void> => {
    if (this.#closed) return Promise.resolve()
    const { shard } = observation
    const { promise, resolve } = Promise.withResolvers<void>()
    const line = this.#lines.get(shard) ?? []
    this.#lines.set(shard, line)
    line.push({ observation, done: resolve })
    this.#makeRoom(line)
    if (!this.#working.has(shard)) {
      const work = this.#work(line).finally(() => this.#working.delete(shard))
      this.#working.set(shard, work)
    }
    return promise
  }

  /** Takes nothing new and waits for what it has. */
  close = async (): Promise<void> => {
    this.#closed = true
    await Promise.all(this.#working.values())
  }

  #makeRoom = (line: Waiting[]): void => {
    let size = line.reduce((sum, one) => sum + sizeOf(one), 0)
    while (size > waitingLimit) {
      const least = takeLeast(line)
      if (!least) return
      size -= sizeOf(least)
      this.#dropped(least.observation, `more than ${waitingLimit} wait for the store`)
      least.done()
    }
  }

  #work = async (line: Waiting[]): Promise<void> => {
    for (let next = takeFolded(line); next; next = takeFolded(line)) {
      const { observation, taken } = next
      const why = await this.#apply(observation)
      if (why !== undefined) await this.#applyEach(taken, why)
      for (const { done } of taken) done()
    }
  }

  /** One that cannot be applied must not take along those it was folded with; without a store none can. */
  #applyEach = async (taken: readonly Waiting[], whyNotAll: unknown): Promise<void> => {
    for (const { observation } of taken) {
      const why = taken.length === 1 || storeIsAway(whyNotAll) ? whyNotAll : await this.#apply(observation)
      if (why !== undefined) this.#dropped(observation, why)
    }
  }

  /** Why it could not be applied, if so. */
  #apply = async (observation: Observation): Promise<unknown> => {
    let why: unknown
    for (let index = 1; index <= tries; index++) {
      try {
        const { status } = await this.#evaluate(observation)
        if (status === 'evaluated') return undefined
        why = status
      } catch (error) {
        why = error
      }
      await this.#pause(pauseMs * index)
    }
    return why
  }
}
