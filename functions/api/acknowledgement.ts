import type { OutboxRow } from '../contract.ts'
import type { Incident } from '../hub-state.ts'

/** Who takes an incident on: a receiver of a channel's page, who is not asked for a name, or somebody who gave one. */
export type Taker = { incidentId: string; channel: string } | { incidentId: string; by: string }

/** One row for all who got the same page and one for all who gave a name: pressing twice writes it once. */
export const acknowledgeRowId = (taker: Taker): string =>
  // No channel is called so.
  `ack:${taker.incidentId}:${'channel' in taker ? taker.channel : '@'}`

/** All that a link tells of who presses: which channel's page it came with. */
export const receiverOf = (channel: string): string => `somebody with the page sent to ${channel}`

export const acknowledgeRow = (taker: Taker, nowMs: number): OutboxRow => ({
  id: acknowledgeRowId(taker),
  to: 'correlate',
  dueAtMs: nowMs,
  nudges: 0,
  body: {
    kind: 'acknowledge',
    incidentId: taker.incidentId,
    by: 'channel' in taker ? receiverOf(taker.channel) : taker.by,
    atMs: nowMs,
  },
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
