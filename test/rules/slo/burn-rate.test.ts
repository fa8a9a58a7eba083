import { expect, test } from '@jest/globals'
import { budgetRatioOf, burns, eventsSince, neverFires, usualBurnRates } from '../../../rules/slo/burn-rate.ts'
import { timeline } from './traffic.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const startMs = Date.UTC(2026, 10, 1)

test.each([
  { days: 30, factors: [14.4, 6, 3, 1] },
  { days: 28, factors: [13.44, 5.6, 2.8, 1] },
  { days: 90, factors: [43.2, 18, 9, 3] },
  { days: 7, factors: [3.36, 1.4, 1, 1] },
])('the usual pairs of a window of $days days are $factors', ({ days, factors }) => {
  expect(usualBurnRates(days).map(({ factor }) => factor)).toEqual(factors)
})

test.each([
  { objective: 99.9, factor: 14.4, never: false },
  { objective: 93.06, factor: 14.4, never: false },
  { objective: 93, factor: 14.4, never: true },
  { objective: 90, factor: 10, never: true },
])('a factor of $factor over $objective % can never fire: $never', ({ objective, factor, never }) => {
  expect(neverFires({ factor }, budgetRatioOf(objective))).toBe(never)
})

test('an objective has no noise of floating point in its budget', () => {
  expect([99.9, 99.95, 99.99, 99.5, 90].map(budgetRatioOf)).toEqual([0.001, 0.0005, 0.0001, 0.005, 0.1])
})

const grid = [99, 99.5, 99.9, 99.99].flatMap((objective) =>
  usualBurnRates(30).flatMap((rate) =>
    [0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1].map((badShare) => ({ objective, rate, badShare })),
  ),
)

/** When a pair fires after a clean month, in ticks of a minute; undefined when it does not within its long window. */
const ticksUntilFiring = ({ objective, rate, badShare }: (typeof grid)[number]): number | undefined => {
  const badFromMs = startMs + 5 * dayMs + 17 * minuteMs
  const longMs = rate.longSeconds * 1000
  const { at } = timeline({ fromMs: startMs, badFromMs, eventsAMinute: 10_000, badShare }, badFromMs + longMs)
  const wanted = { budgetRatio: budgetRatioOf(objective), guard: { minEvents: 10, minBadEvents: 3 } }
  for (let tick = 1; tick <= longMs / minuteMs; tick++) {
    const nowMs = badFromMs + (tick - 1) * minuteMs
    if (burns(at(nowMs), rate, { nowMs, ...wanted })) return tick
  }
  return undefined
}

test('a pair fires when factor × (1 − objective) × long / error rate says so, to within one tick, all over the grid', () => {
  const wrong = grid.filter((point) => {
    const { rate, badShare, objective } = point
    const limit = rate.factor * budgetRatioOf(objective)
    const ticks = ticksUntilFiring(point)
    // At a rate that is not above the limit the long window is never over.
    if (badShare <= limit + 1e-9) return ticks !== undefined
    const formulaTicks = (limit * rate.longSeconds) / 60 / badShare
    return ticks === undefined || ticks - formulaTicks < -1e-6 || ticks - formulaTicks > 1 + 1e-6
  })
  expect(wrong).toEqual([])
  expect(grid.length).toBe(112)
})

test.each([
  { given: 'a single failure among sixty', guard: { minEvents: 10, minBadEvents: 3 }, bad: 1, then: false },
  { given: 'three of them', guard: { minEvents: 10, minBadEvents: 3 }, bad: 3, then: true },
  {
    given: 'three of fewer events than ask for a say',
    guard: { minEvents: 100, minBadEvents: 3 },
    bad: 3,
    then: false,
  },
])('with little traffic $given fires: $then', ({ guard, bad, then }) => {
  const nowMs = startMs + 59 * minuteMs
  const minutes = Array.from({ length: 60 }, (_, nth) => ({
    atMs: startMs + nth * minuteMs,
    good: nth < 60 - bad ? 1 : 0,
    bad: nth < 60 - bad ? 0 : 1,
    unknown: 0,
  }))
  const rate = { severity: 'page' as const, longSeconds: 3600, shortSeconds: 300, factor: 14.4 }
  expect(burns({ minutes, hours: [] }, rate, { nowMs, budgetRatio: 0.001, guard }) !== undefined).toBe(then)
})

test('windows of up to six hours are exact; of the hour at the edge of a longer one the part inside counts', () => {
  const { at } = timeline(
    { fromMs: startMs, badFromMs: startMs, eventsAMinute: 60, badShare: 0.5 },
    startMs + 2 * dayMs,
  )
  const nowMs = startMs + 2 * dayMs - 23 * minuteMs
  const sum = (hours: number) => eventsSince(at(nowMs), nowMs - hours * hourMs)
  expect(sum(6)).toEqual({ good: 6 * 60 * 30, bad: 6 * 60 * 30, unknown: 0 })
  expect(sum(24).bad).toBeCloseTo(24 * 60 * 30, -2)
})

test('an hour of an objective that has just begun does not speak for three days', () => {
  const nowMs = startMs + hourMs
  const { at } = timeline(
    { fromMs: startMs, badFromMs: startMs + 50 * minuteMs, eventsAMinute: 100, badShare: 0.1 },
    nowMs,
  )
  const wanted = { nowMs, budgetRatio: 0.005, guard: { minEvents: 10, minBadEvents: 3 } }
  expect(usualBurnRates(30).map((rate) => burns(at(nowMs), rate, wanted) !== undefined)).toEqual([
    false,
    false,
    false,
    false,
  ])
  const outage = timeline({ fromMs: startMs, badFromMs: startMs, eventsAMinute: 100, badShare: 1 }, nowMs).at(nowMs)
  expect(
    burns(outage, usualBurnRates(30)[0] ?? { severity: 'page', longSeconds: 1, shortSeconds: 1, factor: 1 }, wanted),
  ).toBeDefined()
})

test('unknown is in no ratio', () => {
  const minutes = [{ atMs: startMs, good: 1, bad: 0, unknown: 59 }]
  const rate = { severity: 'page' as const, longSeconds: 3600, shortSeconds: 300, factor: 1 }
  const at = { nowMs: startMs, budgetRatio: 0.001, guard: { minEvents: 1, minBadEvents: 1 } }
  expect(burns({ minutes, hours: [] }, rate, at)).toBeUndefined()
})
