import type { Facts, Judgement, Look, Sli, SliBucket } from '../contract.ts'
import { judgeAvailability } from '../quorum.ts'

/** More than may be asked for. */
const bucketsSeen = 24

const lookOf = ({ atMs, good, bad }: SliBucket): Look => ({
  scheduledAtMs: atMs,
  look: 'tick',
  verdict: good > 0 ? 'pass' : bad > 0 ? 'fail' : 'unknown',
})

/** The last minutes that held events, and the hours before them: where there are few, an hour holds one. */
const looksOf = ({ hours, minutes }: Sli): Look[] =>
  [...hours.slice(-bucketsSeen), ...minutes]
    .filter(({ good, bad, unknown }) => good + bad + unknown > 0)
    .slice(-bucketsSeen)
    .map(lookOf)

/**
 * Are all events bad, for so many minutes in a row that held any? Judged as availability is: a minute without one good
 * event is a look that fails, one in which nobody could look says nothing.
 */
export const judgeInARow = (facts: Facts, { subject, minutes }: { subject: string; minutes: number }): Judgement => {
  const { sli = { hours: [], minutes: [] } } = facts
  const words = minutes === 1 ? 'the last minute that had any' : `the last ${minutes} minutes that had any`
  const summary = `${subject}: not one good event in ${words}`
  const thresholds = { monitor: subject, summary, failureThreshold: minutes, successThreshold: 1 }
  // It is judged when events arrive, so the newest is fresh.
  const everywhere = { location: 'everywhere', looks: looksOf(sli), fresh: true, freshForMs: 180_000 }
  return judgeAvailability(thresholds, { ...facts, locations: [everywhere] })
}
