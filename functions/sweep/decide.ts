import type { OutboxRow } from '../contract.ts'
import { isDeadLetter } from '../dead-letter.ts'
import { isOverdue } from '../second-opinion.ts'
import { signOfLifeId } from './sign-of-life.ts'

/** A row nudged this often without being consumed is poison: about seventeen minutes of trying. */
export const nudgesBeforeQuarantine = 10

export type SweepDecision = 'wait' | 'nudge' | 'quarantine' | 'drop'

/** What is never set aside is tried as often as this. */
const longestPatienceMs = 512_000
/** The sooner the sign is applied after an outage, the sooner is what waits for it. */
const signPatienceMs = 32_000

/**
 * A due row is nudged at once, then 1, 2, 4, … seconds after the nudge before; in the end it is set aside and told.
 * Counted from the last nudge and not from `dueAtMs`: after an hour switched off (or asleep) nothing has been tried yet.
 */
export const decideSweep = (
  row: Pick<OutboxRow, 'dueAtMs' | 'nudges' | 'nudgedAtMs'>,
  nowMs: number,
  atMostMs = longestPatienceMs,
): Exclude<SweepDecision, 'drop'> => {
  const { dueAtMs, nudges, nudgedAtMs } = row
  if (nowMs < dueAtMs) return 'wait'
  const fromMs = nudgedAtMs === undefined ? dueAtMs : nudgedAtMs
  const patienceMs = Math.min(atMostMs, 1000 * (nudgedAtMs === undefined ? 2 ** nudges - 1 : 2 ** (nudges - 1)))
  // A nudge that lies ahead was counted by a wrong clock.
  if (nowMs >= fromMs && nowMs < fromMs + patienceMs) return 'wait'
  return nudges >= nudgesBeforeQuarantine ? 'quarantine' : 'nudge'
}

/** Nobody can tell `correlate` again what it was told once: a row of its own is poison only if others are applied meanwhile. */
const waitsForSign = ({ id, to }: OutboxRow): boolean => to === 'correlate' && id !== signOfLifeId

/** From its last nudge on such a row is sent with a sign of life. */
export const asksForSign = (row: OutboxRow): boolean => waitsForSign(row) && row.nudges >= nudgesBeforeQuarantine - 1

/**
 * `lives`: the sign sent with the nudge before was applied. Then there is one more nudge at once, since the one before
 * may have come to nobody; a row that is left by that, and the next sign is not, is poison.
 */
const decideWaiting = (row: OutboxRow, { nowMs, lives }: { nowMs: number; lives: boolean }): SweepDecision => {
  if (lives && row.nudges === nudgesBeforeQuarantine && nowMs >= row.dueAtMs) return 'nudge'
  const decision = decideSweep(row, nowMs)
  return decision === 'quarantine' && !lives ? 'nudge' : decision
}

/** A shard judges no silence without its timer, a dead letter is the last that tells, and the sign says something by staying. */
const isNeverSetAside = ({ id, to }: OutboxRow): boolean => to === 'evaluate' || isDeadLetter(id) || id === signOfLifeId

/** A question nobody answered in time is over: it is neither asked again nor a thing to worry about. */
export const decideRow = (row: OutboxRow, at: { nowMs: number; lives: boolean }): SweepDecision => {
  const { nowMs } = at
  if (row.to === 'probe' && isOverdue(row.body.askedAtMs, nowMs)) return 'drop'
  const atMostMs = row.id === signOfLifeId ? signPatienceMs : longestPatienceMs
  const decision = waitsForSign(row) ? decideWaiting(row, at) : decideSweep(row, nowMs, atMostMs)
  return decision === 'quarantine' && isNeverSetAside(row) ? 'nudge' : decision
}

/** What one more nudge makes of the count; without a sign of life it never gets further than the last. */
export const countedNudges = (row: OutboxRow, lives: boolean): number =>
  waitsForSign(row) && !lives ? Math.min(row.nudges + 1, nudgesBeforeQuarantine) : row.nudges + 1

/** A timer that is never set aside is told instead, once. */
export const isStuckNow = ({ to, nudges }: OutboxRow): boolean => to === 'evaluate' && nudges === nudgesBeforeQuarantine
