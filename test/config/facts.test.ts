import { expect, test } from '@jest/globals'
import { factsOf } from '../../config/facts.ts'
import { configSchema } from '../../config/schema.ts'
import { monitorViewsOf } from '../../functions/monitor-views.ts'
import { monitorViews } from '../../functions/probe/config.ts'

const config = configSchema.parse({
  services: { shop: {} },
  monitors: {
    front: { kind: 'http', service: 'shop', url: 'https://shop.example/' },
    far: { kind: 'http', service: 'shop', url: 'https://far.example/', locations: ['eu-west-1'], periodSeconds: 300 },
  },
  channels: {
    terminal: { kind: 'console' },
    chat: { kind: 'webhook', url: 'https://chat.example/', secret: 'secret:KEY' },
    page: { kind: 'statuspage-webhook', url: 'https://status.example/', secret: 'secret:KEY' },
  },
  routes: [{ channels: ['terminal'] }],
})

test('what is derived when a bundle is made survives being written as JSON', () => {
  const facts = factsOf(config)
  expect(JSON.parse(JSON.stringify(facts))).toEqual(facts)
  // Nobody reads a console where bundles run.
  expect(facts.people).toEqual(['chat'])
  expect(Object.keys(facts.targets)).toEqual(['front', 'far'])
})

test('a function that carries no probe sees the monitors as one that does', () => {
  expect(monitorViewsOf(config, factsOf(config))).toEqual(monitorViews(config))
})

test('a monitor whose target is not known is called by its own name', () => {
  expect(monitorViewsOf(config, { targets: {} }).map(({ target }) => target)).toEqual(['front', 'far'])
})
