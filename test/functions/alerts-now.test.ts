import { expect, test } from '@jest/globals'
import { alertsNow } from '../../functions/alerts-now.ts'
import { availability, outcome, period, ruleView, seen, start } from './builders.ts'
import { townWith } from './evaluate/hub.ts'

const ids = ['front', 'cart', 'pay', 'search']
const rules = ids.map((id) => ruleView(availability({ failureThreshold: 1 }), { ruleId: `${id}-down`, monitorId: id }))
const failing = (all: readonly string[], nth: number) =>
  seen(all.map((monitorId) => outcome({ monitorId, verdict: 'fail', scheduledAtMs: start + nth * period })))

test('every alert is there once, also while a part of the shards has not moved yet', async () => {
  const town = townWith(rules)
  await town.deployed(1)(failing(ids, 0))
  expect((await alertsNow(town.store)).map(({ alertId }) => alertId).sort()).toEqual(
    ids.map((id) => `${id}-down`).sort(),
  )
  town.clock.nowMs += period
  await town.deployed(4)(failing(['front'], 1))
  const now = await alertsNow(town.store)
  expect(now.map(({ alertId }) => alertId).sort()).toEqual(ids.map((id) => `${id}-down`).sort())
  expect(now.every(({ standing, flaps }) => standing === 'firing' && flaps === 0)).toBe(true)
})

test('an alert that came back says how often', async () => {
  const town = townWith(rules)
  const evaluate = town.deployed(1)
  for (let nth = 0; nth < 3; nth++) {
    town.clock.nowMs = start + nth * period
    const verdict = nth === 1 ? 'pass' : 'fail'
    await evaluate(seen([outcome({ verdict, scheduledAtMs: start + nth * period })]))
  }
  expect(await alertsNow(town.store)).toMatchObject([{ alertId: 'front-down', flaps: 1 }])
})
