import { expect, test } from '@jest/globals'
import type { HubView } from '../../../functions/correlate/hub.ts'
import { hubView, start } from '../builders.ts'
import { firing, Hub, incidentOf, of, over } from './hub.ts'

const id = 'web-20261123-060000'

/** A service with a team and a boss of its own, and what needs it; `others` hear of what no route of theirs names. */
const viewOf = (service: string): HubView => {
  const routes = [
    { services: [service], channels: ['team'], escalateAfterSeconds: 600 },
    { services: [service], channels: ['boss'] },
    { channels: ['others'] },
  ]
  return {
    ...hubView(routes, ['team', 'boss', 'others']),
    statusChannels: ['board'],
    isService: (one) => one === service || one === 'cart',
    dependenciesOf: (one) => (one === 'cart' ? [service] : []),
  }
}
const moves = { from: 'firing', reason: 'service-changed', service: 'shop' }
const web = { service: 'web' }

/** `web` is called `shop` from the fifth minute of its outage on. */
const renamed = () => new Hub(viewOf('web')).hear(firing(web)).until(300).deploy(viewOf('shop')).hear(firing(moves))

const said = ({ log }: Hub, channel: string) =>
  log.filter((line) => line.includes(`:${channel}:`)).map((line) => line.replace(/^(\d+) .* /, '$1 '))

test('a service that is renamed while it is down goes on along its own routes, and wakes nobody twice', () => {
  const hub = renamed().until(1500)
  expect(said(hub, 'team')).toEqual(['0 opened', '300 updated'])
  expect(said(hub, 'boss')).toEqual(['900 opened'])
  expect(said(hub, 'others')).toEqual([])
  expect(incidentOf(hub.hub, id)).toMatchObject({ service: 'shop', affects: [], status: 'open' })
  hub.hear(over({ service: 'shop' }))
  expect([said(hub, 'team').at(-1), said(hub, 'boss').at(-1)]).toEqual(['1500 resolved', '1500 resolved'])
})

test('it is down on the status page under its new name, and not under the old one', () => {
  const { components } = renamed().hub
  expect(components.get('shop')).toMatchObject({ status: 'major_outage', incidentId: id })
  expect(components.get('web')).toMatchObject({ status: 'operational', firing: { page: 0 } })
})

test('no two changes of components have one id, though their incident is of another service by then', () => {
  const ids = renamed()
    .log.filter((line) => line.includes(':board:'))
    .map((line) => line.split(' ')[1])
  expect(ids.length).toBeGreaterThan(1)
  expect(new Set(ids).size).toBe(ids.length)
})

test('what needs it pages nobody', () => {
  const hub = renamed().hear(firing(of('cart')))
  expect(said(hub, 'others')).toEqual([])
  expect(incidentOf(hub.hub, id).affects).toEqual(['cart'])
})

test('an incident is its service’s until the last alert of that has moved', () => {
  const other = { alertId: 'list-down', ruleId: 'list-down' }
  const hub = new Hub(viewOf('web')).hear(firing(web)).hear(firing({ ...web, ...other }))
  hub.deploy(viewOf('shop')).hear(firing(moves))
  expect(incidentOf(hub.hub, id)).toMatchObject({ service: 'web', affects: ['shop'] })
  hub.hear(firing({ ...moves, ...other }))
  expect(incidentOf(hub.hub, id)).toMatchObject({ service: 'shop', affects: [] })
})

test('a monitor that moves to the service of others pages them too, whose routes it is on by now', () => {
  const hub = new Hub(viewOf('web'))
    .hear(firing(web))
    .until(300)
    .hear(firing({ ...moves, service: 'cart' }))
  expect(said(hub, 'others')).toEqual(['300 opened'])
  expect(said(hub, 'team')).toEqual(['0 opened', '300 updated'])
})

test('who took it on has it still', () => {
  const hub = new Hub(viewOf('web')).hear(firing(web))
  hub.hear({ kind: 'acknowledge', incidentId: id, by: 'lena', atMs: start }).deploy(viewOf('shop')).hear(firing(moves))
  expect(incidentOf(hub.until(3600).hub, id)).toMatchObject({ status: 'acknowledged', service: 'shop' })
  expect(said(hub, 'boss')).toEqual([])
})

const listDown = { ...web, alertId: 'list-down', ruleId: 'list-down' }
const listMoves = { ...listDown, ...moves }

test.each([
  { given: 'watched by another monitor', other: web },
  {
    given: 'of no known service',
    other: { service: 'web', alertId: 'watchdog', ruleId: 'watchdog', reason: 'reported' },
  },
])(
  'an alert that leaves an incident which goes on takes its service along only as long: the rest is $given',
  ({ other }) => {
    const hub = new Hub(viewOf('shop')).hear(firing(other)).hear(firing(listDown)).until(300).hear(firing(listMoves))
    hub
      .until(600)
      .hear(over({ ...listDown, service: 'shop' }))
      .until(86_400)
      .hear(firing(of('shop', { alertId: 'basket-down' })))
    expect(said(hub, 'team').at(-1)).toBe('86400 opened')
  },
)
