import { expect, test } from '@jest/globals'
import type { HubIndex, Incident } from '../../../functions/contract.ts'
import type { LatestOutcome } from '../../../functions/latest-outcomes.ts'
import { statusView } from '../../../functions/publish/view.ts'
import type { Verdict } from '../../../probes/contract.ts'
import { openIncident, outcome, start } from '../builders.ts'

const monitor = {
  monitorId: 'front',
  service: 'shop',
  target: 'GET https://shop',
  locations: ['local'],
  periodSeconds: 60,
}
const at = { title: 'Shop', nowMs: start + 90_000, monitors: [monitor] }
const calm: HubIndex = { open: {}, components: {}, recent: [] }

const latest = (verdict: Verdict, scheduledAtMs = start): LatestOutcome => ({
  ...outcome({ verdict, scheduledAtMs }),
  service: 'shop',
  target: monitor.target,
  periodSeconds: 60,
  runSinceMs: start,
})

const incident = openIncident({ id: 'shop-1' })
const down: HubIndex = {
  open: { shop: 'shop-1' },
  components: { shop: { status: 'partial_outage', streams: {} } },
  recent: ['shop-1'],
}

test.each([
  { given: 'a fresh pass', outcomes: [latest('pass')], index: calm, then: 'operational' },
  { given: 'nothing seen yet', outcomes: [], index: calm, then: 'unknown' },
  { given: 'only an unknown', outcomes: [latest('unknown')], index: calm, then: 'unknown' },
  { given: 'a pass from long ago', outcomes: [latest('pass', start - 600_000)], index: calm, then: 'unknown' },
  { given: 'a pass dated tomorrow', outcomes: [latest('pass', start + 86_400_000)], index: calm, then: 'unknown' },
  { given: 'an outage', outcomes: [latest('fail')], index: down, then: 'partial_outage' },
  { given: 'an outage nobody can see any more', outcomes: [], index: down, then: 'partial_outage' },
])('with $given the component is $then', ({ outcomes, index, then }) => {
  const view = statusView(at, index, { incidents: [incident], outcomes })
  expect([view.components[0]?.status, view.overall]).toEqual([then, then])
})

test('the public sees incidents, never advisories', () => {
  const advisory: Incident = { ...incident, id: 'shop-2', severity: 'advisory' }
  const over: Incident = { ...incident, id: 'shop-0', status: 'resolved', resolvedAtMs: start + 1 }
  const view = statusView(at, down, { incidents: [advisory, incident, over], outcomes: [latest('fail')] })
  expect([view.open.map(({ id }) => id), view.past.map(({ id }) => id)]).toEqual([['shop-1'], ['shop-0']])
})
