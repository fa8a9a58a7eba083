import { expect, test } from '@jest/globals'
import { type AlertChange, keys, type OutboxRow } from '../../../functions/contract.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { component, incident } from '../../../functions/hub-state.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { change, hubView, start } from '../builders.ts'

const view = hubView([{ channels: ['pager'] }])

/** A hub whose config may be another with each batch of changes, which lie in a row each. */
const town = () => {
  const nowMs = () => start
  const store = memoryStore({ nowMs })
  let told = 0
  const hear = async (changes: readonly AlertChange[], now = view) => {
    const rows = changes.map((one): OutboxRow => {
      const body = { kind: 'alert-changes' as const, changes: [one] }
      return { id: `row-${told++}`, to: 'correlate', dueAtMs: start, nudges: 0, body }
    })
    for (const row of rows) await store.commit([], [{ id: row.id, expect: 0, row }])
    const correlate = correlateStep({ store, nowMs, nudge: async () => undefined, view: now })
    return correlate(rows.map(({ id }) => id))
  }
  const statuses = async () => {
    const items = await store.list('incident/', { limit: 100 })
    return Object.fromEntries(
      [...items.values()].map(({ value }) => incident.parse(value)).map((one) => [one.id, one.status]),
    )
  }
  return { store, hear, statuses }
}

const received = { alertId: 'alertmanager:1', ruleId: 'PodCrashes' }

test('an alert that is of another service by its end is over, and so is what it meant for the first', async () => {
  const { store, hear, statuses } = town()
  await hear([change({ to: 'firing', ...received, service: 'platform' })])
  const end = change({ to: 'inactive', ...received, service: 'shop' })
  const page = change({ to: 'firing', service: 'pay', alertId: 'pay-down', ruleId: 'pay-down' })
  expect(await hear([end, page])).toEqual({ status: 'applied', rows: 2 })
  expect(await statuses()).toEqual({ 'platform-20261123-060000': 'resolved', 'pay-20261123-060000': 'open' })
  const key = keys.component('platform')
  expect(component.parse((await store.read([key])).get(key)?.value).status).toBe('operational')
})

test('a service that left the config seems not to fail though its alert ends as of another', async () => {
  const { store, hear } = town()
  await hear([change({ to: 'firing', ...received, service: 'platform' })])
  const without = { ...view, isService: (service: string) => service !== 'platform' }
  await hear([change({ to: 'inactive', ...received, service: 'shop' })], without)
  const key = keys.component('platform')
  expect(component.parse((await store.read([key])).get(key)?.value).firing.page).toBe(0)
})

test('what else fires of the service that an alert moved to is part of its incident, open or just over', async () => {
  const { hear, statuses } = town()
  const again = { ...view, grouping: { ...view.grouping, reopenMs: 300_000 } }
  const [alert, other] = ['front-down', 'list-down'].map((alertId) => ({ alertId, ruleId: alertId, service: 'store' }))
  await hear([change({ to: 'firing', ...alert, service: 'shop' })], again)
  await hear([change({ to: 'firing', ...alert, from: 'firing', reason: 'service-changed' })], again)
  for (const to of ['firing', 'inactive'] as const) await hear([change({ to, ...other })], again)
  await hear([change({ to: 'inactive', ...alert })], again)
  expect(await statuses()).toEqual({ 'shop-20261123-060000': 'resolved' })
  const third = { alertId: 'pay-down', ruleId: 'pay-down', service: 'store' }
  expect(await hear([change({ to: 'firing', ...third })], again)).toEqual({ status: 'applied', rows: 1 })
  expect(await statuses()).toEqual({ 'shop-20261123-060000': 'open' })
})

test('an alert ends where it fires, not where it fired before the config grouped otherwise for a while', async () => {
  const { hear, statuses } = town()
  const [alert, other] = ['front-down', 'list-down'].map((alertId) => ({ alertId, ruleId: alertId }))
  const sinceMs = start + 1000
  await hear([change({ to: 'firing', ...alert }), change({ to: 'firing', ...other })])
  await hear([change({ to: 'inactive', ...alert })])
  const byName = { ...view, grouping: { ...view.grouping, by: ['alertname'] } }
  await hear([change({ to: 'firing', ...alert, sinceMs })], byName)
  expect(await hear([change({ to: 'inactive', ...alert, sinceMs })])).toEqual({ status: 'applied', rows: 1 })
  expect(Object.values(await statuses()).sort()).toEqual(['open', 'resolved'])
  expect(await hear([change({ to: 'inactive', ...other })])).toEqual({ status: 'applied', rows: 1 })
  expect(Object.values(await statuses())).toEqual(['resolved', 'resolved'])
})
