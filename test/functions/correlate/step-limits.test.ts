import { expect, test } from '@jest/globals'
import { type AlertChange, type CorrelateBody, keys, type OutboxRow } from '../../../functions/contract.ts'
import { stormGroup } from '../../../functions/correlate/groups.ts'
import type { HubView } from '../../../functions/correlate/hub.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { type Incident, incident, quietComponent, silences } from '../../../functions/hub-state.ts'
import type { Store } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { change, hubView, start } from '../builders.ts'

const world = (view: HubView = hubView([{ channels: ['pager'] }])) => {
  const at = { nowMs: start }
  const store = memoryStore({ nowMs: () => at.nowMs })
  return { at, store, correlate: correlateStep({ store, nowMs: () => at.nowMs, nudge: async () => {}, view }) }
}

const say = async (store: Store, id: string, body: CorrelateBody) => {
  const row: OutboxRow = { id, to: 'correlate', dueAtMs: start, nudges: 0, body }
  await store.commit([], [{ id, expect: 0, row }])
}
const tell = (store: Store, id: string, changes: AlertChange[]) => say(store, id, { kind: 'alert-changes', changes })

/** All that is due for `correlate`, until nothing is, or for so many rounds. */
const run = async ({ store, at, correlate }: ReturnType<typeof world>, untilMs: number) => {
  for (let rounds = 0; rounds < 100; rounds++) {
    const due = (await store.due(at.nowMs, 1000)).filter(({ row }) => row.to === 'correlate')
    if (due.length === 0 && at.nowMs >= untilMs) return
    if (due.length === 0) at.nowMs = Math.min(untilMs, at.nowMs + 1000)
    for (const { row } of due) await correlate([row.id])
  }
}

const incidents = async (store: Store): Promise<Incident[]> =>
  [...(await store.list('incident/', { limit: 1000 })).values()].map(({ value }) => incident.parse(value))

const team = (view: HubView): HubView => ({
  ...view,
  labelsOf: (one) => ({ ...view.labelsOf(one), team: 'red' }),
  grouping: { ...view.grouping, by: ['team'] },
})

const events = (count: number, more: Partial<HubView> = {}) => {
  const so = world({ ...team(hubView([{ channels: ['pager'] }])), ...more })
  const changes = Array.from({ length: count }, (_, nth) => {
    const service = `service-${nth}`
    return change({ to: 'firing', service, alertId: service, ruleId: service, endsAtMs: start + 60_000 })
  })
  return { so, changes }
}

test('alerts of a big incident end by themselves, whatever their service', async () => {
  const { so, changes } = events(90)
  await tell(so.store, 'a', changes)
  await run(so, start + 70_000)
  expect((await incidents(so.store)).map(({ status, counts }) => [status, counts.firing])).toEqual([['resolved', 0]])
})

test('what ends at once and is more than a transaction holds ends in parts', async () => {
  const { so, changes } = events(90, {
    inhibit: [{ id: 'r', source: ['team=red'], target: ['team=blue'], equal: ['service'] }],
  })
  await tell(so.store, 'a', changes)
  await run(so, start + 70_000)
  expect((await incidents(so.store)).map(({ status, counts }) => [status, counts.firing])).toEqual([['resolved', 0]])
})

test('silences that end at once and have more to say than a transaction holds', async () => {
  const channels = Array.from({ length: 5 }, (_, nth) => `channel-${nth}`)
  const so = world(hubView([{ channels }], channels))
  const endsAtMs = start + 10_000
  for (let nth = 0; nth < 40; nth++) {
    const [id, matchers] = [`s-${nth}`, [`service="service-${nth}"`]]
    const asked = { id, matchers, author: 'ada', reason: 'works', startsAtMs: start, endsAtMs }
    await say(so.store, id, { kind: 'silence', silence: asked })
    await so.correlate([id])
    await tell(so.store, `a-${nth}`, [change({ to: 'firing', service: `service-${nth}`, alertId: `a-${nth}` })])
    await so.correlate([`a-${nth}`])
  }
  await run(so, start + 40_000)
  const item = (await so.store.read([keys.silences])).get(keys.silences)
  expect(silences.parse(item?.value).silences).toEqual([])
})

test('an incident has room for whatever its alerts say', async () => {
  const so = world(team(hubView([{ channels: ['pager'] }])))
  for (let nth = 0; nth < 45; nth++) {
    const service = `${'s'.repeat(60)}-${nth}`
    const more = { service, alertId: `${service}-down`, ruleId: `${service}-down`, summary: '\u0001'.repeat(400) }
    await tell(so.store, `a-${nth}`, [change({ to: 'firing', ...more, labels: { said: 'ä'.repeat(500) } })])
    expect(await so.correlate([`a-${nth}`])).toEqual({ status: 'applied', rows: 1 })
  }
})

