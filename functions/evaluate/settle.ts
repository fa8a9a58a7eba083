import type { Judgement } from '../../rules/contract.ts'
import type { RuleView } from './decide.ts'

/** How long after a start a silence from before it is put down to ourselves: nobody looked while we were off. */
export const settleMs = 15_000

/** A cluster is read once a minute, and what its counters grew by takes two readings. */
export const clusterSettleMs = 180_000

type At = {
  nowMs: number
  startedAtMs?: number | undefined
  sentAtMs?: number | undefined
  judgedAt: (nowMs: number) => Judgement
}

/** The end of that time, when a silence must wait for it. */
const settledAtMs = (
  { sinceMs }: Judgement,
  { monitor, afterSilenceMs, sourceFreshMs = 0 }: RuleView,
  { nowMs, startedAtMs: fromMs }: At,
) => {
  if (fromMs === undefined || (monitor === undefined && afterSilenceMs === undefined)) return undefined
  const toMs = fromMs + (afterSilenceMs === undefined ? settleMs : Math.max(clusterSettleMs, sourceFreshMs))
  return (sinceMs ?? nowMs) < fromMs && nowMs >= fromMs && nowMs < toMs ? toMs : undefined
}

/**
 * When a silence is to be judged again that may be our own. A shard's messages come in the order in which they were sent:
 * what was sent after the one in hand may wait behind it, so there is no silence yet that was none when that was sent.
 * After an outage the first of all that waited would tell of one.
 */
export const silentAtMs = (judgement: Judgement, rule: RuleView, at: At): number | undefined => {
  const { nowMs, sentAtMs = nowMs, judgedAt } = at
  if (judgement.reason !== 'silence-too-long') return undefined
  if (sentAtMs < nowMs && judgedAt(sentAtMs).reason !== 'silence-too-long') return nowMs
  return settledAtMs(judgement, rule, at)
}
