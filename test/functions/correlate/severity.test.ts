import { expect, test } from '@jest/globals'
import type { Route } from '../../../config/contract.ts'
import type { CorrelateBody, DeliveryOrder } from '../../../functions/contract.ts'
import { stormGroup } from '../../../functions/correlate/groups.ts'
import { change, hubView, start } from '../builders.ts'
import { apply, firing, Hub, incidentOf, nothing, of, orders, over, pagerBossChat, receipt, sent } from './hub.ts'

const id = 'shop-20261123-060000'
const view = pagerBossChat
const outage = { alertId: 'shop-down', ruleId: 'shop-down', severity: 'page' } as const
const budget = { alertId: 'shop-slo', ruleId: 'shop-slo', severity: 'ticket' } as const
const hours = 3600

const silence = (matcher: string, at: { fromMs: number; forSeconds: number }): CorrelateBody => ({
  kind: 'silence',
  silence: {
    id: 's-1',
    matchers: [matcher],
    author: 'lena',
    reason: 'new disks',
    startsAtMs: at.fromMs,
    endsAtMs: at.fromMs + at.forSeconds * 1000,
  },
})

const take = (hub: Hub) => hub.hear({ kind: 'acknowledge', incidentId: id, by: 'lena', atMs: hub.nowMs })
const log = (hub: Hub, channel: string) =>
  hub.log.filter((line) => line.includes(`${id}:${channel}:`)).map((line) => line.replace(/ .*:\d+ /, ' '))

test('a page that is back while a ticket keeps its incident open wakes people, though they took the first one on', () => {
  const hub = take(new Hub(view).hear(firing(outage)).until(60).hear(firing(budget)))
  hub
    .until(600)
    .hear(over(outage))
    .until(6 * hours)
  expect(incidentOf(hub.hub, id)).toMatchObject({ status: 'acknowledged', severity: 'ticket' })
  hub.hear(firing({ ...outage, sinceMs: hub.nowMs })).until(6 * hours + 700)
  expect(incidentOf(hub.hub, id)).toMatchObject({ status: 'open', severity: 'page' })
  expect(log(hub, 'pager')).toEqual(['0 opened', '60 updated', '600 updated', '21600 opened'])
  expect(log(hub, 'boss')).toEqual(['22200 opened'])
  const asked = hub.hub.rows.filter(({ to }) => to === 'triage').map(({ id: row }) => row)
  expect(asked).toEqual([`triage:${id}`, `triage:${id}:${start + 6 * hours * 1000}`])
})

test('what comes back again and again while a ticket is on wakes people three times an hour, no more', () => {
  const hub = new Hub(view).hear(firing(outage)).hear(firing(budget))
  for (let minute = 1; minute < 20; minute++) {
    hub.until(minute * 120 - 60).hear(over(outage))
    hub.until(minute * 120).hear(firing({ ...outage, sinceMs: hub.nowMs }))
  }
  expect(log(hub, 'pager').filter((line) => line.endsWith('opened'))).toHaveLength(1 + 3)
})

test('when the page is over and a ticket is left, only those of the ticket are reminded', () => {
  const hub = new Hub(view).hear(firing(outage)).until(60).hear(firing(budget)).until(300).hear(over(outage))
  hub.until(5 * hours)
  expect(log(hub, 'pager')).toEqual(['0 opened', '60 updated', '300 updated'])
  expect(log(hub, 'boss')).toEqual([])
  expect(log(hub, 'chat')).toEqual(['60 opened', '300 updated', '14400 reminder'])
  hub.hear(over(budget))
  expect(log(hub, 'pager').at(-1)).toBe('18000 resolved')
})

test('a page and a ticket that end together are told as the end, and as nothing before it', () => {
  const hub = new Hub(view).hear(firing(outage)).hear(firing(budget)).until(300)
  const ends = [outage, budget].map((one) => change({ ...one, to: 'inactive' }))
  hub.hear({ kind: 'alert-changes', changes: ends }).until(hours)
  expect(log(hub, 'pager')).toEqual(['0 opened', '60 updated', '300 resolved'])
})

