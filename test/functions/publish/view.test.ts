import { expect, test } from '@jest/globals'
import { type Component, type Incident, quietComponent } from '../../../functions/hub-state.ts'
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
const calm = new Map<string, Component>()

const latest = (verdict: Verdict, scheduledAtMs = start): LatestOutcome => ({
  ...outcome({ verdict, scheduledAtMs }),
  service: 'shop',
  target: monitor.target,
  periodSeconds: 60,
  runSinceMs: start,
})

const incident = openIncident({ id: 'shop-1' })
const down = new Map<string, Component>([
  ['shop', { ...quietComponent, status: 'partial_outage', incidentId: 'shop-1' }],
])

test.each([
  { given: 'a fresh pass', outcomes: [latest('pass')], components: calm, then: 'operational' },
  { given: 'nothing seen yet', outcomes: [], components: calm, then: 'unknown' },
  { given: 'only an unknown', outcomes: [latest('unknown')], components: calm, then: 'unknown' },
  { given: 'a pass from long ago', outcomes: [latest('pass', start - 600_000)], components: calm, then: 'unknown' },
  { given: 'a pass dated tomorrow', outcomes: [latest('pass', start + 86_400_000)], components: calm, then: 'unknown' },
  { given: 'an outage', outcomes: [latest('fail')], components: down, then: 'partial_outage' },
  { given: 'an outage nobody can see any more', outcomes: [], components: down, then: 'partial_outage' },
])('with $given the component is $then', ({ outcomes, components, then }) => {
  const view = statusView(at, { components, incidents: [incident], outcomes })
  expect([view.components[0]?.status, view.overall]).toEqual([then, then])
})

test('the public sees incidents, never advisories', () => {
  const advisory: Incident = { ...incident, id: 'shop-2', severity: 'advisory' }
  const over: Incident = { ...incident, id: 'shop-0', status: 'resolved', resolvedAtMs: start + 1 }
  const view = statusView(at, {
    components: down,
    incidents: [advisory, incident, over],
    outcomes: [latest('fail')],
  })
  expect([view.open.map(({ id }) => id), view.past.map(({ id }) => id)]).toEqual([['shop-1'], ['shop-0']])
})

test.each([1, 0])('an incident of which %i alerts fire says whether any does, whatever its service is', (alerts) => {
  const counts = { alerts: 1, firing: alerts, audible: alerts }
  const view = statusView(at, { components: calm, incidents: [{ ...incident, counts }], outcomes: [latest('pass')] })
  expect(view.open).toMatchObject([{ status: 'operational', firing: alerts > 0 }])
})

test.each([
  { given: 'other services are well', monitors: [monitor], then: 'partial_outage' },
  { given: 'nothing is looked at', monitors: [], then: 'partial_outage' },
])('what no monitor watches is no component, but all is not well while it fails: $given', ({ monitors, then }) => {
  const seen = {
    components: new Map([['db', { ...quietComponent, status: 'partial_outage' as const, incidentId: 'db-1' }]]),
    incidents: [openIncident({ id: 'db-1', service: 'db' })],
    outcomes: [latest('pass')],
  }
  const view = statusView({ ...at, monitors }, seen)
  expect([view.overall, view.components.map(({ id }) => id)]).toEqual([then, monitors.map(({ service }) => service)])
})
