import { expect, test } from '@jest/globals'
import type { Route, Severity } from '../../../config/contract.ts'
import { type CorrelateBody, keys, type OutboxRow, type SilenceRequest } from '../../../functions/contract.ts'
import type { HubDecision, HubView } from '../../../functions/correlate/hub.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { silences } from '../../../functions/hub-state.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { change, hubView, start } from '../builders.ts'
import { apply, firing, Hub, nothing, of, oneChannel, orders, over } from './hub.ts'

const shop = 'shop-20261123-060000'
const inSeconds = (seconds: number) => start + seconds * 1000

const asked: SilenceRequest = {
  id: 's-1',
  matchers: ['service=shop'],
  author: 'lena',
  reason: 'moving the disks',
  startsAtMs: start,
  endsAtMs: inSeconds(600),
}
const wish = (more: Partial<SilenceRequest> = {}): CorrelateBody => ({
  kind: 'silence',
  silence: { ...asked, ...more },
})

/** A config whose maintenance window somebody may change while it is open; no window once its end is undefined. */
const maintained = (endsAfter: number) => {
  const config: { endsAfter: number | undefined } = { endsAfter }
  const view: HubView = {
    ...oneChannel,
    maintenanceAt: (nowMs) => {
      const endsAtMs = inSeconds(config.endsAfter ?? 0)
      const window = { name: 'disks', startsAtMs: start, endsAtMs, matchers: ['service=shop'], reason: 'new disks' }
      return nowMs < endsAtMs ? [window] : []
    },
  }
  return { config, view }
}
const digest = 'maintenance-disks-20261123-060000:pager:1 silence-ended'

test.each([
  { given: 'removed', endsAfter: undefined, then: [`600 ${shop}:pager:1 opened`, `600 ${digest}`] },
  { given: 'shortened', endsAfter: 900, then: [`900 ${shop}:pager:1 opened`, `900 ${digest}`] },
  { given: 'shortened to an end that is past', endsAfter: 300, then: [`600 ${shop}:pager:1 opened`, `600 ${digest}`] },
  { given: 'extended', endsAfter: 20_000, then: [`20000 ${shop}:pager:1 opened`, `20000 ${digest}`] },
])(
  'what fails in a maintenance window that is $given pages, and is said, at the end that the config has now',
  ({ endsAfter, then }) => {
    const { config, view } = maintained(14_400)
    const hub = new Hub(view).hear(firing()).until(599)
    config.endsAfter = endsAfter
    expect(hub.until(30_000).log.filter((line) => !line.includes('reminder'))).toEqual(then)
  },
)

test('a window that is gone hides no new outage', () => {
  const { config, view } = maintained(14_400)
  const hub = new Hub(view).hear(firing()).until(300).hear(over()).until(600)
  config.endsAfter = undefined
  hub.until(1200).hear(firing({ sinceMs: inSeconds(1200) }))
  expect(hub.log).toContain('1200 shop-20261123-062000:pager:1 opened')
})

/** Real rows in a real store, and every minute whatever is due. */
const rowsOf = (view: HubView) => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const correlate = correlateStep({ store, nowMs: () => clock.nowMs, nudge: async () => undefined, view })
  const tell = async (id: string, body: CorrelateBody) => {
    const row: OutboxRow = { id, to: 'correlate', dueAtMs: clock.nowMs, nudges: 0, body }
    await store.commit([], [{ id, expect: 0, row }])
    await correlate([id])
  }
  const until = async (seconds: number) => {
    for (; clock.nowMs < inSeconds(seconds); clock.nowMs += 60_000) {
      const due = (await store.due(clock.nowMs, 100)).filter(({ row }) => row.to === 'correlate')
      for (const { row } of due) await correlate([row.id])
    }
  }
  const kept = async () => silences.parse((await store.read([keys.silences])).get(keys.silences)?.value).silences
  const ended = async () => (await store.row(`deliver:${digest.split(' ')[0]}`))?.row.dueAtMs
  return { tell, until, kept, ended }
}

test.each([
  { given: 'extended while what it hid goes on', endsAfter: 2400, ends: 2400 },
  { given: 'shortened', endsAfter: 900, ends: 900 },
  { given: 'removed', endsAfter: undefined, ends: 600 },
])('the timer of a window that is $given follows the config', async ({ endsAfter, ends }) => {
  const { config, view } = maintained(1800)
  const { tell, until, kept, ended } = rowsOf(view)
  await tell('a', { kind: 'alert-changes', changes: [change({ to: 'firing' })] })
  await until(600)
  config.endsAfter = endsAfter
  await until(ends - 60)
  expect(await ended()).toBeUndefined()
  await until(ends + 180)
  const endedMs = (await ended()) ?? 0
  expect([endedMs >= inSeconds(ends), endedMs <= inSeconds(ends + 60)]).toEqual([true, true])
  expect(await kept()).toEqual([])
})