test('a ticket wakes nobody because a page is silenced, nor does the silenced page because of the ticket', () => {
  const quiet = silence('alertname=shop-down', { fromMs: start, forSeconds: 4 * hours })
  const ticketLater = new Hub(view).hear(quiet).hear(firing(outage)).until(60).hear(firing(budget)).until(hours)
  const pageLater = take(new Hub(view).hear(quiet).hear(firing(budget)).until(30))
  pageLater.until(60).hear(firing(outage)).until(hours)
  for (const hub of [ticketLater, pageLater]) {
    expect(log(hub, 'pager')).toEqual([])
    expect(log(hub, 'boss')).toEqual([])
    expect(incidentOf(hub.hub, id).severity).toBe('ticket')
  }
  expect(incidentOf(pageLater.hub, id).status).toBe('acknowledged')
  expect(log(pageLater.until(5 * hours), 'pager')[0]).toBe('14400 opened')
})

test('what was paged, silenced and still fails at the end pages the first route, which has its time again', () => {
  const hub = new Hub(view).hear(firing(outage)).until(60)
  hub.hear(silence('service=shop', { fromMs: hub.nowMs, forSeconds: 2 * hours })).until(3 * hours)
  expect(log(hub, 'pager')).toEqual(['0 opened', '7260 opened'])
  expect(log(hub, 'boss')).toEqual(['7860 opened'])
})

test('an incident that comes back as a ticket wakes only those of the ticket', () => {
  const reopening = { ...view, grouping: { ...view.grouping, reopenMs: 600_000 } }
  const hub = new Hub(reopening).hear(firing(outage)).until(60).hear(over(outage)).until(120).hear(firing(budget))
  hub.until(hours).hear(over(budget))
  expect(log(hub, 'pager')).toEqual(['0 opened', '60 resolved'])
  expect(log(hub, 'chat').at(0)).toBe('120 opened')
  expect(log(hub, 'boss')).toEqual([])
})

test('whoever refuses the page but has the ticket from before is told of the end, and somebody else gets the page', () => {
  const refusing = (order: DeliveryOrder) =>
    receipt(
      order,
      order.channel === 'chat' && order.severity === 'page' && order.event === 'opened' ? 'rejected' : 'delivered',
    )
  const hub = new Hub(hubView([{ channels: ['chat'] }], ['chat', 'mail']), refusing)
  hub.hear(firing(budget)).until(60).hear(firing(outage)).until(120).hear(over(budget)).hear(over(outage))
  expect(log(hub, 'chat').filter((line) => !line.endsWith('updated'))).toEqual([
    '0 opened',
    '60 opened',
    '120 resolved',
  ])
  expect(log(hub, 'mail').at(0)).toBe('60 opened')
  expect(log(hub, 'mail').at(-1)).toBe('120 resolved')
})

test('each service of an incident goes on along its own routes', () => {
  const own: Route[] = [
    { services: ['a1'], channels: ['a'] },
    { services: ['b1'], channels: ['b'], escalateAfterSeconds: 300 },
    { services: ['b1'], channels: ['c'] },
  ]
  const together = { ...hubView(own, ['a', 'b', 'c']), grouping: { ...view.grouping, by: ['cluster'] } }
  const labels = { cluster: 'k' }
  const hub = new Hub(together)
    .hear(firing({ ...of('a1'), labels }))
    .until(30)
    .hear(firing({ ...of('b1'), labels }))
  hub.until(hours)
  const [, ...rest] = hub.log.map((line) => line.replace(/ \S*:([a-c]):/, ' $1:'))
  expect(rest).toEqual(['30 b:1 opened', '60 a:2 updated', '60 b:2 updated', '330 c:1 opened'])
})

test('in a storm what would wake people once more, with a ticket on, is a part of the storm', () => {
  const all = Array.from({ length: 30 }, (_, nth) => `s${nth}`)
  const storms = { ...view, grouping: { ...view.grouping, stormIncidents: 5 } }
  const hub = new Hub(storms)
  for (const [nth, service] of all.entries()) {
    hub.until(nth * 120).hear(firing({ ...of(service), alertId: `${service}-slo`, severity: 'ticket' }))
  }
  hub.until(2 * hours)
  const before = hub.log.length
  for (const service of all) hub.hear(firing({ ...of(service), sinceMs: hub.nowMs }))
  expect(hub.log.slice(before).filter((line) => / \S+:pager:\d+ opened$/.test(line))).toHaveLength(6)
  for (const service of all) hub.hear(firing({ ...of(service), sinceMs: hub.nowMs }))
  expect(hub.log.slice(before).filter((line) => / \S+:pager:\d+ opened$/.test(line))).toHaveLength(6)
  const paging = [...hub.hub.incidents.values()].filter(({ severity }) => severity === 'page')
  expect(paging).toHaveLength(6)
  hub.until(2 * hours + 60)
  for (const service of all) hub.hear(over(of(service)))
  const storm = paging.find(({ group }) => group === stormGroup)
  expect(hub.hub.incidents.get(storm?.id ?? '')?.status).toBe('resolved')
  for (const service of all) hub.hear(over({ ...of(service), alertId: `${service}-slo`, severity: 'ticket' }))
  expect([...hub.hub.incidents.values()].filter(({ status }) => status !== 'resolved')).toEqual([])
})

