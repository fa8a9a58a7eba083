import { expect, test } from '@jest/globals'
import { type AlertChange, type CorrelateBody, keys, type Nudge, type OutboxRow } from '../../../functions/contract.ts'
import type { InhibitView } from '../../../functions/correlate/hub.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { incident, inhibitor } from '../../../functions/hub-state.ts'
import type { Store } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { change, hubView, start } from '../builders.ts'

type At = { nowMs: number; store?: Store; by?: string[]; inhibit?: InhibitView[] }

const world = (at: At = { nowMs: start }) => {
  const { store = memoryStore({ nowMs: () => at.nowMs }), by = ['service'], inhibit = [] } = at
  const view = hubView([{ channels: ['pager'] }])
  const nudges: Nudge[] = []
  const correlate = correlateStep({
    store,
    nowMs: () => at.nowMs,
    nudge: async (more) => {
      nudges.push(...more)
    },
    view: { ...view, inhibit, grouping: { ...view.grouping, by } },
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
    'publish:page',
    'triage:shop-20261123-060000',
  ])
})

test('the status page is demanded by what it shows, not by who took something on', async () => {
  const { store, correlate } = world()
  const incidentId = 'shop-20261123-060000'
  await tell(store, 'a', [change({ to: 'firing' })])
  await correlate(['a'])
  const body = { kind: 'acknowledge' as const, incidentId, by: 'lena', atMs: start }
  await store.commit([], [{ id: 'ack', expect: 0, row: { id: 'ack', to: 'correlate', dueAtMs: 0, nudges: 0, body } }])
  await correlate(['ack'])
  await tell(store, 'b', [change({ to: 'inactive' })])
  await correlate(['b'])
  // One row, written again by what changes the page.
  expect(await store.row('publish:page')).toMatchObject({ version: 2 })
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

test('an end that comes before its beginning waits for it: no incident stays open for ever', async () => {
  const { store, correlate } = world()
  const body = (changes: AlertChange[], after?: string) => ({
    kind: 'alert-changes' as const,
    changes,
    ...(after === undefined ? {} : { after }),
  })
  const put = (id: string, changes: AlertChange[], after?: string) => {
    const row: OutboxRow = { id, to: 'correlate', dueAtMs: start, nudges: 0, body: body(changes, after) }
    return store.commit([], [{ id, expect: 0, row }])
  }
  await put('a', [change({ to: 'firing' })])
  await put('b', [change({ to: 'inactive' })], 'a')
  expect(await correlate(['b'])).toEqual({ status: 'applied', rows: 2 })
  const id = 'shop-20261123-060000'
  const stored = (await store.read([keys.incident(id)])).get(keys.incident(id))
  expect(incident.parse(stored?.value).status).toBe('resolved')
})

test.each([
  { given: 'one alert', count: 1 },
  { given: 'more alerts than fit its item', count: 60 },
])('an incident of $given ends though the config groups by other labels since', async ({ count }) => {
  const { store, correlate } = world()
  const alert = (nth: number, to: 'firing' | 'inactive') => change({ to, alertId: `a${nth}`, ruleId: `a${nth}` })
  const all = Array.from({ length: count }, (_, nth) => nth)
  for (let at = 0; at < count; at += 30) {
    await tell(
      store,
      `fire-${at}`,
      all.slice(at, at + 30).map((nth) => alert(nth, 'firing')),
    )
    await correlate([`fire-${at}`])
  }
  const regrouped = world({ nowMs: start, store, by: ['alertname'] })
  for (const nth of all) {
    await tell(store, `end-${nth}`, [alert(nth, 'inactive')])
    expect(await regrouped.correlate([`end-${nth}`])).toEqual({ status: 'applied', rows: 1 })
  }
  const items = await store.list('incident/', { limit: 10 })
  expect([...items.values()].map(({ value }) => incident.parse(value).status)).toEqual(['resolved'])
})

test.each([
  { given: 'less severe', was: 'page', is: 'ticket' },
  { given: 'severer', was: 'ticket', is: 'page' },
] as const)(
  'an alert that is $given when it is grouped otherwise fires in one incident, and ends',
  async ({ was, is }) => {
    const { store, correlate } = world({ nowMs: start, by: ['service', 'severity'] })
    const regrouped = world({ nowMs: start, store })
    const statuses = async () => {
      const items = await store.list('incident/', { limit: 10 })
      return [...items.values()].map(({ value }) => incident.parse(value).status)
    }
    await tell(store, 'was', [change({ to: 'firing', severity: was })])
    await correlate(['was'])
    await tell(store, 'is', [change({ from: 'firing', to: 'firing', severity: is })])
    await regrouped.correlate(['is'])
    expect(await statuses()).toEqual(['open'])
    await tell(store, 'end', [change({ to: 'inactive', severity: is })])
    await regrouped.correlate(['end'])
    expect(await statuses()).toEqual(['resolved'])
  },
)

test('an alert that fires on under other labels inhibits by those alone', async () => {
  const rule = { id: 'r', source: ['service=shop'], target: ['service=cart'], equal: ['team'] }
  const { store, correlate } = world({ nowMs: start, inhibit: [rule] })
  for (const team of ['a', 'b']) {
    await tell(store, team, [change({ to: 'firing', labels: { team }, ...(team === 'b' ? { from: 'firing' } : {}) })])
    await correlate([team])
  }
  const items = await store.list('inhibitor/', { limit: 10 })
  const sources = [...items.values()].map(({ value }) => Object.keys(inhibitor.parse(value).sources))
  expect(sources.sort((a, b) => a.length - b.length)).toEqual([[], ['front-down']])
})

test('an alert that fires again as of the same time, long after its end, opens another incident', async () => {
  const at = { nowMs: start, by: ['alertname'] }
  const { store, correlate } = world(at)
  const other = { alertId: 'list-down', ruleId: 'list-down' }
  const told = [
    change({ to: 'firing' }),
    change({ to: 'inactive' }),
    change({ to: 'firing', ...other }),
    change({ to: 'firing' }),
  ]
  for (const [nth, one] of told.entries()) {
    await tell(store, `row-${nth}`, [one])
    expect(await correlate([`row-${nth}`])).toEqual({ status: 'applied', rows: 1 })
    at.nowMs += 600_000
  }
  expect((await store.list('incident/', { limit: 10 })).size).toBe(3)
})

test('a message that cannot be applied takes none of its neighbours along', async () => {
  const { store, correlate } = world()
  const broken = 'x'.repeat(2000) // names an incident whose key no store takes
  await tell(store, 'bad', [change({ to: 'firing', service: broken, alertId: 'bad' })])
  await tell(store, 'good', [change({ to: 'firing' })])
  await expect(correlate(['bad', 'good'])).rejects.toThrow('bytes')
  expect(await store.row('good')).toBeUndefined()
  expect(await store.row('bad')).toBeDefined()
})

test('a message that conflicts every time keeps back only what says more of its alerts', async () => {
  const { store, correlate } = world()
  const id = 'deliver:shop-20261123-060000:pager:1' // The page's own row is there already, for whatever reason.
  const body = { kind: 'incident-timer' as const, incidentId: 'none' }
  await store.commit([], [{ id, expect: 0, row: { id, to: 'correlate', dueAtMs: start, nudges: 0, body } }])
  await tell(store, 'begin', [change({ to: 'firing' })])
  await tell(store, 'end', [change({ to: 'inactive' })])
  await tell(store, 'good', [change({ to: 'firing', service: 'pay', alertId: 'pay-down' })])
  const ids = ['begin', 'end', 'good']
  expect(await correlate(ids)).toEqual({ status: 'conflict' })
  expect((await store.list('incident/', { limit: 10 })).size).toBe(1)
  expect(await store.row('deliver:pay-20261123-060000:pager:1')).toBeDefined()
  await store.commit([], [{ id, expect: 1 }])
  expect(await correlate(ids)).toEqual({ status: 'applied', rows: 2 })
  expect((await shop(store)).status).toBe('resolved')
})

test('an incident of many alerts, long sentences and months of refusals still fits its item', async () => {
  const { store, correlate } = world()
  const many = Array.from({ length: 150 }, (_, index) =>
    change({ to: 'firing', alertId: `alert-${index}`, ruleId: `alert-${index}`, summary: 'ü'.repeat(400) }),
  )
  for (let at = 0; at < many.length; at += 30) await tell(store, `a${at}`, many.slice(at, at + 30))
  for (let at = 0; at < many.length; at += 30) await correlate([`a${at}`])
  for (let index = 0; index < 300; index++) {
    await tell(store, `b${index}`, [{ ...change({ to: 'inactive' }), ...many[index % 7], to: 'inactive' }])
    await correlate([`b${index}`])
  }
  expect((await store.due(start, 1000)).filter(({ row }) => row.to === 'correlate')).toEqual([])
})

const put = async (store: Store, id: string, body: CorrelateBody) => {
  await store.commit([], [{ id, expect: 0, row: { id, to: 'correlate', dueAtMs: start, nudges: 0, body } }])
}

const shop = async (store: Store) => {
  const key = keys.incident('shop-20261123-060000')
  return incident.parse((await store.read([key])).get(key)?.value)
}

test('a big incident that a silence kept quiet pages at its end, every alert looked at, in parts that fit', async () => {
  const at = { nowMs: start }
  const { store, correlate } = world(at)
  const silence = {
    id: 's',
    matchers: ['service=shop'],
    author: 'lena',
    reason: 'disks',
    startsAtMs: start,
    endsAtMs: start + 90_000,
  }
  await put(store, 's', { kind: 'silence', silence })
  await correlate(['s'])
  for (let from = 0; from < 300; from += 30) {
    const changes = Array.from({ length: 30 }, (_, nth) => change({ to: 'firing', alertId: `alert-${from + nth}` }))
    await put(store, `a${from}`, { kind: 'alert-changes', changes })
    await correlate([`a${from}`])
  }
  expect((await shop(store)).counts).toMatchObject({ alerts: 300, firing: 300, audible: 0 })
  for (let second = 1; second <= 120; second++) {
    at.nowMs = start + second * 1000
    const due = (await store.due(at.nowMs, 1000)).filter(({ row }) => row.to === 'correlate')
    if (due.length > 0) await correlate(due.map(({ row }) => row.id))
  }
  expect(await shop(store)).toMatchObject({
    counts: { alerts: 300, firing: 300, audible: 300 },
    toldAtMs: start + 90_000,
  })
  expect(await store.row('timer:silences')).toBeUndefined()
})

test('an incident has one timer, at its earliest deadline, and none when it is over', async () => {
  const { store, correlate } = world()
  await tell(store, 'a', [change({ to: 'firing' })])
  await correlate(['a'])
  const id = 'timer:incident:shop-20261123-060000'
  expect((await store.row(id))?.row.dueAtMs).toBe(start + 4 * 3_600_000)
  expect(await correlate([id])).toEqual({ status: 'applied', rows: 0 })
  await tell(store, 'b', [change({ to: 'inactive' })])
  await correlate(['b'])
  expect(await store.row(id)).toBeUndefined()
})
