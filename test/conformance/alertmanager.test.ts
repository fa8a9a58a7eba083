/**
 * What Alertmanager is documented to do for grouping, inhibition and silences, as cases on a clock. A case is the same
 * here, or it says why it is not.
 */
import { expect, test } from '@jest/globals'
import type { CorrelateBody } from '../../functions/contract.ts'
import type { HubView, InhibitView } from '../../functions/correlate/hub.ts'
import { hubView, start } from '../functions/builders.ts'
import { firing, Hub, of, over, receipt } from '../functions/correlate/hub.ts'

type Case = { alertmanager: string; differs?: string; play: () => Hub; then: string[] }

const at = (seconds: number) => ({ sinceMs: start + seconds * 1000 })
const plain = hubView([{ channels: ['am'] }], ['am'])
const view = (more: Partial<HubView>): HubView => ({ ...plain, ...more })
const by = (...labels: string[]) => ({ grouping: { ...plain.grouping, by: labels } })
const grouped = view(by('cluster'))
const inhibiting = (rule: Partial<InhibitView> = {}) =>
  view({
    ...by('alertname', 'service', 'namespace'),
    inhibit: [{ id: 'r', source: ['severity=page'], target: ['severity=ticket'], equal: ['namespace'], ...rule }],
  })
const page = (name: string, labels: Record<string, string> = {}) => ({
  alertId: `${name}${labels['namespace'] ?? ''}`,
  ruleId: name,
  labels,
})
const ticket = (name: string, labels: Record<string, string> = {}) => ({ ...page(name, labels), severity: 'ticket' })
const silence = (matchers: string[], toSeconds: number, fromSeconds = 0): CorrelateBody => ({
  kind: 'silence',
  silence: {
    id: 's',
    matchers,
    author: 'lena',
    reason: 'known',
    startsAtMs: start + fromSeconds * 1000,
    endsAtMs: start + toSeconds * 1000,
  },
})
const b = { alertId: 'b', ruleId: 'b', summary: 'b fails' }
const c = { alertId: 'c', ruleId: 'c', summary: 'c fails' }
const x = { namespace: 'x' }
const y = { namespace: 'y' }

const grouping: Case[] = [
  {
    alertmanager: 'the first notification of a group waits for group_wait (30 s), so that more alerts can join',
    differs: 'a page goes out at once; the questions take up to three seconds, and what joins is told within a minute',
    play: () => new Hub(plain).hear(firing()),
    then: ['0 opened'],
  },
  {
    alertmanager: 'an alert that is over before group_wait is never notified',
    differs: 'it was paged at once, and its end goes to whoever got the page',
    play: () => new Hub(plain).hear(firing()).until(10).hear(over()),
    then: ['0 opened', '10 resolved'],
  },
  {
    alertmanager: 'alerts that join a group are notified together at its next group_interval',
    play: () => new Hub(plain).hear(firing()).until(5).hear(firing(b)).until(7).hear(firing(c)).until(300),
    then: ['0 opened', '60 updated'],
  },
  {
    alertmanager: 'an alert that is sent again unchanged notifies nobody',
    play: () => new Hub(plain).hear(firing()).until(60).hear(firing()).until(120).hear(firing()).until(600),
    then: ['0 opened'],
  },
  {
    alertmanager:
      'a group that still fires is notified again after repeat_interval (4 h), rounded up to group_interval',
    differs: 'exactly after the interval, and only while nobody has taken it on',
    play: () => new Hub(plain).hear(firing()).until(30_000),
    then: ['0 opened', '14400 reminder', '28800 reminder'],
  },
  {
    alertmanager: 'a group all of whose alerts are over is notified as resolved, once',
    play: () => new Hub(plain).hear(firing()).hear(firing(b)).until(50).hear(over()).hear(over(b)).until(900),
    then: ['0 opened', '50 resolved'],
  },
  {
    alertmanager: 'with send_resolved, one of several alerts that is over is notified at the next interval',
    differs: 'the timeline and the board show it; people hear when the incident is over',
    play: () => new Hub(plain).hear(firing()).hear(firing(b)).until(90).hear(over(b)).until(900),
    then: ['0 opened', '60 updated'],
  },
  {
    alertmanager: 'what ends and fires again within one group_interval is invisible',
    differs:
      'it is told, as the same incident, and how often it came back; from the third time on its end must hold first',
    play: () =>
      new Hub(view({ grouping: { ...plain.grouping, reopenMs: 300_000 } }))
        .hear(firing())
        .until(20)
        .hear(over())
        .until(40)
        .hear(firing(at(40))),
    then: ['0 opened', '20 resolved', '40 reopened'],
  },
  {
    alertmanager: 'alerts that agree in all labels of group_by are one group, others are groups of their own',
    play: () =>
      new Hub(grouped)
        .hear(firing({ labels: { cluster: 'a' } }))
        .hear(firing(of('cart', { labels: { cluster: 'a' } })))
        .hear(firing(of('web', { labels: { cluster: 'b' } }))),
    then: ['0 opened', '0 opened'],
  },
  {
    alertmanager: 'a label of group_by that is missing counts as empty',
    play: () => new Hub(grouped).hear(firing()).hear(firing(of('cart', { labels: { cluster: '' } }))),
    then: ['0 opened'],
  },
  {
    alertmanager: 'a resolve is not sent for what was never notified',
    play: () => new Hub(plain).hear(over()),
    then: [],
  },
  {
    alertmanager: 'a notification that is refused with a 4xx is dropped',
    differs: 'it goes to the next channel, and to the same one again when nobody is left',
    play: () =>
      new Hub(hubView([{ channels: ['am'] }], ['am', 'other']), (order) =>
        receipt(order, order.channel === 'am' ? 'rejected' : 'delivered', { cause: '404' }),
      ).hear(firing()),
    then: ['0 opened', '0 opened'],
  },
]

