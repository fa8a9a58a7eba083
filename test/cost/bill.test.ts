import { expect, test } from '@jest/globals'
import { billOf, monthOf } from '../../cost/bill.ts'
import { deploymentFor } from '../../cost/deployment.ts'
import { listedRegions, pricesIn, unitNames, units } from '../../cost/prices.ts'
import { sceneMonth, sceneTotal } from '../../cost/scenes.ts'

const usage = (unit: 'alarms' | 'metrics' | 'logGb' | 'tableWrites', quantity: number, region = 'us-east-1') => ({
  unit,
  what: `${unit} of a test`,
  region,
  quantity,
})

test('a bill adds up: 20 alarms at $0.10, and 4 million write units at $0.625 here and $0.7625 there', () => {
  const bill = billOf([
    usage('alarms', 20),
    usage('tableWrites', 2_000_000),
    usage('tableWrites', 2_000_000, 'eu-central-1'),
  ])
  expect(bill.usd).toBeCloseTo(2 + 1.25 + 1.525, 10)
  expect(Object.entries(bill.byService)).toEqual([
    ['DynamoDB', expect.closeTo(2.775, 10)],
    ['CloudWatch', expect.closeTo(2, 10)],
  ])
  expect(bill.lines.map(({ what, quantity }) => [what, quantity])).toEqual([
    ['tableWrites of a test', 4_000_000],
    ['alarms of a test', 20],
  ])
})

test('what AWS gives for good is taken off once, never more than was used', () => {
  // Ten alarms and all four metrics are free; of 6 GB of logs over two regions, five are.
  const bill = billOf([usage('alarms', 12), usage('metrics', 4), usage('logGb', 3), usage('logGb', 3, 'eu-central-1')])
  const logs = 3 * 0.5 + 3 * 0.63
  expect(bill.usd).toBeCloseTo(1.2 + 1.2 + logs, 10)
  expect(bill.usdAfterAlwaysFree).toBeCloseTo(0.2 + logs / 6, 10)
})

test('nothing used costs nothing', () =>
  expect(billOf([])).toEqual({ usd: 0, usdAfterAlwaysFree: 0, byService: {}, lines: [] }))

test.each(listedRegions)('%s has a price for everything', (region) => {
  const { row, listed } = pricesIn(region)
  expect(listed).toBe(true)
  expect(unitNames.filter((unit) => !(row[unit] > 0))).toEqual([])
})

test.each(['mars-north-1', 'constructor', 'sa-east-1'])('%s is priced at the highest of those known', (region) => {
  const { row, listed } = pricesIn(region)
  expect(listed).toBe(false)
  expect(row.tableWrites).toBe(pricesIn('eu-central-1').row.tableWrites)
  expect(row.internetGb).toBe(pricesIn('ap-southeast-1').row.internetGb)
})

test('every price has a page of AWS behind it', () => {
  const pages = Object.values(units).map(({ source }) => source)
  expect(pages.filter((source) => !/^https:\/\/aws\.amazon\.com\/[\w/-]+/.test(source))).toEqual([])
})

const month = (monitors: number, options: { periodSeconds?: number; locations?: string[] } = {}) => {
  const { periodSeconds = 60, locations = ['us-east-1'] } = options
  const one = (_: unknown, index: number) => ({ id: `m-${index}`, service: 'shop', periodSeconds, locations })
  return monthOf(deploymentFor({ monitors: Array.from({ length: monitors }, one), locations })).usd
}

const rising = (figures: readonly number[]) =>
  figures.every((figure, index) => index === 0 || figure > (figures[index - 1] ?? Number.POSITIVE_INFINITY))

test('more monitors cost more, across every doubling of shards', () => {
  expect(
    rising([1, 10, 100, 249, 250, 251, 333, 400, 499, 500, 501, 1000, 1001, 2000, 2001].map((n) => month(n))),
  ).toBe(true)
})

test('looking more often costs more', () => {
  const often = [3600, 600, 300, 120, 60, 30, 10, 5, 1]
  expect(rising(often.map((periodSeconds) => month(20, { periodSeconds })))).toBe(true)
})

test('looking from more locations costs more', () => {
  const locations = ['us-east-1', 'eu-west-1', 'eu-central-1', 'ap-southeast-1', 'sa-east-1']
  expect(rising(locations.map((_, index) => month(20, { locations: locations.slice(0, index + 1) })))).toBe(true)
})

test('a scene is what it says, and its services’ metrics are $0.60 each', () => {
  const total = sceneTotal(1000, ['us-east-1', 'eu-central-1', 'ap-southeast-1'])
  expect(total).toMatchObject({ monitors: 1000, locations: 3, services: 100, shards: 4 })
  expect(total.serviceMetricsUsd).toBeCloseTo(60, 10)
  const lean = sceneMonth({ monitors: 1000, regions: ['us-east-1', 'eu-central-1', 'ap-southeast-1'], services: 1 })
  // One call a minute sends 200 metrics as well as two.
  expect(total.usd - lean.usd).toBeCloseTo(99 * 0.6, 8)
})
