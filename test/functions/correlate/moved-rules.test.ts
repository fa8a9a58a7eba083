import { expect, test } from '@jest/globals'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { evaluateView } from '../../../functions/evaluate/config.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { incident } from '../../../functions/hub-state.ts'
import { shardOf } from '../../../functions/shards.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { hubView, outcome, period, seen, start } from '../builders.ts'
import { shopConfig } from '../shop-config.ts'
import { apply, firing, nothing, open, over } from './hub.ts'

const cases = [
  { given: 'the shard that it left', fires: ['0/2', '1/2'], ends: '0/2', isOpen: true },
  { given: 'a part of the shard that it left', fires: ['0/2', '1/2'], ends: '2/4', isOpen: true },
  { given: 'the shard where it fires', fires: ['0/2', '1/2'], ends: '1/2', isOpen: false },
  { given: 'the only shard where it ever fired', fires: ['0/2'], ends: '0/2', isOpen: false },
  { given: 'a part of that since it was split', fires: ['0/2'], ends: '2/4', isOpen: false },
  { given: 'a part of that since it was split twice', fires: ['0/1'], ends: '3/4', isOpen: false },
  { given: 'a shard, of what none is known to have told', fires: [undefined], ends: '0/2', isOpen: false },
  { given: 'a shard, of what none told last', fires: ['0/2', undefined], ends: '1/2', isOpen: false },
  { given: 'no shard', fires: ['0/2'], ends: undefined, isOpen: false },
]

test.each(cases)('the end of an alert that is told by $given', ({ fires, ends, isOpen }) => {
  const fired = fires.reduce((hub, shard) => apply(hub, { ...firing(), shard }), nothing)
  expect(open(apply(fired, { ...over(), shard: ends }))).toHaveLength(isOpen ? 1 : 0)
})

test.each(cases)('the end of one alert of many that is told by $given', ({ fires, ends, isOpen }) => {
  const others = Array.from({ length: 45 }, (_, nth) => firing({ alertId: `other-${nth}`, ruleId: 'others' }))
  const big = others.reduce((hub, message) => apply(hub, message), nothing)
  const fired = fires.reduce((hub, shard) => apply(hub, { ...firing(), shard }), big)
  const [now] = apply(fired, { ...over(), shard: ends }).incidents.values()
  expect(now?.counts.firing).toBe(isOpen ? 46 : 45)
})

const shards = 2
const names = ['shop-a', 'shop-b', 'shop-c', 'shop-d', 'shop-e', 'shop-f']
const monitorIn = (shard: string, not = '') => names.find((id) => id !== not && shardOf(id, shards) === shard) ?? ''
const [here, there] = [monitorIn('0/2'), monitorIn('1/2')]
/** Of the shard that the rule leaves. */
const other = monitorIn('0/2', here)

/** The rule is about the first of the monitors. */
const configOf = (monitors: readonly string[]) =>
  shopConfig(monitors, {
    shards,
    rules: { 'shop-is-down': { kind: 'availability', monitor: monitors[0], failureThreshold: 2 } },
  })

/** A hub whose minutes have a look at each of the monitors that the config of that minute has; the rule is about the first. */
const hub = () => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const world = { store, nowMs: () => clock.nowMs, nudge: async () => {} }
  const correlate = correlateStep({ ...world, view: hubView([{ channels: ['pager'] }]) })
  const minute = async (looks: Readonly<Record<string, 'fail' | 'pass'>>) => {
    const evaluate = evaluateStep({ ...world, ...evaluateView(configOf(Object.keys(looks))) })
    for (const [monitorId, verdict] of Object.entries(looks)) {
      const look = outcome({ monitorId, verdict, scheduledAtMs: clock.nowMs, startedAtMs: clock.nowMs })
      await evaluate(seen([look], shardOf(monitorId, shards)))
    }
    for (const { row } of await store.due(clock.nowMs, 100))
      if (row.to === 'evaluate') await evaluate({ kind: 'timer', id: row.id, shard: row.body.shard, rowId: row.id })
    const told = await store.due(clock.nowMs, 100)
    await correlate(told.flatMap(({ row }) => (row.to === 'correlate' ? [row.id] : [])))
    clock.nowMs += period
  }
  const statuses = async () =>
    [...(await store.list('incident/', { limit: 9 })).values()].map(({ value }) => incident.parse(value).status)
  return { minute, statuses }
}

test.each([
  { given: 'is down as well', verdict: 'fail' as const, then: ['open'] },
  { given: 'is up', verdict: 'pass' as const, then: ['resolved'] },
])('a rule that fires is pointed at a monitor of another shard, which $given', async ({ verdict, then }) => {
  const { minute, statuses } = hub()
  for (let nth = 0; nth < 3; nth++) await minute({ [here]: 'fail' })
  expect(await statuses()).toEqual(['open'])
  for (let nth = 0; nth < 60; nth++) await minute({ [there]: verdict })
  expect(await statuses()).toEqual(then)
})

test('what fires in the shard that its rule moved to ends there', async () => {
  const { minute, statuses } = hub()
  for (let nth = 0; nth < 3; nth++) await minute({ [here]: 'fail' })
  for (let nth = 0; nth < 30; nth++) await minute({ [there]: 'fail' })
  await minute({ [there]: 'pass' })
  expect(await statuses()).toEqual(['resolved'])
})

test.each([
  { given: 'is down as well stays open', verdict: 'fail' as const, minutes: 6, then: ['open'] },
  { given: 'is down as well stays open for good', verdict: 'fail' as const, minutes: 60, then: ['open'] },
  { given: 'is up is open for another quarter of an hour', verdict: 'pass' as const, minutes: 15, then: ['open'] },
  { given: 'is up ends then', verdict: 'pass' as const, minutes: 16, then: ['resolved'] },
])('what fires, whose shard looks at others and whose new monitor $given', async ({ verdict, minutes, then }) => {
  const { minute, statuses } = hub()
  for (let nth = 0; nth < 3; nth++) await minute({ [here]: 'fail', [other]: 'pass' })
  const story = new Set<string>()
  for (let nth = 0; nth < minutes; nth++) {
    await minute({ [there]: verdict, [other]: 'pass' })
    story.add((await statuses()).join())
  }
  expect([...story].at(-1)).toBe(then.join())
  expect(story).not.toContain('resolved,open')
})

test('what its rule comes back to is as before, and waits anew when that leaves again', async () => {
  const { minute, statuses } = hub()
  for (let nth = 0; nth < 3; nth++) await minute({ [here]: 'fail', [other]: 'pass' })
  for (let nth = 0; nth < 10; nth++) await minute({ [there]: 'pass', [other]: 'pass' })
  await minute({ [here]: 'fail', [other]: 'pass' })
  for (let nth = 0; nth < 10; nth++) await minute({ [there]: 'pass', [other]: 'pass' })
  expect(await statuses()).toEqual(['open'])
  await minute({ [here]: 'pass', [other]: 'pass' })
  expect(await statuses()).toEqual(['resolved'])
})
