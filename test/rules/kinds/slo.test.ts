import { expect, test } from '@jest/globals'
import { heardMs } from '../../../functions/sli-heard.ts'
import type { Facts, Sli } from '../../../rules/contract.ts'
import { sliVerdictOf, sloAlerts, sloBudget, sloRule } from '../../../rules/kinds/slo.ts'
import { timeline } from '../slo/traffic.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
/** A Monday. */
const nowMs = Date.UTC(2026, 10, 23, 6, 58)
const spec = sloRule.schema.parse({ kind: 'slo', monitor: 'front', objectivePercent: 99.9 })

const facts = (sli: Sli, at = nowMs): Facts => ({ nowMs: at, locations: [], sli, knownSinceMs: 0, firing: false })

/** Thirty days, the last minutes of which fail. */
const failing = (badMinutes: number, badShare = 1) => {
  const badFromMs = nowMs - (badMinutes - 1) * minuteMs
  return timeline({ fromMs: nowMs - 30 * dayMs, badFromMs, eventsAMinute: 1000, badShare }, nowMs).at(nowMs)
}

test('a burn that pages says how much is gone, how fast, until when it lasts and which window fired', () => {
  expect(sloRule.judge(spec, facts(failing(59, 0.0171)))).toEqual({
    status: 'active',
    met: true,
    reason: 'burn-rate-met',
    summary:
      "front (99.9 %): 2.3 % of the month's budget burnt in 58 min; empty on Tuesday 23:38 UTC at this rate; the 1 h window fired",
  })
})

test('its own summary stands before the sentence', () => {
  const own = { ...spec, summary: 'checkout loses orders' }
  expect(sloRule.judge(own, facts(failing(59, 0.0171))).summary).toMatch(/^checkout loses orders: 2\.3 % of/)
})

test('a budget that is overdrawn has nothing left', () => {
  expect(sloRule.judge(spec, facts(failing(120))).summary).toContain('nothing is left of it; the 1 h window fired')
})

test('where the budget lasts for more than a week, the day is a date', () => {
  const slow = {
    ...spec,
    burnRates: [{ severity: 'page' as const, longSeconds: 21_600, shortSeconds: 1800, factor: 1 }],
  }
  expect(sloRule.judge(slow, facts(failing(360, 0.002))).summary).toContain('empty on 7 December ')
})

const blind: Sli = { minutes: [{ atMs: nowMs, good: 0, bad: 0, unknown: 50 }], hours: [] }

test.each([
  { given: 'all is well', sli: failing(0), then: 'inactive' },
  { given: 'a minute of failures', sli: failing(1), then: 'active' },
  { given: 'nobody could look', sli: blind, then: 'held' },
  { given: 'nothing was ever seen', sli: { minutes: [], hours: [] }, then: 'held' },
])('with $given the page is $then', ({ sli, then }) => {
  expect(sloRule.judge(spec, facts(sli)).status).toBe(then)
})

/** Minutes up to now, after an hour of good and forty minutes of bad ones: `g` good, `b` 3 % bad, `u` unknown, `0` without events, `.` none. */
const afterFailing = (letters: string): Sli => {
  const counts: Record<string, { good?: number; bad?: number; unknown?: number }> = {
    g: { good: 1000 },
    b: { good: 970, bad: 30 },
    u: { unknown: 1 },
    0: {},
  }
  const all = [...'g'.repeat(60), ...'b'.repeat(40), ...letters]
  const minutes = all.flatMap((letter, nth) => {
    const of = counts[letter]
    return of ? [{ atMs: nowMs - (all.length - 1 - nth) * minuteMs, good: 0, bad: 0, unknown: 0, ...of }] : []
  })
  return { minutes, hours: [] }
}

test.each([
  { seen: 'ggggg', given: 'five good minutes', then: 'inactive' },
  { seen: '00000', given: 'five without traffic', then: 'inactive' },
  { seen: 'uuuuu', given: 'nobody who can look', then: 'held' },
  { seen: 'guuuu', given: 'one good minute and nobody who can look', then: 'held' },
  { seen: '0uuuu', given: 'one without traffic and nobody who can look', then: 'held' },
  { seen: 'ggggguuuu', given: 'five good minutes and nobody who can look', then: 'inactive' },
  { seen: 'uuuug', given: 'one good minute as the first that is known again', then: 'inactive' },
  { seen: 'uugug', given: 'only good ones of those that are known', then: 'inactive' },
  { seen: 'uubuu', given: 'only bad ones of those that are known', then: 'active' },
  { seen: 'ggggg...', given: 'good minutes that are told three minutes late', then: 'inactive' },
  { seen: 'gg......', given: 'nothing told since two good minutes', then: 'held' },
])('after a burn and $given ($seen) the page is $then', ({ seen, then }) => {
  expect(sloRule.judge(spec, { ...facts(afterFailing(seen)), firing: true }).status).toBe(then)
})

