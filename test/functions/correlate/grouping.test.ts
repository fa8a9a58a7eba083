import { expect, test } from '@jest/globals'
import type { CorrelateBody } from '../../../functions/contract.ts'
import type { HubView } from '../../../functions/correlate/hub.ts'
import { start } from '../builders.ts'
import { apply, firing, Hub, incidentOf, of, oneChannel, open, over } from './hub.ts'

const id = 'shop-20261123-060000'
const again: HubView = { ...oneChannel, grouping: { ...oneChannel.grouping, reopenMs: 300_000 } }
const storms: HubView = { ...oneChannel, grouping: { ...oneChannel.grouping, stormIncidents: 5 } }
const later = (seconds: number) => ({ sinceMs: start + seconds * 1000 })

test('what fires again soon after its end is the same incident, and pages again', () => {
  const hub = new Hub(again)
    .hear(firing())
    .until(60)
    .hear(over())
    .until(120)
    .hear(firing(later(110)))
  expect(hub.log).toEqual([`0 ${id}:pager:1 opened`, `60 ${id}:pager:2 resolved`, `120 ${id}:pager:3 reopened`])
  expect(hub.until(180).hear(over()).log.at(-1)).toBe(`180 ${id}:pager:4 resolved`)
})

test('what fires again long after its end is another incident', () => {
  const hub = new Hub(again)
    .hear(firing())
    .until(60)
    .hear(over())
    .until(361)
    .hear(firing(later(361)))
  expect(hub.log.at(-1)).toBe('361 shop-20261123-060601:pager:1 opened')
})

test('questions are asked again when it is back, and their answers follow', () => {
  const hub = new Hub(again)
    .hear(firing())
    .until(60)
    .hear(over())
    .until(120)
    .hear(firing(later(110)))
  expect(hub.hub.rows.filter(({ to }) => to === 'triage').map((row) => row.id)).toEqual([
    `triage:${id}`,
    `triage:${id}:${start + 120_000}`,
  ])
  hub.hear({ kind: 'case-file', incidentId: id })
  expect(hub.log.at(-1)).toBe(`120 ${id}:pager:4 updated`)
})

test('what was taken on and comes back waits for somebody again', () => {
  const hub = new Hub(again).hear(firing()).hear({ kind: 'acknowledge', incidentId: id, by: 'lena', atMs: start })
  hub
    .until(60)
    .hear(over())
    .until(120)
    .hear(firing(later(110)))
  expect(incidentOf(hub.hub, id)).toMatchObject({ status: 'open' })
  expect(incidentOf(hub.hub, id)).not.toHaveProperty('acknowledged')
})

test('the third return within an hour is flapping: its end waits until it stays quiet, and no return pages meanwhile', () => {
  const hub = new Hub(again)
  for (let round = 0; round < 6; round++) {
    hub
      .until(round * 100)
      .hear(firing(later(round * 100)))
      .until(round * 100 + 50)
      .hear(over())
  }
  const events = hub.log.map((line) => `${line.split(' ')[0]} ${line.split(' ')[2]}`)
  expect(events.slice(0, 7)).toEqual([
    '0 opened',
    '50 resolved',
    '100 reopened',
    '150 resolved',
    '200 reopened',
    '250 resolved',
    '300 reopened',
  ])
  expect(events.slice(7).filter((event) => !event.endsWith('updated'))).toEqual([])
  hub.until(3000)
  expect(hub.log.at(-1)).toMatch(/^1150 .* resolved$/)
  expect(open(hub.hub)).toEqual([])
})

test('a page says how often it came back', () => {
  const hub = new Hub(again)
  for (let round = 0; round < 3; round++) {
    hub
      .until(round * 100)
      .hear(firing(later(round * 100)))
      .until(round * 100 + 50)
      .hear(over())
  }
  const flaps = hub.hub.rows.flatMap((row) =>
    row.to === 'deliver' && row.body.order.event === 'reopened' ? [row.body.order.flaps] : [],
  )
  expect(flaps).toEqual([undefined, 2])
})

test('alerts that join are told together, at most once a minute', () => {
  const hub = new Hub(oneChannel).hear(firing())
  for (let second = 1; second <= 130; second++) {
    hub.until(second).hear(firing({ alertId: `a${second}`, ruleId: `a${second}`, summary: `a${second} fails` }))
  }
  expect(hub.log.map((line) => line.split(' ')[0])).toEqual(['0', '60', '120'])
})

