import { expect, test } from '@jest/globals'
import type { CorrelateBody } from '../../../functions/contract.ts'
import type { HubDecision, HubView } from '../../../functions/correlate/hub.ts'
import { hubView, start } from '../builders.ts'
import { apply, firing, nothing, oneChannel, open, orders, over, receipt, sent } from './hub.ts'

const id = 'shop-20261123-060000'

test('a firing alert opens an incident that is paged and triaged', () => {
  const hub = apply(nothing, firing())
  expect(sent(hub)).toEqual([`${id}:pager:1 opened`])
  expect(hub.rows.map(({ to, dueAtMs }) => [to, dueAtMs - start])).toEqual([
    ['deliver', 3000],
    ['triage', 0],
  ])
  expect(open(hub)).toEqual([id])
})

test('the same alert told again opens nothing', () => {
  const hub = apply(apply(nothing, firing()), firing())
  expect(sent(hub)).toEqual([`${id}:pager:1 opened`])
})

test('a resolve waits for the page that is on its way, and never overtakes it', () => {
  const resolved = apply(apply(nothing, firing()), over(), { afterMs: 1000 })
  expect(sent(resolved)).toEqual([`${id}:pager:1 opened`])
  const arrived = apply(resolved, receipt(orders(resolved)[0], 'delivered'), { afterMs: 1500 })
  expect(sent(arrived)).toEqual([`${id}:pager:1 opened`, `${id}:pager:2 resolved`])
})

test('a channel that refused the page gets no resolve, the fallback gets page and resolve', () => {
  const opened = apply(nothing, firing())
  const refused = apply(opened, receipt(orders(opened)[0], 'rejected', { cause: '404' }))
  expect(sent(refused)).toEqual([`${id}:pager:1 opened`, `${id}:chat:1 opened`])
  const toChat = apply(refused, receipt(orders(refused)[1], 'delivered'))
  expect(sent(apply(toChat, over()))).toEqual([`${id}:pager:1 opened`, `${id}:chat:1 opened`, `${id}:chat:2 resolved`])
})

test('a page that is refused after the incident ended still reaches a person, and is then resolved', () => {
  const ended = apply(apply(nothing, firing()), over())
  const refused = apply(ended, receipt(orders(ended)[0], 'rejected', { cause: '404' }))
  const arrived = apply(refused, receipt(orders(refused)[1], 'delivered'))
  expect(sent(arrived)).toEqual([`${id}:pager:1 opened`, `${id}:chat:1 opened`, `${id}:chat:2 resolved`])
})

test('with nobody else left the same channel is tried again later, under the same id', () => {
  const view = hubView([{ channels: ['pager'] }], ['pager'])
  const opened = apply(nothing, firing(), { view })
  const refused = apply({ ...opened, rows: [] }, receipt(orders(opened)[0], 'rejected', { cause: '500' }), { view })
  expect(sent(refused)).toEqual([`${id}:pager:1 opened`])
  expect(refused.rows[0]?.dueAtMs).toBe(start + 60_000)
})

test('a resolve that is refused is tried again, not dropped', () => {
  const opened = apply(nothing, firing())
  const resolved = apply(apply(opened, receipt(orders(opened)[0], 'delivered')), over())
  const refused = apply({ ...resolved, rows: [] }, receipt(orders(resolved)[1], 'rejected', { cause: '500' }))
  expect(sent(refused)).toEqual([`${id}:pager:2 resolved`])
})

test('another alert of the same service updates whoever was paged, once each', () => {
  const opened = apply(nothing, firing())
  const arrived = apply(opened, receipt(orders(opened)[0], 'delivered'))
  const joined = apply(arrived, firing({ alertId: 'list-down', ruleId: 'list-down' }), { afterMs: 60_000 })
  expect(sent(joined)).toEqual([`${id}:pager:1 opened`, `${id}:pager:2 updated`])
})

test('updates that wait fold into one, and a resolve makes them pointless', () => {
  const opened = apply(nothing, firing())
  const more = ['b', 'c'].reduce((hub, name) => apply(hub, firing({ alertId: name, ruleId: name })), opened)
  const ended = ['front-down', 'b', 'c'].reduce((hub, name) => apply(hub, over({ alertId: name, ruleId: name })), more)
  const arrived = apply(ended, receipt(orders(opened)[0], 'delivered'))
  expect(sent(arrived)).toEqual([`${id}:pager:1 opened`, `${id}:pager:2 resolved`])
})

test('the incident ends with its last alert, not before', () => {
  const both = apply(apply(nothing, firing()), firing({ alertId: 'b', ruleId: 'b' }))
  const one = apply(both, over())
  expect(open(one)).toEqual([id])
  expect(open(apply(one, over({ alertId: 'b', ruleId: 'b' })))).toEqual([])
})

