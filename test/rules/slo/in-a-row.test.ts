import { expect, test } from '@jest/globals'
import type { Facts, SliBucket } from '../../../rules/contract.ts'
import { sloAlerts, sloRule } from '../../../rules/kinds/slo.ts'
import { judgeInARow } from '../../../rules/slo/in-a-row.ts'

const minuteMs = 60_000
const nowMs = Date.UTC(2026, 10, 23, 6)

/** A bucket a letter: `g` good, `b` bad, `u` unknown, `m` mixed, `0` without events, `.` none. */
const buckets = (letters: string, stepMs: number, endMs: number): SliBucket[] =>
  [...letters].flatMap((letter, nth) => {
    const atMs = endMs - (letters.length - 1 - nth) * stepMs
    const of = { good: 0, bad: 0, unknown: 0 }
    if (letter === '.') return []
    const counts = { g: { good: 2 }, b: { bad: 2 }, u: { unknown: 1 }, m: { good: 1, bad: 1 } }[letter]
    return [{ atMs, ...of, ...counts }]
  })

const facts = (minutes: string, more: { hours?: string; firing?: boolean } = {}): Facts => ({
  nowMs,
  locations: [],
  sli: {
    minutes: buckets(minutes, minuteMs, nowMs),
    hours: buckets(more.hours ?? '', 60 * minuteMs, nowMs - 8 * 60 * minuteMs),
  },
  knownSinceMs: 0,
  firing: more.firing ?? false,
})

const asked = { subject: 'front (99 %)', minutes: 3 }

test.each([
  { given: 'two bad minutes of three', seen: 'ggbb', then: ['active', false] },
  { given: 'the third', seen: 'ggbbb', then: ['active', true] },
  { given: 'minutes without events between them', seen: 'gb..b...b', then: ['active', true] },
  { given: 'minutes that counted none between them', seen: 'gb00b0b', then: ['active', true] },
  { given: 'a minute of both between them', seen: 'gbbmb', then: ['active', false] },
  { given: 'one in which nobody could look between them', seen: 'gbubb', then: ['active', true] },
  { given: 'nothing but what nobody could look at', seen: 'uuu', then: ['held', false] },
  { given: 'a good one at last', seen: 'bbbg', then: ['inactive', false] },
  { given: 'a good one while it fires', seen: 'bbbg', firing: true, then: ['inactive', false] },
  { given: 'another bad one while it fires', seen: 'bbbb', firing: true, then: ['active', true] },
  { given: 'an event every few hours', seen: 'b', hours: 'gbb', then: ['active', true] },
])('$given', ({ seen, hours, firing, then }) => {
  const { status, met } = judgeInARow(facts(seen, { hours: hours ?? '', firing: firing ?? false }), asked)
  expect([status, met]).toEqual(then)
})

/** The last minute has just begun: `first` of its looks are there, all of them bad. */
const running = (minutes: string, first: number): Facts => {
  const { sli, ...rest } = facts(`${minutes}.`)
  const bad = { atMs: nowMs, good: 0, bad: first, unknown: 0 }
  return { ...rest, nowMs: nowMs + 1000, sli: { hours: [], minutes: [...(sli?.minutes ?? []), bad] } }
}

test.each([
  { given: 'one bad look of two', facts: running('gg', 1), then: ['active', false] },
  { given: 'both of them', facts: running('gg', 2), then: ['active', true] },
  { given: 'one bad look of two behind a bad minute', facts: running('gb', 1), then: ['active', true] },
  { given: 'the first look there ever was', facts: running('', 1), then: ['active', false] },
  {
    given: 'one bad look, and others may be on their way',
    facts: { ...running('gg', 1), nowMs: nowMs + 2 * minuteMs - 1 },
    then: ['active', false],
  },
  {
    given: 'one bad look, and it is over for a minute',
    facts: { ...running('gg', 1), nowMs: nowMs + 2 * minuteMs },
    then: ['active', true],
  },
])('a minute that goes on, with $given, asked for one is $then', ({ facts: seen, then }) => {
  const { status, met } = judgeInARow(seen, { ...asked, minutes: 1 })
  expect([status, met]).toEqual(then)
})

test.each([
  { given: 'may be the one that is asked for', seen: 'gbb', again: true },
  { given: 'is not enough', seen: 'ggb', again: false },
])('a minute that goes on and $given is judged again at its end: $again', ({ seen, again }) => {
  expect(judgeInARow(running(seen, 1), asked).againAtMs).toBe(again ? nowMs + 2 * minuteMs : undefined)
})

test('of counters a minute is told when it is over, however few events it holds', () => {
  expect(judgeInARow(running('gg', 1), { ...asked, minutes: 1, isCounted: true }).met).toBe(true)
})

const quiet = (minutes: number) => '0'.repeat(minutes)

test.each([
  { given: 'an hour without events', seen: `bbb${quiet(60)}`, then: 'inactive' },
  { given: 'not quite an hour without events', seen: `bbb${quiet(59)}`, then: 'active' },
  { given: 'an hour in which nobody could look', seen: `bbb${'u'.repeat(60)}`, then: 'held' },
  {
    given: 'half an hour without events and as long nobody who could look',
    seen: `bbb${quiet(30)}${'u'.repeat(30)}`,
    then: 'held',
  },
  {
    given: 'an hour without events, and one in which nobody could look between',
    seen: `bbb${quiet(30)}${'u'.repeat(60)}${quiet(30)}`,
    then: 'inactive',
  },
  {
    given: 'an hour without events that is told every five minutes',
    seen: `bbb${'....0'.repeat(12)}`,
    then: 'inactive',
  },
  { given: 'an hour that nobody told of', seen: `bbb${'.'.repeat(60)}0`, then: 'active' },
  { given: 'an hour without events, and a bad one', seen: `bbb${quiet(60)}b`, then: 'active' },
])('after bad minutes $given leaves it $then', ({ seen, then }) => {
  expect(judgeInARow(facts(seen, { firing: true }), asked).status).toBe(then)
})

test('its page says what was seen, and since when', () => {
  const { summary, sinceMs } = judgeInARow(facts('gbbb'), asked)
  expect(summary).toBe('front (99 %): not one good event in the last 3 minutes that had any')
  expect(sinceMs).toBe(nowMs - 2 * minuteMs)
})

const parts = (more: object) =>
  sloAlerts(
    sloRule.schema.parse({ kind: 'slo', monitor: 'front', objectivePercent: 99, budgetPolicy: [], ...more }),
  ).map(({ part }) => part)

test.each([
  { given: 'an objective whose bad events the availability rule sees', more: {}, then: ['ticket'] },
  { given: 'one that is about latency', more: { latencyMs: 500 }, then: ['ticket', 'in-a-row'] },
  { given: 'one that asks for it', more: { badInARow: 5 }, then: ['ticket', 'in-a-row'] },
  { given: 'one about latency that wants none', more: { latencyMs: 500, badInARow: false }, then: ['ticket'] },
])('$given has the alerts $then', ({ more, then }) => expect(parts(more)).toEqual(then))
