import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Observation } from '../../functions/contract.ts'
import type { RuleView } from '../../functions/evaluate/decide.ts'
import { blockAt, blockKinds, packBlock, unpackBlock } from '../../functions/sli-blocks.ts'
import { noCounts, type SliCounts, withCounts } from '../../functions/sli-counts.ts'
import { growthOfSums } from '../../functions/sli-increments.ts'
import { sliOf } from '../../functions/sli-state.ts'
import { shortId } from '../../functions/sli-ticks.ts'
import { slisNow } from '../../functions/slis-now.ts'
import type { Sli, SliBucket, SliCount } from '../../rules/contract.ts'
import { judge, ruleSpec } from '../../rules/registry.ts'
import { itemLimitBytes, type Store } from '../../stores/contract.ts'
import { memoryStore } from '../../stores/memory.ts'
import { period, start } from './builders.ts'
import { townWith } from './evaluate/hub.ts'

const hourMs = 3_600_000
const series = { cluster: 'town', total: 'requests_total', bad: 'requests_total{code="500"}' }
const rule = ruleSpec.parse({ kind: 'slo', service: 'shop', series, objectivePercent: 99.9 })

const view = (ruleId = 'front-slo', saw: (sli: Sli | undefined) => void = () => {}): RuleView => ({
  ruleId,
  alertId: ruleId,
  service: 'shop',
  severity: 'page',
  judge: (facts) => {
    saw(facts.sli)
    return judge(rule, facts)
  },
  counted: 'bad',
})

const told = (counts: SliCount[], shard = '0/1'): Observation => ({ kind: 'sli-counts', id: 'any', shard, counts })

const sum = ({ minutes, hours }: Pick<Sli, 'minutes' | 'hours'>) =>
  [...minutes, ...hours].reduce(
    (all, { good, bad, unknown }) => ({ good: all.good + good, bad: all.bad + bad, unknown: all.unknown + unknown }),
    { good: 0, bad: 0, unknown: 0 },
  )

const reported = async (store: Store, nowMs: number, ruleId = 'front-slo') => {
  const state = (await slisNow(store, { ruleIds: [ruleId], locations: ['local'], nowMs })).get(ruleId)
  return state ? sliOf(state) : { minutes: [], hours: [] }
}

/** Minutes of the last five hours, each told once or more while it grew. */
const tellings = fc
  .uniqueArray(fc.record({ minute: fc.nat({ max: 300 }), good: fc.nat({ max: 100_000 }), bad: fc.nat({ max: 50 }) }), {
    selector: ({ minute }) => minute,
    minLength: 1,
    maxLength: 60,
  })
  .map((all) =>
    all.flatMap(({ minute, good, bad }): SliBucket[] => {
      const atMs = start - 5 * hourMs + minute * period
      const whole = { atMs, good, bad, unknown: 0 }
      return [{ ...whole, good: Math.floor(good / 2), bad: 0 }, whole]
    }),
  )