test('a higher severity pages its own route, those already told get an update', () => {
  const view = hubView([{ severities: ['page'], channels: ['pager'] }, { channels: ['chat'] }])
  const ticket = apply(nothing, firing({ severity: 'ticket' }), { view })
  const arrived = apply(ticket, receipt(orders(ticket)[0], 'delivered'), { view })
  const severer = apply(arrived, firing({ alertId: 'b', ruleId: 'b', severity: 'page' }), { view })
  expect(sent(severer)).toEqual([`${id}:chat:1 opened`, `${id}:pager:1 opened`, `${id}:chat:2 updated`])
})

test('a page that left without its case file is followed by an update as soon as there is one', () => {
  const opened = apply(nothing, firing())
  const blind = apply(opened, receipt(orders(opened)[0], 'delivered', { withCaseFile: false }))
  const answered = apply(blind, { kind: 'case-file', incidentId: id })
  expect(sent(answered)).toEqual([`${id}:pager:1 opened`, `${id}:pager:2 updated`])
  const twice = apply(answered, { kind: 'case-file', incidentId: id })
  expect(sent(twice)).toHaveLength(2)
})

test('a case file that came in time needs no update', () => {
  const opened = apply(nothing, firing())
  const answered = apply(opened, { kind: 'case-file', incidentId: id })
  expect(sent(apply(answered, receipt(orders(opened)[0], 'delivered')))).toEqual([`${id}:pager:1 opened`])
})

test('a second outage of the same service is a new incident', () => {
  const first = apply(apply(nothing, firing()), over())
  const second = apply(first, firing({ sinceMs: start + 600_000 }), { afterMs: 600_000 })
  expect(open(second)).toEqual(['shop-20261123-061000'])
  expect(second.index.recent).toEqual(['shop-20261123-061000', id])
})

test('services have incidents of their own', () => {
  const both = apply(apply(nothing, firing()), firing({ service: 'cart', alertId: 'cart-down', ruleId: 'cart-down' }))
  expect(open(both).sort()).toEqual(['cart-20261123-060000', id])
})

const withStatus: HubView = {
  ...oneChannel,
  statusChannels: ['status'],
  availabilityRules: () => ['front-down', 'list-down'],
}
const statusOrders = (hub: HubDecision) =>
  orders(hub).flatMap(({ id: orderId, component }) =>
    component ? [`${orderId} ${component.from}>${component.to}`] : [],
  )

test('the status page hears of a partial outage, then of a major one, then of the end, in that order', () => {
  const view = withStatus
  const opened = apply(nothing, firing(), { view })
  const worse = apply(opened, firing({ alertId: 'list-down', ruleId: 'list-down' }), { view })
  expect(statusOrders(worse)).toEqual([`${id}.shop:status:1 operational>partial_outage`])
  const order = orders(worse).find(({ component }) => component)
  const arrived = apply(worse, receipt(order, 'delivered'), { view })
  expect(statusOrders(arrived)).toEqual([
    `${id}.shop:status:1 operational>partial_outage`,
    `${id}.shop:status:2 partial_outage>major_outage`,
  ])
})

test('two incidents of one service that take turns never say two things under one id', () => {
  const view = { ...withStatus, grouping: { ...withStatus.grouping, by: ['service', 'severity'] } }
  const play = (hub: HubDecision, message: CorrelateBody) => {
    const next = apply(hub, message, { view })
    const order = orders(next).findLast(({ component }) => component)
    return apply(next, receipt(order, 'delivered'), { view })
  }
  const ticket = { severity: 'ticket', alertId: 'list-down', ruleId: 'list-down' }
  const all = [firing(ticket), firing(), over(), over(ticket)].reduce(play, nothing)
  const ids = orders(all).flatMap((order) => (order.component ? [order.id] : []))
  expect(ids).toHaveLength(4)
  expect(new Set(ids).size).toBe(4)
})

test('a component that flapped while a change was on its way ends with the latest status only', () => {
  const view = withStatus
  const opened = apply(nothing, firing(), { view })
  const ended = apply(opened, over(), { view })
  const again = apply(ended, firing({ sinceMs: start + 60_000 }), { view, afterMs: 60_000 })
  const order = orders(opened).find(({ component }) => component)
  const arrived = apply(again, receipt(order, 'delivered'), { view, afterMs: 61_000 })
  expect(statusOrders(arrived)).toEqual([`${id}.shop:status:1 operational>partial_outage`])
})

test('an advisory does not redden the status page', () => {
  const hub = apply(nothing, firing({ severity: 'advisory' }), { view: withStatus })
  expect(statusOrders(hub)).toEqual([])
})

test('every decision is in the timeline with its reason', () => {
  const hub = apply(apply(nothing, firing()), over())
  const timeline = hub.incidents.get(id)?.timeline.map(({ what, reason }) => `${what} (${reason})`)
  expect(timeline).toEqual([
    'alert front-down is firing: front fails from local (threshold-met)',
    'pages pager (first-alert)',
    'alert front-down is inactive: front fails from local (success-threshold-met)',
    'resolved (all-alerts-gone)',
  ])
})

