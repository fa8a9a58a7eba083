import { expect, test } from '@jest/globals'
import type { CorrelateBody } from '../../../functions/contract.ts'
import type { HubDecision, HubView, InhibitView } from '../../../functions/correlate/hub.ts'
import { hubView, start } from '../builders.ts'
import { apply, firing, Hub, incidentOf, nothing, of, oneChannel, over, sent } from './hub.ts'

/** web needs cart, cart needs db. */
const needs: Readonly<Record<string, string[]>> = { web: ['cart', 'db'], cart: ['db'] }
const town: HubView = { ...oneChannel, dependenciesOf: (service) => needs[service] ?? [] }
const at = (seconds: number) => ({ sinceMs: start + seconds * 1000 })

test('while a service it needs fails, a service pages nobody and is listed with the root', () => {
  const hub = new Hub(town)
    .hear(firing(of('db')))
    .until(5)
    .hear(firing(of('web')))
  expect(hub.log).toEqual(['0 db-20261123-060000:pager:1 opened'])
  expect(incidentOf(hub.hub, 'web-20261123-060000').timeline.map(({ reason }) => reason)).toContain(
    'inhibited-by-dependency',
  )
  expect(incidentOf(hub.hub, 'db-20261123-060000').affects).toEqual(['web'])
})

test('the root is the service that needs nothing else that fails, however far away', () => {
  const hub = new Hub(town)
    .hear(firing(of('db')))
    .hear(firing(of('cart')))
    .hear(firing(of('web')))
  const quiet = incidentOf(hub.hub, 'web-20261123-060000').alerts['web-down']?.mute
  expect(quiet).toEqual({ kind: 'dependency', ref: 'db-20261123-060000' })
})

test('what fails before the service it needs does has paged already: its creation is suppressed, not its end', () => {
  const hub = new Hub(town)
    .hear(firing(of('web')))
    .until(10)
    .hear(firing(of('db')))
    .until(20)
    .hear(over(of('web')))
  expect(hub.log).toEqual([
    '0 web-20261123-060000:pager:1 opened',
    '10 db-20261123-060000:pager:1 opened',
    '20 web-20261123-060000:pager:2 resolved',
  ])
})

test('when the root is over and the other recovers in time, nobody hears of the other', () => {
  const hub = new Hub(town)
    .hear(firing(of('db')))
    .hear(firing(of('web')))
    .until(60)
    .hear(over(of('db')))
  hub
    .until(100)
    .hear(over(of('web')))
    .until(3600)
  expect(hub.log).toEqual([
    '0 db-20261123-060000:pager:1 opened',
    '60 db-20261123-060000:pager:2 updated',
    '60 db-20261123-060000:pager:3 resolved',
  ])
  expect(incidentOf(hub.hub, 'web-20261123-060000').timeline.at(-1)?.reason).toBe('nobody-was-paged')
})

test('when the root is over and the other still fails, it pages after the time it is given to recover', () => {
  const hub = new Hub(town)
    .hear(firing(of('db')))
    .hear(firing(of('web')))
    .until(60)
    .hear(over(of('db')))
    .until(3600)
  expect(hub.log.slice(3)).toEqual(['180 web-20261123-060000:pager:1 opened'])
})

test('what began to fail after the root was over is its own trouble', () => {
  const hub = new Hub(town)
    .hear(firing(of('db')))
    .until(60)
    .hear(over(of('db')))
    .until(70)
  hub.hear(firing(of('web', at(65))))
  expect(hub.log.at(-1)).toBe('70 web-20261123-060105:pager:1 opened')
})

test('what began to fail with the root and is told a moment after its end has time to recover', () => {
  const hub = new Hub(town)
    .hear(firing(of('db')))
    .until(60)
    .hear(over(of('db')))
    .until(70)
  hub
    .hear(firing(of('web', at(30))))
    .until(100)
    .hear(over(of('web')))
    .until(3600)
  expect(hub.log).toHaveLength(2)
})

test('a root that recovered before the clock was set back explains nothing that fails since', () => {
  const hub = new Hub(town)
    .hear(firing(of('db')))
    .until(60)
    .hear(over(of('db')))
  hub.nowMs = start - 1_800_000
  hub.hear(firing(of('web', at(-1810))))
  expect(hub.log.at(-1)).toBe('-1800 web-20261123-052950:pager:1 opened')
})

