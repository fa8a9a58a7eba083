import type { OutboxRow } from '../contract.ts'

/** A row nudged this often without being consumed is poison: about seventeen minutes of trying. */
export const nudgesBeforeQuarantine = 10

export type SweepDecision = 'wait' | 'nudge' | 'quarantine'

/** A due row is nudged at once, then after 1, 3, 7, … seconds; in the end it is set aside and told. */
export const decideSweep = (row: Pick<OutboxRow, 'dueAtMs' | 'nudges'>, nowMs: number): SweepDecision => {
  if (nowMs < row.dueAtMs + 1000 * (2 ** row.nudges - 1)) return 'wait'
  return row.nudges >= nudgesBeforeQuarantine ? 'quarantine' : 'nudge'
}
