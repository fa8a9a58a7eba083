import { expect, test } from '@jest/globals'
import { decideCorrelate } from '../../../functions/correlate/decide.ts'
import type { HubView } from '../../../functions/correlate/hub.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { hubView, start } from '../builders.ts'
import { firing, Hub, of, open, over } from './hub.ts'

const routes = hubView([
  { severities: ['page'], channels: ['pager'], escalateAfterSeconds: 600 },
  { channels: ['chat'] },
])
const viewOf = (grouping: Partial<HubView['grouping']> = {}): HubView => ({
  ...routes,
  grouping: { ...routes.grouping, reopenMs: 300_000, ...grouping },
})

const overAMomentAgo = () => new Hub(viewOf()).hear(firing()).until(10).hear(over()).until(20)

const keptQuiet = () => {
  const silence = { id: 's-1', matchers: ['alertname=front-down'], author: 'ada', reason: 'disks', startsAtMs: start }
  const hub = new Hub(viewOf()).hear(firing()).until(10)
  return hub.hear({ kind: 'silence', silence: { ...silence, endsAtMs: start + 7_200_000 } }).until(700)
}

const flapping = () => {
  const hub = new Hub(viewOf())
  for (let nth = 0; nth < 4; nth++) {
    hub
      .until(nth * 100)
      .hear(firing({ sinceMs: hub.nowMs }))
      .until(nth * 100 + 50)
      .hear(over())
  }
  return hub.until(400)
}

const stormOver = () => {
  const hub = new Hub(viewOf({ stormIncidents: 2 }))
  for (const service of ['a', 'b', 'c']) hub.hear(firing(of(service)))
  return hub
    .until(10)
    .hear(over(of('c')))
    .until(20)
}

test.each([
  {
    given: 'what was over a moment ago',
    hub: overAMomentAgo(),
    asked: { 'shop-20261123-060000': 2, 'pay-20261123-060020': 1 },
    paged: ['shop-20261123-060000:pager:3', 'pay-20261123-060020:pager:1'],
  },
  {
    given: 'what is kept quiet',
    hub: keptQuiet(),
    asked: { 'shop-20261123-060000': 2, 'pay-20261123-061140': 1 },
    paged: ['pay-20261123-061140:pager:1', 'shop-20261123-060000:pager:3'],
  },
  {
    given: 'what flaps and is quiet',
    hub: flapping(),
    asked: { 'shop-20261123-060000': 2, 'pay-20261123-060640': 1 },
    paged: ['pay-20261123-060640:pager:1', 'shop-20261123-060000:pager:9'],
  },
  {
    given: 'a storm that was over a moment ago',
    hub: stormOver(),
    view: viewOf({ stormIncidents: 2 }),
    asked: { 'storm-20261123-060000': 2 },
    paged: ['storm-20261123-060000:pager:3'],
  },
])('a ticket and a page of $given, decided at once with others, ask once', async (at) => {
  const { hub, view = viewOf() } = at
  const [sinceMs, told] = [hub.nowMs, hub.log.length]
  const messages = [
    firing({ alertId: 'slow', ruleId: 'slow', severity: 'ticket', sinceMs }),
    firing({ alertId: 'list-down', ruleId: 'list-down', sinceMs }),
    firing({ ...of('pay'), sinceMs }),
  ]
  const { rows } = decideCorrelate(hub.hub, messages, { view, nowMs: sinceMs })
  const written = rows.map((row) => ({ id: row.id, expect: 0, row }))
  expect(await memoryStore({ nowMs: () => sinceMs }).commit([], written)).toBe('committed')
  const questions = rows.flatMap(({ to, body }) => (to === 'triage' ? [body] : []))
  const asked = questions.map(({ brief, nudge }) => [brief.incidentId, nudge.length])
  expect(Object.fromEntries(asked)).toEqual(at.asked)
  for (const message of messages) hub.hear(message)
  expect(open(hub.hub)).toEqual(expect.arrayContaining(Object.keys(at.asked)))
  const pages = hub.log.slice(told).filter((line) => line.includes(':pager:') && line.endsWith('opened'))
  expect(pages.map((line) => line.split(' ')[1]).sort()).toEqual([...at.paged].sort())
})