test('what is given time to recover gets no more of it when the clock is set back', () => {
  const hub = new Hub(town)
    .hear(firing(of('db')))
    .hear(firing(of('web')))
    .until(60)
    .hear(over(of('db')))
    .until(130)
  const incidentId = 'web-20261123-060000'
  hub.nowMs = start - 1_800_000
  hub.hear({ kind: 'incident-timer', incidentId })
  expect(hub.log.at(-1)).toBe(`-1800 ${incidentId}:pager:1 opened`)
})

test('a silenced root still keeps its dependents quiet', () => {
  const silence = wish({ matchers: ['service=db'], forSeconds: 600 })
  const hub = new Hub(town)
    .hear(silence)
    .hear(firing(of('db')))
    .hear(firing(of('web')))
    .until(300)
  expect(hub.log).toEqual([])
})

function wish(at: { matchers: string[]; forSeconds: number; id?: string; incidentId?: string }): CorrelateBody {
  const { matchers, forSeconds, id = 's-1', incidentId } = at
  const silence = {
    id,
    matchers,
    author: 'lena',
    reason: 'moving the disks',
    startsAtMs: start,
    endsAtMs: start + forSeconds * 1000,
  }
  return { kind: 'silence', silence: { ...silence, ...(incidentId === undefined ? {} : { incidentId }) } }
}

test('a silenced alert pages nobody; at the end the silence says what it hid, and what still fails pages', () => {
  const hub = new Hub(oneChannel).hear(wish({ matchers: ['service=~"shop|cart"'], forSeconds: 600 })).until(60)
  hub
    .hear(firing())
    .hear(firing(of('cart')))
    .until(120)
    .hear(over(of('cart')))
    .until(700)
  expect(hub.log).toEqual(['600 shop-20261123-060000:pager:1 opened', '600 s-1:pager:1 silence-ended'])
  const summaries = hub.hub.rows.flatMap((row) => (row.to === 'deliver' ? [row.body.order] : []))
  expect(summaries.find(({ event }) => event === 'silence-ended')?.summaries).toEqual([
    'moving the disks (lena) kept quiet:',
    'shop: shop-20261123-060000, still failing',
    'cart: cart-20261123-060000, over',
  ])
})

test('a silence that hid nothing ends without a word', () => {
  const hub = new Hub(oneChannel)
    .hear(wish({ matchers: ['service=cart'], forSeconds: 600 }))
    .hear(firing())
    .until(3600)
  expect(hub.log).toEqual(['0 shop-20261123-060000:pager:1 opened'])
  expect(hub.hub.silences).toEqual([])
})

test('a silence keeps an alert quiet, not another alert of the same service', () => {
  const hub = new Hub(oneChannel).hear(wish({ matchers: ['alertname=front-down'], forSeconds: 600 })).hear(firing())
  expect(hub.log).toEqual([])
  hub.until(30).hear(firing({ alertId: 'list-down', ruleId: 'list-down', summary: 'list fails' }))
  expect(hub.log).toEqual(['30 shop-20261123-060000:pager:1 opened'])
})

test('a silence over an incident that has paged stops reminders, never its end', () => {
  const hub = new Hub(oneChannel)
    .hear(firing())
    .until(60)
    .hear(wish({ matchers: ['service=shop'], forSeconds: 86_400 }))
  hub.until(20 * 3600).hear(over())
  expect(hub.log.filter((line) => !line.includes('silence-ended'))).toEqual([
    '0 shop-20261123-060000:pager:1 opened',
    '72000 shop-20261123-060000:pager:2 resolved',
  ])
})

test('a silence may end with an incident', () => {
  const tied = wish({ matchers: ['service=cart'], forSeconds: 86_400, incidentId: 'shop-20261123-060000' })
  const hub = new Hub(oneChannel)
    .hear(firing())
    .hear(tied)
    .hear(firing(of('cart')))
    .until(60)
    .hear(over())
    .until(200)
  expect(hub.log).toEqual([
    '0 shop-20261123-060000:pager:1 opened',
    '60 shop-20261123-060000:pager:2 resolved',
    '60 s-1:pager:1 silence-ended',
    '120 cart-20261123-060000:pager:1 opened',
  ])
})

