/** What locations say of a monitor together: who is down, and how many must agree. */
import type { Facts, Judgement, LocationHistory, Look } from './contract.ts'

/** When a location calls it down and up again, and how many must. */
export type Thresholds = {
  /** What is judged, in the words of the page. */
  monitor: string
  summary?: string | undefined
  failureThreshold: number
  failureWindow?: { failures: number; of: number } | undefined
  successThreshold: number
  quorum?: number | undefined
}
type Spec = Thresholds

/** The looks at the end of a history that agree with its last known one; `unknown` neither ends nor adds to a run. */
const lastRun = ({ looks }: LocationHistory): readonly Look[] => {
  const known = looks.filter(({ verdict }) => verdict !== 'unknown')
  const last = known.at(-1)
  if (!last) return []
  const failing = last.verdict === 'fail'
  const start = known.findLastIndex(({ verdict }) => (verdict === 'fail') !== failing)
  return known.slice(start + 1)
}

type Opinion = {
  location: string
  /** Fresh, and its latest look saw something: only then it has a say. */
  heard: boolean
  /** Cannot look any more, and was not up when it last could, while this alert stood: silence takes nothing back. */
  owed: boolean
  failing: boolean
  /** At its threshold, or with too many failures in its window. */
  down: boolean
  /** Passed often enough, and with few enough failures in its window. */
  up: boolean
  /** The first failing look of what it complains of. */
  sinceMs: number | undefined
  lastFailure: Look | undefined
}

const isFailing = ({ verdict }: Look) => verdict === 'fail'

/** The failures among the last looks that saw something, when they are too many. */
const tooMany = ({ failureWindow: window }: Spec, { looks }: LocationHistory): readonly Look[] => {
  if (window === undefined) return []
  const failures = looks
    .filter(({ verdict }) => verdict !== 'unknown')
    .slice(-window.of)
    .filter(isFailing)
  return failures.length >= window.failures ? failures : []
}

/** What each location that ever saw something said last. */
const opinions = (spec: Spec, facts: Facts): Opinion[] =>
  facts.locations.flatMap((history) => {
    const run = lastRun(history)
    const last = run.at(-1)
    if (!last) return []
    const heard = history.fresh && history.looks.at(-1)?.verdict !== 'unknown'
    const failing = isFailing(last)
    const inWindow = tooMany(spec, history)
    const isUp = !failing && run.length >= spec.successThreshold && inWindow.length === 0
    const sinceMs = [...(failing ? run.slice(0, 1) : []), ...inWindow.slice(0, 1)].map((one) => one.scheduledAtMs)
    const lastFailure = history.looks.findLast(isFailing)
    // A location that was gone before this alert began says nothing of it.
    const isOfAlert = last.scheduledAtMs + history.freshForMs >= (facts.activeSinceMs ?? 0)
    return [
      {
        location: history.location,
        heard,
        owed: !heard && !isUp && lastFailure !== undefined && isOfAlert,
        failing,
        down: (failing && run.length >= spec.failureThreshold) || inWindow.length > 0,
        up: isUp,
        sinceMs: sinceMs.length > 0 ? Math.min(...sinceMs) : undefined,
        lastFailure,
      },
    ]
  })

const sentence = (spec: Spec, down: readonly Opinion[], heard: number, facts: Facts) => {
  if (spec.summary) return spec.summary
  const detail = down[0]?.lastFailure?.detail ?? 'no detail'
  const where = down.map(({ location }) => location).join(', ')
  const silent = facts.locations.length - heard
  const few = silent > 0 ? ` (${silent} of ${facts.locations.length} locations could not look)` : ''
  return `${spec.monitor} fails from ${where}${few}: ${detail}`
}

