import type { Labels } from '../contract.ts'
import type { DiscoverSpec } from './discover-spec.ts'
import type { DiscoveredNode, DiscoveredPod, DiscoveredService, DiscoveredSlice } from './objects.ts'
import { type Proxied, proxyPath } from './resources.ts'

/** Something that can be scraped, with the labels Prometheus' usual relabelling would give it. */
export type DiscoveredTarget = { kind: string; url: string; labels: Labels }

export type ObjectsOf = {
  pod: readonly DiscoveredPod[]
  service: readonly DiscoveredService[]
  endpoints: readonly DiscoveredSlice[]
  node: readonly DiscoveredNode[]
}

/** One way in: what is proxied when we come by the API server, and the address when we come directly. */
type Door = Proxied & {
  address: string | undefined
  instance: string
  labels: Labels
  annotations?: Labels | null | undefined
}

const tcp = ({ protocol }: { protocol?: string | null | undefined }) => (protocol ?? 'TCP') === 'TCP'

/** An IPv6 address in a URL stands in brackets. */
const hostOf = (address: string) => (address.includes(':') ? `[${address}]` : address)

const annotation = (annotations: Labels | null | undefined, name: string): string | undefined =>
  annotations && Object.hasOwn(annotations, `prometheus.io/${name}`) ? annotations[`prometheus.io/${name}`] : undefined

const isWanted = ({ annotated }: DiscoverSpec, annotations: Labels | null | undefined): boolean =>
  !annotated || annotation(annotations, 'scrape') === 'true'

const annotatedPort = (spec: DiscoverSpec, annotations: Labels | null | undefined): number | undefined => {
  const port = spec.annotated && spec.port === undefined ? Number(annotation(annotations, 'port')) : Number.NaN
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}

const fits = (wanted: DiscoverSpec['port'], port: { name?: string | null | undefined; number: number }): boolean =>
  wanted === undefined || wanted === port.name || wanted === port.number

/** Whose proxy it is, as Linkerd writes it on its pods: the labels its own Prometheus gives a proxy's series. */
const meshOwner = (labels: Labels): Labels => {
  const prefix = 'linkerd.io/proxy-'
  const owners = Object.entries(labels).filter(([name]) => name.startsWith(prefix))
  // `job` is Prometheus' own word.
  return Object.fromEntries(
    owners.map(([name, value]) => [
      name === `${prefix}job` ? 'k8s_job' : name.slice(prefix.length).replaceAll('-', '_'),
      value,
    ]),
  )
}

const podDoors = (spec: DiscoverSpec, pod: DiscoveredPod): Door[] => {
  const { metadata, status } = pod
  const own = metadata.labels ?? {}
  if (status.phase !== 'Running' || !isWanted(spec, metadata.annotations)) return []
  // An init container that keeps running is a sidecar, such as a mesh's proxy.
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const containers = [...pod.spec.containers, ...sidecars]
  const declared = containers.flatMap(({ name, ports }) =>
    (ports ?? []).filter(tcp).map((port) => ({ container: name, name: port.name, number: port.containerPort })),
  )
  const said = annotatedPort(spec, metadata.annotations) ?? (typeof spec.port === 'number' ? spec.port : undefined)
  const container = declared.find(({ number }) => number === said)?.container ?? pod.spec.containers[0]?.name ?? ''
  const ports = said === undefined ? declared.filter((port) => fits(spec.port, port)) : [{ container, number: said }]
  return ports.map(({ container, number }) => ({
    resource: 'pods',
    namespace: metadata.namespace,
    name: metadata.name,
    port: number,
    scheme: spec.scheme,
    address: status.podIP ? `${hostOf(status.podIP)}:${number}` : undefined,
    instance: `${hostOf(status.podIP ?? metadata.name)}:${number}`,
    annotations: metadata.annotations,
    labels: {
      ...(spec.kind === 'linkerd' && meshOwner(own)),
      job: own['app.kubernetes.io/name'] ?? own['app'] ?? spec.kind,
      namespace: metadata.namespace,
      pod: metadata.name,
      container,
      ...(pod.spec.nodeName && { node: pod.spec.nodeName }),
    },
  }))
}

