import { expect, test } from '@jest/globals'
import { type Arrival, arrivalsOfLines } from '../../../cli/backtest/arrivals.ts'
import { type Backtest, backtest, failed } from '../../../cli/commands/backtest.ts'
import { backtestText } from '../../../cli/commands/backtest-text.ts'
import type { KeptOutcome } from '../../../functions/history.ts'
import { configOf, inOrder, looks, minuteMs, shopYaml, startMs } from './town.ts'

async function* each<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all
}

const arrivals = (all: readonly KeptOutcome[]): AsyncIterable<Arrival> =>
  arrivalsOfLines(each(inOrder(all).map((outcome, nth) => ({ outcome, line: nth + 1 }))))

const compare = async (all: readonly KeptOutcome[], today: string, next: string): Promise<Backtest> => {
  const configs = { today: await configOf(today), new: await configOf(next) }
  return backtest({ arrivals: arrivals(all), unreadable: () => 0 }, configs, { progress: () => undefined })
}

const after = (failures: number, more = '') =>
  shopYaml(`rules:\n  front-down: { kind: availability, monitor: front, failureThreshold: ${failures} }\n${more}`)
const well = (minutes: number) => 'p'.repeat(minutes)
/** Two outages of front, of three and of twelve minutes, while the basket is well. */
const history = [
  ...looks('front', `${well(60)}fff${well(57)}${'f'.repeat(12)}${well(48)}`),
  ...looks('basket', well(180)),
]
const words = ({ difference: { kept, lost, added } }: Backtest) => ({
  kept: kept.map(({ delayMs }) => [delayMs.before, delayMs.after]),
  lost: lost.map(({ about, why }) => `${about}: ${why.kind}`),
  added: added.map(({ about, why }) => `${about}: ${why.kind}`),
})

test('two configs that say the same page the same', async () => {
  const result = await compare(history, after(3), after(3))
  expect(result.outcomes).toBe(360)
  expect(result.today).toEqual(result.new)
  expect(result.today.pages.map(({ monitors, rules }) => [monitors, rules])).toEqual([
    [['front'], ['front-down']],
    [['front'], ['front-down']],
  ])
  expect(words(result)).toEqual({
    kept: [
      [121_000, 121_000],
      [121_000, 121_000],
    ],
    lost: [],
    added: [],
  })
  expect(failed(result, ['lost', 'added', 'later'])).toEqual([])
})

test('a patient rule pages later, and no longer about what is over before it is convinced', async () => {
  const result = await compare(history, after(3), after(6))
  expect(words(result)).toEqual({ kept: [[121_000, 301_000]], lost: ['front: not-firing'], added: [] })
  expect(failed(result, ['lost'])).toEqual(['lost'])
  expect(failed(result, ['added', 'later'])).toEqual(['later'])
  expect(
    backtestText(result, { columns: undefined }),
  ).toBe(`2026-11-16 00:00:01 UTC to 2026-11-16 02:59:01 UTC: 360 outcomes of 2 monitors
pages      2 today, 1 with the new config
tickets    0 today, 0 with the new config
outages    1 page under both, 1 would no longer page, 0 would page now
detection  median 2 min 1 s, slowest 2 min 1 s today; median 5 min 1 s, slowest 5 min 1 s with the new config

would no longer page
  2026-11-16 01:00:00 UTC  front (shop), for 3 min 1 s
      front-down pages 2 min 1 s after it began: front fails from local: expected status 200, saw 500
      no page: under the new config front-down does not fire: it passed again before it was worth a page

detected at another time
  2026-11-16 02:00:00 UTC  front (shop): 2 min 1 s -> 5 min 1 s (3 min later)`)
})

test('the other way round it is a page more', async () => {
  const result = await compare(history, after(6), after(3))
  expect(words(result)).toEqual({ kept: [[301_000, 121_000]], lost: [], added: ['front: not-firing'] })
  expect(failed(result, ['lost'])).toEqual([])
  expect(failed(result, ['lost', 'added', 'later'])).toEqual(['added'])
})

const quiet = (window: string) => after(3, `maintenance:\n  works: { reason: works, ${window} }\n`)
const window = 'services: [shop], from: 2026-11-16T00:55Z, to: 2026-11-16T01:30Z'
const withTicket = shopYaml('rules:\n  front-down: { kind: availability, monitor: front, severity: ticket }\n')
const without = (text: string, monitor: string) => text.replace(new RegExp(`\\n {2}${monitor}: \\{ kind: http.*`), '')

test.each([
  { given: 'a maintenance window', next: quiet(window), lost: ['front: kept-quiet'] },
  { given: 'a ticket instead of a page', next: withTicket, lost: ['front: told-as', 'front: told-as'] },
  {
    given: 'a monitor that is gone',
    next: without(shopYaml(), 'front'),
    lost: ['front: not-watched', 'front: not-watched'],
  },
])('$given loses pages, and why is said', async ({ next, lost }) => {
  const result = await compare(history, after(3), next)
  expect(words(result).lost).toEqual(lost)
})

test('what goes out with the page of a dependency is no page lost', async () => {
  const both = [...looks('basket', `${well(60)}ffffff${well(30)}`), ...looks('front', `${well(61)}fffff${well(30)}`)]
  const needs = shopYaml().replace('dependsOn: []', 'dependsOn: [cart]')
  const result = await compare(both, shopYaml(), needs)
  expect(words(result)).toEqual({ kept: [[121_000, 121_000]], lost: [], added: [] })
  expect(result.difference.folded.lost.map(({ about, into }) => [about, into])).toEqual([
    ['front', 'cart-20261116-010000'],
  ])
  expect([result.today.pages.length, result.new.pages.length]).toEqual([2, 1])
})

test('budgets are compared at the end, by the same events', async () => {
  const slo = (percent: number) =>
    shopYaml(`rules:\n  front-slo: { kind: slo, monitor: front, objectivePercent: ${percent}, budgetPolicy: [] }\n`)
  const result = await compare(history, slo(99), slo(98))
  const [budget] = result.budgets
  expect(budget?.today?.bad).toBe(15)
  expect(budget?.new?.bad).toBe(15)
  expect(budget?.today?.spentRatio).toBeCloseTo(2 * (budget?.new?.spentRatio ?? 0), 9)
})

test('what a config does not know, and what the history does not hold, is said', async () => {
  const result = await compare(looks('front', well(10)), after(3), without(shopYaml(), 'front'))
  expect(result.unknown).toEqual({ today: [], new: ['front'] })
  expect(result.unseen).toEqual({ today: ['basket'], new: ['basket'] })
})

test('an hour in which whodunit was off makes nobody blind, and is said', async () => {
  const pages = shopYaml('rules:\n  front-blind: { kind: absence, monitor: front, forSeconds: 600 }\n')
  const all = [...looks('front', well(30)), ...looks('front', well(30), 90)]
  const result = await compare(all, pages, pages)
  expect(result.today.pages).toEqual([])
  expect(result.gaps).toEqual([{ fromMs: startMs + 29 * minuteMs + 1000, toMs: startMs + 90 * minuteMs + 1000 }])
})

test('one monitor that nobody could look at is a page under both, while others were looked at', async () => {
  const pages = shopYaml('rules:\n  front-blind: { kind: absence, monitor: front, forSeconds: 600 }\n')
  const all = [...looks('front', well(30)), ...looks('basket', well(60))]
  const result = await compare(
    all,
    pages,
    shopYaml('rules:\n  front-blind: { kind: absence, monitor: front, forSeconds: 3000 }\n'),
  )
  expect(words(result).lost).toEqual(['front: no-rule'])
})