test('when everybody refused the page everybody is asked again, and the first to take it gets the resolve', () => {
  const opened = apply(nothing, firing())
  const toChat = apply(opened, receipt(orders(opened)[0], 'rejected', { cause: '500' }))
  const nobody = apply({ ...toChat, rows: [] }, receipt(orders(toChat)[1], 'rejected', { cause: '500' }))
  expect(sent(nobody).sort()).toEqual([`${id}:chat:1 opened`, `${id}:pager:1 opened`])
  const ended = apply(nobody, over())
  const pager = orders(nobody).find(({ channel }) => channel === 'pager')
  const arrived = apply({ ...ended, rows: [] }, receipt(pager, 'delivered'))
  expect(sent(arrived)).toEqual([`${id}:pager:2 resolved`])
})

test('a channel that refused the page hears of the next alert as a page, not as an update of nothing', () => {
  const opened = apply(nothing, firing())
  const refused = apply(opened, receipt(orders(opened)[0], 'rejected', { cause: '500' }))
  const arrived = apply(refused, receipt(orders(refused)[1], 'delivered'))
  const news = firing({ alertId: 'list-down', ruleId: 'list-down' })
  const joined = apply({ ...arrived, rows: [] }, news, { afterMs: 60_000 })
  expect(sent(joined).sort()).toEqual([`${id}:chat:2 updated`, `${id}:pager:2 opened`])
})

test('a page that is given up after three days releases no resolve', () => {
  const view = hubView([{ channels: ['pager'] }], ['pager'])
  const ended = apply(apply(nothing, firing(), { view }), over(), { view })
  const refused = receipt(orders(ended)[0], 'rejected', { cause: '500' })
  const givenUp = apply({ ...ended, rows: [] }, refused, { view, afterMs: 73 * 3_600_000 })
  expect(sent(givenUp)).toEqual([])
})

const taken = (at: { by?: string; atMs?: number } = {}): CorrelateBody => ({
  kind: 'acknowledge',
  incidentId: id,
  by: at.by ?? 'lena',
  atMs: at.atMs ?? start + 5000,
})
const incidentOf = (hub: HubDecision) => hub.incidents.get(id)

test('an open incident is acknowledged by the first who does, with a reason, and nobody is paged for it', () => {
  const hub = [taken(), taken({ by: 'omar', atMs: start + 6000 })].reduce(
    (so, one) => apply(so, one),
    apply(nothing, firing()),
  )
  expect(incidentOf(hub)).toMatchObject({ status: 'acknowledged', acknowledged: { by: 'lena', atMs: start + 5000 } })
  expect(incidentOf(hub)?.timeline.slice(2)).toEqual([
    { atMs: start + 5000, what: 'acknowledged by lena', reason: 'taken-on' },
  ])
  expect(sent(hub)).toEqual([`${id}:pager:1 opened`])
})

test('the end of an acknowledged incident still goes to whoever got the page', () => {
  const opened = apply(nothing, firing())
  const arrived = apply(opened, receipt(orders(opened)[0], 'delivered'))
  const over_ = apply(apply(arrived, taken()), over())
  expect(sent(over_)).toEqual([`${id}:pager:1 opened`, `${id}:pager:2 resolved`])
  expect(incidentOf(over_)).toMatchObject({ status: 'resolved', acknowledged: { by: 'lena' } })
})

test('an incident that is over, or that nobody knows, is not acknowledged', () => {
  const ended = apply(apply(nothing, firing()), over())
  expect(incidentOf(apply(ended, taken()))).toBe(incidentOf(ended))
  expect(apply(nothing, taken()).incidents.size).toBe(0)
})

test('more of what was acknowledged leaves it acknowledged', () => {
  const hub = apply(apply(apply(nothing, firing()), taken()), firing({ alertId: 'b', ruleId: 'b' }))
  expect(incidentOf(hub)).toMatchObject({ status: 'acknowledged', acknowledged: { by: 'lena' } })
})

test('an incident that becomes severer than what was acknowledged is open again, and can be taken on again', () => {
  const ticket = apply(apply(nothing, firing({ severity: 'ticket' })), taken())
  const page = apply(ticket, firing({ alertId: 'b', ruleId: 'b', severity: 'page' }), { afterMs: 9000 })
  expect(incidentOf(page)?.status).toBe('open')
  expect(incidentOf(page)).not.toHaveProperty('acknowledged')
  const rose = { atMs: start + 9000, reason: 'severity-rose' }
  expect(incidentOf(page)?.timeline.slice(-2)).toEqual([
    { ...rose, what: 'open again: acknowledged as ticket, now page' },
    { ...rose, what: 'pages pager' },
  ])
  expect(incidentOf(apply(page, taken({ by: 'omar' })))?.acknowledged?.by).toBe('omar')
})
