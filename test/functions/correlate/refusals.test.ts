import { expect, test } from '@jest/globals'
import type { DeliveryOrder } from '../../../functions/contract.ts'
import { hubView, start } from '../builders.ts'
import { apply, firing, Hub, incidentOf, nothing, orders, over, receipt, sent } from './hub.ts'

const reopening = (channels: string[]) => {
  const view = hubView([{ channels }], channels)
  return { ...view, grouping: { ...view.grouping, reopenMs: 300_000 } }
}

test('what came back and was refused by all who had the page before is sent again', () => {
  const view = reopening(['pager', 'chat'])
  const answer = (order: DeliveryOrder) => receipt(order, order.event === 'reopened' ? 'rejected' : 'delivered')
  const hub = new Hub(view, answer).hear(firing())
  hub.nowMs += 10_000
  hub.hear(over())
  hub.nowMs += 10_000
  const back = apply(hub.hub, firing(), { view, afterMs: 20_000 })
  const [first, second] = orders(back).slice(-2)
  const refused = [first, second].reduce(
    (so, order) => apply(so, receipt(order, 'rejected'), { view, afterMs: 21_000 }),
    back,
  )
  expect(sent(refused).slice(back.rows.filter(({ to }) => to === 'deliver').length)).toEqual([
    'shop-20261123-060000:chat:3 reopened',
    'shop-20261123-060000:pager:3 reopened',
  ])
})

test('a channel that left the config does not hear of a return: whom it goes to now does, and no fallback is woken', () => {
  const renamed = { ...reopening(['phone']), routing: { ...reopening(['phone']).routing, people: ['phone', 'boss'] } }
  // The pager is gone by the time of the return.
  const answer = (order: DeliveryOrder) =>
    receipt(order, order.channel === 'pager' && order.sequence > 2 ? 'rejected' : 'delivered')
  const hub = new Hub(reopening(['pager']), answer)
    .hear(firing())
    .until(10)
    .hear(over())
    .deploy(renamed)
    .until(20)
    .hear(firing({ sinceMs: start + 19_000 }))
  const id = 'shop-20261123-060000'
  expect(hub.log).toEqual([`0 ${id}:pager:1 opened`, `10 ${id}:pager:2 resolved`, `20 ${id}:phone:1 opened`])
})

test('a page does not wait behind an end that is refused', () => {
  const view = reopening(['pager'])
  const opened = apply(nothing, firing(), { view })
  const told = apply(opened, receipt(orders(opened)[0], 'delivered'), { view, afterMs: 1000 })
  const ended = apply(told, over(), { view, afterMs: 10_000 })
  const back = apply(ended, firing(), { view, afterMs: 20_000 })
  expect(sent(back).at(-1)).toBe('shop-20261123-060000:pager:2 resolved')
  const refused = apply(back, receipt(orders(back).at(-1), 'rejected'), { view, afterMs: 30_000 })
  expect(sent(refused).at(-1)).toBe('shop-20261123-060000:pager:3 reopened')
})

test('a page of an incident that has been open for days is not given up at once', () => {
  const view = reopening(['pager'])
  const days = 4 * 86_400
  const hub = new Hub(view)
    .hear(firing())
    .until(days)
    .hear(over())
    .until(days + 60)
  const back = apply(hub.hub, firing(), { view, afterMs: (days + 60) * 1000 })
  const refused = apply(back, receipt(orders(back).at(-1), 'rejected'), { view, afterMs: (days + 70) * 1000 })
  expect(sent(refused).slice(-2)).toEqual([sent(back).at(-1), sent(back).at(-1)])
})

test('who gets what came back instead of another channel gets it as a page of its own', () => {
  const view = reopening(['pager'])
  const routed = { ...view, routing: { ...view.routing, people: ['pager', 'mail'] } }
  const hub = new Hub(routed, (order) => receipt(order, order.event === 'reopened' ? 'rejected' : 'delivered'))
  hub.hear(firing()).until(10).hear(over()).until(20).hear(firing())
  expect(hub.log.at(-1)).toBe('20 shop-20261123-060000:mail:1 opened')
})

test('who refused the end and then what came back still has the first page, and hears of the last end', () => {
  const view = reopening(['pager', 'chat'])
  const opened = apply(nothing, firing(), { view })
  const told = orders(opened).reduce((so, one) => apply(so, receipt(one, 'delivered'), { view, afterMs: 1000 }), opened)
  const back = apply(apply(told, over(), { view, afterMs: 10_000 }), firing(), { view, afterMs: 20_000 })
  const end = orders(back).find(({ channel, event }) => channel === 'pager' && event === 'resolved')
  const again = apply(back, receipt(end, 'rejected'), { view, afterMs: 30_000 })
  const page = orders(again).find(({ channel, event }) => channel === 'pager' && event === 'reopened')
  const refused = apply(again, receipt(page, 'rejected'), { view, afterMs: 31_000 })
  const ended = apply(refused, over(), { view, afterMs: 40_000 })
  expect(sent(ended).at(-1)).toBe('shop-20261123-060000:pager:4 resolved')
})

test('a page that falls over to another channel after the clock was set back waits for its answers no longer', () => {
  const view = hubView([{ channels: ['pager'] }], ['pager', 'mail'])
  const opened = apply(nothing, firing(), { view })
  const refused = apply(opened, receipt(orders(opened)[0], 'rejected'), { view, afterMs: -1_800_000 })
  const row = refused.rows.find(({ id }) => id.includes(':mail:'))
  expect(row?.dueAtMs).toBe(start - 1_800_000 + 3000)
})

test('a page that is refused goes to whoever was woken only for the ticket before it', () => {
  const view = hubView([{ severities: ['page'], channels: ['pager'] }, { channels: ['chat'] }], ['pager', 'chat'])
  const hub = new Hub(view, (order) => receipt(order, order.channel === 'pager' ? 'rejected' : 'delivered'))
  hub
    .hear(firing({ alertId: 'shop-slo', ruleId: 'shop-slo', severity: 'ticket' }))
    .until(600)
    .hear(firing({ sinceMs: hub.nowMs }))
    .until(700)
  expect(hub.log.map((line) => line.replace('shop-20261123-060000:', ''))).toEqual([
    '0 chat:1 opened',
    '600 pager:1 opened',
    '600 chat:2 updated',
    '600 chat:3 opened',
  ])
})

test.each([
  { given: 'may never have had the page', page: { status: 'rejected', mayHaveArrived: true } as const, hours: 6 },
  { given: 'has the page', page: { status: 'delivered' } as const, hours: 72 },
])('who $given and refuses its end is asked for it for $hours hours, which is noted once', ({ page, hours }) => {
  const view = reopening(['pager', 'boss'])
  const opened = apply(nothing, firing(), { view })
  const [first] = orders(opened).filter(({ channel }) => channel === 'pager')
  let hub = apply(apply(opened, receipt(first, page.status, page), { view }), over(), { view })
  const ends = () => orders(hub).filter(({ channel, event }) => channel === 'pager' && event === 'resolved')
  const asked: boolean[] = []
  for (const hour of [1, 2, hours - 0.1, hours + 0.1]) {
    const before = ends().length
    const refused = receipt(ends().at(-1), 'rejected', { cause: '502', mayHaveArrived: true })
    hub = apply(hub, refused, { view, afterMs: hour * 3_600_000 })
    asked.push(ends().length > before)
  }
  expect(asked).toEqual([true, true, true, false])
  const { timeline } = incidentOf(hub, 'shop-20261123-060000')
  expect(timeline.filter(({ what }) => what.includes('refused: 502'))).toHaveLength(1)
})
