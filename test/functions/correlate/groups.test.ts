import { expect, test } from '@jest/globals'
import type { AlertChange, OutboxRow } from '../../../functions/contract.ts'
import { stormGroup } from '../../../functions/correlate/groups.ts'
import type { HubView } from '../../../functions/correlate/hub.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { type Incident, incident } from '../../../functions/hub-state.ts'
import type { Store } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { change, hubView, start } from '../builders.ts'

const world = (view: HubView = hubView([{ channels: ['pager'] }])) => {
  const at = { nowMs: start }
  const store = memoryStore({ nowMs: () => at.nowMs })
  return { at, store, correlate: correlateStep({ store, nowMs: () => at.nowMs, nudge: async () => {}, view }) }
}

const tell = async (store: Store, id: string, changes: AlertChange[]) => {
  const row: OutboxRow = { id, to: 'correlate', dueAtMs: start, nudges: 0, body: { kind: 'alert-changes', changes } }
  await store.commit([], [{ id, expect: 0, row }])
}

const incidents = async (store: Store): Promise<Incident[]> =>
  [...(await store.list('incident/', { limit: 1000 })).values()].map(({ value }) => incident.parse(value))

test.each([
  { what: 'grouped by service', by: ['service'], more: { severity: 'advisory' as const } },
  { what: 'grouped by another label', by: ['zone'], more: { severity: 'ticket' as const, labels: { zone: 'a' } } },
  {
    what: 'whose label is long',
    by: ['zone'],
    more: { severity: 'ticket' as const, labels: { zone: 'ä/:'.repeat(1000) } },
  },
])('an alert $what that fires again with the same beginning opens an incident of its own', async ({ by, more }) => {
  const view = hubView([{ severities: ['page', 'ticket', 'advisory'], channels: ['pager'] }])
  const so = world({ ...view, grouping: { ...view.grouping, by } })
  await tell(so.store, 'a', [change({ to: 'firing', ...more })])
  await so.correlate(['a'])
  await tell(so.store, 'b', [change({ to: 'inactive', ...more })])
  await so.correlate(['b'])
  so.at.nowMs += 5000
  await tell(so.store, 'c', [change({ to: 'firing', ...more })])
  expect(await so.correlate(['c'])).toEqual({ status: 'applied', rows: 1 })
  expect((await incidents(so.store)).map(({ status }) => status).sort()).toEqual(['open', 'resolved'])
})

test('groups that begin alike do not share an incident id', async () => {
  const view = hubView([{ channels: ['pager'] }])
  const so = world({ ...view, grouping: { ...view.grouping, by: ['pod'] } })
  const pods = ['a', 'b'].map((end) => `${'x'.repeat(70)}-${end}`)
  for (const pod of pods) {
    await tell(so.store, pod, [change({ to: 'firing', alertId: pod, severity: 'ticket', labels: { pod } })])
    expect(await so.correlate([pod])).toEqual({ status: 'applied', rows: 1 })
  }
  expect((await incidents(so.store)).map(({ status }) => status)).toEqual(['open', 'open'])
})

test('a service called storm is a service', async () => {
  const so = world()
  await tell(so.store, 'a', [change({ to: 'firing', service: 'storm' })])
  await so.correlate(['a'])
  const [row] = (await so.store.due(start + 3000, 100)).filter(({ row }) => row.to === 'deliver')
  expect(row?.row.to === 'deliver' && row.row.body.order.summaries).toEqual(['front fails from local'])
})

test('a storm is found within its minute though nothing may be reopened', async () => {
  const view = hubView([{ channels: ['pager'] }])
  const so = world({ ...view, grouping: { ...view.grouping, stormIncidents: 1, reopenMs: 0 } })
  const hear = async (name: string, to: AlertChange['to']) => {
    await tell(so.store, `${name} ${to}`, [change({ to, service: name, alertId: name })])
    await so.correlate([`${name} ${to}`])
    so.at.nowMs += 5000
  }
  await hear('a', 'firing')
  await hear('b', 'firing')
  await hear('b', 'inactive')
  await hear('c', 'firing')
  const storms = (await incidents(so.store)).filter(({ group }) => group === stormGroup)
  expect(storms.map(({ status, alerts }) => [status, Object.keys(alerts)])).toEqual([['open', ['b', 'c']]])
})