test('when a silence over many ends that people know of, it wakes them as often as a storm may', () => {
  const storms = { ...view, grouping: { ...view.grouping, stormIncidents: 5 } }
  const hub = new Hub(storms)
  const all = Array.from({ length: 8 }, (_, nth) => `s${nth}`)
  for (const [nth, service] of all.entries()) hub.until(nth * 70).hear(firing({ ...of(service), sinceMs: hub.nowMs }))
  hub.hear(silence('service=~".+"', { fromMs: hub.nowMs, forSeconds: hours })).until(hours)
  const before = hub.log.length
  hub.until(2 * hours)
  const told = hub.log.slice(before).filter((line) => /:pager:/.test(line))
  expect(told.filter((line) => line.endsWith(' opened'))).toHaveLength(5)
  expect(told.filter((line) => line.endsWith(' updated'))).toHaveLength(3)
})

const bySeverity = { ...view, grouping: { ...view.grouping, by: ['service', 'severity'] } }
const restated = { from: 'firing', reason: 'severity-changed' } as const
const firesIn = ({ hub }: Hub, alertId: string) =>
  [...hub.incidents.values()].filter(({ alerts }) => alerts[alertId]?.firing).map(({ group }) => group)

test.each([
  { given: 'its page inhibits its tickets', before: { severity: 'ticket' }, service: 'd' },
  { given: 'its service needs less by now', before: { severity: 'ticket', service: 'web' }, service: 'db' },
] as const)('an alert of a storm that moves fires on, though what explains others comes first: $given', (given) => {
  const inhibit = [{ id: 'r', source: ['severity=page'], target: ['severity=ticket'], equal: ['service'] }]
  const dependenciesOf = (service: string) => (service === 'web' ? ['db'] : [])
  const grouping = { ...bySeverity.grouping, stormIncidents: 1 }
  const hub = new Hub({ ...bySeverity, inhibit, dependenciesOf, grouping }).hear(firing(of('a')))
  const moving = { alertId: 'moving', ruleId: 'moving', service: given.service }
  hub.hear(firing({ ...moving, ...given.before })).until(600)
  expect(firesIn(hub, 'moving')).toEqual([stormGroup])
  const changes = [
    change({ ...restated, ...moving, ...given.before, to: 'inactive' }),
    change({ ...restated, ...moving, severity: 'page', to: 'firing' }),
  ]
  hub.hear({ kind: 'alert-changes', changes })
  expect(firesIn(hub, 'moving')).toEqual([expect.stringMatching(`^${given.service}-`)])
  hub.hear(over(moving)).hear(over(of('a')))
  expect([...hub.hub.incidents.values()].filter(({ status }) => status !== 'resolved')).toEqual([])
})

test('what moves to a service that others need explains what is told before it in the same message', () => {
  const dependenciesOf = (service: string) => (service === 'web' ? ['db'] : [])
  const moving = { alertId: 'moving', ruleId: 'moving' }
  const hub = new Hub({ ...bySeverity, dependenciesOf }).hear(firing({ ...moving, service: 'web', severity: 'ticket' }))
  const changes = [
    change({ ...of('web'), to: 'firing' }),
    change({ ...restated, ...moving, service: 'web', severity: 'ticket', to: 'inactive' }),
    change({ ...restated, ...moving, service: 'db', to: 'firing' }),
  ]
  hub.until(60).hear({ kind: 'alert-changes', changes })
  expect(hub.log.filter((line) => line.startsWith('60 ') && line.endsWith(' opened'))).toEqual([
    expect.stringMatching(/^60 db-/),
  ])
})

test('an alert that is grouped otherwise and has another severity since fires on where it did, and ends there', () => {
  const hub = new Hub(bySeverity).hear(firing(outage)).until(60)
  const dependenciesOf = (service: string) => (service === 'web' ? ['shop'] : [])
  const ticket = { ...outage, severity: 'ticket' }
  hub
    .deploy({ ...view, dependenciesOf })
    .hear(firing({ ...ticket, ...restated }))
    .until(120)
  expect(firesIn(hub, 'shop-down')).toHaveLength(1)
  hub.hear(over(ticket)).until(24 * hours)
  expect(firesIn(hub, 'shop-down')).toEqual([])
  hub.hear(firing({ ...of('web'), sinceMs: hub.nowMs }))
  expect(hub.log.at(-1)).toBe('86400 web-20261124-060000:pager:1 opened')
})

