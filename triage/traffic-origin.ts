import { failedShare, type Health, healthOf, sinceOnset, type Tally } from './counters.ts'
import type { Peer, Stop, Traffic } from './flows.ts'
import { isSlower } from './latency.ts'

/** Where failures come from, or pass through. */
export type Verdict = {
  stop: Stop
  health: Health
  /** The callees whose failures explain this one's; empty for an origin. */
  because: Peer[]
  /** Nobody answers for it: only its callers count the failures. */
  seenByCallersOnly: boolean
  /** Requests and failures, its own count or its callers'. */
  tally: Tally
  failingRoutes: [string, Tally][]
  /** Some routes fail while others, with traffic of their own, are well: then it is those routes that are at fault. */
  routesDiffer: boolean
}

const noStop = (peer: Peer, stops: ReadonlyMap<Peer, Stop>): Stop | undefined => stops.get(peer)

/** The given workloads and all they call, as far as calls were seen. */
export const reachable = ({ stops }: Traffic, from: readonly Peer[]): Stop[] => {
  const seen = new Set<Peer>()
  const queue = [...from]
  for (let peer = queue.shift(); peer !== undefined; peer = queue.shift()) {
    if (seen.has(peer)) continue
    seen.add(peer)
    queue.push(...(stops.get(peer)?.calls.keys() ?? []))
  }
  return [...seen].flatMap((peer) => noStop(peer, stops) ?? [])
}

const mergeTallies = (tallies: readonly Tally[]): Tally => {
  const sum = (key: 'now' | 'nowFailed' | 'before' | 'beforeFailed') =>
    tallies.reduce((total, tally) => total + tally[key], 0)
  const steps: Tally['steps'] = new Map()
  const failures: Tally['failures'] = new Map()
  for (const tally of tallies) {
    for (const [atMs, { requests, failed }] of tally.steps) {
      const step = steps.get(atMs) ?? { requests: 0, failed: 0 }
      steps.set(atMs, { requests: step.requests + requests, failed: step.failed + failed })
    }
    for (const [failure, count] of tally.failures) failures.set(failure, (failures.get(failure) ?? 0) + count)
  }
  return {
    now: sum('now'),
    nowFailed: sum('nowFailed'),
    before: sum('before'),
    beforeFailed: sum('beforeFailed'),
    steps,
    failures,
  }
}

const isBad = (health: Health) => health === 'failing' || health === 'as-before'

/**
 * Routes that fail as the whole does, the worst first. Where the whole is known to fail, a route of which half fails
 * needs no more proof than a second failure.
 */
const failingRoutes = ({ routes, inbound }: Stop, { periods }: Traffic): [string, Tally][] =>
  [...routes]
    .filter(
      ([, tally]) =>
        isBad(healthOf(tally, periods)) ||
        (isBad(healthOf(inbound, periods)) && tally.nowFailed >= 2 && failedShare(tally) >= 0.5),
    )
    .sort((a, b) => failedShare(b[1]) - failedShare(a[1]) || b[1].nowFailed - a[1].nowFailed || (a[0] < b[0] ? -1 : 1))

/** Requests a route had, and failed, since the failures of the whole began. */
const sinceThen = ({ steps }: Tally, fromMs: number) => {
  let requests = 0
  let failed = 0
  for (const [atMs, step] of steps) {
    if (atMs < fromMs) continue
    requests += step.requests
    failed += step.failed
  }
  return { requests, failed }
}

/** Where there are many routes each has few requests: whether the others are well is asked of all of them together. */
const differ = ({ routes }: Stop, failing: readonly [string, Tally][]): boolean => {
  if (failing.length === 0) return false
  const froms = failing.flatMap(([, tally]) => told(tally).fromMs ?? [])
  const names = new Set(failing.map(([route]) => route))
  const others = [...routes].flatMap(([route, tally]) => (names.has(route) ? [] : [tally]))
  const counts = others.map((tally) =>
    froms.length > 0 ? sinceThen(tally, Math.min(...froms)) : { requests: tally.now, failed: tally.nowFailed },
  )
  const requests = counts.reduce((sum, one) => sum + one.requests, 0)
  const failed = counts.reduce((sum, one) => sum + one.failed, 0)
  return requests >= 3 && failed * 10 <= requests
}

/**
 * Judges each stop on the way. A workload whose failures are, for the most part, answers it got from a failing callee
 * is that callee's victim; the deepest failing one is the origin. In a circle nobody is.
 */
export const judgeTraffic = (traffic: Traffic, path: readonly Stop[]): Verdict[] => {
  const { periods } = traffic
  const callsTo = (peer: Peer) => path.flatMap(({ calls }) => calls.get(peer)?.tally ?? [])
  const judged = path.map((stop): Verdict => {
    const own = healthOf(stop.inbound, periods)
    const routes = failingRoutes(stop, traffic)
    const callers = mergeTallies(callsTo(stop.peer))
    const seen = healthOf(callers, periods)
    // A route may fail entirely and still be a small part of all requests.
    const newRoute = routes.some(([, tally]) => healthOf(tally, periods) === 'failing')
    const health: Health = newRoute ? 'failing' : isBad(own) || !isBad(seen) ? own : seen
    const seenByCallersOnly = !isBad(own) && routes.length === 0 && isBad(seen)
    return {
      stop,
      health,
      because: [],
      seenByCallersOnly,
      tally: seenByCallersOnly ? callers : stop.inbound,
      failingRoutes: routes,
      routesDiffer: differ(stop, routes),
    }
  })
  const failing = new Map(judged.filter(({ health }) => isBad(health)).map((one) => [one.stop.peer, one]))
  return judged.map((one): Verdict => {
    if (!isBad(one.health)) return one
    // Calls that fail to a callee that is well otherwise clear the caller without accusing the callee.
    const passedOn = [...one.stop.calls].filter(
      ([peer, { tally }]) => tally.nowFailed > 0 && (failing.has(peer) || healthOf(tally, periods) === 'failing'),
    )
    const failed = passedOn.reduce((sum, [, { tally }]) => sum + tally.nowFailed, 0)
    return { ...one, because: failed * 2 >= one.tally.nowFailed ? passedOn.map(([peer]) => peer).sort() : [] }
  })
}

/** Stops that became slow though nothing they call did. */
export const slowOrigins = (path: readonly Stop[]): Stop[] =>
  path.filter(({ latency, calls }) => isSlower(latency) && ![...calls.values()].some((call) => isSlower(call.latency)))

/** How many requests a tally failed since it began to, ready to be told. */
export const told = (tally: Tally): { requests: number; failed: number; share: number; fromMs?: number } => {
  const onset = sinceOnset(tally)
  return { ...onset, share: onset.requests > 0 ? onset.failed / onset.requests : 0 }
}
