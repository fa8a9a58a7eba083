import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { statuspageWebhookChannel } from '../../../channels/kinds/statuspage-webhook.ts'
import { componentChanged, hostileMessage, message, order, sinceMs } from '../messages.ts'
import { provider, signingKey, world } from '../providers.ts'

const spec = statuspageWebhookChannel.schema.parse({
  kind: 'statuspage-webhook',
  url: 'https://hooks.example/',
  secret: 'secret:HOOK',
})
const rendered = statuspageWebhookChannel.render(spec, componentChanged)
const summaryUrl = new URL(
  '../../../../shared/fixtures/notify/statuspage/github-2022-11-25.summary.json',
  import.meta.url,
)
const sharedTest = existsSync(summaryUrl) ? test : test.skip

test('a component change has the shape of Statuspage’s own webhooks', () => {
  expect(JSON.parse(rendered.body)).toEqual({
    meta: { unsubscribe: 'https://status.example/', documentation: 'https://status.example/' },
    page: { id: 'status', status_indicator: 'critical', status_description: 'Major Service Outage' },
    component_update: {
      created_at: '2026-11-23T03:13:05.000Z',
      new_status: 'major_outage',
      old_status: 'operational',
      id: 'checkout-1vabc:public:1',
      component_id: 'checkout',
    },
    component: {
      id: 'checkout',
      name: 'checkout',
      status: 'major_outage',
      created_at: '2026-11-23T03:13:05.000Z',
      updated_at: '2026-11-23T03:13:05.000Z',
      description: null,
      page_id: 'status',
      group_id: null,
      group: false,
    },
  })
})

sharedTest('every field of the component is one of a real Statuspage’s', () => {
  const real = JSON.parse(readFileSync(summaryUrl, 'utf8')).components[0]
  const { component } = JSON.parse(rendered.body)
  expect(Object.keys(component).filter((key) => !(key in real))).toEqual([])
})

const recovered = {
  ...componentChanged,
  order: {
    ...componentChanged.order,
    component: { id: 'checkout', from: 'major_outage' as const, to: 'operational' as const },
    resolvedAtMs: sinceMs + 600_000,
  },
}

test.each([
  {
    given: 'nothing of the others is known',
    worst: undefined,
    indicator: 'none',
    description: 'checkout is operational',
  },
  { given: 'all are well', worst: 'operational' as const, indicator: 'none', description: 'All Systems Operational' },
  {
    given: 'another is down',
    worst: 'partial_outage' as const,
    indicator: 'major',
    description: 'Partial System Outage',
  },
])('a recovery does not speak for the other components: $given', ({ worst, indicator, description }) => {
  const statusPage = { id: 'status', name: 'Status', ...(worst && { worst }) }
  const { page, component_update: update } = JSON.parse(
    statuspageWebhookChannel.render(spec, { ...recovered, statusPage }).body,
  )
  expect(page).toEqual({ id: 'status', status_indicator: indicator, status_description: description })
  expect(update).toMatchObject({ created_at: '2026-11-23T03:22:00.000Z', new_status: 'operational' })
})

const recoveredMs = sinceMs + 300_000

test.each([
  { given: 'while its incident goes on', more: { atMs: recoveredMs }, at: recoveredMs },
  {
    given: 'before its incident was over',
    more: { atMs: recoveredMs, resolvedAtMs: sinceMs + 600_000 },
    at: recoveredMs,
  },
  { given: 'in an order that does not say when', more: { resolvedAtMs: sinceMs + 600_000 }, at: sinceMs + 600_000 },
  { given: 'in an order that says nothing', more: {}, at: componentChanged.order.openedAtMs },
])('a change is dated when it happened: $given', ({ more, at }) => {
  const { resolvedAtMs: _, ...open } = recovered.order
  const { component, component_update: update } = JSON.parse(
    statuspageWebhookChannel.render(spec, { ...recovered, order: { ...open, ...more } }).body,
  )
  const iso = new Date(at).toISOString()
  expect([update.created_at, component.created_at, component.updated_at]).toEqual([iso, iso, iso])
})

test('it is signed and its id is the delivery’s', async () => {
  const { url, received, close } = await provider(() => ({ status: 202 }))
  const nowMs = Date.now
  const result = await statuspageWebhookChannel.send(
    { ...spec, url },
    componentChanged.order,
    rendered,
    world({ nowMs }),
  )
  await close()
  expect(result).toEqual({ status: 'delivered' })
  // Node gives these three headers as strings.
  const headers = received[0]?.headers as Record<string, string>
  expect(headers['webhook-id']).toBe('checkout-1vabc:public:1')
  expect(new Webhook(signingKey).verify(received[0]?.body ?? '', headers)).toHaveProperty('component_update')
})

test.each(['opened', 'updated', 'resolved'] as const)('an incident that is %s is nothing for it', async (event) => {
  const other = { ...message, order: { ...order, event } }
  const made = statuspageWebhookChannel.render(spec, other)
  expect(await statuspageWebhookChannel.send(spec, other.order, made, world())).toEqual({
    status: 'rejected',
    cause: `it tells component changes only, and this is "${event}"`,
  })
})

test('nothing of the inside is told outside', () => {
  const { body } = statuspageWebhookChannel.render(spec, hostileMessage(componentChanged))
  expect(body).toBe(rendered.body)
})
