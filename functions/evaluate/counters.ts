import type { ProbeOutcome } from '../../probes/contract.ts'
import type { LocationHistory } from '../../rules/contract.ts'
import { aheadMs, isFresh } from '../freshness.ts'
import { type LocationState, looksKept } from '../shard-state.ts'

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
export const countOutcome = (state: LocationState, outcome: ProbeOutcome, nowMs: number): LocationState => {
  const latestMs = nowMs + aheadMs
  if (outcome.scheduledAtMs > latestMs) return state
  const kept = state.monitors[outcome.monitorId]
  const known = kept && kept.last.scheduledAtMs <= latestMs ? kept : undefined
  const looks = (kept?.looks ?? []).filter(({ scheduledAtMs }) => scheduledAtMs <= latestMs)
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
  const all = state?.monitors[at.monitorId]?.looks ?? []
  const looks = all.filter(({ scheduledAtMs }) => scheduledAtMs <= at.nowMs + aheadMs)
  const lastMs = looks.at(-1)?.scheduledAtMs
  const fresh = lastMs !== undefined && isFresh({ scheduledAtMs: lastMs, periodSeconds: at.periodSeconds }, at.nowMs)
  return { location: at.location, looks, fresh, periodMs: at.periodSeconds * 1000 }
}

/** An item of 64 KB, with room for its version and key. */
const locationLimitBytes = 60_000
/** More than any threshold a rule may have. */
const fewestLooks = 10

const encoder = new TextEncoder()
type Monitor = LocationState['monitors'][string]

/** Rules quote the newest look only. */
const shorten = (looks: Monitor['looks'], keep: number, longest = Number.POSITIVE_INFINITY): Monitor['looks'] =>
  looks.slice(-keep).map(({ detail, ...look }, index, { length }) => {
    const quoted = index === length - 1 ? detail?.slice(0, longest).toWellFormed() : undefined
    return quoted === undefined ? look : { ...look, detail: quoted }
  })

const longestDetail = 60

const lean = ({ looks, last }: Monitor): Monitor => {
  const { certificate: _, cause, ...rest } = last
  const short = cause && { ...cause, detail: cause.detail.slice(0, longestDetail).toWellFormed() }
  return { looks: shorten(looks, fewestLooks, longestDetail), last: { ...rest, ...(short ? { cause: short } : {}) } }
}

const steps: readonly ((monitor: Monitor) => Monitor)[] = [
  (monitor) => monitor,
  ({ looks, last }) => ({ looks: shorten(looks, looksKept), last }),
  ({ looks, last }) => ({ looks: shorten(looks, looksKept / 2), last }),
  lean,
]

/** A location that fails in many monitors at once remembers less of each, rather than nothing of any. */
export const fitLocation = (state: LocationState): LocationState => {
  let fitted = state
  for (const step of steps) {
    const monitors = Object.entries(state.monitors).map(([id, monitor]) => [id, step(monitor)] as const)
    fitted = { monitors: Object.fromEntries(monitors) }
    if (encoder.encode(JSON.stringify(fitted)).byteLength <= locationLimitBytes) break
  }
  return fitted
}
