import type { OutboxRow } from '../contract.ts'

/**
 * A row that says nothing and only wants to be applied. While it is there `correlate` applies nothing, and whatever else
 * is not applied either says nothing against those rows: an outage is no poison.
 */
export const signOfLifeId = 'sign-of-life:correlate'

export const signOfLife = (dueAtMs: number): OutboxRow => ({
  id: signOfLifeId,
  to: 'correlate',
  dueAtMs,
  nudges: 0,
  body: { kind: 'alert-changes', changes: [] },
})