test('a slow burn is a ticket and no page', () => {
  const slow = facts(failing(24 * 60, 0.0035))
  expect(sloRule.judge(spec, slow).status).toBe('inactive')
  const ticket = sloAlerts(spec)[0]
  expect([ticket?.part, ticket?.severity, ticket?.judge(slow).status]).toEqual(['ticket', 'ticket', 'active'])
  expect(ticket?.judge(slow).summary).toContain('the 1 d window fired')
})

test('each step of the budget policy is an alert of its own', () => {
  const half = facts(failing(26))
  expect(sloAlerts(spec).map(({ part, judge }) => [part, judge(half).status])).toEqual([
    ['ticket', 'active'],
    ['budget-50', 'active'],
    ['budget-75', 'inactive'],
    ['budget-100', 'inactive'],
  ])
  expect(sloAlerts(spec)[1]?.judge(half).summary).toBe(
    "front (99.9 %): 60.2 % of the month's budget is spent (policy: 50 %)",
  )
})

/** A week in which nothing was counted, the last hours by the minute. */
const quietWeek = (unknown: number): Sli => {
  const nothing = { good: 0, bad: 0, unknown: 0 }
  const hours = Array.from({ length: 8 * 24 - 6 }, (_, nth) => ({
    atMs: nowMs + (nth - 8 * 24) * 60 * minuteMs,
    ...nothing,
  }))
  const minutes = Array.from({ length: 360 }, (_, nth) => ({
    atMs: nowMs + (nth - 359) * minuteMs,
    ...nothing,
    unknown,
  }))
  return { hours, minutes }
}

test.each([
  { given: 'no traffic', sli: quietWeek(0), then: 'inactive' },
  { given: 'nothing that could be read', sli: quietWeek(1), then: 'held' },
  { given: 'nothing at all', sli: { hours: [], minutes: [] }, then: 'held' },
])('after a window with $given the steps of the budget policy are $then', ({ sli, then }) => {
  const steps = sloAlerts({ ...spec, windowDays: 7 }).filter(({ part }) => part.startsWith('budget-'))
  expect(steps.map(({ judge }) => judge({ ...facts(sli), firing: true }).status)).toEqual([then, then, then])
})

test('an objective of yesterday has the budget of its whole window', () => {
  const young = timeline({ fromMs: nowMs - dayMs, badFromMs: nowMs - minuteMs, eventsAMinute: 100, badShare: 1 }, nowMs)
  expect(sloBudget(spec, young.at(nowMs), nowMs).spentRatio).toBeCloseTo(2 / (30 * 1440 * 0.001), 2)
})

test('an objective that comes back after longer than its window is judged as a new one', () => {
  const weekly = { ...spec, windowDays: 7 as const }
  const news = Array.from({ length: 11 }, (_, nth) => {
    const bad = nth < 3 ? 1 : 0
    return { atMs: nowMs - (10 - nth) * minuteMs, good: 1 - bad, bad, unknown: 0 }
  })
  const before = timeline({ fromMs: nowMs - 20 * dayMs, badFromMs: nowMs, eventsAMinute: 1, badShare: 1 }, nowMs)
  const old = before.at(nowMs - 9 * dayMs)
  const back: Sli = { hours: [...old.hours], minutes: news }
  const young: Sli = { hours: [], minutes: news }
  expect(sloBudget(weekly, back, nowMs).spentRatio).toBe(sloBudget(weekly, young, nowMs).spentRatio)
  const tickets = [back, young].map((sli) => sloAlerts(spec)[0]?.judge(facts(sli)).status)
  expect(tickets).toEqual(['inactive', 'inactive'])
})

test.each([
  { zone: 'Europe/Berlin', bad: Date.UTC(2026, 9, 31, 22, 59), spent: false },
  { zone: 'Europe/Berlin', bad: Date.UTC(2026, 9, 31, 23, 1), spent: true },
  { zone: 'UTC', bad: Date.UTC(2026, 9, 31, 23, 1), spent: false },
  { zone: 'America/New_York', bad: Date.UTC(2026, 10, 1, 3, 59), spent: false },
  { zone: 'America/New_York', bad: Date.UTC(2026, 10, 1, 4, 1), spent: true },
])('a failure at $bad is in November in $zone: $spent', ({ zone, bad, spent }) => {
  const month = sloRule.schema.parse({
    kind: 'slo',
    monitor: 'front',
    objectivePercent: 99.9,
    calendarMonth: true,
    timeZone: zone,
  })
  const at = Date.UTC(2026, 10, 1, 4, 10)
  const minutes = [
    { atMs: bad, good: 0, bad: 1, unknown: 0 },
    { atMs: at, good: 1, bad: 0, unknown: 0 },
  ]
  expect(sloBudget(month, { minutes, hours: [] }, at).spentRatio > 0).toBe(spent)
})

