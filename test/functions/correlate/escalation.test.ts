import { expect, test } from '@jest/globals'
import type { Route } from '../../../config/contract.ts'
import type { DeliveryOrder } from '../../../functions/contract.ts'
import type { HubView } from '../../../functions/correlate/hub.ts'
import { hubView, start } from '../builders.ts'
import { firing, Hub, incidentOf, over, receipt } from './hub.ts'

const id = 'shop-20261123-060000'
const routes: Route[] = [
  { services: ['shop'], channels: ['pager'], escalateAfterSeconds: 600, remindEverySeconds: 3600 },
  { severities: ['page'], channels: ['lead', 'pager'], escalateAfterSeconds: 900 },
  { channels: ['boss'] },
]
const people = ['pager', 'lead', 'boss']
const ladder = hubView(routes, people)
const steps = (hub: Hub) => hub.log.map((line) => line.replace(`${id}:`, ''))

test('what nobody takes on goes to the next route, then to the one after it, and is told again', () => {
  const hub = new Hub(ladder).hear(firing()).until(7300)
  expect(steps(hub)).toEqual([
    '0 pager:1 opened',
    '600 lead:1 opened',
    '600 pager:2 reminder',
    '1500 boss:1 opened',
    '3600 pager:3 reminder',
    '3600 lead:2 reminder',
    '3600 boss:2 reminder',
    '7200 pager:4 reminder',
    '7200 lead:3 reminder',
    '7200 boss:3 reminder',
  ])
  expect(incidentOf(hub.hub, id).timeline.map(({ reason }) => reason)).toContain('unacknowledged')
})

test('whoever takes it on stops that; its end goes to everybody who was paged', () => {
  const hub = new Hub(ladder).hear(firing()).until(700)
  hub.hear({ kind: 'acknowledge', incidentId: id, by: 'lena', atMs: hub.nowMs }).until(20_000).hear(over())
  expect(steps(hub).slice(3)).toEqual(['20000 pager:3 resolved', '20000 lead:2 resolved'])
})

test('a ticket is told to its own route and its reminders are four hours apart when nobody says otherwise', () => {
  const hub = new Hub(hubView([{ channels: ['chat'] }])).hear(firing({ severity: 'ticket' })).until(30_000)
  expect(steps(hub)).toEqual(['0 chat:1 opened', '14400 chat:2 reminder', '28800 chat:3 reminder'])
})

test('routes are chosen by team and by the time of day', () => {
  const day: Route = {
    teams: ['storefront'],
    hours: [{ timeZone: 'UTC', from: '08:00', to: '18:00' }],
    channels: ['desk'],
  }
  const view: HubView = hubView([day, { channels: ['pager'] }])
  const routed = (team: string, isDay: boolean) => {
    const routing = { ...view.routing, teamOf: () => team, isWithin: () => isDay }
    return steps(new Hub({ ...view, routing }).hear(firing()))
  }
  expect(routed('storefront', true)).toEqual(['0 desk:1 opened'])
  expect(routed('storefront', false)).toEqual(['0 pager:1 opened'])
  expect(routed('payments', true)).toEqual(['0 pager:1 opened'])
})

const refusing =
  (channels: readonly string[], more = {}) =>
  (order: DeliveryOrder) =>
    receipt(order, channels.includes(order.channel) ? 'rejected' : 'delivered', { cause: '500', ...more })

test('a page goes on to the rest of its route, to the routes after it, to the fallback channel, then to anybody', () => {
  const view = hubView([{ channels: ['a', 'b'] }, { channels: ['c'] }], ['a', 'b', 'c', 'd', 'last'])
  const routing = { ...view.routing, fallback: 'last' }
  const hub = new Hub({ ...view, routing }, refusing(['a', 'b', 'c', 'last'])).hear(firing())
  expect(steps(hub)).toEqual(['0 a:1 opened', '0 b:1 opened', '0 c:1 opened', '0 last:1 opened', '0 d:1 opened'])
})

test('a page that was refused but may have arrived is followed by its end there as well', () => {
  const view = hubView([{ channels: ['pager'] }])
  const hub = new Hub(view, (order) =>
    order.channel === 'pager' && order.event === 'opened'
      ? receipt(order, 'rejected', { cause: 'no answer', mayHaveArrived: true })
      : receipt(order, 'delivered'),
  )
  hub.hear(firing()).until(60).hear(over())
  expect(steps(hub)).toEqual(['0 pager:1 opened', '0 chat:1 opened', '60 pager:2 resolved', '60 chat:2 resolved'])
})

test('an alert of something that happened ends by itself', () => {
  const hub = new Hub(ladder).hear(firing({ alertId: 'dead-letter', endsAtMs: start + 300_000 })).until(400)
  expect(steps(hub)).toEqual(['0 pager:1 opened', '300 pager:2 resolved'])
})

test('an incident of the last minute of the day still goes on to the next route', () => {
  const sixMs = start + 60_000
  const day: Route = {
    hours: [{ timeZone: 'UTC', from: '06:00', to: '06:01' }],
    channels: ['desk'],
    escalateAfterSeconds: 600,
  }
  const view = hubView([day, { channels: ['pager'] }], ['pager', 'desk'])
  const routing = { ...view.routing, isWithin: (_: unknown, nowMs: number) => nowMs < sixMs }
  expect(steps(new Hub({ ...view, routing }).hear(firing()).until(700))).toEqual([
    '0 desk:1 opened',
    '600 pager:1 opened',
  ])
})

const shifts = (begins: Readonly<Record<string, number>>, more: Route[] = []): HubView => {
  const shift = (channel: string): Route => ({
    hours: [{ timeZone: 'UTC', from: channel, to: '24:00' }],
    channels: [channel],
  })
  const first: Route = { channels: ['pager'], escalateAfterSeconds: 600 }
  const view = hubView([first, ...Object.keys(begins).map(shift), ...more], ['pager', ...Object.keys(begins), 'boss'])
  const isWithin: HubView['routing']['isWithin'] = ({ from }, nowMs) => nowMs >= start + (begins[from] ?? 0) * 1000
  return { ...view, routing: { ...view.routing, isWithin } }
}

test.each([
  { given: 'they begin before it is due', begins: { desk: 300 }, then: ['600 desk:1 opened'] },
  { given: 'they begin at the minute it is due', begins: { desk: 600 }, then: ['600 desk:1 opened'] },
  { given: 'they begin later', begins: { desk: 7200 }, then: ['7200 desk:1 opened'] },
  { given: 'those of another begin first', begins: { desk: 7200, night: 1800 }, then: ['1800 night:1 opened'] },
  { given: 'they do not begin for long', begins: { desk: 999_999 }, then: [] },
])('what nobody takes on goes to the next route within its hours: $given', ({ begins, then }) => {
  const hub = new Hub(shifts(begins)).hear(firing()).until(14_000)
  expect(steps(hub)).toEqual(['0 pager:1 opened', ...then])
})

test('a route whose hours are to come holds nothing back from the route behind it', () => {
  const hub = new Hub(shifts({ desk: 7200 }, [{ channels: ['boss'] }])).hear(firing()).until(14_000)
  expect(steps(hub)).toEqual(['0 pager:1 opened', '600 boss:1 opened'])
})

test('whoever takes it on before the hours of the next route begin is left alone', () => {
  const hub = new Hub(shifts({ desk: 7200 })).hear(firing()).until(3000)
  hub.hear({ kind: 'acknowledge', incidentId: id, by: 'lena', atMs: hub.nowMs }).until(14_000)
  expect(steps(hub)).toEqual(['0 pager:1 opened'])
})