test('any order and any repeats of what is counted come to the same counters', async () => {
  const shuffled = tellings.chain((all) =>
    fc.record({
      all: fc.constant(all),
      order: fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }),
      size: fc.integer({ min: 1, max: 9 }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(shuffled, async ({ all, order, size }) => {
      const { store, clock, deployed } = townWith([view()])
      clock.nowMs = start + 10 * period
      const evaluate = deployed(1)
      for (let at = 0; at < order.length; at += size)
        await evaluate(told([{ ruleId: 'front-slo', minutes: order.slice(at, at + size) }]))
      const whole = all.filter((_, nth) => nth % 2 === 1)
      expect(sum(await reported(store, clock.nowMs))).toEqual(sum({ minutes: whole, hours: [] }))
    }),
    { seed: 20261123, numRuns: 40 },
  )
})

const buckets = fc
  .uniqueArray(fc.record({ nth: fc.nat(4), good: fc.maxSafeNat(), bad: fc.maxSafeNat(), unknown: fc.nat(40) }), {
    selector: ({ nth }) => nth,
  })
  .map((all) => all.sort((a, b) => a.nth - b.nth).map(({ nth, ...one }) => ({ atMs: start + nth * period, ...one })))
  .map((all) => all.map((one) => ({ ...one, good: Math.floor(one.good / 8), bad: Math.floor(one.bad / 8) })))

test('a block is read back as it was', () => {
  fc.assert(
    fc.property(buckets, (own) => {
      const counts: SliCounts = { ...noCounts, minutes: new Map([['abcdef', own]]) }
      const block = packBlock(counts, { kind: 'minutes', fromMs: blockAt('minutes', start).fromMs, ids: ['abcdef'] })
      const read = unpackBlock(JSON.parse(JSON.stringify(block)), 'minutes')
      expect(read.flatMap((one) => one.buckets)).toEqual(own)
    }),
    { seed: 11 },
  )
})

test.each(['minutes', 'hours'] as const)(
  'a block of %s of as many objectives as a shard has fits its item, with a lot of traffic',
  (kind) => {
    const { stepMs, steps } = blockKinds[kind]
    const { fromMs } = blockAt(kind, start)
    const busy = (nth: number): SliBucket => {
      const noise = (nth * 2_654_435_761) % 2 ** 24
      return { atMs: fromMs + nth * stepMs, good: 2 ** 30 + noise * 64, bad: noise, unknown: noise % 1000 }
    }
    const ids = Array.from({ length: 330 }, (_, nth) => shortId(`objective-${nth}`))
    const own = Array.from({ length: steps }, (_, nth) => busy(nth))
    const counts: SliCounts = { ...noCounts, [kind]: new Map(ids.map((id) => [id, own])) }
    const bytes = JSON.stringify(packBlock(counts, { kind, fromMs, ids })).length
    expect(bytes).toBeLessThan(itemLimitBytes)
  },
)

test('six hours are known by the minute, what is before them by the hour, and what comes later than that is left out', () => {
  let state = noCounts
  for (let minute = 0; minute < 600; minute++) {
    const atMs = start + minute * period
    state = withCounts(
      state,
      [{ id: 'a', partIs: 'bad', minutes: [{ atMs, good: 10, bad: 1, unknown: 0 }] }],
      atMs,
    ).state
  }
  const nowMs = start + 599 * period
  expect(state.closedMs).toBe(start + 3 * hourMs)
  expect(state.hours.get('a')).toEqual(
    [0, 1, 2].map((nth) => ({ atMs: start + nth * hourMs, good: 600, bad: 60, unknown: 0 })),
  )
  expect(state.minutes.get('a')).toHaveLength(420)
  const late = {
    id: 'a',
    partIs: 'bad' as const,
    minutes: [{ atMs: start + 2 * hourMs, good: 0, bad: 999, unknown: 0 }],
  }
  expect(withCounts(state, [late], nowMs).state.hours).toEqual(state.hours)
})

const named = (name: string) => ({ name, text: name, matches: () => true, needs: [], equals: [] })

test.each([
  { partIs: 'good' as const, comes: [0, 400, 1000], then: { good: 1000, bad: 0 } },
  { partIs: 'good' as const, comes: [1000, 400, 0], then: { good: 1000, bad: 0 } },
  { partIs: 'bad' as const, comes: [0, 3, 5], then: { good: 995, bad: 5 } },
  { partIs: 'bad' as const, comes: [5, 3, 0], then: { good: 995, bad: 5 } },
])(
  'of a minute of which all events are known first the $partIs ones that come late ($comes) count',
  ({ partIs, comes, then }) => {
    const objective = { ruleId: 'alb', shard: '0/1', partIs, total: named('requests'), part: named('part') }
    const nowMs = start + 5 * period
    let counts = noCounts
    for (const value of comes) {
      const sums = [
        { name: 'requests', labels: {}, atMs: start, value: 1000 },
        ...(value > 0 ? [{ name: 'part', labels: {}, atMs: start, value }] : []),
      ]
      const minutes = [...growthOfSums(objective, sums)].map(([atMs, { why: _, ...events }]) => ({ atMs, ...events }))
      counts = withCounts(counts, [{ id: 'a', partIs, minutes }], nowMs).state
    }
    expect(counts.minutes.get('a')).toEqual([{ atMs: start, ...then, unknown: 0 }])
  },
)

const minuteOf = (nth: number): SliBucket => {
  const noise = (nth * 2_654_435_761) % 111
  return { atMs: start + nth * period, good: 2945 + noise, bad: noise % 7, unknown: 0 }
}

test('another process, and the shards that one is split into, know what was counted before', async () => {
  let seen: Sli | undefined
  const rules = Array.from({ length: 8 }, (_, nth) => view(`r${nth}`, (sli) => (seen = sli)))
  const { clock, deployed, store } = townWith(rules)
  for (let nth = 0; nth < 500; nth++) {
    clock.nowMs = start + nth * period
    // Each time it is another process, and after a while there are four shards.
    const evaluate = deployed(nth < 430 ? 1 : 4)
    const result = await evaluate(told(rules.map(({ ruleId }) => ({ ruleId, minutes: [minuteOf(nth)] }))))
    expect(result.status).toBe('evaluated')
  }
  const all = sum({ minutes: Array.from({ length: 500 }, (_, nth) => minuteOf(nth)), hours: [] })
  expect(seen && sum(seen)).toEqual(all)
  for (const { ruleId } of rules) expect(sum(await reported(store, clock.nowMs, ruleId))).toEqual(all)
}, 60_000)

test('an hour of counting writes at most 2 KB for each objective', async () => {
  const rules = Array.from({ length: 40 }, (_, nth) => view(`objective-${nth}`))
  let bytes = 0
  const plain = memoryStore({ nowMs: () => start })
  const store: Store = {
    ...plain,
    commit: async (changes, rows) => {
      for (const { value } of changes) bytes += JSON.stringify(value).length
      return plain.commit(changes, rows)
    },
  }
  const { clock, deployed } = townWith(rules)
  const evaluate = deployed(1, store)
  for (let nth = 0; nth < 10 * 60; nth++) {
    if (nth === 9 * 60) bytes = 0
    clock.nowMs = start + nth * period
    await evaluate(told(rules.map(({ ruleId }, at) => ({ ruleId, minutes: [minuteOf(nth + at)] }))))
  }
  expect(bytes / rules.length).toBeLessThan(2048)
})
