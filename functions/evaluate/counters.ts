import type { Cause, ProbeOutcome } from '../../probes/contract.ts'
import type { LocationHistory } from '../../rules/contract.ts'
import { aheadMs, isFresh } from '../freshness.ts'
import { kindOfLook, type LocationState, type LookKind, looksKept, type MonitorState, quoted } from '../shard-state.ts'

type KeptLook = MonitorState['looks'][number]

const sameLook = (a: { scheduledAtMs: number; look: string }, b: { scheduledAtMs: number; look: string }) =>
  a.scheduledAtMs === b.scheduledAtMs && a.look === b.look

const order = (look: { scheduledAtMs: number; look: string }) => look.scheduledAtMs + (look.look === 'tick' ? 0 : 0.5)

/** A sentence for a person is never longer; what sent more is not to fill the item of all others. */
const causeLimit = 500

const shortCause = (cause: Cause): Cause => ({ ...cause, detail: cause.detail.slice(0, causeLimit).toWellFormed() })

const compact = (outcome: ProbeOutcome, look: LookKind) => ({
  scheduledAtMs: outcome.scheduledAtMs,
  startedAtMs: outcome.startedAtMs,
  look,
  verdict: outcome.verdict,
  timingsMs: outcome.timingsMs,
  ...(outcome.cause ? { cause: shortCause(outcome.cause) } : {}),
  ...(outcome.attempt?.statusCode === undefined ? {} : { statusCode: outcome.attempt.statusCode }),
  ...(outcome.attempt?.certificate ? { certificate: { notAfterMs: outcome.attempt.certificate.notAfterMs } } : {}),
})

/** In its place; looks nearly always come in the order of their times. */
const insert = (looks: readonly KeptLook[], added: KeptLook): KeptLook[] => {
  const before = looks.findLastIndex((look) => order(look) <= order(added)) + 1
  return [...looks.slice(0, before), added, ...looks.slice(before)].slice(-looksKept)
}

/**
 * Adds one outcome to a location's counters of its monitor. A look is keyed by (monitor, scheduledAt, look), so a repeat
 * changes nothing however late it comes, and one that overtook another is put back in its place. A second opinion that
 * saw nothing counts for nothing: a question on top of the ticks must not cost a location the say its last tick gave it.
 */
export const countOutcome = (
  kept: MonitorState | undefined,
  given: ProbeOutcome,
  nowMs: number,
): MonitorState | undefined => {
  const latestMs = nowMs + aheadMs
  const look = kindOfLook(given.look)
  const { scheduledAtMs, verdict, cause } = given
  if (scheduledAtMs > latestMs || (look === 'second-opinion' && verdict === 'unknown')) return kept
  const added = { scheduledAtMs, look, verdict, ...(cause ? { detail: quoted(cause.detail) } : {}) }
  const known = kept && kept.last.scheduledAtMs <= latestMs ? kept : undefined
  const looks = (kept?.looks ?? []).filter((one) => one.scheduledAtMs <= latestMs)
  if (looks.some((one) => sameLook(one, added))) return kept
  const oldest = looks[0]
  if (oldest && looks.length >= looksKept && order(added) < order(oldest)) return kept
  const newest = !known || order(known.last) <= order(added)
  return { looks: insert(looks, added), last: newest ? compact(given, look) : known.last }
}

/** What a rule may know of one location's looks at a monitor. */
export const historyOf = (
  state: LocationState | undefined,
  at: { monitorId: string; location: string; periodSeconds: number; nowMs: number },
): LocationHistory => {
  const all = state?.monitors[at.monitorId]?.looks ?? []
  const latestMs = at.nowMs + aheadMs
  const isAhead = (all.at(-1)?.scheduledAtMs ?? 0) > latestMs
  const looks = isAhead ? all.filter(({ scheduledAtMs }) => scheduledAtMs <= latestMs) : all
  const lastMs = looks.at(-1)?.scheduledAtMs
  const fresh = lastMs !== undefined && isFresh({ scheduledAtMs: lastMs, periodSeconds: at.periodSeconds }, at.nowMs)
  return { location: at.location, looks, fresh, periodMs: at.periodSeconds * 1000 }
}
