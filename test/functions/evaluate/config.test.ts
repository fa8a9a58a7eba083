import { expect, test } from '@jest/globals'
import { normalise } from '../../../config/normalise.ts'
import { configSchema } from '../../../config/schema.ts'
import { evaluateView, rulesOfShard } from '../../../functions/evaluate/config.ts'
import { allShards } from '../../../functions/shards.ts'

const monitors = Array.from({ length: 300 }, (_, index) => `shop-${index}`)
const config = normalise(
  configSchema.parse({
    services: { shop: {} },
    monitors: Object.fromEntries(
      monitors.map((id) => [id, { kind: 'http', service: 'shop', url: `https://${id}.example/` }]),
    ),
    channels: { screen: { kind: 'console' } },
    routes: [{ channels: ['screen'] }],
  }),
)

test.each([1, 2, 8])('of %d shards each rule is in one, its monitor’s', (count) => {
  const { rulesOf, home } = evaluateView(config)
  const placed = allShards(count).flatMap((shard) => rulesOf(shard).map((rule) => ({ shard, rule })))
  expect(placed).toHaveLength(2 * monitors.length)
  for (const { shard, rule } of placed) {
    expect(home.rule(rule.ruleId, count)).toBe(shard)
    expect(home.monitor(rule.monitor?.monitorId ?? '', count)).toBe(shard)
  }
  expect(rulesOfShard(config, `0/${count}`).map(({ ruleId }) => ruleId)).toEqual(
    rulesOf(`0/${count}`).map(({ ruleId }) => ruleId),
  )
})

test('a config asks for as many shards as its monitors need', () => {
  expect(config.shards).toBe(1)
  expect(evaluateView(config).shards).toBe(2)
  expect(evaluateView({ ...config, shards: 8 }).shards).toBe(8)
})

const twoPlaces = (routes: { channels: string[]; severities?: string[] }[]) =>
  normalise(
    configSchema.parse({
      services: { shop: {} },
      monitors: { front: { kind: 'http', service: 'shop', url: 'https://shop.example/' } },
      channels: { screen: { kind: 'console' } },
      routes,
      locations: ['here', 'there'],
    }),
  )

test('a rule of several locations has an advisory, which lives in its shard; of one location none', () => {
  const { rulesOf, home } = evaluateView(twoPlaces([{ channels: ['screen'] }]))
  const advisory = allShards(8)
    .flatMap((shard) => rulesOf(shard).map((rule) => ({ shard, ...rule })))
    .find(({ severity }) => severity === 'advisory')
  expect(advisory).toMatchObject({ ruleId: 'front-availability', alertId: 'front-availability:advisory' })
  expect(home.rule('front-availability:advisory', 8)).toBe(advisory?.shard)
  expect(
    evaluateView(config)
      .rulesOf('0/1')
      .filter(({ severity }) => severity === 'advisory'),
  ).toEqual([])
})

test.each([
  { given: 'no route names advisories', severities: undefined, quiet: true },
  { given: 'a route asks for them', severities: ['advisory'], quiet: false },
])('where $given an advisory is told only if so', ({ severities, quiet }) => {
  const first = severities ? [{ channels: ['screen'], severities }] : []
  const rules = evaluateView(twoPlaces([...first, { channels: ['screen'] }])).rulesOf('0/1')
  expect(rules.find(({ severity }) => severity === 'advisory')?.quiet).toBe(quiet)
})
