import { matchable } from '../alert-labels.ts'
import type { AcknowledgeAnswer, IncidentBrief, Refusal, SilenceBody } from '../api-contract.ts'
import type { OutboxRow, SilenceRequest } from '../contract.ts'
import type { Incident, Silence } from '../hub-state.ts'
import { matchAll } from '../matchers.ts'
import { canKeep } from '../silence-limits.ts'
import type { Standing } from './acknowledgement.ts'

/** One row a silence, so that asking twice writes it once. */
export const silenceRowId = (silenceId: string): string => `silence:${silenceId}`

export const silenceRow = (silence: SilenceRequest, nowMs: number): OutboxRow => ({
  id: silenceRowId(silence.id),
  to: 'correlate',
  dueAtMs: nowMs,
  nudges: 0,
  body: { kind: 'silence', silence },
})

/** Named so that it comes behind the row that brings the silence, of two that are due together. */
export const endSilenceRow = (silenceId: string, by: string, nowMs: number): OutboxRow => ({
  id: `${silenceRowId(silenceId)}:end`,
  to: 'correlate',
  dueAtMs: nowMs,
  nudges: 0,
  body: { kind: 'end-silence', silenceId, by, atMs: nowMs },
})

/** A silence longer than this is a rule that should not be there. */
export const longestSilenceMs = 31 * 86_400_000

/** What is asked for, as times. */
export const wishOf = (body: SilenceBody, nowMs: number): Omit<SilenceRequest, 'id'> => {
  const { matchers, author, reason, startsAtMs = nowMs, endsAtMs, forSeconds = 0, incidentId } = body
  return {
    matchers,
    author,
    reason,
    startsAtMs,
    endsAtMs: endsAtMs ?? startsAtMs + forSeconds * 1000,
    ...(incidentId === undefined ? {} : { incidentId }),
  }
}

const refused = (code: Refusal['code'], message: string, hint: string): Refusal => ({ code, message, hint })

/** Why a silence may not be; undefined when it may. */
export const refuseSilence = (
  wish: Omit<SilenceRequest, 'id'>,
  known: { silences: readonly Silence[]; nowMs: number },
): Refusal | undefined => {
  const { matchers, startsAtMs, endsAtMs } = wish
  if (endsAtMs <= known.nowMs || endsAtMs <= startsAtMs) {
    return refused('over-already', 'the silence would be over before it begins', 'let it end later')
  }
  if (endsAtMs - Math.max(startsAtMs, known.nowMs) > longestSilenceMs || startsAtMs > known.nowMs + longestSilenceMs) {
    const hint = 'what should never page is a matter of the config: its rule, its severity or a maintenance window'
    return refused('too-long', 'a silence lasts 31 days at most, and begins within 31 days', hint)
  }
  if (matchAll(matchers, {})) {
    const hint = 'name what is to be silent, such as service=shop'
    return refused('matches-everything', 'these matchers match alerts of everything', hint)
  }
  const { silences } = known
  if (!canKeep([...silences, { id: '', ...wish }])) {
    const hint = 'end some of them, or write one with a wider matcher'
    return refused('too-many', `there are ${silences.length} silences, which is as many as are kept`, hint)
  }
  return undefined
}

export const briefOf = (incident: Incident): IncidentBrief => {
  const { id, service, severity, status, sinceMs, alerts } = incident
  const told = Object.values(alerts)
  const summary = (told.find(({ firing }) => firing) ?? told[0])?.summary ?? ''
  return { id, service, severity, status, sinceMs, summary }
}

/** What somebody is told who gave a name. */
export const acknowledged = (now: Exclude<Standing, { status: 'gone' }>): AcknowledgeAnswer => ({
  status: now.status === 'open' ? 'pending' : now.status,
  incident: briefOf(now.incident),
  ...(now.status === 'acknowledged' ? { by: now.by, atMs: now.atMs } : {}),
})

/** The incidents that are not over and of which something that fires matches. */
export const hiddenBy = (matchers: readonly string[], incidents: readonly Incident[]): Incident[] =>
  incidents.filter(
    ({ status, alerts }) =>
      status !== 'resolved' && Object.values(alerts).some((one) => one.firing && matchAll(matchers, matchable(one))),
  )
