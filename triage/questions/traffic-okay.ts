import type { Accused, Brief, Clue, Evidence, Statement, Witnesses } from '../contract.ts'
import { defineQuestion } from '../contract.ts'
import { commonestFailure, knowsBefore, type Periods, periodsOf, type Tally } from '../counters.ts'
import { type Stop, type Traffic, trafficOf, trafficReads } from '../flows.ts'
import { byCluster, nowhere, type Placed, placedServices, serviceOf } from '../involved.ts'
import { quantile, total } from '../latency.ts'
import { type Series, seriesOf } from '../past.ts'
import { judgeTraffic, reachable, slowOrigins, told, type Verdict } from '../traffic-origin.ts'
import { clock, count, list, percent, span } from '../wording.ts'

const source = 'linkerd'

const peerOf = ({ namespace, workload }: Placed) => `${namespace}/${workload}`
const nameOf = ({ peer }: Stop) => peer.slice(peer.indexOf('/') + 1)

const sayFailures = (tally: Tally, nowMs: number): string => {
  const { requests, share, fromMs } = told(tally)
  const since = fromMs === undefined ? '' : ` since ${clock(fromMs, nowMs)}`
  const status = commonestFailure(tally)
  return `fails ${percent(share)} of ${count(Math.round(requests), 'request')}${since}${status ? ` (${status})` : ''}`
}

/** `route Pay fails 100 % of 23 requests since …, all other routes fine`; without routes, the whole. */
const sayOrigin = ({ failingRoutes, routesDiffer, tally, seenByCallersOnly }: Verdict, nowMs: number): string => {
  if (seenByCallersOnly) return `calls to it: it ${sayFailures(tally, nowMs)}, as its callers count`
  const [first, ...more] = failingRoutes
  if (!first || !routesDiffer) return sayFailures(tally, nowMs)
  const others = more.length > 0 ? `, so do ${list(more.map(([route]) => route))}` : ''
  return `route ${first[0]} ${sayFailures(first[1], nowMs)}${others}, all other routes fine`
}

const partOf = ({ failingRoutes, routesDiffer }: Verdict): string | undefined =>
  routesDiffer ? list(failingRoutes.map(([route]) => route)) : undefined

type Hearing = { cluster: string; traffic: Traffic; path: Stop[]; verdicts: Verdict[]; slow: Stop[] }

const accused = ({ peer }: Stop, cluster: string, part?: string): Accused => ({
  kind: 'workload',
  cluster,
  namespace: peer.slice(0, peer.indexOf('/')),
  name: peer.slice(peer.indexOf('/') + 1),
  ...(part !== undefined && { part }),
})

const kindOf = (verdict: Verdict, periods: Periods): string => {
  if (periods.windowFromMs === undefined) return 'failures-of-unknown-age'
  if (verdict.seenByCallersOnly) return 'failing-calls'
  return partOf(verdict) === undefined ? 'failing-traffic' : 'failing-route'
}

const cluesOf = ({ cluster, traffic, verdicts, slow }: Hearing, witnesses: Witnesses): Clue[] => {
  const nowMs = witnesses.nowMs()
  const about = (stop: Stop, part?: string) => {
    const place = accused(stop, cluster, part)
    const service = serviceOf(witnesses.services, { cluster, namespace: place.namespace ?? '', name: place.name })
    return { about: place, ...(service !== undefined && { service }) }
  }
  const failing = verdicts.filter(({ health }) => health === 'failing')
  const origins = failing.filter(({ because }) => because.length === 0)
  return [
    ...origins.map((verdict): Clue => {
      const fromMs = told(verdict.failingRoutes[0]?.[1] ?? verdict.tally).fromMs
      return {
        ...about(verdict.stop, partOf(verdict)),
        kind: kindOf(verdict, traffic.periods),
        says: sayOrigin(verdict, nowMs),
        ...(fromMs !== undefined && { atMs: fromMs }),
      }
    }),
    ...failing
      .filter(({ because }) => because.length > 0)
      .map(
        ({ stop, because }): Clue => ({
          ...about(stop),
          kind: 'failing-downstream',
          says: `its failures are those of its calls to ${list(because)}`,
        }),
      ),
    // Who waits for failures is slow too; while something fails, slowness accuses nobody.
    ...(origins.length > 0 ? [] : slow).map(
      (stop): Clue => ({
        ...about(stop),
        kind: 'slow-answers',
        says: sayLatency(stop),
      }),
    ),
  ]
}