test('a silence that is ended by hand lets what it hid page within a minute', () => {
  const hub = new Hub(oneChannel)
    .hear(wish({ matchers: ['service=shop'], forSeconds: 86_400 }))
    .hear(firing())
    .until(90)
  hub.hear({ kind: 'end-silence', silenceId: 's-1', by: 'omar', atMs: hub.nowMs }).until(200)
  expect(hub.log).toEqual(['90 s-1:pager:1 silence-ended', '120 shop-20261123-060000:pager:1 opened'])
})

test('in a maintenance window nobody is paged, and its end says what it hid', () => {
  const window = {
    name: 'disks',
    startsAtMs: start,
    endsAtMs: start + 600_000,
    matchers: ['service=shop'],
    reason: 'new disks',
  }
  const view: HubView = { ...oneChannel, maintenanceAt: (nowMs) => (nowMs < window.endsAtMs ? [window] : []) }
  const hub = new Hub(view).until(60).hear(firing()).until(700)
  expect(hub.log).toEqual([
    '600 shop-20261123-060000:pager:1 opened',
    '600 maintenance-disks-20261123-060000:pager:1 silence-ended',
  ])
})

const critical: InhibitView = { id: 'r', source: ['severity=page'], target: ['severity=ticket'], equal: ['service'] }

test('a rule inhibits the alert whose equal labels agree while a source fires, and no longer', () => {
  const view: HubView = { ...oneChannel, inhibit: [critical], grouping: { ...oneChannel.grouping, by: ['alertname'] } }
  const ticket = { alertId: 'slow', ruleId: 'slow', severity: 'ticket', summary: 'slow' }
  const hub = new Hub(view)
    .hear(firing())
    .hear(firing(ticket))
    .hear(firing({ ...ticket, alertId: 'cart-slow', service: 'cart' }))
  expect(hub.log.map((line) => line.split(' ')[2])).toEqual(['opened', 'opened'])
  hub.until(60).hear(over()).until(3600)
  expect(hub.log.filter((line) => line.startsWith('180 '))).toHaveLength(1)
})

const ticket = { alertId: 'slow', ruleId: 'slow', service: 'shop', severity: 'ticket' as const, summary: 'slow' }

test('sources beyond those that are noted are said, and what they alone would inhibit pages', () => {
  const view: HubView = { ...oneChannel, inhibit: [{ ...critical, equal: [] }] }
  const sources = Array.from({ length: 201 }, (_, nth) => of(`s${nth}`))
  const hub = new Hub(view)
  for (const source of sources) hub.hear(firing(source))
  hub.hear(firing(ticket)).until(60)
  const reasons = (nth: number) => incidentOf(hub.hub, `s${nth}-20261123-060000`).timeline.map(({ reason }) => reason)
  expect([reasons(199), reasons(200)].map((all) => all.includes('too-many-sources'))).toEqual([false, true])
  for (const source of sources.slice(0, 200)) hub.hear(over(source))
  hub.until(300)
  expect(hub.log.filter((line) => line.includes(' shop-'))).toEqual(['180 shop-20261123-060000:pager:1 opened'])
})

const byAlert: HubView = { ...oneChannel, grouping: { ...oneChannel.grouping, by: ['alertname'] } }
const restated = { from: 'firing', reason: 'severity-changed' }
const ofTeam: InhibitView = { id: 'r', source: ['alertname=front-down'], target: ['alertname=slow'], equal: ['team'] }

test.each([
  { given: 'it is no source any more', rule: critical, now: { severity: 'ticket' } },
  { given: 'it is the source of others', rule: ofTeam, now: { severity: 'ticket', labels: { team: 'b' } } },
])('an alert keeps nobody quiet for labels it had before: $given', ({ rule, now }) => {
  const view = { ...byAlert, inhibit: [rule] }
  const hub = new Hub(view).hear(firing({ labels: { team: 'a' } })).hear(firing({ ...ticket, labels: { team: 'a' } }))
  hub
    .until(30)
    .hear(firing({ ...restated, ...now }))
    .until(600)
  expect(hub.log.filter((line) => line.endsWith(' opened'))).toEqual([
    expect.stringMatching(/^0 front-down-\S+:pager:1 opened$/),
    // When that is seen, and it had its time to recover.
    expect.stringMatching(/^180 slow-\S+:pager:1 opened$/),
  ])
  hub.hear(over(now)).until(900)
  hub.hear(firing({ ...ticket, labels: { team: 'a' }, alertId: 'slower', ruleId: 'slower', ...at(900) }))
  expect(hub.log.at(-1)).toMatch(/^900 slower-\S+:pager:1 opened$/)
})

