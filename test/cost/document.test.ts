import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { pricesAsOf } from '../../cost/prices.ts'
import { perCheckRegion, sceneMonth, sceneTotal } from '../../cost/scenes.ts'
import { amount, dollars } from '../../cost/words.ts'

const text = readFileSync('docs/cost.md', 'utf8')
const regions = ['us-east-1', 'eu-central-1', 'ap-southeast-1']

test.each([10, 100, 1000, 10_000])('docs/cost.md has the total of %i monitors', (monitors) => {
  const total = sceneTotal(monitors, regions)
  const cells = [monitors, total.locations, total.services, total.shards].map(amount)
  expect(text).toContain(`| ${[...cells, dollars(total.usd), dollars(total.serviceMetricsUsd)].join(' | ')} |`)
})

test('docs/cost.md has the price of a look a minute, and of ten', () => {
  const check = perCheckRegion(regions)
  const ten = sceneMonth({ monitors: 10, regions: ['us-east-1'], services: 1 })
  expect(text).toContain(`${dollars(250 * check.nextShardUsd)} for 250, **${dollars(check.nextShardUsd)} for one**`)
  expect(text).toContain(`it is **${dollars(check.usd)}**`)
  expect(text).toContain(`${dollars(check.oneShardUsd)} (${dollars(check.oneShardUsdAfterAlwaysFree)} after`)
  expect(text.replaceAll('\n', ' ')).toContain(`${dollars(ten.usd)} in all (${dollars(ten.usdAfterAlwaysFree)} after`)
  expect(text).toContain(pricesAsOf)
})