const [a, b, c]: [Route, Route, Route] = [
  { channels: ['a'], escalateAfterSeconds: 300 },
  { channels: ['b'], escalateAfterSeconds: 300 },
  { channels: ['c'] },
]
const everybody = ['a', 'b', 'c', 'x']

test.each([
  { given: 'the route before it left the config', told: 400, now: [b, c], then: '600 c:1 opened' },
  { given: 'another route came before it', told: 10, now: [{ channels: ['x'] }, a, b, c], then: '300 b:1 opened' },
  { given: 'it has other channels by now', told: 10, now: [{ channels: ['x'] }, c], then: '300 x:1 opened' },
])('what nobody takes on goes on though the routes are others by now: $given', ({ told, now, then }) => {
  const hub = new Hub(hubView([a, b, c], everybody)).hear(firing()).until(told)
  const before = hub.log.length
  hub.deploy(hubView(now, everybody)).until(hours)
  expect(hub.log[before]?.replace(`${id}:`, '')).toBe(then)
})

test('a channel that left the config is reminded no more, the one that came instead is paged; its end is given up', () => {
  const gone = (order: DeliveryOrder) =>
    receipt(order, order.channel === 'old' && order.sequence > 1 ? 'rejected' : 'delivered', {
      cause: 'not in the config',
    })
  const hub = new Hub(hubView([{ channels: ['old'], remindEverySeconds: 600 }], ['old']), gone).hear(firing()).until(30)
  hub
    .deploy(hubView([{ channels: ['new'], remindEverySeconds: 600 }], ['new']))
    .until(1300)
    .hear(over())
    .until(hours)
  expect(hub.log.map((line) => line.replace(`${id}:`, ''))).toEqual([
    '0 old:1 opened',
    '600 new:1 opened',
    '1200 new:2 reminder',
    '1300 old:2 resolved',
    '1300 new:3 resolved',
  ])
})

test('a ticket and a page of one service that are told at once wake people once, whichever was seen first', () => {
  const changes = [budget, outage].map((one) => change({ to: 'firing', ...one }))
  const hub = new Hub(view).hear({ kind: 'alert-changes', changes }).until(1)
  expect(hub.log.map((line) => line.replace(`${id}:`, ''))).toEqual(['0 pager:1 opened', '0 chat:1 opened'])
})

test('a page that is back once wakes people, however often a ticket beside it came back', () => {
  const hub = new Hub({ ...view, grouping: { ...view.grouping, reopenMs: 300_000 } })
  for (let nth = 1; nth < 5; nth++) {
    hub.hear(firing({ ...budget, sinceMs: hub.nowMs, flaps: nth })).until(nth * 100 - 50)
    hub.hear(over(budget)).until(nth * 100)
  }
  hub.hear(firing({ ...budget, sinceMs: hub.nowMs, flaps: 5 })).hear(firing({ ...outage, sinceMs: hub.nowMs }))
  take(hub).until(700).hear(over(outage)).until(2000)
  hub.hear(firing({ ...outage, sinceMs: hub.nowMs, flaps: 1 })).until(2700)
  expect(log(hub, 'pager').slice(-1)).toEqual(['2000 opened'])
  expect(log(hub, 'boss')).toEqual(['2600 opened'])
})

test('a ticket whose message is still on its way when it ends, and a page that comes then, wake people for the page', () => {
  const quick = { ...view, grouping: { ...view.grouping, reopenMs: 300_000 } }
  const routed = { ...quick, routing: { ...quick.routing, routes: [{ channels: ['pager'] }] } }
  const ticket = apply(nothing, firing(budget), { view: routed })
  const back = [over(budget), firing(outage)].reduce(
    (so, one) => apply(so, one, { view: routed, afterMs: 9000 }),
    ticket,
  )
  const told = apply(back, receipt(orders(ticket)[0], 'delivered'), { view: routed, afterMs: 10_000 })
  expect(sent(told)).toEqual([`${id}:pager:1 opened`, `${id}:pager:2 opened`])
  const { severity, event } = orders(told).at(-1) ?? {}
  expect([severity, event]).toEqual(['page', 'opened'])
})
