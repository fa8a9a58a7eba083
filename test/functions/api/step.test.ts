import { expect, test } from '@jest/globals'
import { acknowledgeStep, standing } from '../../../functions/api/step.ts'
import { keys, type Nudge } from '../../../functions/contract.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { type Incident, incident } from '../../../functions/hub-state.ts'
import type { Store } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { hubView, openIncident, start } from '../builders.ts'

const shop = openIncident()
const receiver = { incidentId: shop.id, channel: 'pager' }

const world = async (first: Incident | undefined = shop, nudge?: () => Promise<void>) => {
  const clock = { nowMs: start + 60_000 }
  const nowMs = () => clock.nowMs
  const store = memoryStore({ nowMs })
  if (first) await store.commit([{ key: keys.incident(first.id), expect: 0, value: first }])
  const nudges: Nudge[] = []
  const warnings: string[] = []
  const keep = async (more: readonly Nudge[]) => void nudges.push(...more)
  const warn = (text: string) => void warnings.push(text)
  const press = acknowledgeStep({ store, nowMs, nudge: nudge ?? keep, warn })
  const correlate = correlateStep({ store, nowMs, nudge: keep, view: hubView([{ channels: ['pager'] }]) })
  return { clock, store, nudges, warnings, press, correlate }
}

const kept = async (store: Store) =>
  incident.parse((await store.read([keys.incident(shop.id)])).get(keys.incident(shop.id))?.value)
const rows = async (store: Store) => (await store.due(start + 1e9, 10)).map(({ row }) => row.id)

test('pressing writes a row for correlate and nudges it; correlate makes it one acknowledgement', async () => {
  const { store, press, nudges, correlate } = await world()
  expect(await press(receiver)).toMatchObject({ status: 'pending' })
  const rowId = `ack:${shop.id}:pager`
  expect(nudges).toEqual([{ to: 'correlate', rowId, afterMs: 0 }])
  expect(await standing(store, receiver)).toMatchObject({ status: 'pending' })
  await correlate([rowId])
  const by = 'somebody with the page sent to pager'
  expect(await kept(store)).toMatchObject({ status: 'acknowledged', acknowledged: { by, atMs: start + 60_000 } })
  expect(await standing(store, receiver)).toMatchObject({ status: 'acknowledged', by })
  expect(nudges.map(({ to }) => to)).toEqual(['correlate'])
})

test('pressing twice, before or after it is written, is one acknowledgement', async () => {
  const { store, press, correlate, clock } = await world()
  await Promise.all([press(receiver), press(receiver)])
  clock.nowMs += 1000
  await press(receiver)
  expect(await rows(store)).toEqual([`ack:${shop.id}:pager`])
  await correlate([`ack:${shop.id}:pager`])
  clock.nowMs += 60_000
  expect(await press(receiver)).toMatchObject({ status: 'acknowledged', atMs: start + 60_000 })
  expect((await rows(store)).filter((id) => id.startsWith('ack:'))).toEqual([])
  expect((await kept(store)).timeline).toHaveLength(1)
})

test('of two people who press at the same time the first has it, and the second is told so', async () => {
  const { store, press, correlate, clock } = await world()
  await press(receiver)
  clock.nowMs += 5
  await press({ ...receiver, channel: 'chat' })
  await correlate([`ack:${shop.id}:pager`, `ack:${shop.id}:chat`])
  const by = 'somebody with the page sent to pager'
  expect((await kept(store)).acknowledged).toEqual({ by, atMs: start + 60_000, severity: 'page' })
  expect(await press({ ...receiver, channel: 'chat' })).toMatchObject({ status: 'acknowledged', by })
  expect((await kept(store)).timeline).toHaveLength(1)
})

test.each([
  {
    given: 'an incident that is over',
    first: { ...shop, status: 'resolved' as const, resolvedAtMs: start },
    status: 'resolved',
  },
  { given: 'no incident', first: undefined, status: 'gone' },
])('$given is answered and nothing is written', async ({ first, status }) => {
  const { store, press, nudges } = await world(first ?? { ...shop, id: 'other-1' })
  expect(await press(receiver)).toMatchObject({ status })
  expect([await rows(store), nudges]).toEqual([[], []])
})

test('a nudge that is lost is said and loses nothing', async () => {
  const { store, press, warnings } = await world(shop, async () => {
    throw new Error('no queue')
  })
  expect(await press(receiver)).toMatchObject({ status: 'pending' })
  expect(await rows(store)).toEqual([`ack:${shop.id}:pager`])
  expect(warnings).toEqual([`nudge of ack:${shop.id}:pager lost, the sweep will bring it: no queue`])
})
