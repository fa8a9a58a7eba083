import { expect, test } from '@jest/globals'
import type { Route } from '../../../config/contract.ts'
import { keys } from '../../../functions/contract.ts'
import { hubView, start } from '../builders.ts'
import { firing, Hub, incidentOf, of, over, pagerBossChat } from './hub.ts'

const id = 'shop-20261123-060000'
const view = pagerBossChat
const hours = 3600
const ticket = (nth: number) => ({ alertId: `pod-${nth}`, ruleId: 'pods', severity: 'ticket' as const })
const outage = { alertId: 'shop-down', ruleId: 'shop-down', severity: 'page' as const }

const woken = (hub: Hub) =>
  hub.log.filter((line) => /:(pager|boss):/.test(line)).map((line) => line.replace(/ \S+:(\w+):\d+ /, ' $1 '))

test.each([
  { given: 'as few as lie in its own item', tickets: 39, over: 0 },
  { given: 'so many that the page lies elsewhere', tickets: 40, over: 0 },
  { given: 'many more', tickets: 200, over: 0 },
  { given: 'so many, of which all but one are over', tickets: 40, over: 39 },
])('a page wakes people and goes on to the next route beside other alerts: $given', ({ tickets, over: ended }) => {
  const hub = new Hub(view)
  for (let nth = 0; nth < tickets; nth++) hub.hear(firing(ticket(nth)))
  for (let nth = 0; nth < ended; nth++) hub.hear(over(ticket(nth)))
  hub
    .until(600)
    .hear(firing({ ...outage, sinceMs: hub.nowMs }))
    .until(1300)
  expect(woken(hub)).toEqual(['600 pager opened', '1200 boss opened'])
})

test('a page that joins a storm of many tickets wakes people', () => {
  const hub = new Hub({ ...view, grouping: { ...view.grouping, stormIncidents: 5 } })
  for (let nth = 0; nth < 60; nth++) hub.hear(firing({ ...of(`s${nth}`), severity: 'ticket' }))
  hub
    .until(30)
    .hear(firing({ ...outage, sinceMs: hub.nowMs }))
    .until(700)
  expect(woken(hub)).toEqual(['30 pager opened', '630 boss opened'])
})

test('of a big incident those are reminded, and those hear next, whose alerts are left', () => {
  const teams: Route[] = ['a', 'b'].flatMap((team) => [
    { services: [team], channels: [`${team}-pager`], escalateAfterSeconds: 600 },
    { services: [team], channels: [`${team}-boss`] },
  ])
  const people = ['a-pager', 'a-boss', 'b-pager', 'b-boss']
  const known = hubView(teams, people)
  const hub = new Hub({ ...known, grouping: { ...known.grouping, by: ['cluster'] } })
  const ofA = (nth: number) => ({ service: 'a', alertId: `a-${nth}`, ruleId: 'a', labels: { cluster: 'k' } })
  for (let nth = 0; nth < 40; nth++) hub.hear(firing(ofA(nth)))
  hub.until(60).hear(firing({ ...of('b'), labels: { cluster: 'k' } }))
  for (let nth = 0; nth < 40; nth++) hub.hear(over(ofA(nth)))
  hub.until(5 * hours)
  const told = hub.log
    .filter((line) => / (opened|reminder)$/.test(line))
    .map((line) => line.replace(/ \S+:(.+):\d+ /, ' $1 '))
  expect(told).toEqual([
    '0 a-pager opened',
    '60 b-pager opened',
    '660 b-boss opened',
    '14400 b-pager reminder',
    '14400 b-boss reminder',
  ])
})

test('what an incident notes of alerts elsewhere has its limit, keeps the severest, and goes with them', () => {
  const hub = new Hub({ ...view, grouping: { ...view.grouping, by: ['cluster'] } })
  const labels = { cluster: 'k' }
  const others = Array.from({ length: 300 }, (_, nth) => ({ ...of(`s${nth}`), severity: 'ticket' as const, labels }))
  for (const one of others) hub.hear(firing(one))
  const [key] = hub.hub.incidents.keys()
  const noted = () => incidentOf(hub.hub, key ?? '').heardInPages ?? []
  expect(noted()).toHaveLength(40)
  hub.hear(firing({ ...of('last'), severity: 'page', labels }))
  expect(noted()).toHaveLength(40)
  expect(noted()[0]).toEqual({ service: 'last', severity: 'page', alerts: 1 })
  for (const one of others) hub.hear(over(one))
  expect(noted()).toEqual([{ service: 'last', severity: 'page', alerts: 1 }])
  hub.hear(over({ ...of('last'), severity: 'page', labels }))
  expect(incidentOf(hub.hub, key ?? '').status).toBe('resolved')
  expect(noted()).toEqual([])
})

test('an incident has room for its alerts, its timeline and all routes they go along', () => {
  const long = (nth: number) => `${'s'.repeat(55)}-${nth}`
  const all: Route[] = Array.from({ length: 200 }, (_, nth) => ({
    services: [long(nth)],
    channels: [`c${nth % 60}`],
    escalateAfterSeconds: 600,
  }))
  const known = hubView(
    [...all, { channels: ['c0'] }],
    Array.from({ length: 60 }, (_, nth) => `c${nth}`),
  )
  const hub = new Hub({ ...known, grouping: { ...known.grouping, by: ['cluster'] } })
  for (let nth = 0; nth < 200; nth++) {
    hub.hear(firing({ ...of(long(nth)), summary: 'x'.repeat(400), labels: { cluster: 'k', said: 'y'.repeat(200) } }))
  }
  hub.until(2 * hours)
  const sizes = [...hub.hub.incidents].map(([name, one]) => [keys.incident(name), JSON.stringify(one).length] as const)
  for (const [, size] of sizes) expect(size).toBeLessThan(64_000)
  expect(hub.nowMs).toBe(start + 2 * hours * 1000)
})

test('however many incidents a minute may have before it is a storm, what comes then is one', () => {
  const hub = new Hub({ ...view, grouping: { ...view.grouping, stormIncidents: 70 } })
  for (let nth = 0; nth < 100; nth++) hub.hear(firing(of(`s${nth}`)))
  expect(hub.hub.incidents.size).toBe(71)
})

test('a ticket taken on is no page taken on: what a silence hid meanwhile wakes people when the ticket is over', () => {
  const hours4 = 4 * hours
  const hub = new Hub(view).hear({
    kind: 'silence',
    silence: {
      id: 's-1',
      matchers: ['alertname=shop-down'],
      author: 'lena',
      reason: 'works',
      startsAtMs: start,
      endsAtMs: start + hours4 * 1000,
    },
  })
  hub.hear(firing(ticket(0))).until(30)
  hub.hear({ kind: 'acknowledge', incidentId: id, by: 'lena', atMs: hub.nowMs })
  hub.until(60).hear(firing({ ...outage, sinceMs: hub.nowMs }))
  hub
    .until(hours)
    .hear(over(ticket(0)))
    .until(hours4 + 700)
  expect(woken(hub)).toEqual(['14400 pager opened', '14400 pager silence-ended', '15000 boss opened'])
  expect(incidentOf(hub.hub, id).status).toBe('open')
})
