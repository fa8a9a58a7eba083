import type { Labels, Sample, Selector } from '../sources/contract.ts'
import { addTo, type Counted, type Growth, growthOf, newTally, type Periods, type Tally } from './counters.ts'
import { addBuckets, type Histogram, newHistogram } from './latency.ts'
import { label, type Series } from './past.ts'

/** What the questions about traffic read of Linkerd's proxies. */
export const trafficReads: readonly Selector[] = [
  'response_total',
  'route_response_total',
  'response_latency_ms_bucket',
  'outbound_http_route_request_statuses_total',
  'outbound_grpc_route_request_statuses_total',
  'process_start_time_seconds',
].map((name) => ({ name }))

/** `namespace/name` of a workload; or of a Service, where the proxy does not say which workload answered. */
export type Peer = string

export type Stop = {
  peer: Peer
  inbound: Tally
  latency: Histogram
  routes: Map<string, Tally>
  /** What this workload's calls to others came to. */
  calls: Map<Peer, { tally: Tally; latency: Histogram }>
}

/** The whole mesh as the proxies counted it. */
export type Traffic = { stops: ReadonlyMap<Peer, Stop>; periods: Periods }

const workloadLabels = ['deployment', 'statefulset', 'daemonset', 'workload_name', 'job', 'cronjob'] as const

/** Linkerd's own `job` label is the name of the scrape job and no workload. */
const nameIn = (labels: Labels, prefix: string): string | undefined =>
  workloadLabels
    .filter((key) => prefix !== '' || key !== 'job')
    .map((key) => label(labels, `${prefix}${key}`))
    .find((name) => name !== undefined)

const sourceOf = (labels: Labels): Peer | undefined => {
  const name = nameIn(labels, '')
  const namespace = label(labels, 'namespace') ?? label(labels, 'workload_ns')
  return name === undefined || namespace === undefined ? undefined : `${namespace}/${name}`
}

/** `cart-svc.shop.svc.cluster.local:8080` is Service `shop/cart-svc`. */
const serviceOfAuthority = (authority: string | undefined): Peer | undefined => {
  const [, name, namespace] = /^([^.:/]+)\.([^.:/]+)\.svc(?:[.:]|$)/.exec(authority ?? '') ?? []
  return name === undefined || namespace === undefined ? undefined : `${namespace}/${name}`
}

const serviceIn = (labels: Labels): Peer | undefined => {
  const namespace = label(labels, 'dst_namespace') ?? label(labels, 'dst_service_namespace')
  const name = label(labels, 'dst_service')
  return (
    (name !== undefined && namespace !== undefined ? `${namespace}/${name}` : undefined) ??
    serviceOfAuthority(label(labels, 'authority') ?? label(labels, 'dst'))
  )
}

const destinationOf = (labels: Labels): Peer | undefined => {
  const name = nameIn(labels, 'dst_')
  const namespace = label(labels, 'dst_namespace')
  return name === undefined || namespace === undefined ? undefined : `${namespace}/${name}`
}

/** Which workload answers for a Service, learnt from the calls where the proxy names both. */
const learnServices = (samples: readonly Sample[]): ReadonlyMap<Peer, Peer> => {
  const known = new Map<Peer, Peer>()
  for (const { labels } of samples) {
    const service = serviceIn(labels)
    const workload = destinationOf(labels)
    if (service !== undefined && workload !== undefined) known.set(service, workload)
  }
  return known
}

const statusText = (labels: Labels): string => {
  const grpc = label(labels, 'grpc_status') ?? label(labels, 'grpc_status_code')
  const http = label(labels, 'status_code') ?? label(labels, 'http_status')
  if (grpc !== undefined && !/^(?:0|ok)$/i.test(grpc)) return `gRPC status ${grpc}`
  return label(labels, 'error') ?? (http === undefined ? 'no response' : `HTTP ${http}`)
}

/** gRPC codes that are the server's fault; by name or number (grpc.io, "Status codes"). */
const serverFaults =
  /^(?:2|4|8|12|13|14|15|unknown|deadline_?exceeded|resource_?exhausted|unimplemented|internal|unavailable|data_?loss)$/i

const failureOf = (labels: Labels): string | undefined => {
  const classified = label(labels, 'classification')
  if (classified !== undefined) return classified === 'failure' ? statusText(labels) : undefined
  const http = Number(label(labels, 'http_status') ?? label(labels, 'status_code') ?? 0)
  const failed =
    label(labels, 'error') !== undefined || http >= 500 || serverFaults.test(label(labels, 'grpc_status') ?? '')
  return failed ? statusText(labels) : undefined
}

/** The kubelet's probes pass through the proxy too, and would make every share look better than users see it. */
const isProbe = (labels: Labels): boolean => labels['route_name'] === 'probe' || labels['srv_name'] === 'probe'

const newStop = (peer: Peer): Stop => ({
  peer,
  inbound: newTally(),
  latency: newHistogram(),
  routes: new Map(),
  calls: new Map(),
})