const serviceDoors = (spec: DiscoverSpec, { metadata, spec: { ports, type } }: DiscoveredService): Door[] => {
  if (type === 'ExternalName' || !isWanted(spec, metadata.annotations)) return []
  const { name, namespace } = metadata
  const said = annotatedPort(spec, metadata.annotations)
  const fitting = (ports ?? [])
    .filter(tcp)
    .filter((port) =>
      said === undefined ? fits(spec.port, { name: port.name, number: port.port }) : port.port === said,
    )
  return fitting.map(({ port }) => ({
    resource: 'services',
    namespace,
    name,
    port,
    scheme: spec.scheme,
    address: `${name}.${namespace}.svc:${port}`,
    instance: `${name}.${namespace}.svc:${port}`,
    annotations: metadata.annotations,
    labels: { job: name, namespace, service: name },
  }))
}

const sliceDoors = (spec: DiscoverSpec, { metadata, ports, endpoints, addressType }: DiscoveredSlice): Door[] => {
  const service = metadata.labels?.['kubernetes.io/service-name']
  if (service === undefined || addressType === 'FQDN') return []
  const fitting = (ports ?? []).flatMap(({ name, port, protocol }) =>
    port && tcp({ protocol }) && fits(spec.port, { name, number: port }) ? [{ name, number: port }] : [],
  )
  return (endpoints ?? []).flatMap(({ addresses: [address], nodeName, targetRef, conditions }) => {
    if (address === undefined || conditions?.terminating === true) return []
    const pod = targetRef?.kind === 'Pod' ? (targetRef.name ?? undefined) : undefined
    return fitting.map(
      ({ name, number }): Door => ({
        resource: 'pods',
        namespace: metadata.namespace,
        name: pod ?? '',
        port: number,
        scheme: spec.scheme,
        address: `${hostOf(address)}:${number}`,
        instance: `${hostOf(address)}:${number}`,
        labels: {
          job: service,
          namespace: metadata.namespace,
          service,
          ...(name && { endpoint: name }),
          ...(pod && { pod }),
          ...(nodeName && { node: nodeName }),
        },
      }),
    )
  })
}

const nodeDoors = (spec: DiscoverSpec, { metadata, status }: DiscoveredNode): Door[] => {
  if (!isWanted(spec, metadata.annotations)) return []
  const ip = status.addresses?.find(({ type }) => type === 'InternalIP')?.address
  const port = typeof spec.port === 'number' ? spec.port : undefined
  return [
    {
      resource: 'nodes',
      name: metadata.name,
      port,
      // Without a port it is the kubelet, which the API server knows how to speak to.
      scheme: port === undefined ? 'https' : spec.scheme,
      address: ip === undefined ? undefined : `${hostOf(ip)}:${port ?? 10_250}`,
      instance: metadata.name,
      annotations: metadata.annotations,
      labels: { job: port === undefined ? 'kubelet' : spec.kind, node: metadata.name },
    },
  ]
}

/** A service that is named needs no listing: what it is called is all we must know. */
const namedDoors = (spec: DiscoverSpec, name: string): Door[] =>
  (spec.namespaces ?? []).map((namespace) => {
    const address = `${name}.${namespace}.svc:${spec.port ?? ''}`
    return {
      resource: 'services',
      namespace,
      name,
      port: spec.port,
      scheme: spec.scheme,
      // A port by its name is known to the API server only.
      address: typeof spec.port === 'number' ? address : undefined,
      instance: address,
      labels: { job: name, namespace, service: name },
    }
  })

