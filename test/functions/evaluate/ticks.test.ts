import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { RuleView } from '../../../functions/evaluate/decide.ts'
import { packSli, type SliState, sliOf, unpackSli, withSli } from '../../../functions/sli-state.ts'
import { packTicks, type Tick, unpackTicks } from '../../../functions/sli-ticks.ts'
import { slisNow } from '../../../functions/slis-now.ts'
import type { ProbeOutcome } from '../../../probes/contract.ts'
import type { SliVerdict } from '../../../rules/contract.ts'
import { ruleSli, ruleSpec } from '../../../rules/registry.ts'
import type { Store } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { outcome, period, seen, start } from '../builders.ts'
import { sloView, townWith } from './hub.ts'

const locations = ['local', 'elsewhere', 'far']
const rule = ruleSpec.parse({ kind: 'slo', monitor: 'front', objectivePercent: 99.9, latencyMs: 500 })
const sli = ruleSli(rule)
const view = (monitorId = 'front') => sloView(monitorId, { rule, locations })

const home = (rules: readonly RuleView[], store?: Store) => {
  const town = townWith(rules, locations)
  return { ...town, evaluate: town.deployed(1, store) }
}

const verdicts = ['pass', 'pass', 'pass', 'degraded', 'fail', 'unknown'] as const

const looks = fc.array(
  fc.record({ minute: fc.nat({ max: 300 }), where: fc.nat({ max: 2 }), verdict: fc.nat({ max: 5 }), ms: fc.nat(999) }),
  { minLength: 1, maxLength: 120 },
)

/** One tick a minute and location, with re-checks and second opinions that must count for nothing. */
const outcomesOf = (given: readonly { minute: number; where: number; verdict: number; ms: number }[]) => {
  const ticks = new Map(given.map((one) => [`${one.minute} ${one.where}`, one]))
  return [...ticks.values()].flatMap(({ minute, where, verdict, ms }): ProbeOutcome[] => {
    const scheduledAtMs = start - 5 * 3_600_000 + minute * period
    const at = { scheduledAtMs, startedAtMs: scheduledAtMs, location: locations[where] ?? 'local' }
    const tick = outcome({ ...at, verdict: verdicts[verdict] ?? 'pass', timingsMs: { total: ms } })
    return tick.verdict === 'fail'
      ? [tick, { ...tick, look: 'recheck' }, { ...tick, look: `probe:0/1:front:${at.location}:${scheduledAtMs}` }]
      : [tick]
  })
}

const countsOf = async (store: Store, nowMs: number) => {
  const states = await slisNow(store, { ruleIds: ['front-slo'], locations, nowMs })
  const state = states.get('front-slo')
  return state && sliOf(state)
}

const expected = (outcomes: readonly ProbeOutcome[]) => {
  const counts = { good: 0, bad: 0, unknown: 0 }
  for (const { look, verdict, timingsMs } of outcomes) {
    if (look !== 'tick' || !sli) continue
    counts[sli({ verdict, tookMs: timingsMs.total })]++
  }
  return counts
}

test('any order and any repeats of outcomes come to the same counters, and ticks alone count', async () => {
  const shuffled = looks.chain((given) => {
    const outcomes = outcomesOf(given)
    const order = fc.shuffledSubarray([...outcomes, ...outcomes, ...outcomes.slice(0, 20)], {
      minLength: outcomes.length * 2 + Math.min(20, outcomes.length),
    })
    return fc.record({ outcomes: fc.constant(outcomes), order, size: fc.integer({ min: 1, max: 9 }) })
  })
  await fc.assert(
    fc.asyncProperty(shuffled, async ({ outcomes, order, size }) => {
      const { store, clock, evaluate } = home([view()])
      clock.nowMs = start + 10 * period
      for (let at = 0; at < order.length; at += size) await evaluate(seen(order.slice(at, at + size)))
      const { minutes = [], hours = [] } = (await countsOf(store, clock.nowMs)) ?? {}
      const counts = { good: 0, bad: 0, unknown: 0 }
      for (const one of [...minutes, ...hours]) {
        counts.good += one.good
        counts.bad += one.bad
        counts.unknown += one.unknown
      }
      expect(counts).toEqual(expected(outcomes))
    }),
    { seed: 20261123, numRuns: 40 },
  )
})

const ticks = fc
  .uniqueArray(
    fc.record({
      atMs: fc.integer({ min: 0, max: 30_000_000 }),
      was: fc.constantFrom<SliVerdict>('good', 'bad', 'unknown'),
    }),
    { selector: ({ atMs }) => atMs },
  )
  .map((all): Tick[] => all.sort((a, b) => a.atMs - b.atMs))

