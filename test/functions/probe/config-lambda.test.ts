import { expect, test } from '@jest/globals'
import { configSchema } from '../../../config/schema.ts'
import { monitorsOf } from '../../../functions/probe/config.ts'
import { scheduleMessage } from '../../../functions/probe/config-lambda.ts'
import { allShards } from '../../../functions/shards.ts'

const monitor = (extra: object) => ({ kind: 'http', service: 'shop', url: 'https://shop.example/', ...extra })
const config = configSchema.parse({
  services: { shop: {} },
  monitors: {
    a: monitor({}),
    b: monitor({}),
    slow: monitor({ periodSeconds: 300 }),
    far: monitor({ locations: ['eu-west-1'] }),
  },
  channels: { terminal: { kind: 'console' } },
  routes: [{ channels: ['terminal'] }],
  shards: 4,
})

test('every monitor belongs to exactly one schedule of each of its locations', () => {
  const of = (location: string, periodSeconds: number) =>
    allShards(4)
      .flatMap((shard) => monitorsOf(config, { location, shard, periodSeconds }))
      .sort()
  expect([of('local', 60), of('local', 300), of('eu-west-1', 60), of('eu-west-1', 300)]).toEqual([
    ['a', 'b'],
    ['slow'],
    ['far'],
    [],
  ])
})

test.each([
  { given: 'no shard', event: { periodSeconds: 60, everySeconds: 60 } },
  { given: 'a period of nothing', event: { shard: '0/1', periodSeconds: 0, everySeconds: 60 } },
  { given: 'an event of another service', event: { Records: [] } },
])('$given is refused', ({ event }) => {
  expect(scheduleMessage.safeParse(event).success).toBe(false)
})