const getOr = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** Which proxy a series is of: its pod, where the scrape says so. */
const proxyOf = ({ labels }: Sample) =>
  `${labels['namespace'] ?? ''}/${labels['pod'] ?? ''}/${labels['instance'] ?? ''}`

/** A proxy was read whenever any series of it has a point. */
const countedBy = (series: Series, samples: readonly Sample[]): ((sample: Sample) => Counted) => {
  const reads = new Map<string, Set<number>>()
  for (const sample of samples) {
    const times = getOr(reads, proxyOf(sample), () => new Set<number>())
    for (const { atMs } of series.points(sample)) times.add(atMs)
  }
  const sorted = new Map([...reads].map(([key, times]) => [key, [...times].sort((a, b) => a - b)]))
  const started = new Map(series.named('process_start_time_seconds').map((one) => [proxyOf(one), one.value * 1000]))
  return (sample) => {
    const key = proxyOf(sample)
    const startedAtMs = started.get(key)
    return { readsAtMs: sorted.get(key) ?? [], ...(startedAtMs !== undefined && { startedAtMs }) }
  }
}

type Reader = {
  samples: (name: string) => readonly Sample[]
  growth: (sample: Sample) => Growth
  stop: (peer: Peer) => Stop
  resolve: (service: Peer | undefined) => Peer | undefined
}

const readResponses = ({ samples, growth, stop, resolve }: Reader): void => {
  for (const sample of samples('response_total')) {
    const { labels } = sample
    const source = sourceOf(labels)
    if (source === undefined || isProbe(labels)) continue
    if (labels['direction'] === 'inbound') addTo(stop(source).inbound, growth(sample), failureOf(labels))
    const to = destinationOf(labels) ?? resolve(serviceIn(labels))
    if (labels['direction'] !== 'outbound' || to === undefined) continue
    const call = getOr(stop(source).calls, to, () => ({ tally: newTally(), latency: newHistogram() }))
    stop(to)
    addTo(call.tally, growth(sample), failureOf(labels))
  }
}

const readLatencies = ({ samples, growth, stop, resolve }: Reader): void => {
  for (const sample of samples('response_latency_ms_bucket')) {
    const { labels } = sample
    const source = sourceOf(labels)
    const le = label(labels, 'le')
    if (source === undefined || le === undefined || isProbe(labels)) continue
    if (labels['direction'] === 'inbound') addBuckets(stop(source).latency, le, growth(sample))
    const to = destinationOf(labels) ?? resolve(serviceIn(labels))
    const call = to === undefined ? undefined : stop(source).calls.get(to)
    if (labels['direction'] === 'outbound' && call) addBuckets(call.latency, le, growth(sample))
  }
}

/** Routes as the callee counted them; only where it counts none, as its callers did. */
const readRoutes = ({ samples, growth, stop, resolve }: Reader): void => {
  const fromCallers = new Map<Peer, Map<string, Tally>>()
  const add = (routes: Map<string, Tally>, route: string, sample: Sample) =>
    addTo(getOr(routes, route, newTally), growth(sample), failureOf(sample.labels))
  for (const sample of samples('route_response_total')) {
    const { labels } = sample
    const route = label(labels, 'rt_route') ?? 'all other requests'
    const source = sourceOf(labels)
    if (labels['direction'] === 'inbound' && source !== undefined) add(stop(source).routes, route, sample)
    const to = resolve(serviceIn(labels))
    if (labels['direction'] === 'outbound' && to !== undefined)
      add(
        getOr(fromCallers, to, () => new Map()),
        route,
        sample,
      )
  }
  for (const name of ['outbound_http_route_request_statuses_total', 'outbound_grpc_route_request_statuses_total'])
    for (const sample of samples(name)) {
      const {
        parent_namespace: namespace = '',
        parent_name: parent = '',
        route_kind: kind,
        route_name: route,
      } = sample.labels
      const to = resolve(`${namespace}/${parent}`)
      if (kind === 'default' || !route || !parent || to === undefined) continue
      add(
        getOr(fromCallers, to, () => new Map()),
        route,
        sample,
      )
    }
  for (const [peer, routes] of fromCallers) {
    const own = stop(peer).routes
    if (own.size === 0) for (const [route, tally] of routes) own.set(route, tally)
  }
}

/** Reads the mesh out of the proxies' series, those that are gone included: their traffic was real. */
export const trafficOf = (series: Series, periods: Periods): Traffic => {
  const stops = new Map<Peer, Stop>()
  const samples = (name: string) => [...series.named(name), ...series.goneOf(name)]
  const services = learnServices(samples('response_total'))
  const context = {
    periods,
    counted: countedBy(series, [...samples('response_total'), ...samples('process_start_time_seconds')]),
  }
  const reader: Reader = {
    samples,
    growth: (sample) => growthOf(series, sample, context),
    stop: (peer) => getOr(stops, peer, () => newStop(peer)),
    resolve: (service) => (service === undefined ? undefined : (services.get(service) ?? service)),
  }
  readResponses(reader)
  readLatencies(reader)
  readRoutes(reader)
  return { stops, periods }
}
