import type { OutboxRow } from '../contract.ts'
import { isOverdue } from '../second-opinion.ts'

/** A row nudged this often without being consumed is poison: about seventeen minutes of trying. */
export const nudgesBeforeQuarantine = 10

export type SweepDecision = 'wait' | 'nudge' | 'quarantine' | 'drop'

/**
 * A due row is nudged at once, then 1, 2, 4, … seconds after the nudge before; in the end it is set aside and told.
 * Counted from the last nudge and not from `dueAtMs`: after an hour switched off (or asleep) nothing has been tried yet.
 */
export const decideSweep = (
  row: Pick<OutboxRow, 'dueAtMs' | 'nudges' | 'nudgedAtMs'>,
  nowMs: number,
): Exclude<SweepDecision, 'drop'> => {
  const { dueAtMs, nudges, nudgedAtMs } = row
  if (nowMs < dueAtMs) return 'wait'
  const fromMs = nudgedAtMs === undefined ? dueAtMs : nudgedAtMs
  const patienceMs = 1000 * (nudgedAtMs === undefined ? 2 ** nudges - 1 : 2 ** (nudges - 1))
  // A nudge that lies ahead was counted by a wrong clock.
  if (nowMs >= fromMs && nowMs < fromMs + patienceMs) return 'wait'
  return row.nudges >= nudgesBeforeQuarantine ? 'quarantine' : 'nudge'
}

/** A question nobody answered in time is over: it is neither asked again nor a thing to worry about. */
export const decideRow = (row: OutboxRow, nowMs: number): SweepDecision =>
  row.to === 'probe' && isOverdue(row.body.askedAtMs, nowMs) ? 'drop' : decideSweep(row, nowMs)