const inhibition: Case[] = [
  {
    alertmanager: 'a target is muted while a source with equal labels fires',
    play: () =>
      new Hub(inhibiting())
        .hear(firing(page('down', x)))
        .hear(firing(ticket('slow', x)))
        .until(600),
    then: ['0 opened'],
  },
  {
    alertmanager: 'a target whose equal labels differ is not muted',
    play: () => new Hub(inhibiting()).hear(firing(page('down', x))).hear(firing(ticket('slow', y))),
    then: ['0 opened', '0 opened'],
  },
  {
    alertmanager: 'equal labels that are missing on both sides are equal, and so are a missing and an empty one',
    play: () =>
      new Hub(inhibiting())
        .hear(firing(page('down')))
        .hear(firing(ticket('slow')))
        .hear(firing(ticket('late', { namespace: '' }))),
    then: ['0 opened'],
  },
  {
    alertmanager: 'without equal labels every source mutes every target',
    play: () => new Hub(inhibiting({ equal: [] })).hear(firing(page('down', x))).hear(firing(ticket('slow', y))),
    then: ['0 opened'],
  },
  {
    alertmanager: 'an alert never inhibits itself',
    play: () => new Hub(inhibiting({ target: ['severity=page'] })).hear(firing(page('down'))),
    then: ['0 opened'],
  },
  {
    alertmanager: 'an alert that matches both sides is not inhibited by another that matches both',
    play: () =>
      new Hub(inhibiting({ target: ['severity=page'] })).hear(firing(page('down'))).hear(firing(page('broken'))),
    then: ['0 opened', '0 opened'],
  },
  {
    alertmanager: 'an alert that matches both sides is inhibited by one that matches the source alone',
    play: () =>
      new Hub(inhibiting({ source: ['alertname=~"root|both"'], target: ['alertname=both'] }))
        .hear(firing(page('root')))
        .hear(firing(page('both'))),
    then: ['0 opened'],
  },
  {
    alertmanager: 'when the source is over the target is notified',
    differs: 'after the time its service needs to be seen well again, lest the recovery pages everybody',
    play: () =>
      new Hub(inhibiting())
        .hear(firing(page('down')))
        .hear(firing(ticket('slow')))
        .until(60)
        .hear(over(page('down')))
        .until(600),
    then: ['0 opened', '60 resolved', '180 opened'],
  },
  {
    alertmanager: 'a target that is over while it is muted is never notified',
    play: () =>
      new Hub(inhibiting())
        .hear(firing(page('down')))
        .hear(firing(ticket('slow')))
        .until(60)
        .hear(over(ticket('slow')))
        .until(600),
    then: ['0 opened'],
  },
  {
    alertmanager: 'with several sources a target stays muted until the last of them is over',
    play: () =>
      new Hub(inhibiting())
        .hear(firing(page('down')))
        .hear(firing(page('broken')))
        .hear(firing(ticket('slow')))
        .until(60)
        .hear(over(page('down')))
        .until(900),
    then: ['0 opened', '0 opened', '60 resolved'],
  },
  {
    alertmanager: 'a silenced source still inhibits',
    play: () =>
      new Hub(inhibiting())
        .hear(silence(['alertname=down'], 3600))
        .hear(firing(page('down')))
        .hear(firing(ticket('slow')))
        .until(600),
    then: [],
  },
  {
    alertmanager: 'an inhibited source still inhibits',
    play: () =>
      new Hub(
        view({
          ...by('alertname'),
          inhibit: [
            { id: '1', source: ['alertname=a'], target: ['alertname=b'], equal: [] },
            { id: '2', source: ['alertname=b'], target: ['alertname=c'], equal: [] },
          ],
        }),
      )
        .hear(firing(page('a')))
        .hear(firing(page('b')))
        .hear(firing(page('c'))),
    then: ['0 opened'],
  },
  {
    alertmanager: 'a source that comes after its target does not take back what was notified, and mutes what follows',
    play: () =>
      new Hub(inhibiting())
        .hear(firing(ticket('slow')))
        .until(60)
        .hear(firing(page('down')))
        .until(14_460),
    then: ['0 opened', '60 opened', '14460 reminder'],
  },
  {
    alertmanager: 'a source and a target that arrive together are a race',
    differs: 'what explains others is decided first, so the target is muted',
    play: () => {
      const both = [firing(ticket('slow')), firing(page('down'))]
      const changes = both.flatMap((one) => (one.kind === 'alert-changes' ? one.changes : []))
      return new Hub(inhibiting()).hear({ kind: 'alert-changes', changes })
    },
    then: ['0 opened'],
  },
]

