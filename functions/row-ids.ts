import type { OutboxRow, ProbeBody } from './contract.ts'

/** The row that wakes a shard. Its id says which, so that whoever nudges it need not read it. */
export const timerRowId = (shard: string): string => `timer:${shard}`
export const timerRow = (shard: string, dueAtMs: number): OutboxRow => ({
  id: timerRowId(shard),
  to: 'evaluate',
  dueAtMs,
  nudges: 0,
  body: { shard },
})
export const shardOfTimer = (rowId: string): string => rowId.slice('timer:'.length)

/** A row that tells of changes of a shard's alerts: the first of its version, or with those from `at` on. */
export const alertsRowId = (shard: string, version: number, at: number): string =>
  at === 0 ? `alerts:${shard}:${version}` : `alerts:${shard}:${version}:${at}`

/** The shard that tells of alerts in such a row; undefined where no shard does, as of what somebody's Prometheus posts. */
export const shardOfAlertsRow = (rowId: string): string | undefined => /^alerts:(\d+\/\d+):/.exec(rowId)?.[1]

/** The row that asks for a second opinion. A location cannot read the hub's table, so the id says everything. */
export const secondOpinionRowId = ({ shard, monitorId, location, askedAtMs }: ProbeBody): string =>
  `probe:${shard}:${monitorId}:${location}:${askedAtMs}`

/** What such an id asks for; undefined when it is none. */
export const secondOpinionOf = (rowId: string): ProbeBody | undefined => {
  const [, shard, monitorId, location, askedAt] = /^probe:(\d+\/\d+):([a-z0-9-]+):([a-z0-9-]+):(\d+)$/.exec(rowId) ?? []
  if (shard === undefined || monitorId === undefined || location === undefined) return undefined
  return { shard, monitorId, location, askedAtMs: Number(askedAt) }
}

/** The row that wakes `correlate` at an incident's earliest deadline, and the one for the end of a silence. */
export const incidentTimerId = (incidentId: string): string => `timer:incident:${incidentId}`
export const silenceTimerId = 'timer:silences'

/** Rows that end alerts which somebody else's Prometheus has to repeat; a repeat puts them off. */
export const receivedEndPrefix = 'received-end:'

/** The row that demands the status page. */
export const publishRowId = 'publish:page'
