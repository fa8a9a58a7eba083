import type { Facts, Judgement, Look, Sli, SliBucket } from '../contract.ts'
import { judgeAvailability } from '../quorum.ts'

/** More than may be asked for. */
const bucketsSeen = 24

const lookOf = ({ atMs, good, bad }: SliBucket): Look => ({
  scheduledAtMs: atMs,
  look: 'tick',
  verdict: good > 0 ? 'pass' : bad > 0 ? 'fail' : 'unknown',
})

const eventsOf = ({ good, bad, unknown }: SliBucket): number => good + bad + unknown

/** The last minutes that held events, and the hours before them: where there are few, an hour holds one. */
const bucketsOf = ({ hours, minutes }: Sli): SliBucket[] =>
  [...hours.slice(-bucketsSeen), ...minutes].filter((one) => eventsOf(one) > 0).slice(-bucketsSeen)

/** A look takes no longer, so that those of a minute are known so long after its end. */
const lookMs = 60_000

/**
 * Until when the last minute is no bad one yet: it has no good event so far, and not everybody has looked. It is whole as
 * soon as it holds as many looks as the one before.
 */
const goesOnUntilMs = (buckets: readonly SliBucket[], nowMs: number): number | undefined => {
  const [before, last] = [buckets.at(-2), buckets.at(-1)]
  if (!last || last.good > 0 || last.bad === 0 || (before && eventsOf(last) >= eventsOf(before))) return undefined
  const untilMs = last.atMs + 60_000 + lookMs
  return untilMs > nowMs ? untilMs : undefined
}

/** As far back as the quicker page looks: sooner it would come and go between two calls of a service that is called rarely. */
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
 * event is a look that fails, one in which nobody could look says nothing. After an hour that is known to hold no event
 * it is over: nobody calls any more. `isCounted`: its events are told when their minute is over, not look by look.
 */
export const judgeInARow = (
  facts: Facts,
  { subject, minutes, isCounted = false }: { subject: string; minutes: number; isCounted?: boolean },
): Judgement => {
  const { sli = { hours: [], minutes: [] } } = facts
  const words = minutes === 1 ? 'the last minute that had any' : `the last ${minutes} minutes that had any`
  const summary = `${subject}: not one good event in ${words}`
  if (knownQuietMs(sli, facts) >= quietMs) return { status: 'inactive', met: false, reason: 'condition-gone', summary }
  const thresholds = { monitor: subject, summary, failureThreshold: minutes, successThreshold: 1 }
  // It is judged when events arrive, so the newest is fresh.
  const everywhere = { location: 'everywhere', fresh: true, freshForMs: 180_000 }
  const judged = (buckets: readonly SliBucket[]) =>
    judgeAvailability(thresholds, { ...facts, locations: [{ ...everywhere, looks: buckets.map(lookOf) }] })
  const buckets = bucketsOf(sli)
  const againAtMs = isCounted ? undefined : goesOnUntilMs(buckets, facts.nowMs)
  if (againAtMs === undefined) return judged(buckets)
  const [before, then] = [judged(buckets.slice(0, -1)), judged(buckets)]
  // Pending until then: the next look may be hours away, and only the shard's timer judges it sooner.
  return then.met && !before.met ? { ...then, met: false, reason: 'first-failure', againAtMs } : before
}