test('alerts with equal labels are one incident, whatever their service', () => {
  const byTeam: HubView = {
    ...oneChannel,
    labelsOf: ({ labels, service, severity, ruleId }) => ({ ...labels, service, severity, alertname: ruleId }),
    grouping: { ...oneChannel.grouping, by: ['team'] },
  }
  const hub = new Hub(byTeam)
    .hear(firing({ labels: { team: 'A&B' } }))
    .hear(firing(of('cart', { labels: { team: 'A&B' } })))
  expect(open(hub.hub)).toHaveLength(1)
  expect(hub.log).toHaveLength(1)
  expect(hub.log[0]).toMatch(/^0 a-b-[a-z0-9]+-20261123-060000:pager:1 opened$/)
  hub
    .until(10)
    .hear(over({ labels: { team: 'A&B' } }))
    .hear(over(of('cart', { labels: { team: 'A&B' } })))
  expect(open(hub.hub)).toEqual([])
})

test('an alert whose config groups it otherwise now still ends where it fires', () => {
  const before = new Hub(oneChannel).hear(firing())
  expect(open(before.hear(over({ labels: { team: 'x' }, service: 'shop' })).hub)).toEqual([])
})

test('an advisory is shown and told to nobody, unless a route asks for it; it keeps no other incident open', () => {
  const hub = new Hub(oneChannel).hear(firing({ alertId: 'adv', ruleId: 'adv', severity: 'advisory' })).hear(firing())
  expect(open(hub.hub).sort()).toEqual([id, 'shop-advisory-20261123-060000'])
  expect(hub.log).toEqual([`0 ${id}:pager:1 opened`])
  expect(open(hub.until(60).hear(over()).hub)).toEqual(['shop-advisory-20261123-060000'])
  const asked: HubView = {
    ...oneChannel,
    routing: { ...oneChannel.routing, routes: [{ severities: ['advisory'], channels: ['chat'] }] },
  }
  expect(new Hub(asked).hear(firing({ severity: 'advisory' })).log).toHaveLength(1)
})

const wish = (id: string, service: string, seconds: number): CorrelateBody => {
  const times = { startsAtMs: start, endsAtMs: start + seconds * 1000 }
  return {
    kind: 'silence',
    silence: { id, matchers: [`service=${service}`], author: 'lena', reason: 'disks', ...times },
  }
}

const many = (hub: Hub, count: number) => {
  for (let nth = 0; nth < count; nth++) hub.hear(firing(of(`s${nth}`, { summary: `s${nth} fails` })))
  return hub
}

test('a storm is a few pages: what fails beyond the fifth incident in a minute is one incident more', () => {
  const hub = many(new Hub(storms), 400)
  expect(hub.log.filter((line) => line.endsWith('opened'))).toHaveLength(6)
  const storm = incidentOf(hub.hub, 'storm-20261123-060000')
  expect(storm.counts).toEqual({ alerts: 395, firing: 395, audible: 395, pages: 395, tickets: 0 })
  expect(storm.affects).toHaveLength(60)
})

test('the storm ends when all that is in it has, and says so once', () => {
  const hub = many(new Hub(storms), 50).until(90)
  for (let nth = 0; nth < 50; nth++) hub.hear(over(of(`s${nth}`)))
  expect(open(hub.hub)).toEqual([])
  expect(hub.log.filter((line) => line.includes('storm-') && line.endsWith('resolved'))).toHaveLength(1)
  expect([...hub.hub.components.values()].map(({ status }) => status).filter((one) => one !== 'operational')).toEqual(
    [],
  )
})

test('after the minute of the storm a new failure is an incident of its own', () => {
  const hub = many(new Hub(storms), 10)
    .until(120)
    .hear(firing(of('late', later(119))))
  expect(hub.log.at(-1)).toBe('120 late-20261123-060159:pager:1 opened')
})

test.each([{ reopenMs: 300_000 }, { reopenMs: 0 }])(
  'a storm that was over and goes on within its minute is the same, with $reopenMs ms to reopen',
  ({ reopenMs }) => {
    const hub = many(new Hub({ ...storms, grouping: { ...storms.grouping, reopenMs } }), 7)
    const storm = 'storm-20261123-060000'
    hub.until(20)
    for (const name of ['s5', 's6']) hub.hear(over(of(name)))
    hub.until(30).hear(firing(of('late', later(29))))
    expect(hub.log.filter((line) => line.includes('storm')).slice(-2)).toEqual([
      `20 ${storm}:pager:2 resolved`,
      `30 ${storm}:pager:3 reopened`,
    ])
    hub.hear(firing(of('later', later(30))))
    expect(Object.keys(incidentOf(hub.hub, storm).alerts)).toEqual(['s5-down', 's6-down', 'late-down', 'later-down'])
  },
)