test('an alert that is less severe by now is not kept quiet by what it was', () => {
  const hub = new Hub({ ...byAlert, inhibit: [critical] }).hear(firing()).until(30)
  hub.hear(firing({ ...restated, severity: 'ticket' })).hear(firing(of('cart')))
  const [id = ''] = [...hub.hub.incidents.keys()]
  hub.hear({ kind: 'incident-timer', incidentId: id })
  expect(incidentOf(hub.hub, id).alerts['front-down']?.mute).toBeUndefined()
})

test('an alert goes on keeping others quiet where its labels of now say so as well', () => {
  const hub = new Hub({ ...byAlert, inhibit: [{ ...ofTeam, equal: ['service'], source: ['service=shop'] }] })
    .hear(firing())
    .hear(firing({ alertId: 'second', ruleId: 'second' }))
    .hear(firing(ticket))
    .until(30)
  hub.hear(firing({ ...restated, severity: 'ticket' })).until(3000)
  const slow = incidentOf(hub.hub, hub.hub.index.recent[0] ?? '')
  expect(slow.alerts['slow']?.mute).toEqual({ kind: 'inhibit-rule', ref: 'front-down' })
})

test('a source that is over while its rule is out of the config inhibits nothing when the rule is back', () => {
  const view: HubView = { ...oneChannel, inhibit: [critical] }
  const grouped = { ...view, grouping: { ...view.grouping, by: ['alertname'] } }
  const play = (hub: HubDecision, message: CorrelateBody, seconds: number, inhibit = view.inhibit) =>
    apply(hub, message, { view: { ...grouped, inhibit }, afterMs: seconds * 1000 })
  const fires = play(nothing, firing(), 0)
  const ended = play(fires, over(), 60, [])
  const again = play(ended, firing({ ...ticket, ...at(600) }), 600)
  expect(sent(again).at(-1)).toMatch(/^slow-.*-061000:pager:1 opened$/)
  // And it inhibits anew from then on.
  const back = play(play(again, firing(at(700)), 700), firing({ ...ticket, alertId: 'slower', ...at(710) }), 710)
  expect(sent(back).filter((line) => line.includes('061150'))).toEqual([])
})

test('a service that recovers while it is out of the config keeps nobody quiet when it is back', () => {
  const without: HubView = { ...town, isService: (service) => service !== 'db', dependenciesOf: () => [] }
  const fails = apply(nothing, firing(of('db')), { view: town })
  const ended = apply(fails, over(of('db')), { view: without, afterMs: 60_000 })
  const back = apply(ended, firing(of('web', at(600))), { view: town, afterMs: 600_000 })
  expect(sent(back).at(-1)).toBe('web-20261123-061000:pager:1 opened')
})

test('of many services that fail beneath one, it is quiet until the last is over, and pages then', () => {
  const roots = Array.from({ length: 250 }, (_, nth) => `root-${nth}`)
  const view: HubView = { ...oneChannel, dependenciesOf: (service) => (service === 'web' ? roots : []) }
  const hub = new Hub(view)
  for (const root of roots) hub.hear(firing(of(root)))
  hub.hear(firing(of('web'))).until(60)
  for (const root of roots.slice(1)) hub.hear(over(of(root)))
  hub.until(600)
  expect(hub.log.filter((line) => line.includes(' web-'))).toEqual([])
  hub.hear(over(of('root-0'))).until(3600)
  expect(hub.log.at(-1)).toBe('720 web-20261123-060000:pager:1 opened')
})

