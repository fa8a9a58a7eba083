import { expect, test } from '@jest/globals'
import { normalise } from '../../../config/normalise.ts'
import { configSchema } from '../../../config/schema.ts'
import type { Observation } from '../../../functions/contract.ts'
import { evaluateView } from '../../../functions/evaluate/config.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { timerRowId } from '../../../functions/row-ids.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { period as minute, outcome, seen, start } from '../builders.ts'

const shard = '0/1'
const rowId = timerRowId(shard)
const monitors = ['front', 'cart', 'stock']

const config = normalise(
  configSchema.parse({
    services: { shop: {} },
    channels: { screen: { kind: 'console' } },
    routes: [{ channels: ['screen'] }],
    monitors: Object.fromEntries(
      monitors.map((id) => [id, { kind: 'http', service: 'shop', url: `https://${id}.example/` }]),
    ),
    clusters: { town: { sources: [{ kind: 'kube-state-metrics', url: 'http://ksm.example/metrics' }] } },
    rules: {
      pods: {
        kind: 'absence',
        service: 'shop',
        series: { cluster: 'town', selector: 'kube_pod_info' },
        forSeconds: 60,
      },
    },
  }),
)

type Sent = { atMinute: number; observation: Observation }

const look = (atMinute: number): Sent => {
  const scheduledAtMs = start + atMinute * minute
  const outcomes = monitors.map((monitorId) =>
    outcome({ monitorId, verdict: 'pass', scheduledAtMs, startedAtMs: scheduledAtMs }),
  )
  return { atMinute, observation: seen(outcomes, shard) }
}
const reading = (atMinute: number): Sent => {
  const results = [{ ruleId: 'pods', atMs: start + atMinute * minute, status: 'ok' as const, active: [] }]
  return { atMinute, observation: { kind: 'rule-results', id: `results:${atMinute}`, shard, results } }
}
const wake = (atMinute: number): Sent => ({
  atMinute,
  observation: { kind: 'timer', id: `${rowId}:${atMinute}`, shard, rowId },
})
const each = (from: number, to: number, sent: (atMinute: number) => Sent): Sent[] =>
  Array.from({ length: to - from + 1 }, (_, nth) => sent(from + nth))

/** A shard on a queue: what is sent is heard at once, or all of it together, in its order, when `evaluate` is back. */
const queue = () => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const evaluate = evaluateStep({ store, nowMs: () => clock.nowMs, nudge: async () => {}, ...evaluateView(config) })
  const told: string[] = []
  const hear = async ({ atMinute, observation }: Sent) => {
    const result = await evaluate(observation, start + atMinute * minute)
    if (result.status !== 'evaluated') throw new Error('conflict')
    told.push(...result.changes.map(({ alertId, to }) => `${alertId} ${to}`))
  }
  const atOnce = async (all: readonly Sent[]) => {
    for (const one of all) {
      clock.nowMs = start + one.atMinute * minute
      await hear(one)
    }
  }
  const backAt = async (atMinute: number, waiting: readonly Sent[]) => {
    clock.nowMs = start + atMinute * minute
    for (const one of waiting.toSorted((a, b) => a.atMinute - b.atMinute)) await hear(one)
  }
  const dueMinute = async () => ((await store.row(rowId))?.row.dueAtMs ?? Number.NaN) / minute - start / minute
  return { told, atOnce, backAt, dueMinute }
}

const both = (from: number, to: number): Sent[] => [...each(from, to, look), ...each(from, to, reading)]
const well = both(0, 9).toSorted((a, b) => a.atMinute - b.atMinute)
const blind = monitors.map((id) => `${id}-blind firing`)

test.each([
  { given: 'seven minutes', until: 16, waiting: [] },
  { given: 'seven minutes, with wakes between', until: 16, waiting: each(14, 16, wake) },
  { given: 'longer than looks are judged', until: 40, waiting: [] },
  { given: 'longer than looks are judged, with wakes between', until: 40, waiting: each(14, 40, wake) },
])('while evaluate was away everybody looked: nobody is blind ($given)', async ({ until, waiting }) => {
  const { told, atOnce, backAt } = queue()
  await atOnce(well)
  await backAt(until + 0.5, [...both(10, until), ...waiting])
  expect(told).toEqual([])
})

test('while evaluate was away nobody looked: that is told when it is back, by a wake that waited', async () => {
  const { told, atOnce, backAt } = queue()
  await atOnce(well)
  await backAt(16.5, [...each(10, 16, reading), wake(14)])
  expect(told.toSorted()).toEqual(blind.toSorted())
})

test('a silence that began to be too long while its wake waited is told by the next', async () => {
  const { told, atOnce, backAt, dueMinute } = queue()
  await atOnce(well)
  await backAt(16.5, [...each(10, 12, reading), wake(13)])
  expect({ told, due: await dueMinute() }).toEqual({ told: [], due: 16.5 })
  await atOnce([wake(17)])
  expect(told.toSorted()).toEqual(blind.toSorted())
})
