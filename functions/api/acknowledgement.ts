import type { OutboxRow } from '../contract.ts'
import type { Incident } from '../hub-state.ts'

/** One row for all who got the same page: pressing twice writes it once. */
export const acknowledgeRowId = (incidentId: string, channel: string): string => `ack:${incidentId}:${channel}`

/** All that a link tells of who presses: which channel's page it came with. */
export const receiverOf = (channel: string): string => `somebody with the page sent to ${channel}`

export const acknowledgeRow = (at: { incidentId: string; channel: string; nowMs: number }): OutboxRow => ({
  id: acknowledgeRowId(at.incidentId, at.channel),
  to: 'correlate',
  dueAtMs: at.nowMs,
  nudges: 0,
  body: { kind: 'acknowledge', incidentId: at.incidentId, by: receiverOf(at.channel), atMs: at.nowMs },
})

/** How an incident stands with somebody who would take it on. */
export type Standing =
  | { status: 'open'; incident: Incident }
  /** Somebody pressed; `correlate` has not written it yet. */
  | { status: 'pending'; incident: Incident }
  | { status: 'acknowledged'; incident: Incident; by: string; atMs: number }
  | { status: 'resolved'; incident: Incident }
  /** No such incident any more. */
  | { status: 'gone' }

export const standingOf = (incident: Incident | undefined, asked: boolean): Standing => {
  if (!incident) return { status: 'gone' }
  if (incident.status === 'resolved') return { status: 'resolved', incident }
  if (incident.acknowledged) return { status: 'acknowledged', incident, ...incident.acknowledged }
  return { status: asked ? 'pending' : 'open', incident }
}
