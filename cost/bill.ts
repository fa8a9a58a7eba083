import type { Deployment } from './deployment.ts'
import { alwaysFree, pricesIn, type UnitName, units } from './prices.ts'
import { type Usage, usageOf } from './usage.ts'

/** One thing that is paid for, over all regions. */
export type BillLine = { service: string; unit: UnitName; what: string; quantity: number; usd: number }

export type Bill = {
  usd: number
  /** The same when nothing else in the account uses what AWS gives for good. */
  usdAfterAlwaysFree: number
  /** The dearest first, both. */
  byService: Readonly<Record<string, number>>
  lines: readonly BillLine[]
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

const byKey = <T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return groups
}

const priced = (usage: Usage): BillLine => {
  const { unit, what, region, quantity } = usage
  return { service: units[unit].service, unit, what, quantity, usd: quantity * pricesIn(region).row[unit] }
}

const dearestFirst = (a: { usd: number }, b: { usd: number }) => b.usd - a.usd

/** What is saved when this gift is used by nobody else; regions share it by what they use of each unit. */
const giftUsd = (lines: readonly BillLine[], gift: (typeof alwaysFree)[number]): number => {
  let left = gift.quantity
  let usd = 0
  for (const unit of gift.units) {
    const ofUnit = lines.filter((line) => line.unit === unit)
    const quantity = sum(ofUnit.map((line) => line.quantity))
    const free = Math.min(left, quantity)
    if (quantity > 0) usd += (sum(ofUnit.map((line) => line.usd)) * free) / quantity
    left -= free
  }
  return usd
}

/** Prices what is used. */
export const billOf = (usage: readonly Usage[]): Bill => {
  const groups = byKey(usage.map(priced), ({ unit, what }) => `${unit} ${what}`)
  const lines = [...groups.values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const quantity = sum(group.map((line) => line.quantity))
    return quantity === 0 ? [] : [{ ...first, quantity, usd: sum(group.map((line) => line.usd)) }]
  })
  const services = [...byKey(lines, ({ service }) => service)]
    .map(([service, group]) => ({ service, usd: sum(group.map((line) => line.usd)) }))
    .sort(dearestFirst)
  const usd = sum(lines.map((line) => line.usd))
  return {
    usd,
    usdAfterAlwaysFree: usd - sum(alwaysFree.map((gift) => giftUsd(lines, gift))),
    byService: Object.fromEntries(services.map((one) => [one.service, one.usd])),
    lines: [...lines].sort(dearestFirst),
  }
}

/** What a deployment costs in a month. */
export const monthOf = (deployment: Deployment): Bill => billOf(usageOf(deployment))
