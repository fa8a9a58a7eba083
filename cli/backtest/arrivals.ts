/** What a history holds as `evaluate` met it: in the order it arrived, a little at a time. */
import { staleAfterMs } from '../../functions/evaluate/decide.ts'
import type { HistoryMinute, HistoryPart, KeptOutcome } from '../../functions/history.ts'

/** What arrived together. Without outcomes it still says that the hub was there. */
export type Arrival = { atMs: number; outcomes: KeptOutcome[] }

const endOf = ({ startedAtMs, timingsMs }: KeptOutcome) => startedAtMs + timingsMs.total

/** A judgement or an alert's step says when it was; of a part where all was well, its last look has just ended. */
const arrivedAtMs = ({ outcomes, judgements, transitions }: HistoryPart): number => {
  const decided = [...judgements, ...transitions].map(({ atMs }) => atMs)
  return Math.round(Math.max(...(decided.length > 0 ? decided : outcomes.map(endOf))))
}

/** Holds back what is earlier than what came before it, until nothing earlier can come. */
class Waiting {
  #held: { atMs: number; outcomes: readonly KeptOutcome[] }[] = []

  add(atMs: number, outcomes: readonly KeptOutcome[]): void {
    this.#held.push({ atMs, outcomes })
  }

  /** Everything before `untilMs`, in order; what arrived at the same time as one. */
  take(untilMs: number): Arrival[] {
    const ready = this.#held.filter(({ atMs }) => atMs < untilMs).sort((a, b) => a.atMs - b.atMs)
    this.#held = this.#held.filter(({ atMs }) => atMs >= untilMs)
    const arrivals = Map.groupBy(ready, ({ atMs }) => atMs)
    return [...arrivals].map(([atMs, parts]) => ({ atMs, outcomes: parts.flatMap(({ outcomes }) => outcomes) }))
  }
}

/** Of minutes, the oldest first. What arrived late lies with the minute it is about, and is taken out of there. */
export async function* arrivalsOfMinutes(minutes: AsyncIterable<HistoryMinute>): AsyncGenerator<Arrival> {
  const waiting = new Waiting()
  let lastMs = Number.NEGATIVE_INFINITY
  for await (const { minuteMs, parts } of minutes) {
    // Nothing is seen before it is scheduled.
    if (minuteMs > lastMs) yield* waiting.take(minuteMs)
    lastMs = minuteMs
    for (const part of parts) {
      if (part.outcomes.length + part.transitions.length > 0) waiting.add(arrivedAtMs(part), part.outcomes)
    }
  }
  yield* waiting.take(Number.POSITIVE_INFINITY)
}

/** An outcome by itself, as a file of outcomes has it. `arrivedAtMs` is missing where nobody wrote it down. */
export type Line = { outcome: KeptOutcome; arrivedAtMs?: number | undefined; line: number }

/** The rest of a tick leaves in one message, so looks that end in the same second are one arrival. */
const togetherMs = 1000
const assumedMs = (outcome: KeptOutcome) => Math.ceil(endOf(outcome) / togetherMs) * togetherMs

/** More out of order than an alert would take notice of: such a file was not sorted. */
export class Unsorted extends Error {
  override name = 'Unsorted'
  readonly line: number
  constructor(line: number) {
    super(`line ${line} is more than ten minutes earlier than a line before it`)
    this.line = line
  }
}

/** Of outcomes in the order of their times, give or take ten minutes. Throws {@link Unsorted}. */
export async function* arrivalsOfLines(lines: AsyncIterable<Line>): AsyncGenerator<Arrival> {
  const waiting = new Waiting()
  let [latestMs, takenMs] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for await (const { outcome, arrivedAtMs: known, line } of lines) {
    const atMs = known ?? assumedMs(outcome)
    if (atMs < takenMs) throw new Unsorted(line)
    waiting.add(atMs, [outcome])
    latestMs = Math.max(latestMs, atMs)
    if (latestMs - staleAfterMs < takenMs + 60_000) continue
    takenMs = latestMs - staleAfterMs
    yield* waiting.take(takenMs)
  }
  yield* waiting.take(Number.POSITIVE_INFINITY)
}
