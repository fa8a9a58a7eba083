import { expect, test } from '@jest/globals'
import type { HubDecision, HubView } from '../../../functions/correlate/hub.ts'
import { apply, firing, Hub, nothing, of, oneChannel, orders, over, receipt } from './hub.ts'

const withStatus = (statusChannels: string[], services = ['shop', 'cart']): HubView => ({
  ...oneChannel,
  statusChannels,
  isService: (service) => services.includes(service),
  availabilityRules: (service) => [`${service}-down`, `${service}-list-down`],
})
const known = withStatus(['board'])
const more = { alertId: 'shop-list-down', ruleId: 'shop-list-down' }

/** What the status pages were told, in its order. */
const told = (hub: HubDecision) =>
  orders(hub).flatMap(({ channel, component: of }) => (of ? [`${channel}: ${of.id} ${of.from}>${of.to}`] : []))

const down = (view = known) => new Hub(view).hear(firing(of('shop')))

test('a status page that is left out of the config hears that what it was told of is over, and of nothing else', () => {
  const hub = down()
    .deploy(withStatus([]))
    .hear(firing({ service: 'shop', ...more }))
    .hear(firing(of('cart')))
  hub.hear(over({ service: 'shop', ...more })).hear(over(of('shop')))
  expect(told(hub.hub)).toEqual(['board: shop operational>partial_outage', 'board: shop partial_outage>operational'])
})

test('one that is back, or new, hears with the next change how it is by now', () => {
  const hub = down(withStatus([])).deploy(known)
  expect(told(hub.hub)).toEqual([])
  hub.hear(firing({ service: 'shop', ...more, severity: 'ticket' }))
  expect(told(hub.hub)).toEqual(['board: shop operational>partial_outage'])
})

test('a service that leaves the config while it is down is not down on a status page for ever', () => {
  const hub = down()
    .hear(firing({ service: 'shop', ...more }))
    .deploy(withStatus(['board', 'new'], ['cart']))
  hub.hear(over({ service: 'shop', ...more })).hear(over(of('shop')))
  expect(told(hub.hub)).toEqual([
    'board: shop operational>partial_outage',
    'board: shop partial_outage>major_outage',
    'board: shop major_outage>operational',
  ])
})

test('an end that was refused for three days is told again with the next change', () => {
  const view = known
  const late = { view, afterMs: 73 * 3_600_000 }
  const last = (hub: HubDecision) => orders(hub).findLast(({ component }) => component)
  const opened = apply(nothing, firing(of('shop')), { view })
  const ended = apply(apply(opened, receipt(last(opened), 'delivered'), { view }), over(of('shop')), { view })
  const gaveUp = apply(ended, receipt(last(ended), 'rejected'), late)
  expect(told(gaveUp)).toEqual(told(ended))
  const again = apply(gaveUp, firing({ service: 'shop', ...more, severity: 'advisory' }), late)
  expect(told(again).slice(-2)).toEqual(Array(2).fill('board: shop partial_outage>operational'))
})

test('a channel that left the config is told nothing more, and not asked for days', () => {
  const gone = { ...withStatus([]), isChannel: (channel: string) => channel !== 'board' }
  const last = (hub: HubDecision) => orders(hub).findLast(({ component }) => component)
  const opened = apply(nothing, firing(of('shop')), { view: known })
  const heard = apply(opened, receipt(last(opened), 'delivered'), { view: known })
  const ended = apply(heard, over(of('shop')), { view: gone })
  const refused = apply(ended, receipt(last(ended), 'rejected'), { view: gone })
  expect(told(refused)).toEqual(told(ended))
  expect(refused.components.get('shop')?.streams).toEqual({})
})