const doorsOf = (spec: DiscoverSpec, objects: Partial<ObjectsOf>): Door[] => {
  if (spec.name !== undefined) return namedDoors(spec, spec.name)
  switch (spec.role) {
    case 'pod':
      return (objects.pod ?? []).flatMap((pod) => podDoors(spec, pod))
    case 'service':
      return (objects.service ?? []).flatMap((service) => serviceDoors(spec, service))
    case 'endpoints':
      return (objects.endpoints ?? []).flatMap((slice) => sliceDoors(spec, slice))
    case 'node':
      return (objects.node ?? []).flatMap((node) => nodeDoors(spec, node))
    default:
      return spec.role satisfies never
  }
}

/** kube-state-metrics speaks of other pods than its own, and says of which: its own would be a lie on the others. */
const speaksForOthers = (kind: string) => kind === 'kube-state-metrics'

const labelsOf = (spec: DiscoverSpec, door: Door, path: string): Labels => {
  const job = spec.job ?? door.labels['job'] ?? spec.kind
  const where = speaksForOthers(spec.kind) ? {} : door.labels
  // The kubelet has several paths, which its rules tell apart.
  const several = spec.role === 'node' && path !== '/metrics' && path !== '/' ? { metrics_path: path } : {}
  return { ...where, ...several, job, instance: door.instance, ...spec.labels }
}

/** A kubelet's address is what stands before its several paths. */
const usualPath = (kind: string) => (kind === 'kubelet' ? '/' : '/metrics')

const pathOf = ({ kind, path, annotated }: DiscoverSpec, { annotations }: Door): string => {
  const said = path ?? (annotated ? annotation(annotations, 'path') : undefined) ?? usualPath(kind)
  return said.startsWith('/') ? said : `/${said}`
}

const schemeOf = ({ annotated, scheme }: DiscoverSpec, { annotations, scheme: own }: Door): 'http' | 'https' =>
  annotated && annotation(annotations, 'scheme') === 'https' ? 'https' : own === 'https' ? own : scheme

/** An annotation is written by whoever may make pods: it must not lead our token to other parts of the API. */
const leaves = (path: string): boolean => /(^|[/\\])(\.|%2e){1,2}([/\\?#]|$)/i.test(path.replaceAll(/%2f|%5c/gi, '/'))

/** Whoever may make endpoints may say that one is where the API server is: our token must not be shown for what they like. */
const isAt = (apiServerUrl: string, url: string, { through }: DiscoverSpec): boolean =>
  through === 'direct' && new URL(url).origin === new URL(apiServerUrl).origin

export type Discovered = { targets: DiscoveredTarget[]; incomplete?: string }

/**
 * Which targets a rule of discovery finds among objects. Pure: the objects were listed by somebody else, `apiServerUrl`
 * is what proxied targets are reached by. More than `targetLimit` are cut, in the order of their addresses, and said.
 */
export const discoverTargets = (spec: DiscoverSpec, objects: Partial<ObjectsOf>, apiServerUrl: string): Discovered => {
  const found = new Map<string, DiscoveredTarget>()
  let unreachable = 0
  for (const door of doorsOf(spec, objects)) {
    const path = pathOf(spec, door)
    const scheme = schemeOf(spec, door)
    const proxied =
      door.name === '' || leaves(path) ? undefined : `${apiServerUrl}${proxyPath({ ...door, scheme }, path)}`
    const url = spec.through === 'proxy' ? proxied : door.address && `${scheme}://${door.address}${path}`
    if (url === undefined || !URL.canParse(url) || isAt(apiServerUrl, url, spec)) unreachable++
    // A dual-stack service has a slice for each family; the first address of a pod is enough.
    else if (!found.has(proxied ?? url))
      found.set(proxied ?? url, { kind: spec.kind, url, labels: labelsOf(spec, door, path) })
  }
  const all = [...found.values()].sort((a, b) => (a.url < b.url ? -1 : 1))
  const over =
    all.length > spec.targetLimit ? `${all.length} targets, more than targetLimit ${spec.targetLimit}` : undefined
  const lost =
    unreachable > 0 ? `${unreachable} targets have no address to reach them by (through: ${spec.through})` : undefined
  const incomplete = over ?? lost
  return { targets: all.slice(0, spec.targetLimit), ...(incomplete !== undefined && { incomplete }) }
}
