import { expect, test } from '@jest/globals'
import {
  decideWatch,
  firstPulseWithinMs,
  judgePulses,
  missesApartMs,
  pulseFreshMs,
  reminderEveryMs,
  type Sight,
} from '../../../functions/watch/decide.ts'
import type { WatchMemory } from '../../../functions/watch-state.ts'
import { start } from '../builders.ts'

const second = 1000
const minute = 60_000

/** A hub whose newest pulse through every stage is so old. */
const aged = (ageMs: number, nowMs = start): Sight => {
  const atMs = nowMs - ageMs
  return { status: 'read', pulsesMs: { evaluate: atMs, correlate: atMs, deliver: atMs } }
}
const nothing: Sight = { status: 'read', pulsesMs: {} }
const unreadable: Sight = { status: 'unreadable', why: 'AccessDeniedException: no' }
const well: WatchMemory = { phase: 'well' }
const missed = (agoMs: number): WatchMemory => ({ phase: 'missed', atMs: start - agoMs })
const dead = (toldAgoMs: number): WatchMemory => ({
  phase: 'dead',
  sinceMs: start - 2 * minute - toldAgoMs,
  toldAtMs: start - toldAgoMs,
  everUp: true,
})

test.each([
  { given: 'of this minute', sight: aged(20 * second), then: 'well' },
  { given: 'as old as allowed', sight: aged(pulseFreshMs), then: 'well' },
  { given: 'older than that', sight: aged(pulseFreshMs + 1), then: 'stuck at evaluate' },
  { given: 'a little ahead of this clock', sight: aged(-30 * second), then: 'well' },
  { given: 'far ahead of this clock', sight: aged(-3 * minute), then: 'unreadable' },
  { given: 'never sent', sight: nothing, then: 'never at evaluate' },
  {
    given: 'stopped before correlate',
    sight: {
      status: 'read',
      pulsesMs: { evaluate: start, correlate: start - 5 * minute, deliver: start - 5 * minute },
    },
    then: 'stuck at correlate',
  },
  {
    given: 'stopped before deliver',
    sight: { status: 'read', pulsesMs: { evaluate: start, correlate: start, deliver: start - 4 * minute } },
    then: 'stuck at deliver',
  },
  {
    given: 'stopped before a deliver that never passed one',
    sight: { status: 'read', pulsesMs: { evaluate: start, correlate: start } },
    then: 'never at deliver',
  },
  {
    given: 'through deliver though evaluate could not note it',
    sight: { status: 'read', pulsesMs: { evaluate: start - 9 * minute, correlate: start, deliver: start } },
    then: 'well',
  },
] satisfies { given: string; sight: Sight; then: string }[])('a pulse $given: $then', ({ sight, then }) => {
  const found = judgePulses(sight, start)
  expect('stage' in found ? `${found.status} at ${found.stage}` : found.status).toBe(then)
})

test.each([
  { given: 'nothing known and a fresh pulse', memory: undefined, sight: aged(0), then: 'pulse-fresh', is: 'well' },
  { given: 'all well, as before', memory: well, sight: aged(0), then: 'pulse-fresh', is: 'well' },
  { given: 'one missing pulse', memory: well, sight: aged(100 * second), then: 'first-miss', is: 'missed' },
  { given: 'one failed read', memory: well, sight: unreadable, then: 'first-miss', is: 'missed' },
  {
    given: 'the same miss seen twice at once',
    memory: missed(second),
    sight: unreadable,
    then: 'same-miss',
    is: 'missed',
  },
  {
    given: 'two misses nearer than a minute, by lateness',
    memory: missed(missesApartMs - 1),
    sight: aged(134 * second),
    then: 'same-miss',
    is: 'missed',
  },
  { given: 'two misses in a row', memory: missed(minute), sight: aged(160 * second), then: 'second-miss', is: 'dead' },
  { given: 'two failed reads in a row', memory: missed(minute), sight: unreadable, then: 'second-miss', is: 'dead' },
  {
    given: 'a miss after one of the pulse before',
    memory: missed(100 * second),
    sight: aged(100 * second),
    then: 'same-miss',
    is: 'missed',
  },
  {
    given: 'a second miss of another sort',
    memory: missed(minute),
    sight: nothing,
    then: 'second-miss',
    is: 'dead',
  },
  {
    given: 'a miss an hour after the last look',
    memory: missed(60 * minute),
    sight: aged(100 * second),
    then: 'first-miss',
    is: 'missed',
  },
  {
    given: 'a miss that a wrong clock dated ahead',
    memory: missed(-2 * minute),
    sight: aged(160 * second),
    then: 'second-miss',
    is: 'dead',
  },
  { given: 'a pulse after one miss', memory: missed(minute), sight: aged(0), then: 'pulse-fresh', is: 'well' },
  { given: 'a hub still dead', memory: dead(minute), sight: aged(9 * minute), then: 'still-dead', is: 'dead' },
  {
    given: 'a hub dead for half an hour more',
    memory: dead(reminderEveryMs),
    sight: unreadable,
    then: 'reminder-due',
    is: 'dead',
  },
  { given: 'a dead hub that is back', memory: dead(minute), sight: aged(0), then: 'back', is: 'well' },
  {
    given: 'nothing known and no pulse yet',
    memory: undefined,
    sight: nothing,
    then: 'waiting-for-first-pulse',
    is: 'waiting',
  },
  {
    given: 'nothing known and no table yet',
    memory: undefined,
    sight: unreadable,
    then: 'waiting-for-first-pulse',
    is: 'waiting',
  },
  {
    given: 'a new location that finds old pulses: the hub has been up',
    memory: undefined,
    sight: aged(5 * minute),
    then: 'first-miss',
    is: 'missed',
  },
  {
    given: 'a first pulse still awaited',
    memory: { phase: 'waiting', sinceMs: start - firstPulseWithinMs + 1 },
    sight: nothing,
    then: 'waiting-for-first-pulse',
    is: 'waiting',
  },
  {
    given: 'a first pulse that never came',
    memory: { phase: 'waiting', sinceMs: start - firstPulseWithinMs },
    sight: nothing,
    then: 'never-came-up',
    is: 'dead',
  },
  {
    given: 'a first pulse that came',
    memory: { phase: 'waiting', sinceMs: start - minute },
    sight: aged(0),
    then: 'pulse-fresh',
    is: 'well',
  },
] satisfies { given: string; memory: WatchMemory | undefined; sight: Sight; then: string; is: WatchMemory['phase'] }[])(
  '$given: $then',
  ({ memory, sight, then, is }) => {
    const { reason, memory: next } = decideWatch(memory, sight, start)
    expect({ reason, phase: next.phase }).toEqual({ reason: then, phase: is })
  },
)