/** What the locations say together, before anybody makes an alert of it. */
const poll = (spec: Spec, facts: Facts) => {
  const all = opinions(spec, facts)
  const heard = all.filter((one) => one.heard)
  const quorum = spec.quorum ?? Math.floor(facts.locations.length / 2) + 1
  const need = Math.min(quorum, heard.length)
  const complaining = heard.filter(({ failing, down }) => failing || down)
  const down = heard.filter((one) => one.down)
  const notUp = heard.filter(({ up }) => !up)
  const current = facts.firing ? notUp : down
  const summary = sentence(spec, complaining.length > 0 ? complaining : current, heard.length, facts)
  const since = complaining.flatMap(({ sinceMs }) => sinceMs ?? [])
  const tally = {
    down: current.length,
    failing: complaining.length,
    heard: heard.length,
    of: facts.locations.length,
    need,
  }
  return {
    heard,
    down,
    notUp,
    complaining,
    owed: all.filter(({ owed }) => owed),
    quorum,
    tally,
    summary,
    ...(since.length > 0 ? { sinceMs: Math.min(...since) } : {}),
  }
}

const unheard = (spec: Spec, { locations }: Facts): Judgement => ({
  status: 'held',
  met: false,
  reason: 'input-unknown',
  summary: `nobody could look at ${spec.monitor}`,
  tally: { down: 0, failing: 0, heard: 0, of: locations.length, need: 0 },
})

/** It fires, and those who can look would end it, but for those that saw it fail and cannot look now. */
const undecided = (spec: Spec, { owed, tally }: ReturnType<typeof poll>): Judgement => ({
  status: 'held',
  met: false,
  reason: 'input-unknown',
  summary: `nobody can look at ${spec.monitor} from ${owed.map(({ location }) => location).join(', ')} since it failed there`,
  tally,
})

/**
 * Below the quorum: locations at their threshold, but too few of them to page anybody. An alert of its own, which ends
 * when the quorum is reached (then the page takes over) or when those locations see it pass again; while they cannot
 * look it is held.
 */
export const adviseAvailability = (spec: Spec, facts: Facts): Judgement => {
  const polled = poll(spec, { ...facts, firing: false })
  const { heard, down, notUp, owed, tally, summary: said, sinceMs } = polled
  if (heard.length === 0) return unheard(spec, facts)
  const { need } = tally
  const summary = `${said} (${down.length} of ${heard.length} locations, too few to page: quorum is ${need})`
  const since = sinceMs === undefined ? {} : { sinceMs }
  if (down.length >= need) return { status: 'inactive', met: false, reason: 'quorum-met', summary, tally }
  const stays = facts.firing ? notUp : down
  if (facts.firing && stays.length === 0 && owed.length > 0) return undecided(spec, polled)
  return stays.length > 0
    ? { status: 'active', met: true, reason: 'quorum-not-met', summary, tally, ...since }
    : { status: 'inactive', met: false, reason: 'success-threshold-met', summary, tally }
}

/**
 * Down is `quorum` of the fresh locations failing `failureThreshold` times in a row, or too often in `failureWindow`;
 * with fewer fresh locations than the quorum, all of them failing is down. Up again is fewer than that not yet having
 * passed `successThreshold` times, those included that failed last and cannot look any more: an alert that only they
 * would keep is held.
 */
export const judgeAvailability = (spec: Spec, facts: Facts): Judgement => {
  const polled = poll(spec, facts)
  const { heard, down, notUp, complaining, owed, quorum, tally, summary, sinceMs } = polled
  if (heard.length === 0) return unheard(spec, facts)
  const since = sinceMs === undefined ? {} : { sinceMs }
  const said = { summary, tally }
  if (tally.down >= tally.need) return { status: 'active', met: true, reason: 'threshold-met', ...said, ...since }
  const isOpen = notUp.length + owed.length >= Math.min(quorum, heard.length + owed.length)
  if (facts.firing && isOpen) return undecided(spec, polled)
  if (facts.firing) return { status: 'inactive', met: false, reason: 'success-threshold-met', ...said }
  if (complaining.length === 0) return { status: 'inactive', met: false, reason: 'condition-gone', ...said }
  const reason = down.length > 0 && complaining.length < tally.need ? 'quorum-not-met' : 'first-failure'
  return { status: 'active', met: false, reason, ...said, ...since }
}
