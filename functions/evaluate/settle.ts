import type { Judgement } from '../../rules/contract.ts'
import type { RuleView } from './decide.ts'

/** How long after a start a silence from before it is put down to ourselves: nobody looked while we were off. */
export const settleMs = 15_000

/** A cluster is read once a minute, and what its counters grew by takes two readings. */
export const clusterSettleMs = 180_000

/** The end of that time, when this judgement must wait for it. */
export const settledAtMs = (
  judgement: Judgement,
  { afterSilenceMs, sourceFreshMs = 0 }: RuleView,
  at: { nowMs: number; startedAtMs?: number | undefined },
) => {
  if (at.startedAtMs === undefined || judgement.reason !== 'silence-too-long') return undefined
  const [fromMs, toMs] = [
    at.startedAtMs,
    at.startedAtMs + (afterSilenceMs === undefined ? settleMs : Math.max(clusterSettleMs, sourceFreshMs)),
  ]
  return (judgement.sinceMs ?? at.nowMs) < fromMs && at.nowMs >= fromMs && at.nowMs < toMs ? toMs : undefined
}
