import { expect, test } from '@jest/globals'
import { configSchema } from '../../../config/schema.ts'
import { type ComponentStatus, keys } from '../../../functions/contract.ts'
import { deliverChannels, worstStatus } from '../../../functions/deliver/config.ts'
import { quietComponent } from '../../../functions/hub-state.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'
import { order } from './delivery.ts'

const config = configSchema.parse({
  services: { db: {}, shop: {}, mail: {} },
  monitors: {},
  channels: {
    screen: { kind: 'console' },
    public: { kind: 'statuspage-webhook', url: 'https://x.example/', secret: 'secret:X' },
  },
  routes: [{ channels: ['screen'] }],
})
const nowMs = () => start

const told = async (given: { to: ComponentStatus; others?: Record<string, unknown>; broken?: boolean }) => {
  const { to, others = {}, broken } = given
  const store = memoryStore({ nowMs })
  await store.commit(
    Object.entries(others).map(([service, value]) => ({ key: keys.component(service), expect: 0, value })),
  )
  const read = () => Promise.reject(new Error('no table'))
  const warnings: string[] = []
  const worst = worstStatus({
    store: broken ? { ...store, read } : store,
    services: Object.keys(config.services),
    warn: (text) => warnings.push(text),
  })
  const outside = { nowMs, secret: () => '', print: undefined, links: async () => ({}), statusPageUrl: undefined }
  const component = { id: 'db', from: 'operational' as const, to }
  const changed = { ...order, event: 'component-changed' as const, channel: 'public', service: 'db', component }
  const rendered = await deliverChannels(config, { ...outside, worst }).render({ order: changed })
  const { status_indicator: indicator, status_description: says } = JSON.parse(rendered?.body ?? '').page
  return { indicator, says, warnings }
}
const is = (status: ComponentStatus) => ({ ...quietComponent, status })

test.each([
  {
    given: 'it is well again, another is down',
    seen: { to: 'operational' as const, others: { shop: is('major_outage'), mail: is('degraded_performance') } },
    indicator: 'critical',
    says: 'Major Service Outage',
  },
  {
    given: 'another is worse off than it',
    seen: { to: 'degraded_performance' as const, others: { mail: is('partial_outage') } },
    indicator: 'major',
    says: 'Partial System Outage',
  },
  {
    given: 'it is worse off than all others',
    seen: { to: 'major_outage' as const, others: { mail: is('partial_outage') } },
    indicator: 'critical',
    says: 'Major Service Outage',
  },
  {
    given: 'what became of it since is told by the next order',
    seen: { to: 'operational' as const, others: { db: is('major_outage') } },
    indicator: 'none',
    says: 'db is operational',
  },
  {
    given: 'what left the config is no part of the page',
    seen: { to: 'operational' as const, others: { gone: is('major_outage') } },
    indicator: 'none',
    says: 'db is operational',
  },
  {
    given: 'none is known to fail, which is not to say that all are well',
    seen: { to: 'operational' as const, others: { shop: is('operational') } },
    indicator: 'none',
    says: 'db is operational',
  },
])('the page is as bad as its worst component: $given', async ({ seen, indicator, says }) => {
  expect(await told(seen)).toEqual({ indicator, says, warnings: [] })
})

test.each([
  { given: 'the store does not answer', seen: { broken: true } },
  { given: 'one cannot be read', seen: { others: { shop: { status: 'odd' } } } },
])('a change is told also when $given', async ({ seen }) => {
  const { warnings, says } = await told({ to: 'major_outage', ...seen })
  expect(says).toBe('Major Service Outage')
  expect(warnings).toEqual([expect.stringContaining('shop-1:pager:1 is told without the other components')])
})
