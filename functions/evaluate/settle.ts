import type { Judgement } from '../../rules/contract.ts'
import type { RuleView } from './decide.ts'

/** How long after a start a silence from before it is put down to ourselves: nobody looked while we were off. */
export const settleMs = 15_000

/** Counters are read once a minute, and what they grew by takes two readings. */
export const countsSettleMs = 180_000

/** The end of that time, when this judgement must wait for it. */
export const settledAtMs = (
  judgement: Judgement,
  { counted }: RuleView,
  at: { nowMs: number; startedAtMs?: number | undefined },
) => {
  if (at.startedAtMs === undefined || judgement.reason !== 'silence-too-long') return undefined
  const [fromMs, toMs] = [at.startedAtMs, at.startedAtMs + (counted ? countsSettleMs : settleMs)]
  return (judgement.sinceMs ?? at.nowMs) < fromMs && at.nowMs >= fromMs && at.nowMs < toMs ? toMs : undefined
}