test('what was quiet to its end and is back in the storm of that minute is a part of it', () => {
  const reopening = { ...storms, grouping: { ...storms.grouping, reopenMs: 300_000 } }
  const hub = new Hub(reopening)
    .hear(wish('s-1', 'quiet', 5))
    .hear(firing(of('quiet')))
    .until(2)
    .hear(over(of('quiet')))
  many(hub.until(10), 7).hear(firing(of('quiet', later(10))))
  expect(hub.log.filter((line) => line.endsWith(' opened'))).toHaveLength(6)
  expect(Object.keys(incidentOf(hub.hub, 'storm-20261123-060000').alerts)).toEqual(['s5-down', 's6-down', 'quiet-down'])
})

test('what was silenced and would page after the storm of that minute was over goes on in it', () => {
  const hub = many(new Hub(storms).hear(wish('s-1', 'quiet', 50)).hear(firing(of('quiet'))), 7)
  hub.until(20)
  for (const name of ['s5', 's6']) hub.hear(over(of(name)))
  hub.until(51)
  expect(hub.log).toContain('50 storm-20261123-060000:pager:3 reopened')
  expect(open(hub.hub).sort()).toEqual([
    ...[0, 1, 2, 3, 4].map((nth) => `s${nth}-20261123-060000`),
    'storm-20261123-060000',
  ])
})

test('what was silenced and would page in the middle of a storm goes on in it', () => {
  const hub = new Hub(storms)
    .hear(wish('s-1', 'quiet', 100))
    .hear(firing(of('quiet')))
    .until(99)
  const before = many(hub, 10).until(101)
  expect(before.log.filter((line) => line.includes('quiet'))).toEqual([])
  expect(incidentOf(before.hub, 'storm-20261123-060000').alerts['quiet-down']?.firing).toBe(true)
  expect(incidentOf(before.hub, 'quiet-20261123-060000')).toMatchObject({
    status: 'resolved',
    alerts: { 'quiet-down': { firing: false } },
  })
  before.hear(over(of('quiet')))
  expect(incidentOf(before.hub, 'storm-20261123-060000').alerts['quiet-down']?.firing).toBe(false)
})

test('what is still kept quiet when its incident goes on as a storm is heard when that is over', () => {
  const teamOf = (service: string) => (service.startsWith('quiet') ? 'quiet' : service)
  const labelsOf: HubView['labelsOf'] = (change) => ({ ...storms.labelsOf(change), team: teamOf(change.service) })
  const byTeam = new Hub({ ...storms, labelsOf, grouping: { ...storms.grouping, by: ['team'] } })
  byTeam.hear(wish('s-1', 'quiet-a', 100)).hear(wish('s-2', 'quiet-b', 900))
  byTeam
    .hear(firing(of('quiet-a')))
    .hear(firing(of('quiet-b')))
    .until(99)
  many(byTeam, 5).until(300)
  expect(byTeam.log.slice(-2)).toContain('100 storm-20261123-060000:pager:1 opened')
  byTeam.until(901)
  expect(byTeam.log.slice(-2)).toContain('900 storm-20261123-060000:pager:2 updated')
})

test('a storm that is about to be over, since nothing of it fails any more, is not when it takes something in', () => {
  const played = new Hub(storms)
    .hear(wish('s-1', 'quiet', 100))
    .hear(firing(of('quiet')))
    .until(99)
  const { hub } = many(played, 10)
  const storm = { ...incidentOf(hub, 'storm-20261123-060000'), quietSinceMs: start + 98_000 }
  const before = { ...hub, incidents: new Map([...hub.incidents, [storm.id, storm]]) }
  const timer = { kind: 'incident-timer' as const, incidentId: 'quiet-20261123-060000' }
  const after = incidentOf(apply(before, timer, { view: storms, afterMs: 100_000 }), storm.id)
  expect(after).toMatchObject({ alerts: { 'quiet-down': { firing: true } } })
  expect(after.quietSinceMs).toBeUndefined()
})

test('a storm of tickets that somebody took on is open again when a page goes on in it', () => {
  const hub = new Hub(storms)
    .hear(wish('s-1', 'quiet', 100))
    .hear(firing(of('quiet')))
    .until(99)
  for (let nth = 0; nth < 10; nth++) hub.hear(firing(of(`s${nth}`, { severity: 'ticket' })))
  const incidentId = 'storm-20261123-060000'
  hub.hear({ kind: 'acknowledge', incidentId, by: 'omar', atMs: hub.nowMs }).until(101)
  expect(incidentOf(hub.hub, incidentId)).toMatchObject({ status: 'open', severity: 'page' })
  expect(hub.log).toContain(`100 ${incidentId}:pager:2 opened`)
})

test('a clock that was set back makes no storm of single incidents', () => {
  const hub = many(new Hub(storms), 6)
  hub.nowMs = start - 1_800_000
  hub.hear(firing(of('late', { sinceMs: hub.nowMs })))
  expect(hub.log.at(-1)).toContain('late-20261123-053000:pager:1 opened')
})