const milliseconds = (value: number | undefined) => (value === undefined ? '?' : `${Math.round(value)} ms`)

const sayLatency = ({ latency }: Stop): string => {
  const of = (q: number) =>
    `p${q * 100} ${milliseconds(quantile(latency.now, q))}${total(latency.before) > 0 ? ` (was ${milliseconds(quantile(latency.before, q))})` : ''}`
  return `answers within ${[0.5, 0.95, 0.99].map(of).join(', ')}`
}

/** Since when no request came, where at least ten would have come at the pace until then; callers or a proxy are lost. */
const silentSince = ({ inbound }: Stop, { windowFromMs, cutMs, nowMs }: Periods): number | undefined => {
  const requests = inbound.before + inbound.now
  if (windowFromMs === undefined || requests < 20) return undefined
  const lastMs = Math.max(inbound.before > 0 ? cutMs : windowFromMs, ...inbound.steps.keys())
  const pace = requests / Math.max(lastMs - windowFromMs, 1)
  return pace * (nowMs - lastMs) >= 10 ? lastMs : undefined
}

/** Fewer than a third of the requests that came before, with enough of them before to be sure. */
const fellOff = ({ inbound }: Stop, { windowFromMs, cutMs, nowMs }: Periods): boolean => {
  if (windowFromMs === undefined || windowFromMs >= cutMs) return false
  const expected = (inbound.before / (cutMs - windowFromMs)) * (nowMs - cutMs)
  return inbound.before >= 20 && expected >= 10 && inbound.now < expected * 0.3
}

const sayTraffic = (stop: Stop, periods: Periods): string => {
  const { windowFromMs, cutMs, nowMs } = periods
  if (windowFromMs === undefined) return `${count(Math.round(stop.inbound.now), 'request')} since its proxy started`
  const rate = (requests: number, ms: number) => (ms > 0 ? `${Number(((requests / ms) * 1000).toFixed(2))}/s` : '?')
  const before = knowsBefore(periods) ? `, before ${rate(stop.inbound.before, cutMs - windowFromMs)}` : ''
  return `${count(Math.round(stop.inbound.now), 'request')} in the last ${span(nowMs - Math.max(cutMs, windowFromMs))} (${rate(stop.inbound.now, nowMs - Math.max(cutMs, windowFromMs))}${before})`
}

/** Where failures begin first, then who passes them on, then everybody else. */
const originsFirst = (verdicts: Hearing['verdicts']): Hearing['verdicts'] => {
  const rank = ({ health, because }: Hearing['verdicts'][number]) =>
    health !== 'failing' ? 2 : because.length > 0 ? 1 : 0
  return [...verdicts].sort((a, b) => rank(a) - rank(b))
}

