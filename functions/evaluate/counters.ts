import type { ProbeOutcome } from '../../probes/contract.ts'
import type { LocationHistory } from '../../rules/contract.ts'
import { type LocationState, looksKept } from '../shard-state.ts'

/** A location is fresh for two periods and a minute (EventBridge Scheduler may start a tick 60 s late). */
export const freshForMs = (periodSeconds: number) => (2 * periodSeconds + 60) * 1000

const sameLook = (a: { scheduledAtMs: number; look: string }, b: { scheduledAtMs: number; look: string }) =>
  a.scheduledAtMs === b.scheduledAtMs && a.look === b.look

const order = (look: { scheduledAtMs: number; look: string }) => look.scheduledAtMs + (look.look === 'tick' ? 0 : 0.5)

const compact = (outcome: ProbeOutcome) => ({
  scheduledAtMs: outcome.scheduledAtMs,
  startedAtMs: outcome.startedAtMs,
  look: outcome.look,
  verdict: outcome.verdict,
  timingsMs: outcome.timingsMs,
  ...(outcome.cause ? { cause: outcome.cause } : {}),
  ...(outcome.attempt?.statusCode === undefined ? {} : { statusCode: outcome.attempt.statusCode }),
  ...(outcome.attempt?.certificate ? { certificate: outcome.attempt.certificate } : {}),
})

/**
 * Adds one outcome to a location's counters. A look is keyed by (monitor, scheduledAt, look), so a repeat changes
 * nothing however late it comes, and one that overtook another is put back in its place.
 */
export const countOutcome = (state: LocationState, outcome: ProbeOutcome): LocationState => {
  const known = state.monitors[outcome.monitorId]
  const looks = known?.looks ?? []
  if (looks.some((look) => sameLook(look, outcome))) return state
  const oldest = looks[0]
  if (oldest && looks.length >= looksKept && order(outcome) < order(oldest)) return state
  const { scheduledAtMs, look, verdict, cause } = outcome
  const added = { scheduledAtMs, look, verdict, ...(cause ? { detail: cause.detail.slice(0, 160) } : {}) }
  const sorted = [...looks, added].sort((a, b) => order(a) - order(b)).slice(-looksKept)
  const newest = !known || order(known.last) <= order(outcome)
  const monitor = { looks: sorted, last: newest ? compact(outcome) : known.last }
  return { monitors: { ...state.monitors, [outcome.monitorId]: monitor } }
}

/** What a rule may know of one location's looks at a monitor. */
export const historyOf = (
  state: LocationState | undefined,
  at: { monitorId: string; location: string; periodSeconds: number; nowMs: number },
): LocationHistory => {
  const looks = state?.monitors[at.monitorId]?.looks ?? []
  const lastMs = looks.at(-1)?.scheduledAtMs
  const fresh = lastMs !== undefined && at.nowMs - lastMs <= freshForMs(at.periodSeconds)
  return { location: at.location, looks, fresh, periodMs: at.periodSeconds * 1000 }
}
