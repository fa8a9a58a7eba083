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

/** As far back as the quicker page looks: sooner it would come and go between the calls of a service that is called rarely. */
const quietMs = 3_600_000

/** A minute without events speaks for no more than this before it, unless a cluster is read less often. */
const gapMs = 300_000

/** For how long since the last event it is known that there was none. What nobody could see is left out. */
const knownQuietMs = ({ minutes }: Sli, { sourceFreshMs = 0 }: Facts): number => {
  const longestMs = Math.max(gapMs, sourceFreshMs)
  let sumMs = 0
  for (let at = minutes.length - 1; at > 0; at--) {
    const { atMs = 0, good = 0, bad = 0, unknown = 0 } = minutes[at] ?? {}
    if (good + bad > 0) break
    if (unknown === 0) sumMs += Math.min(longestMs, atMs - (minutes[at - 1]?.atMs ?? atMs))
  }
  return sumMs
}

/**
 * Are all events bad, for so many minutes in a row that held any? Judged as availability is: a minute without one good
 * event is a look that fails, one in which nobody could look says nothing. After an hour that is known to hold no event it is over: nobody calls any more.
 */
export const judgeInARow = (facts: Facts, { subject, minutes }: { subject: string; minutes: number }): Judgement => {
  const { sli = { hours: [], minutes: [] } } = facts
  const words = minutes === 1 ? 'the last minute that had any' : `the last ${minutes} minutes that had any`
  const summary = `${subject}: not one good event in ${words}`
  if (knownQuietMs(sli, facts) >= quietMs) return { status: 'inactive', met: false, reason: 'condition-gone', summary }
  const thresholds = { monitor: subject, summary, failureThreshold: minutes, successThreshold: 1 }
  // It is judged when events arrive, so the newest is fresh.
  const everywhere = { location: 'everywhere', looks: looksOf(sli), fresh: true, freshForMs: 180_000 }
  return judgeAvailability(thresholds, { ...facts, locations: [everywhere] })
}