const teams = (): HubView => {
  const view = hubView([{ services: ['web'], channels: ['web-team'] }, { channels: ['pager'] }], ['pager', 'web-team'])
  const dependenciesOf = (service: string) => (service === 'cart' ? ['db'] : [])
  const labelsOf: HubView['labelsOf'] = (change) => ({
    ...view.labelsOf(change),
    team: change.service === 'db' ? 'data' : 'shop',
  })
  return { ...view, dependenciesOf, labelsOf, grouping: { ...view.grouping, by: ['team'] } }
}

test('what nothing keeps quiet any more pages its route though another alert became quiet at that moment', () => {
  const hub = new Hub(teams())
    .hear(wish({ matchers: ['service=web'], forSeconds: 100 }))
    .hear(firing(of('cart')))
    .hear(firing(of('web')))
    .until(90)
  hub.hear(firing(of('db'))).until(110)
  expect(hub.log.filter((line) => line.includes('web-team'))).toEqual([
    '100 shop-ge2r9g-20261123-060000:web-team:1 opened',
  ])
})

test('an alert that fires again, kept quiet by nothing any more, pages', () => {
  const hub = new Hub(oneChannel)
    .hear(wish({ matchers: ['service=shop'], forSeconds: 86_400 }))
    .hear(firing())
    .until(30)
  hub.hear({ kind: 'end-silence', silenceId: 's-1', by: 'omar', atMs: hub.nowMs }).hear(firing()).until(200)
  expect(hub.log.filter((line) => line.includes('opened'))).toEqual(['30 shop-20261123-060000:pager:1 opened'])
})

test('alerts about whodunit itself are kept quiet by a silence, by nothing else', () => {
  const rule: InhibitView = { id: 'r', source: ['severity=page'], target: ['severity=page'], equal: [] }
  const view: HubView = { ...oneChannel, inhibit: [{ ...rule, target: ['service=whodunit'] }] }
  const hub = new Hub(view).hear(firing()).hear(firing(of('whodunit')))
  expect(hub.log).toHaveLength(2)
})

test('what a page-worthy alert was kept quiet for pages whom its severity and service are routed to', () => {
  const routes = [
    { services: ['cart'], channels: ['cart-team'] },
    { severities: ['page' as const], channels: ['pager'] },
    { channels: ['chat'] },
  ]
  const view = hubView(routes, ['pager', 'chat', 'cart-team'])
  const grouped = { ...view, grouping: { ...view.grouping, by: ['team'] } }
  const silence = { id: 's', matchers: ['severity=page'], author: 'lena', reason: 'disks', startsAtMs: start }
  const hub = new Hub(grouped)
    .hear(firing(of('web', { severity: 'ticket' })))
    .hear({ kind: 'silence', silence: { ...silence, endsAtMs: start + 600_000 } })
    .until(60)
    .hear(firing(of('db')))
    .hear(firing(of('cart')))
    .until(700)
  const opened = hub.log.filter((line) => line.endsWith(':1 opened')).map((line) => line.split(':')[1])
  expect(opened.sort()).toEqual(['cart-team', 'chat', 'pager'])
})

test('the first alert that is heard decides who is paged, not one that is kept quiet', () => {
  const view = hubView([{ services: ['cart'], channels: ['cart-team'] }, { channels: ['pager'] }], ['pager'])
  const grouped = { ...view, grouping: { ...view.grouping, by: ['team'] } }
  const silence = { id: 's', matchers: ['service=web'], author: 'lena', reason: 'disks', startsAtMs: start }
  const hub = new Hub(grouped)
    .hear({ kind: 'silence', silence: { ...silence, endsAtMs: start + 600_000 } })
    .hear(firing(of('web')))
    .until(10)
    .hear(firing(of('cart')))
  expect(hub.log.map((line) => line.split(':')[1])).toContain('cart-team')
})

test('an alert that fires for another service by now no longer counts for the one before', () => {
  const all = { alertId: 'x', ruleId: 'x' }
  const hub = new Hub(oneChannel).hear(firing({ ...all, service: 'shop' })).hear(firing({ ...all, service: 'cart' }))
  const pages = () => ['shop', 'cart'].map((service) => hub.hub.components.get(service)?.firing.page)
  expect(pages()).toEqual([0, 1])
  hub.hear(over({ ...all, service: 'cart' }))
  expect(pages()).toEqual([0, 0])
})
