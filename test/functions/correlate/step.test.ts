import { expect, test } from '@jest/globals'
import { type AlertChange, incident, keys, type Nudge, type OutboxRow } from '../../../functions/contract.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import type { Store } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { change, hubView, start } from '../builders.ts'

const world = () => {
  const store = memoryStore({ nowMs: () => start })
  const nudges: Nudge[] = []
  const correlate = correlateStep({
    store,
    nowMs: () => start,
    nudge: async (more) => {
      nudges.push(...more)
    },
    view: hubView([{ channels: ['pager'] }]),
  })
  return { store, nudges, correlate }
}

const tell = async (store: Store, id: string, changes: AlertChange[]) => {
  const row: OutboxRow = { id, to: 'correlate', dueAtMs: start, nudges: 0, body: { kind: 'alert-changes', changes } }
  await store.commit([], [{ id, expect: 0, row }])
}

test('a row is applied once, however often it is nudged', async () => {
  const { store, correlate } = world()
  await tell(store, 'a', [change({ to: 'firing' })])
  expect(await correlate(['a', 'a'])).toEqual({ status: 'applied', rows: 1 })
  expect(await correlate(['a'])).toEqual({ status: 'applied', rows: 0 })
  const due = await store.due(start + 3000, 100)
  expect(due.map(({ row }) => row.id).sort()).toEqual([
    'deliver:shop-20261123-060000:pager:1',
    'publish:0',
    'triage:shop-20261123-060000',
  ])
})

test('two at once apply every row exactly once', async () => {
  const { store, correlate } = world()
  const ids = ['a', 'b', 'c', 'd']
  for (const id of ids) await tell(store, id, [change({ to: 'firing', service: `service-${id}`, alertId: id })])
  await Promise.all([correlate(ids), correlate(ids), correlate(['a', 'b'])])
  const due = await store.due(start + 3000, 100)
  expect(due.filter(({ row }) => row.to === 'deliver').map(({ row }) => row.id)).toHaveLength(4)
})

test('the page is nudged for its deadline, the questions at once', async () => {
  const { store, correlate, nudges } = world()
  await tell(store, 'a', [change({ to: 'firing' })])
  await correlate(['a'])
  expect(nudges.map(({ to, afterMs }) => [to, afterMs])).toEqual([
    ['deliver', 3000],
    ['triage', 0],
    ['publish', 0],
  ])
})

test('more alerts than one transaction holds are applied in parts, none lost', async () => {
  const { store, correlate, nudges } = world()
  const services = Array.from({ length: 60 }, (_, index) => `service-${index}`)
  await tell(
    store,
    'a',
    services.map((service) => change({ to: 'firing', service, alertId: service, ruleId: service })),
  )
  for (let rounds = 0; rounds < 20 && (await store.row('a')); rounds++) await correlate(['a'])
  const found = await store.read(services.map((service) => keys.incident(`${service}-20261123-060000`)))
  expect([...found.values()].map(({ value }) => incident.parse(value).status)).toEqual(services.map(() => 'open'))
  expect(nudges.filter(({ to }) => to === 'triage')).toHaveLength(60)
})