const routes: Route[] = [
  { severities: ['page'], channels: ['pager'] },
  { severities: ['ticket'], channels: ['chat'] },
]
const routed = hubView(routes, ['pager', 'chat'])
const asking = hubView([...routes, { severities: ['advisory'], channels: ['board'] }], ['pager', 'chat'])

/** Whom the end of a silence speaks to that hid alerts of these severities. */
const toldOf = (view: HubView, severities: readonly Severity[]): string[] => {
  const hub = new Hub(view).hear(wish())
  for (const [nth, severity] of severities.entries())
    hub.hear(firing({ alertId: `a${nth}`, ruleId: `a${nth}`, severity }))
  for (const [nth, severity] of severities.entries())
    hub.hear(over({ alertId: `a${nth}`, ruleId: `a${nth}`, severity }))
  return hub.until(700).log
}

test.each<{ given: string; view: HubView; hid: Severity[]; then: string[] }>([
  { given: 'a page', view: routed, hid: ['page'], then: ['600 s-1:pager:1 silence-ended'] },
  { given: 'a ticket', view: routed, hid: ['ticket'], then: ['600 s-1:chat:1 silence-ended'] },
  { given: 'a ticket and then a page', view: routed, hid: ['ticket', 'page'], then: ['600 s-1:pager:1 silence-ended'] },
  { given: 'a page and then a ticket', view: routed, hid: ['page', 'ticket'], then: ['600 s-1:pager:1 silence-ended'] },
  { given: 'an advisory', view: routed, hid: ['advisory'], then: [] },
  {
    given: 'an advisory that a route asks for',
    view: asking,
    hid: ['advisory'],
    then: ['600 s-1:board:1 silence-ended'],
  },
])('a silence that hid $given speaks at its end to whom that would have gone', ({ view, hid, then }) => {
  expect(toldOf(view, hid)).toEqual(then)
})

test('a silenced ticket in an incident that paged is a ticket at the end of its silence', () => {
  const hub = new Hub(routed).hear(wish({ matchers: ['alertname=slow'] })).hear(firing())
  hub.hear(firing({ alertId: 'slow', ruleId: 'slow', severity: 'ticket' })).until(700)
  expect(hub.log.filter((line) => line.includes('silence-ended'))).toEqual(['600 s-1:chat:1 silence-ended'])
})

test('of more than are kept the severest are, and what nobody would have been told of is not counted', () => {
  const fires = (service: string, severity: Severity) => firing(of(service, { severity }))
  const hub = new Hub(routed).hear(wish({ matchers: ['service=~"s.+"'] })).hear(fires('saw', 'advisory'))
  for (let nth = 0; nth < 12; nth++) hub.hear(fires(`s${nth}`, 'ticket'))
  hub.hear(fires('shop', 'page')).until(700)
  const said = orders(hub.hub).filter(({ event }) => event === 'silence-ended')
  expect(said.map(({ channel }) => channel).sort()).toEqual(['chat', 'pager'])
  expect(said[0]?.summaries[1]).toBe(`shop: ${shop}, still failing`)
  expect(said[0]?.summaries.at(-1)).toBe('and 1 more')
})

test('what was hidden before its severity was kept counts as a page', () => {
  const hid = [{ incidentId: shop, service: 'shop', sinceMs: start }]
  const old = { ...asked, endsAtMs: start, hid, hidCount: 1 }
  const known: HubDecision = { ...nothing, silences: silences.parse({ silences: [old] }).silences }
  const ended = apply(known, { kind: 'silence-timer' }, { view: routed })
  expect(orders(ended).map(({ channel }) => channel)).toEqual(['pager'])
})

test.each([
  { given: 'is over', ends: true, then: [] },
  { given: 'is open', ends: false, then: ['s-1'] },
])('a silence that ends with an incident that $given by then', async ({ ends, then }) => {
  const { tell, kept } = rowsOf(oneChannel)
  await tell('other', wish({ id: 's-0', matchers: ['service=other'] }))
  await tell('a', { kind: 'alert-changes', changes: [change({ to: 'firing' })] })
  if (ends) await tell('b', { kind: 'alert-changes', changes: [change({ to: 'inactive' })] })
  await tell('c', wish({ incidentId: shop }))
  expect((await kept()).map(({ id }) => id)).toEqual(['s-0', ...then])
})