test.each([
  { given: 'well', memory: well, sight: aged(0) },
  { given: 'a repeated miss', memory: missed(second), sight: unreadable },
  { given: 'still dead', memory: dead(minute), sight: unreadable },
  { given: 'still waiting', memory: { phase: 'waiting', sinceMs: start - minute } as const, sight: nothing },
])('nothing is to be written while nothing changes: $given', ({ memory, sight }) => {
  const decision = decideWatch(memory, sight, start)
  expect(decision.memory).toEqual(memory)
  expect(decision.page).toBeUndefined()
})

type Minute = { pulse: number | undefined; watch: number }

/** Plays minutes: when in its minute `sweep` starts (undefined: it does not) and when `watch` does, in ms. */
const played = (minutes: readonly Minute[], travelMs: number): string[] => {
  const pulses = minutes.flatMap(({ pulse }, index) => (pulse === undefined ? [] : [start + index * minute + pulse]))
  const looks = minutes.map(({ watch }, index) => start + index * minute + watch).sort((a, b) => a - b)
  let memory: WatchMemory = { phase: 'well' }
  return looks.map((nowMs) => {
    const deliver = pulses.filter((atMs) => atMs + travelMs <= nowMs).at(-1) ?? start - minute
    const decision = decideWatch(memory, { status: 'read', pulsesMs: { deliver } }, nowMs)
    memory = decision.memory
    return decision.reason
  })
}

test('no lawful lateness of the schedules ever pages', () => {
  const starts = [0, 20, 40, 59.999].map((seconds) => seconds * second)
  const combinations = starts.flatMap((a) => starts.flatMap((b) => starts.map((c) => [a, b, c] as const)))
  const lateness = combinations.flatMap((sweeps) => combinations.map((watches) => ({ sweeps, watches })))
  const reasons = lateness.map(({ sweeps, watches }) => {
    const minutes = [0, 1, 2, 3, 4, 5, 6].map((index) => ({
      pulse: sweeps[index % 3],
      watch: watches[index % 3] ?? 0,
    }))
    return played(minutes, 15 * second)
  })
  expect(reasons.filter((each) => each.includes('first-miss')).length).toBeGreaterThan(100)
  expect(reasons.filter((each) => each.includes('second-miss'))).toEqual([])
})

test.each([0, 30, 59])('a sweep that stops is told within four minutes, with watch %i s into its minute', (offset) => {
  const minutes = [0, 1, 2, 3, 4, 5].map((index) => ({ pulse: index === 0 ? 0 : undefined, watch: offset * second }))
  const reasons = played(minutes, 0)
  const toldAfterMs = reasons.indexOf('second-miss') * minute + offset * second
  expect(toldAfterMs).toBeGreaterThan(135 * second)
  expect(toldAfterMs).toBeLessThanOrEqual(4 * minute)
})

test.each([0, 29, 30, 59])('and within six, however late watch is started, with it %i s into its minute', (offset) => {
  const late = [0, 20, 40, 59.999]
  const lateness = late.flatMap((a) => late.flatMap((b) => late.flatMap((c) => late.map((d) => [a, b, c, d]))))
  const toldAfterMs = lateness.map((seconds) => {
    const looks = Array.from({ length: 8 }, (_, nth) => (offset + (seconds[nth % 4] ?? 0)) * second + nth * minute)
    const minutes = looks.map((atMs, nth) => ({ pulse: nth === 0 ? 0 : undefined, watch: atMs - nth * minute }))
    return looks.toSorted((a, b) => a - b)[played(minutes, 0).indexOf('second-miss')] ?? Number.NaN
  })
  expect(Math.min(...toldAfterMs)).toBeGreaterThan(135 * second)
  expect(Math.max(...toldAfterMs)).toBeLessThanOrEqual(6 * minute)
})

test('what a page says of the beginning is the last sign of life, else the first look that had none', () => {
  expect(decideWatch(missed(minute), aged(160 * second), start).page?.sinceMs).toBe(start - 160 * second)
  expect(decideWatch(missed(minute), unreadable, start).page?.sinceMs).toBe(start - minute)
  const waiting: WatchMemory = { phase: 'waiting', sinceMs: start - firstPulseWithinMs }
  expect(decideWatch(waiting, nothing, start).page).toMatchObject({ sinceMs: waiting.sinceMs, everUp: false })
})

test('reminders and the end speak of the same beginning as the first page', () => {
  const memory = dead(reminderEveryMs)
  const since = { sinceMs: memory.phase === 'dead' ? memory.sinceMs : 0 }
  expect(decideWatch(memory, aged(3_600_000), start).page).toMatchObject({ event: 'updated', ...since })
  expect(decideWatch(memory, aged(0), start).page).toMatchObject({ event: 'resolved', ...since })
})
