import type { Selector } from '../../sources/contract.ts'
import { failedShare, type Periods, type Tally } from '../counters.ts'
import { type Peer, type Stop, type Traffic, trafficReads } from '../flows.ts'
import { type Histogram, quantile } from '../latency.ts'
import type { Series } from '../past.ts'
import { type Pod, townOf } from '../workloads.ts'
import { known } from './grouped.ts'

/** What Linkerd's proxies must be asked for. */
export const meshReads: readonly Selector[] = trafficReads

/** Linkerd's golden figures of one stream of requests; what cannot be told (no request, no window) is left out. */
export type Golden = {
  requests: number
  successRatio?: number
  requestsPerSecond?: number
  latencyMs?: { p50: number; p95: number; p99: number }
}
/** `who` is `namespace/name` of a workload as its own proxies count, of its routes, and of what it calls. */
export type MeshUse = {
  who: Peer
  inbound: Golden
  routes: { route: string; figures: Golden }[]
  calls: { to: Peer; figures: Golden }[]
}

const latencyOf = ({ now }: Histogram): Golden['latencyMs'] => {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => quantile(now, q))
  return p50 === undefined || p95 === undefined || p99 === undefined ? undefined : { p50, p95, p99 }
}

const golden = (tally: Tally, latency: Histogram | undefined, { windowFromMs, cutMs, nowMs }: Periods): Golden => {
  const overMs = windowFromMs === undefined ? 0 : nowMs - Math.max(cutMs, windowFromMs)
  return known({
    requests: tally.now,
    successRatio: tally.now > 0 ? 1 - failedShare(tally) : undefined,
    requestsPerSecond: overMs > 0 ? (tally.now * 1000) / overMs : undefined,
    latencyMs: latency && latencyOf(latency),
  })
}

const meshUse = ({ peer, inbound, latency, routes, calls }: Stop, periods: Periods): MeshUse => ({
  who: peer,
  inbound: golden(inbound, latency, periods),
  routes: [...routes].map(([route, tally]) => ({ route, figures: golden(tally, undefined, periods) })),
  calls: [...calls].map(([to, call]) => ({ to, figures: golden(call.tally, call.latency, periods) })),
})

/** The mesh in figures, since the cut of its periods. */
export const meshUses = ({ stops, periods }: Traffic): MeshUse[] =>
  [...stops.values()].map((stop) => meshUse(stop, periods))

/** Which pods of a workload run Linkerd's proxy beside them, told by kube-state-metrics' list of containers. */
export type MeshCoverage = { namespace: string; owner: string; pods: number; meshed: number }

const isMeshed = ({ containers }: Pod) => containers.some(({ name }) => name === 'linkerd-proxy')
const isOver = ({ phase }: Pod) => phase === 'Succeeded' || phase === 'Failed'

/**
 * Coverage by the owner of the pods. Undefined where containers are not told of, or not all of them: then nobody can say
 * which have no proxy.
 */
export const meshCoverage = (series: Series): MeshCoverage[] | undefined => {
  if (series.incomplete !== undefined || series.named('kube_pod_container_info').length === 0) return undefined
  const live = townOf(series)
    .pods()
    .filter((pod) => !isOver(pod))
  const owners = Map.groupBy(live, ({ namespace, owner, name }) => JSON.stringify([namespace, owner || name]))
  return [...owners].map(([key, pods]): MeshCoverage => {
    const [namespace, owner]: [string, string] = JSON.parse(key)
    return { namespace, owner, pods: pods.length, meshed: pods.filter(isMeshed).length }
  })
}

/** Workloads of which some pod has no proxy: what the mesh says of them is not everything. */
export const unmeshed = (coverage: readonly MeshCoverage[]): MeshCoverage[] =>
  coverage.filter(({ pods, meshed }) => meshed < pods)