test('silences with long matchers leave room for what they hide', async () => {
  const view = hubView([{ channels: ['pager'] }])
  const window = {
    name: 'works',
    startsAtMs: start,
    endsAtMs: start + 60_000,
    matchers: ['service="shop"'],
    reason: 'r',
  }
  const so = world({ ...view, maintenanceAt: () => [window] })
  for (let nth = 0; nth < 20; nth++) {
    const matchers = Array.from({ length: 20 }, (_, at) => `label="${'漢'.repeat(180)}${at}"`)
    const asked = { id: `s-${nth}`, matchers, author: 'ada', reason: 'r', startsAtMs: start, endsAtMs: start + 60_000 }
    await say(so.store, asked.id, { kind: 'silence', silence: asked })
    expect(await so.correlate([asked.id])).toEqual({ status: 'applied', rows: 1 })
  }
  await tell(so.store, 'a', [change({ to: 'firing' }), change({ to: 'firing', service: 'cart', alertId: 'cart' })])
  expect(await so.correlate(['a'])).toEqual({ status: 'applied', rows: 1 })
})

test('a source whose labels changed while it fired inhibits nothing for ever', async () => {
  const rule = { id: 'r', source: ['alertname="root"'], target: ['alertname="leaf"'], equal: ['zone'] }
  const view = { ...hubView([{ channels: ['pager'] }]), inhibit: [rule] }
  const so = world(view)
  const root = { service: 'root', alertId: 'root', ruleId: 'root' }
  await tell(so.store, 'a', [change({ to: 'firing', ...root, labels: { zone: 'a' } })])
  await so.correlate(['a'])
  await tell(so.store, 'b', [change({ to: 'inactive', ...root, labels: { zone: 'b' } })])
  await so.correlate(['b'])
  so.at.nowMs += 600_000
  const leaf = { service: 'leaf', alertId: 'leaf', ruleId: 'leaf', sinceMs: so.at.nowMs, labels: { zone: 'a' } }
  await tell(so.store, 'c', [change({ to: 'firing', ...leaf })])
  await so.correlate(['c'])
  expect((await incidents(so.store)).find(({ service }) => service === 'leaf')?.toldAtMs).toBe(so.at.nowMs)
})

test.each([
  { what: 'the storm', key: keys.incident('storm-20261123-055900') },
  { what: 'the index', key: keys.hub },
  { what: 'the silences', key: keys.silences },
  { what: 'the component', key: keys.component('shop'), known: quietComponent },
  { what: 'another incident of that name', key: keys.incident('shop-20261123-060000') },
])("$what that a newer version wrote stands in no page's way", async ({ key, known = {} }) => {
  const so = world()
  const silence = { id: 's', matchers: ['service=web'], author: 'ada', reason: 'r', startsAtMs: start }
  await say(so.store, 's', { kind: 'silence', silence: { ...silence, endsAtMs: start + 60_000 } })
  await tell(so.store, 'a', [change({ to: 'firing', service: 'web', alertId: 'web' })])
  await so.correlate(['s', 'a'])
  const found = (await so.store.read([key])).get(key)
  const value = { ...known, ...(found?.value as object), novelty: true } // whatever it is, it is an object
  const group = { key: keys.group(stormGroup), expect: 0, value: { incidentId: 'storm-20261123-055900' } }
  await so.store.commit([group, { key, expect: found?.version ?? 0, value }])
  await tell(so.store, 'b', [change({ to: 'firing' })])
  expect(await so.correlate(['b'])).toEqual({ status: 'applied', rows: 1 })
})

test('what no longer says anything is forgotten', async () => {
  const { so, changes } = events(90, {
    inhibit: [{ id: 'r', source: ['team=red'], target: ['team=blue'], equal: ['service'] }],
  })
  await tell(so.store, 'a', changes)
  await run(so, start + 70_000)
  so.at.nowMs += 91 * 86_400_000
  for (const prefix of ['alerts/', 'inhibitor/', 'group/', 'incident/']) {
    expect((await so.store.list(prefix, { limit: 10 })).size).toBe(0)
  }
})

test('as many channels and inhibit rules as a config may have fit into one transaction', async () => {
  const channels = Array.from({ length: 60 }, (_, nth) => `channel-${nth}`)
  const inhibit = Array.from({ length: 20 }, (_, nth) => ({
    id: `r-${nth}`,
    source: ['service="shop"'],
    target: [`service="service-${nth}"`],
    equal: [],
  }))
  const so = world({ ...hubView([{ channels }], channels), inhibit })
  for (const to of ['firing', 'inactive'] as const) {
    await tell(so.store, to, [change({ to })])
    expect(await so.correlate([to])).toEqual({ status: 'applied', rows: 1 })
    const written = (await so.store.due(start + 10_000, 1000)).flatMap(({ row }) => (row.to === 'deliver' ? [row] : []))
    for (const { body } of written) {
      const receipt = { order: body.order, status: 'delivered', atMs: start, attempts: 1, withCaseFile: true } as const
      await say(so.store, `receipt:${body.order.id}`, { kind: 'receipt', receipt })
      await so.correlate([`receipt:${body.order.id}`])
    }
  }
  expect((await incidents(so.store)).map(({ status }) => status)).toEqual(['resolved'])
})