const evidenceOf = ({ traffic, path, verdicts, slow }: Hearing, nowMs: number): Evidence[] => [
  ...(traffic.periods.windowFromMs === undefined
    ? [{ says: 'no window yet: these are counts since the proxies started, and what is new cannot be told from them' }]
    : []),
  ...originsFirst(verdicts).flatMap((verdict): Evidence[] => {
    const { stop, health, because, failingRoutes } = verdict
    const name = nameOf(stop)
    const fine = stop.inbound.now > 0 && health === 'fine'
    const fails = health === 'failing' || health === 'as-before'
    return [
      {
        says: `${name}: ${sayTraffic(stop, traffic.periods)}${fine ? `, ${percent(1 - stop.inbound.nowFailed / stop.inbound.now)} succeed` : ''}`,
      },
      ...(fails && !verdict.seenByCallersOnly ? [{ says: `${name} ${sayFailures(verdict.tally, nowMs)}` }] : []),
      ...(health === 'as-before' ? [{ says: `${name} failed as much before the incident` }] : []),
      ...failingRoutes
        .slice(0, 5)
        .map(([route, tally]) => ({ says: `${name}, route ${route}: ${sayFailures(tally, nowMs)}` })),
      ...[...stop.calls]
        .filter(([, { tally }]) => tally.nowFailed > 0)
        .map(([peer, { tally }]) => ({ says: `${name} to ${peer}: ${sayFailures(tally, nowMs)}` })),
      ...(because.length > 0
        ? [{ says: `${name} is a victim: its failures are those of its calls to ${list(because)}` }]
        : []),
    ]
  }),
  ...path
    .filter(({ latency }) => latency.now.size > 0)
    .map((stop) => ({ says: `${nameOf(stop)} ${sayLatency(stop)}` })),
  ...slow.map((stop) => ({ says: `${nameOf(stop)} became slow, and nothing it calls did` })),
]

const concluded = (hearing: Hearing, nowMs: number): Pick<Statement, 'verdict' | 'headline'> => {
  const { traffic, path, verdicts, slow } = hearing
  const { periods } = traffic
  const failing = verdicts.filter(({ health }) => health === 'failing')
  const origins = failing.filter(({ because }) => because.length === 0)
  const shown = origins.length > 0 ? origins : failing
  const victims = failing.filter(({ because }) => because.length > 0).map(({ stop }) => nameOf(stop))
  if (shown.length > 0) {
    const told = list(
      shown.map((verdict) => `${nameOf(verdict.stop)} ${sayOrigin(verdict, nowMs)}`),
      2,
    )
    const passedOn =
      victims.length > 0 && origins.length > 0
        ? `; ${list(victims)} ${victims.length === 1 ? 'passes' : 'pass'} it on`
        : ''
    return periods.windowFromMs === undefined
      ? { verdict: 'suspicious', headline: `suspicious, age unknown (no window yet): ${told}` }
      : { verdict: 'bad', headline: `no: ${told}${passedOn}` }
  }
  if (slow.length > 0)
    return {
      verdict: 'suspicious',
      headline: `slow: ${list(
        slow.map((stop) => `${nameOf(stop)} ${sayLatency(stop)}`),
        2,
      )}`,
    }
  const off = path.filter((stop) => fellOff(stop, periods) || silentSince(stop, periods) !== undefined)
  if (off.length > 0)
    return {
      verdict: 'suspicious',
      headline: `traffic fell: ${list(
        off.map((stop) => sayLess(stop, hearing, nowMs)),
        2,
      )}`,
    }
  const old = verdicts.filter(({ health }) => health === 'as-before')
  if (old.length > 0)
    return {
      verdict: 'suspicious',
      headline: `as before the incident: ${list(
        old.map(({ stop, tally }) => `${nameOf(stop)} ${sayFailures(tally, nowMs)}`),
        2,
      )}`,
    }
  return quiet(hearing)
}

const sayLess = (stop: Stop, { traffic: { periods } }: Hearing, nowMs: number): string => {
  const lastMs = silentSince(stop, periods)
  return lastMs === undefined
    ? `${nameOf(stop)} has ${sayTraffic(stop, periods)}`
    : `no request to ${nameOf(stop)} since ${clock(lastMs, nowMs)}`
}