test('ticks are read back from their text as they were', () => {
  fc.assert(
    fc.property(ticks, fc.integer({ min: -5_000_000, max: 40_000_000 }), (all, baseMs) => {
      expect(unpackTicks(packTicks(all, baseMs), baseMs)).toEqual(all)
    }),
    { seed: 7 },
  )
})

/** Ninety days, ticked every minute from three places, as the item holds them at the end. */
const quarter = (was: (minute: number) => SliVerdict): { state: SliState; nowMs: number } => {
  const nowMs = start
  let state: SliState = { ticks: {}, hours: [], closedMs: 0 }
  const fromMs = nowMs - 90 * 86_400_000
  for (let atMs = fromMs; atMs < nowMs; atMs += 3_600_000) {
    for (const location of locations) {
      const hour = Array.from({ length: 60 }, (_, nth) => ({
        atMs: atMs + nth * period,
        was: was(atMs / period + nth),
      }))
      state = withSli(state, location, { ticks: hour, nowMs: atMs + 3_600_000 })
    }
  }
  return { state, nowMs }
}

test.each([
  { given: 'all is well', was: () => 'good' as const, limit: 500 },
  { given: 'one in a thousand fails', was: (minute: number) => (minute % 997 === 0 ? 'bad' : 'good'), limit: 4000 },
  {
    given: 'every look is another',
    was: (minute: number) => (['good', 'bad', 'unknown'] as const)[(minute * 2_654_435_761) % 3] ?? 'good',
    limit: 60_000,
  },
])('ninety days fit the item of an objective in $limit bytes when $given, and are read back', ({ was, limit }) => {
  const { state } = quarter(was as (minute: number) => SliVerdict)
  const text = JSON.stringify(packSli(state))
  expect(text.length).toBeLessThan(limit)
  expect(unpackSli(JSON.parse(text))).toEqual(state)
  const { minutes, hours } = sliOf(state)
  const events = [...minutes, ...hours].reduce((sum, { good, bad, unknown }) => sum + good + bad + unknown, 0)
  expect(events).toBe(90 * 1440 * 3)
})

test('a look that comes later than six hours is left out, in whatever order', () => {
  const { state, nowMs } = quarter(() => 'good')
  const late = { atMs: nowMs - 8 * 3_600_000 + 1, was: 'bad' as const }
  expect(withSli(state, 'local', { ticks: [late], nowMs })).toEqual(state)
})

test('what waits at a location that falls silent counts after its hour has closed as well', async () => {
  const { clock, evaluate, store } = home([view()])
  for (let minute = 0; minute < 9 * 60; minute++) {
    clock.nowMs = start + minute * period
    const at = { scheduledAtMs: clock.nowMs, startedAtMs: clock.nowMs, verdict: 'fail' as const }
    const heard = minute < 30 ? ['elsewhere', 'local'] : ['local']
    for (const location of heard) await evaluate(seen([outcome({ ...at, location })]))
  }
  const { hours = [], minutes = [] } = (await countsOf(store, clock.nowMs)) ?? {}
  expect([...hours, ...minutes].reduce((sum, { bad }) => sum + bad, 0)).toBe(9 * 60 + 30)
})

test('an hour of ticks writes at most 2 KB for each objective', async () => {
  const monitors = Array.from({ length: 40 }, (_, nth) => `monitor-${nth}`)
  const written = new Map<string, number>()
  const plain = memoryStore({ nowMs: () => start })
  const store: Store = {
    ...plain,
    commit: async (changes, rows) => {
      for (const { key, value } of changes) {
        const bytes = JSON.stringify(
          key.startsWith('slo/') ? value : ((value as { ticks?: unknown }).ticks ?? ''),
        ).length
        const part = key.startsWith('slo/') ? 'items' : 'waiting'
        written.set(part, (written.get(part) ?? 0) + bytes)
      }
      return plain.commit(changes, rows)
    },
  }
  const { clock, evaluate } = home(monitors.map(view), store)
  for (let minute = 0; minute < 120; minute++) {
    if (minute === 60) written.clear()
    clock.nowMs = start + minute * period
    const at = { scheduledAtMs: clock.nowMs, startedAtMs: clock.nowMs }
    for (const location of locations) {
      await evaluate(seen(monitors.map((monitorId) => outcome({ ...at, monitorId, location, verdict: 'pass' }))))
    }
  }
  const each = [...written.values()].reduce((sum, bytes) => sum + bytes, 0) / monitors.length
  expect(each).toBeLessThan(2048)
})
