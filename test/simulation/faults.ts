/** What goes wrong besides the targets, how often, and how it is counted. */
import type { DeliveryResult } from '../../channels/contract.ts'
import { calmAtMs, minuteMs, startMs } from './calendar.ts'
import type { Dice } from './dice.ts'
import type { VirtualTime } from './virtual-time.ts'

export const faultKinds = [
  'crash',
  'power cut',
  'stall',
  'store conflict',
  'store locked',
  'answer lost',
  'store away',
  'nudge lost',
  'message doubled',
  'message late',
  'message out of order',
  'message again after its deduplication window',
  'send refused',
  'schedule late',
  'schedule doubled',
  'clock skewed',
  'clocks corrected',
  'deployment',
  'poison row',
  'questions broken',
  'channel fails',
  'channel hangs',
  'channel slow',
  'channel busy',
  'channel refuses',
  'channel throws',
  'channel answers too late',
  'channel hangs up after taking it',
] as const
export type FaultKind = (typeof faultKinds)[number]
export type FaultCounts = Record<FaultKind, number>

export const noFaults = (): FaultCounts => {
  const counts: Partial<FaultCounts> = {}
  for (const kind of faultKinds) counts[kind] = 0
  return counts as FaultCounts // Every kind has just been given a count.
}

export type Faults = {
  on: () => boolean
  /** Does this go wrong now, one time in so many? Counted if it does. */
  strikes: (kind: FaultKind, oneIn: number) => boolean
  counts: FaultCounts
  /** Spans in which the store answers nobody. */
  away: readonly { fromMs: number; toMs: number }[]
}

/** Faults come thick in some towns and are rare in others, where each has the stage to itself. */
const weathers = [0.5, 1, 1, 2] as const

export const faultsOf = (dice: Dice, time: VirtualTime): Faults => {
  const counts = noFaults()
  const rarer = dice.pick(weathers)
  const on = () => time.nowMs() < calmAtMs
  const fromMs = startMs + dice.between(minuteMs, 18 * minuteMs)
  let struck = 0
  // However fine the weather, a minute or two does not pass without a fault.
  const isOverdue = () => struck < (time.nowMs() - startMs) / (1.5 * minuteMs) - 1
  return {
    on,
    counts,
    strikes: (kind, oneIn) => {
      const strikes = on() && dice.oneIn(isOverdue() ? oneIn / 10 : oneIn * rarer)
      if (!strikes) return false
      struck++
      counts[kind]++
      return true
    },
    away: dice.oneIn(4) ? [{ fromMs, toMs: fromMs + dice.between(5000, minuteMs) }] : [],
  }
}

type Mood = 'works' | 'slow' | 'busy' | 'fails' | 'hangs' | 'refuses' | 'throws' | 'late' | 'hangs up'
const moods: readonly Mood[] = [
  'works',
  'works',
  'works',
  'slow',
  'busy',
  'fails',
  'hangs',
  'refuses',
  'throws',
  'late',
  'hangs up',
]
const moodFault: Readonly<Record<Exclude<Mood, 'works'>, FaultKind>> = {
  slow: 'channel slow',
  busy: 'channel busy',
  fails: 'channel fails',
  hangs: 'channel hangs',
  refuses: 'channel refuses',
  throws: 'channel throws',
  late: 'channel answers too late',
  'hangs up': 'channel hangs up after taking it',
}

const moodForMs = 45_000

/** How a channel behaves at a time: one mood for a while, then another. */
export const moodOf = (seed: number, channel: string, atMs: number): Mood => {
  let mixed = (seed * 2_654_435_761 + Math.floor(atMs / moodForMs) * 40_503) >>> 0
  for (let index = 0; index < channel.length; index++) mixed = Math.imul(mixed ^ channel.charCodeAt(index), 16_777_619)
  return moods[((mixed ^ (mixed >>> 15)) >>> 0) % moods.length] ?? 'works'
}

/** One attempt at a provider in that mood, cut off after ten seconds; `arrived` is called when it took the message. */
export const attempt = async (
  mood: Mood,
  arrived: () => void,
  { time, dice, faults }: { time: VirtualTime; dice: Dice; faults: Faults },
): Promise<DeliveryResult> => {
  if (mood !== 'works') faults.counts[moodFault[mood]]++
  await time.sleep(dice.between(5, 200))
  if (mood === 'throws') throw new Error('secret:TOKEN is not set')
  if (mood === 'refuses') return { status: 'rejected', cause: '403' }
  if (mood === 'fails') return { status: 'retry', cause: '503' }
  if (mood === 'busy') {
    return { status: 'retry', cause: '429', afterMs: dice.oneIn(4) ? 900_000 : dice.between(500, 90_000) }
  }
  if (mood !== 'hangs') arrived()
  if (mood === 'hangs up') return { status: 'retry', cause: 'socket hang up', mayHaveArrived: true }
  if (mood === 'slow') await time.sleep(4000)
  if (mood !== 'late' && mood !== 'hangs') return { status: 'delivered' }
  await time.sleep(9800)
  return { status: 'retry', cause: 'no answer within 10 s', mayHaveArrived: true }
}
