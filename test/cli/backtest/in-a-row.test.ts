import { expect, test } from '@jest/globals'
import { Replay } from '../../../cli/backtest/replay.ts'
import { configOf, looks, minuteMs, shopYaml, startMs } from './town.ts'

const rules = (more = '') => `rules:
  front-fast: { kind: slo, monitor: front, latencyMs: 500, objectivePercent: 99, minEvents: 1000${more} }
`

const toldOf = async (yaml: string, letters: string) => {
  const replay = new Replay(await configOf(yaml))
  for (const outcome of looks('front', letters)) {
    await replay.apply({ atMs: outcome.scheduledAtMs + outcome.timingsMs.total, outcomes: [outcome] })
  }
  const { ledger } = replay
  return {
    pages: ledger.told.map(({ atMs, event }) => `${event} ${Math.floor((atMs - startMs) / minuteMs)}`),
    fired: ledger.spells.flatMap(({ alertId, firedAtMs }) => (firedAtMs === undefined ? [] : [alertId])),
  }
}

test('slow answers that availability calls well page by themselves, too few as they are for any window', async () => {
  expect(await toldOf(shopYaml(rules()), 'pppppsssspp')).toEqual({
    pages: ['opened 7'],
    fired: ['front-fast:in-a-row'],
  })
})

test('an outage pages once: the availability rule pages for both', async () => {
  expect(await toldOf(shopYaml(rules()), 'pppppffffpp')).toEqual({ pages: ['opened 7'], fired: ['front-availability'] })
})

test('even where each alert is an incident of its own, an outage pages once', async () => {
  const apart = shopYaml(`${rules(', badInARow: 1')}grouping: { by: [alertname] }\n`)
  expect(await toldOf(apart, 'pppppffffpp')).toEqual({ pages: ['opened 7'], fired: ['front-availability'] })
})

test('where nobody wants the availability rule to page, the objective does', async () => {
  const ticket = `${rules(', badInARow: 4')}  front-down: { kind: availability, monitor: front, severity: ticket }\n`
  const { fired } = await toldOf(shopYaml(ticket), 'pppppffffpp')
  expect(fired.sort()).toEqual(['front-down', 'front-fast:in-a-row'])
})