/** Nothing fails; whether that is good news depends on how much there was to fail. */
const quiet = ({ traffic, path, verdicts }: Hearing): Pick<Statement, 'verdict' | 'headline'> => {
  const requests = Math.round(path.reduce((sum, { inbound }) => sum + inbound.now, 0))
  const failed = path.reduce((sum, { inbound }) => sum + inbound.nowFailed, 0)
  const few = verdicts.filter(({ health, stop }) => health === 'few' && stop.inbound.nowFailed > 0)
  if (few.length > 0) {
    const says = few.map(
      ({ stop: { inbound }, stop }) =>
        `${nameOf(stop)} failed ${Math.round(inbound.nowFailed)} of ${count(Math.round(inbound.now), 'request')}`,
    )
    return { verdict: 'suspicious', headline: `too little traffic to say: ${list(says, 3)}` }
  }
  if (requests === 0)
    return { verdict: 'unknown', headline: `unknown: no request to ${list(path.map(nameOf))} was counted` }
  const share = `${percent(1 - failed / requests)} of ${count(requests, 'request')} to ${list(path.filter(({ inbound }) => inbound.now > 0).map(nameOf))} succeed`
  return traffic.periods.windowFromMs === undefined
    ? { verdict: 'unknown', headline: `unknown: no window yet; since the proxies started ${share}` }
    : { verdict: 'ok', headline: `yes: ${share}` }
}

const hear = (cluster: string, placed: readonly Placed[], context: { series: Series; sinceMs: number }): Hearing => {
  const traffic = trafficOf(context.series, periodsOf(context.series, context.sinceMs))
  const path = reachable(traffic, placed.map(peerOf))
  return { cluster, traffic, path, verdicts: judgeTraffic(traffic, path), slow: slowOrigins(path) }
}

const hearCluster = async (
  cluster: string,
  placed: readonly Placed[],
  context: { brief: Brief; witnesses: Witnesses },
): Promise<Statement> => {
  const { brief, witnesses } = context
  const unknown = (why: string): Statement => ({
    verdict: 'unknown',
    headline: `unknown: ${why}`,
    evidence: [],
    clues: [],
  })
  const reading = await witnesses.series(source, cluster)
  if (reading.status === 'unreadable') return unknown(reading.why)
  const hearing = hear(cluster, placed, { series: seriesOf(reading.value), sinceMs: brief.sinceMs })
  const names = list(placed.map(({ workload }) => workload))
  if (hearing.path.length === 0) return unknown(`Linkerd shows no traffic of ${names} in cluster ${cluster}`)
  const { incomplete } = reading.value
  const conclusion = concluded(hearing, witnesses.nowMs())
  const blind = incomplete !== undefined && conclusion.verdict === 'ok'
  return {
    ...(blind
      ? { verdict: 'unknown', headline: `unknown: the read was incomplete (${incomplete}); ${conclusion.headline}` }
      : conclusion),
    evidence: [
      ...(incomplete === undefined ? [] : [{ says: `incomplete: ${incomplete}` }]),
      ...evidenceOf(hearing, witnesses.nowMs()),
    ],
    clues: cluesOf(hearing, witnesses),
  }
}

const gravity = ['bad', 'suspicious', 'unknown', 'ok'] as const

const ask = async (brief: Brief, witnesses: Witnesses): Promise<Statement> => {
  const placed = placedServices(brief, witnesses)
  const statements = await Promise.all(
    byCluster(placed).map(([cluster, own]) => hearCluster(cluster, own, { brief, witnesses })),
  )
  const worst = gravity.map((one) => statements.find(({ verdict }) => verdict === one)).find((one) => one !== undefined)
  return {
    verdict: worst?.verdict ?? 'unknown',
    headline: worst?.headline ?? nowhere(brief).headline,
    evidence: statements.flatMap(({ evidence }) => evidence),
    clues: statements.flatMap(({ clues }) => clues),
  }
}

/** Do requests succeed, as fast and as many as before; and where do the failures come from? */
export const trafficOkay = defineQuestion({
  id: 'traffic-okay',
  title: 'Traffic okay?',
  reads: { [source]: trafficReads },
  remembers: { [source]: trafficReads },
  ask,
})