const silences: Case[] = [
  {
    alertmanager: 'an alert that an active silence matches is not notified',
    play: () =>
      new Hub(plain)
        .hear(silence(['alertname=front-down', 'service=shop'], 3600))
        .hear(firing())
        .until(1800),
    then: [],
  },
  {
    alertmanager: 'all matchers must match',
    play: () => new Hub(plain).hear(silence(['alertname=front-down', 'service=cart'], 3600)).hear(firing()),
    then: ['0 opened'],
  },
  {
    alertmanager: 'regular expressions are anchored',
    play: () => new Hub(plain).hear(silence(['service=~"sho"'], 3600)).hear(firing()),
    then: ['0 opened'],
  },
  {
    alertmanager: 'a negative matcher matches what lacks the label',
    play: () => new Hub(plain).hear(silence(['cluster!="a"'], 3600)).hear(firing()),
    then: [],
  },
  {
    alertmanager: 'when a silence expires what still fires is notified',
    differs: 'and the silence says what it hid',
    play: () =>
      new Hub(plain)
        .hear(silence(['service=shop'], 600))
        .until(10)
        .hear(firing())
        .until(900),
    then: ['600 opened', '600 silence-ended'],
  },
  {
    alertmanager: 'a silence that is pending mutes nothing before its time',
    play: () =>
      new Hub(plain)
        .hear(silence(['service=~".+"'], 3600, 600))
        .hear(firing())
        .until(900)
        .hear(firing(of('cart', at(900))))
        .until(1000),
    then: ['0 opened'],
  },
  {
    alertmanager: 'what was notified and is over while it is silenced is never resolved',
    differs: 'an end always goes to whoever got the page',
    play: () =>
      new Hub(plain)
        .hear(firing())
        .until(60)
        .hear(silence(['service=shop'], 3600))
        .until(120)
        .hear(over()),
    then: ['0 opened', '120 resolved'],
  },
  {
    alertmanager: 'what fires and is over under a silence is never heard of',
    differs: 'it is in what the silence says at its end',
    play: () =>
      new Hub(plain)
        .hear(silence(['service=shop'], 600))
        .hear(firing())
        .until(60)
        .hear(over())
        .until(900),
    then: ['600 silence-ended'],
  },
  {
    alertmanager: 'a group with a silenced and an audible alert is notified with the audible one alone',
    play: () =>
      new Hub(plain)
        .hear(silence(['alertname=front-down'], 3600))
        .hear(firing())
        .hear(firing(b)),
    then: ['0 opened'],
  },
  {
    alertmanager: 'the same silence asked for twice is one',
    play: () =>
      new Hub(plain)
        .hear(silence(['service=shop'], 600))
        .hear(silence(['service=shop'], 9000))
        .hear(firing())
        .until(700),
    then: ['600 opened', '600 silence-ended'],
  },
]

test.each([...grouping, ...inhibition, ...silences])('$alertmanager', ({ play, then }) => {
  const events = play().log.map((line) => line.replace(/ \S+ /, ' '))
  expect(events).toEqual(then)
})
