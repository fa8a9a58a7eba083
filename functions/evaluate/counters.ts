import type { Cause, ProbeOutcome } from '../../probes/contract.ts'
import type { LocationHistory } from '../../rules/contract.ts'
import { aheadMs, freshForMs, isFresh } from '../freshness.ts'
import { kindOfLook, type LocationState, type LookKind, looksKept, type MonitorState, quoted } from '../shard-state.ts'

const sameLook = (a: { scheduledAtMs: number; look: string }, b: { scheduledAtMs: number; look: string }) =>
  a.scheduledAtMs === b.scheduledAtMs && a.look === b.look

/** Looks of one scheduled time in the order they begin, which is not the one they end in. */
const places: Readonly<Record<LookKind, number>> = { tick: 0, 'second-opinion': 0.2, recheck: 0.4, 'recheck-2': 0.6 }
const order = (look: { scheduledAtMs: number; look: LookKind }) => look.scheduledAtMs + places[look.look]

type LastOutcome = MonitorState['last']
type Placed = { scheduledAtMs: number; look: LookKind }

/**
 * Did it begin before an outcome that is to be put in its place? Ticks are in the order of their scheduled times. One
 * that started late is behind a second opinion that was asked for in between, or a pass from before would hide it.
 */
const isBefore = (one: Placed, seen: Placed & { startedAtMs: number }): boolean =>
  order(one) <= order(seen) || (one.look === 'second-opinion' && one.scheduledAtMs < seen.startedAtMs)

/** Ticks are further apart, mostly; and no wrong clock of a prober hides what it sees for longer. */
const sameTimeMs = 60_000

/**
 * A location has one clock. A look that began about now, after one that is scheduled for later, shows that the clock was
 * set back: what was dated by the clock as it was would stand before all that comes, and take its names, until that time
 * is there. That is forgotten. Who is always ahead, or comes late, did not begin about now; a repeat saw what is known.
 */
const dropMisdated = (
  kept: MonitorState | undefined,
  outcome: ProbeOutcome & Placed,
  nowMs: number,
): { looks: MonitorState['looks']; last?: LastOutcome } | undefined => {
  const { startedAtMs, verdict } = outcome
  if (!kept || Math.abs(nowMs - startedAtMs) > sameTimeMs) return kept
  const isFromAhead = ({ scheduledAtMs }: Placed) => scheduledAtMs > startedAtMs + sameTimeMs
  if (!isFromAhead(kept.last) && !kept.looks.some(isFromAhead)) return kept
  if (kept.looks.some((one) => sameLook(one, outcome) && one.verdict === verdict)) return kept
  const stays = (one: Placed) => one.scheduledAtMs <= startedAtMs && !sameLook(one, outcome)
  return { looks: kept.looks.filter(stays), ...(stays(kept.last) ? { last: kept.last } : {}) }
}

/** Did the newest look begin after one of about the same time that ended later? Of it alone the beginning is known. */
const overtook = (last: LastOutcome, { scheduledAtMs, startedAtMs }: ProbeOutcome): boolean => {
  const apartMs = Math.abs(last.scheduledAtMs - scheduledAtMs)
  return last.startedAtMs > startedAtMs && apartMs > 0 && apartMs < sameTimeMs
}

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

const sawNothing = ({ verdict }: MonitorState['looks'][number]) => verdict === 'unknown'

/**
 * The last so many looks. Those that saw nothing are forgotten first, but for the newest: who cannot look for an hour
 * has not taken back what it saw before.
 */
export const lastLooks = (looks: MonitorState['looks'], count: number): MonitorState['looks'] => {
  const surplus = looks.length - count
  if (surplus <= 0) return looks
  const forgotten = looks.slice(0, -1).filter(sawNothing).slice(0, surplus)
  return looks.filter((look) => !forgotten.includes(look)).slice(-count)
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
  const outcome = { ...given, look }
  const rightly = dropMisdated(kept, outcome, nowMs)
  const last = rightly?.last && rightly.last.scheduledAtMs <= latestMs ? rightly.last : undefined
  const looks = (rightly?.looks ?? []).filter((one) => one.scheduledAtMs <= latestMs)
  if (looks.some((one) => sameLook(one, added))) return kept
  const oldest = looks[0]
  if (oldest && looks.length >= looksKept && order(added) < order(oldest)) return kept
  const behind = looks.findLastIndex((one) => isBefore(one, outcome)) + 1
  const isOvertaken = last !== undefined && overtook(last, outcome)
  const endsWithLast = last !== undefined && looks.length > 0 && sameLook(looks.at(-1) ?? added, last)
  const at = isOvertaken && endsWithLast ? Math.min(behind, looks.length - 1) : behind
  const remembered = lastLooks(looks.toSpliced(at, 0, added), looksKept)
  // It came so late that it is forgotten already.
  if (!remembered.includes(added)) return kept
  const newest = !last || (isBefore(last, outcome) && !isOvertaken)
  return { looks: remembered, last: newest ? compact(given, look) : last }
}

/** The latest scheduled time: not always the last look's, for a second opinion that was late to begin stands where it began. */
const latestMsOf = (looks: MonitorState['looks']): number | undefined => {
  let latest: number | undefined
  for (const { scheduledAtMs } of looks) if (latest === undefined || scheduledAtMs > latest) latest = scheduledAtMs
  return latest
}

/** What a rule may know of one location's looks at a monitor. */
export const historyOf = (
  state: LocationState | undefined,
  at: { monitorId: string; location: string; periodSeconds: number; nowMs: number },
): LocationHistory => {
  const all = state?.monitors[at.monitorId]?.looks ?? []
  const latestMs = at.nowMs + aheadMs
  const newestMs = latestMsOf(all)
  const isAhead = (newestMs ?? 0) > latestMs
  const looks = isAhead ? all.filter(({ scheduledAtMs }) => scheduledAtMs <= latestMs) : all
  const lastMs = isAhead ? latestMsOf(looks) : newestMs
  const fresh = lastMs !== undefined && isFresh({ scheduledAtMs: lastMs, periodSeconds: at.periodSeconds }, at.nowMs)
  return { location: at.location, looks, fresh, freshForMs: freshForMs(at.periodSeconds) }
}
