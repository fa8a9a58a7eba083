import { expect, test } from '@jest/globals'
import { type Maintenance, maintenance } from '../../config/contract.ts'
import { maintenanceFindings } from '../../config/maintenance-checks.ts'

const window = (times: Partial<Maintenance>) => maintenance.parse({ services: ['shop'], reason: 'x', ...times })
const said = (times: Partial<Maintenance>, nowMs?: number) =>
  maintenanceFindings({ maintenance: { move: window(times) } }, nowMs).map(
    ({ code, path }) => `${code} ${path.join('.')}`,
  )

const once = { from: '2026-12-24T22:00+01:00', to: '2026-12-24T23:00+01:00' }

test.each([
  { given: 'the day before', nowMs: Date.UTC(2026, 11, 23), then: [] },
  { given: 'its last moment', nowMs: Date.UTC(2026, 11, 24, 22) - 1, then: [] },
  { given: 'its end', nowMs: Date.UTC(2026, 11, 24, 22), then: ['maintenance-over maintenance.move'] },
  { given: 'no time known', nowMs: undefined, then: [] },
])('a window that is once, at $given', ({ nowMs, then }) => expect(said(once, nowMs)).toEqual(then))

test('a window that is over is a warning, which keeps no hub from starting', () => {
  expect(maintenanceFindings({ maintenance: { move: window(once) } }, Date.UTC(2027, 0, 1))).toMatchObject([
    { severity: 'warning', message: 'this window was over at 2026-12-24T23:00+01:00', hint: 'remove it' },
  ])
})

test.each([
  { cron: '0 22 * * sun', durationSeconds: 7200, then: [] },
  { cron: '0 22 29 2 *', durationSeconds: 7200, then: [] },
  { cron: '@weekly', durationSeconds: 7200, then: [] },
  { cron: '0 0 * * *', durationSeconds: 86_340, then: [] },
  { cron: '0 0 * * *', durationSeconds: 86_400, then: ['maintenance-overlaps maintenance.move.durationSeconds'] },
  // A night of 23 hours is once a year, and then the next window takes over.
  { cron: '0 0 * * *', timeZone: 'Europe/Berlin', durationSeconds: 86_000, then: [] },
  { cron: '* * * * *', durationSeconds: 60, then: ['maintenance-overlaps maintenance.move.durationSeconds'] },
  { cron: '0 22 30 2 *', durationSeconds: 7200, then: ['wrong-cron maintenance.move.cron'] },
  { cron: '0 0 22 * * sun', durationSeconds: 7200, then: ['wrong-cron maintenance.move.cron'] },
  { cron: '@fortnightly', durationSeconds: 7200, then: ['wrong-cron maintenance.move.cron'] },
])('$cron for $durationSeconds s: $then', ({ cron, durationSeconds, timeZone, then }) => {
  expect(said({ cron, durationSeconds, ...(timeZone ? { timeZone } : {}) })).toEqual(then)
})