test.each([
  { given: 'passed in time', seen: { verdict: 'pass' as const, tookMs: 799 }, then: 'good' },
  { given: 'passed late', seen: { verdict: 'pass' as const, tookMs: 801 }, then: 'bad' },
  { given: 'degraded but in time', seen: { verdict: 'degraded' as const, tookMs: 700 }, then: 'good' },
  { given: 'failed quickly', seen: { verdict: 'fail' as const, tookMs: 5 }, then: 'bad' },
  { given: 'could not look', seen: { verdict: 'unknown' as const, tookMs: 5 }, then: 'unknown' },
])('to a latency objective a look that $given is $then', ({ seen, then }) => {
  expect(sliVerdictOf({ ...spec, latencyMs: 800 }, seen)).toBe(then)
})

test.each([
  { given: 'an objective written as a ratio', more: { objectivePercent: 0.999 } },
  { given: 'a calendar month of 30 days', more: { calendarMonth: true, windowDays: 30 } },
  { given: 'a window nobody offers', more: { windowDays: 14 } },
  {
    given: 'a short window as long as its long one',
    more: { burnRates: [{ severity: 'page', longSeconds: 3600, shortSeconds: 3600, factor: 2 }] },
  },
  {
    given: 'two steps of the policy at once',
    more: { budgetPolicy: [50, 50].map((spentPercent) => ({ spentPercent, severity: 'ticket' })) },
  },
])('$given is refused', ({ more }) => {
  const rule = { kind: 'slo', monitor: 'front', objectivePercent: 99.9, ...more }
  expect(sloRule.schema.safeParse(rule).success).toBe(false)
})

const counters = sloRule.schema.parse({
  kind: 'slo',
  service: 'shop',
  series: { cluster: 'town', total: 'took_count{job="a"}', good: 'took_bucket{job="a",le="0.3"}' },
  objectivePercent: 99.9,
})

test('an objective over counters reads them, what says when they began, and nothing else', () => {
  const { selectors = [], cluster } = sloRule.series(counters) ?? {}
  expect([
    cluster,
    ...selectors.map(({ name, matchers = [] }) => [name, ...matchers.map(({ label }) => label)]),
  ]).toEqual([
    'town',
    ['took_count', 'job'],
    ['took_bucket', 'job', 'le'],
    ['took_created', 'job'],
    ['took_created', 'job'],
    ['process_start_time_seconds'],
  ])
})

const minute = (unknown: number): Sli => ({
  minutes: [{ atMs: nowMs - minuteMs, good: 0, bad: 0, unknown }],
  hours: [],
})
test.each([
  { given: 'there was nothing to count', sli: minute(0), then: 'inactive' },
  { given: 'nothing could be read', sli: { ...minute(3), unknownWhy: 'connection refused' }, then: 'held' },
  { given: 'nothing was read', sli: { minutes: [], hours: [] }, then: 'held' },
])('an objective over counters where $given is $then', ({ sli, then }) => {
  const { status, summary } = sloRule.judge(counters, facts(sli))
  expect(status).toBe(then)
  expect(summary.endsWith('; unknown: connection refused')).toBe('unknownWhy' in sli)
})

const unknownFor = (minutes: number): Sli => ({
  minutes: Array.from({ length: minutes }, (_, back) => ({
    atMs: nowMs - (minutes - 1 - back) * minuteMs,
    good: 0,
    bad: 0,
    unknown: 1,
  })),
  hours: [],
  unknownWhy: 'connection refused',
})

test.each([
  { given: 'has just begun and sees nothing', sli: unknownFor(1), then: 'inactive' },
  { given: 'has seen nothing for ten minutes', sli: unknownFor(10), then: 'inactive' },
  { given: 'has seen nothing for sixteen minutes', sli: unknownFor(16), then: 'active' },
  { given: 'saw something lately', sli: failing(0), then: 'inactive' },
])('an objective over counters that $given is blind: $then', ({ sli, then }) => {
  const blind = sloAlerts(counters).find(({ part }) => part === 'blind')
  const judged = blind?.judge({ ...facts(sli), knownSinceMs: heardMs(sli) ?? sli.minutes[0]?.atMs ?? nowMs })
  expect([blind?.severity, judged?.status]).toEqual(['ticket', then])
  if (then === 'active') expect(judged?.summary).toMatch(/^we are blind: .*; unknown: connection refused$/)
  expect(sloAlerts(spec).map(({ part }) => part)).not.toContain('blind')
})

test.each([
  { given: 'both a monitor and series', more: { monitor: 'front' } },
  { given: 'good and bad', more: { series: { cluster: 'town', total: 'a', good: 'b', bad: 'c' } } },
  { given: 'neither good nor bad', more: { series: { cluster: 'town', total: 'a' } } },
  { given: 'a query for a selector', more: { series: { cluster: 'town', total: 'sum(a)', good: 'b' } } },
  { given: 'a latency besides its buckets', more: { latencyMs: 300 } },
])('an objective over counters with $given is refused', ({ more }) => {
  const rule = { kind: 'slo', service: 'shop', objectivePercent: 99.9, series: counters.series, ...more }
  expect(sloRule.schema.safeParse(rule).success).toBe(false)
})
