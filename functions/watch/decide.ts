import { type PulseStage, pulseStages, type WatchMemory } from '../watch-state.ts'

/** When the newest pulse that passed each stage had set out; a stage no pulse ever passed is not there. */
export type PulsesMs = { readonly [stage in PulseStage]?: number }

/** What this location could see of the hub. */
export type Sight = { status: 'read'; pulsesMs: PulsesMs } | { status: 'unreadable'; why: string }

/** What that means. `stage` is the first that lets no pulse through. */
export type Finding =
  | { status: 'well' }
  | { status: 'stuck'; stage: PulseStage; pulsesMs: PulsesMs }
  | { status: 'never'; stage: PulseStage; pulsesMs: PulsesMs }
  | { status: 'unreadable'; why: string }

export type WatchReason =
  | 'pulse-fresh'
  | 'waiting-for-first-pulse'
  | 'never-came-up'
  | 'first-miss'
  | 'same-miss'
  | 'second-miss'
  | 'still-dead'
  | 'reminder-due'
  | 'back'

/** A page and what it is about. `sinceMs` is the last sign of life, or when its absence was first seen. */
export type Told = { event: 'opened' | 'updated' | 'resolved'; finding: Finding; sinceMs: number; everUp: boolean }

export type WatchDecision = { reason: WatchReason; finding: Finding; memory: WatchMemory; page?: Told }

/**
 * A pulse older than this is a miss. `sweep` and `watch` are both started up to 60 s late, each by its own amount, so
 * two pulses may lawfully set out 120 s apart. To wait that long at every look would lose a minute in every real death,
 * so a first miss may be wrong, and costs nothing; what a second one takes is {@link pulseLatestMs}.
 */
export const pulseFreshMs = 90_000
/** As old as the newest pulse can be while all works: 120 s between two, and 15 s on the way through cold functions. */
export const pulseLatestMs = 135_000
/** Two misses nearer to each other than this are one: a late look followed by one in time, or two at once. */
export const missesApartMs = 45_000
/** Two misses further apart than this are not in a row: nobody looked in between. */
const inARowMs = 5 * 60_000
/** A first deployment takes some minutes from the first location's schedule to the hub's first pulse. */
export const firstPulseWithinMs = 10 * 60_000
/** Half a minute short of the half hour, or a look that comes a little early would make it one minute more. */
export const reminderEveryMs = 30 * 60_000 - 30_000
/** A pulse from further ahead was dated by a wrong clock, and would hide a death for as long. */
const aheadMs = 2 * 60_000

/** What the pulses say. A pulse that passed `deliver` passed everything, whatever the other stages' items say. */
export const judgePulses = (sight: Sight, nowMs: number): Finding => {
  if (sight.status === 'unreadable') return sight
  const { pulsesMs } = sight
  const isFresh = (stage: PulseStage) => nowMs - (pulsesMs[stage] ?? Number.NEGATIVE_INFINITY) <= pulseFreshMs
  const { deliver } = pulsesMs
  if (deliver !== undefined && deliver > nowMs + aheadMs) {
    return { status: 'unreadable', why: 'the last pulse is dated in the future: a clock is wrong, there or here' }
  }
  if (isFresh('deliver')) return { status: 'well' }
  const stage = pulseStages.find((one) => !isFresh(one)) ?? 'deliver'
  return { status: deliver === undefined ? 'never' : 'stuck', stage, pulsesMs }
}

const lastSignMs = (finding: Finding, elseMs: number) =>
  finding.status === 'stuck' ? (finding.pulsesMs.deliver ?? elseMs) : elseMs

type Seen = { finding: Finding; nowMs: number }
type Dead = Extract<WatchMemory, { phase: 'dead' }>
type Missed = Extract<WatchMemory, { phase: 'missed' }>
type Waiting = Extract<WatchMemory, { phase: 'waiting' }>

const die = (
  { finding, nowMs }: Seen,
  reason: WatchReason,
  at: { sinceMs: number; everUp: boolean },
): WatchDecision => ({
  reason,
  finding,
  memory: { phase: 'dead', ...at, toldAtMs: nowMs },
  page: { event: 'opened', finding, ...at },
})

const whileWell = (memory: WatchMemory | undefined, { finding }: Seen): WatchDecision => {
  const well = { phase: 'well' } as const
  if (memory?.phase === 'well') return { reason: 'pulse-fresh', finding, memory }
  if (memory?.phase !== 'dead') return { reason: 'pulse-fresh', finding, memory: well }
  const { sinceMs, everUp } = memory
  return { reason: 'back', finding, memory: well, page: { event: 'resolved', finding, sinceMs, everUp } }
}

/** Times are compared by their distance: one that a wrong clock dated ahead must not stop the counting. */
const apartMs = (aMs: number, bMs: number) => Math.abs(aMs - bMs)

const whileDead = (memory: Dead, { finding, nowMs }: Seen): WatchDecision => {
  if (apartMs(nowMs, memory.toldAtMs) < reminderEveryMs) return { reason: 'still-dead', finding, memory }
  const { sinceMs, everUp } = memory
  const page: Told = { event: 'updated', finding, sinceMs, everUp }
  return { reason: 'reminder-due', finding, memory: { ...memory, toldAtMs: nowMs }, page }
}

const whileWaiting = (known: Waiting | undefined, seen: Seen): WatchDecision => {
  const { finding, nowMs } = seen
  const memory = known ?? { phase: 'waiting', sinceMs: nowMs }
  const { sinceMs } = memory
  if (apartMs(nowMs, sinceMs) >= firstPulseWithinMs) return die(seen, 'never-came-up', { sinceMs, everUp: false })
  return { reason: 'waiting-for-first-pulse', finding, memory }
}

const afterMiss = (memory: Missed, seen: Seen): WatchDecision => {
  const { finding, nowMs } = seen
  const { atMs } = memory
  const betweenMs = apartMs(nowMs, atMs)
  if (betweenMs > inARowMs) return firstMiss(seen)
  if (betweenMs < missesApartMs || mayStillCome(seen)) {
    return { reason: 'same-miss', finding, memory }
  }
  return die(seen, 'second-miss', { sinceMs: lastSignMs(finding, atMs), everUp: true })
}

/** One pulse may have come and gone between two late looks, and the next not be due yet. */
const mayStillCome = ({ finding, nowMs }: Seen): boolean =>
  finding.status === 'stuck' && nowMs - lastSignMs(finding, nowMs) <= pulseLatestMs

const firstMiss = ({ finding, nowMs }: Seen): WatchDecision => ({
  reason: 'first-miss',
  finding,
  memory: { phase: 'missed', atMs: nowMs },
})

/**
 * One look at the hub. Two misses in a row are its death: told at once, again every half hour, and once when it is
 * over. A hub never seen well is waited for longer; one whose old pulses are there has been up, so it is not.
 * The answer's `memory` is the given one when nothing has to be written.
 */
export const decideWatch = (memory: WatchMemory | undefined, sight: Sight, nowMs: number): WatchDecision => {
  const finding = judgePulses(sight, nowMs)
  const seen = { finding, nowMs }
  if (finding.status === 'well') return whileWell(memory, seen)
  if (memory?.phase === 'dead') return whileDead(memory, seen)
  if (memory?.phase === 'missed') return afterMiss(memory, seen)
  if (memory?.phase === 'well' || finding.status === 'stuck') return firstMiss(seen)
  return whileWaiting(memory, seen)
}
