import type { Matcher, Selector } from '../sources/contract.ts'
import type { Config } from './schema.ts'

/** How large a cluster is, for estimates. */
export type Size = Config['clusters'][string]['size']

/** What a family is about, and how many series it has for each of those; the first prefix that fits counts. */
type Family = { prefix: RegExp; each: keyof typeof counts; series: number }

/** How many of each thing a cluster has: shares of its pods, as counted in a recorded cluster of 1,000 pods and a generated one. */
const counts = {
  pod: ({ pods }: Size) => pods,
  container: ({ pods }: Size) => 1.7 * pods,
  initContainer: ({ pods }: Size) => 0.5 * pods,
  workload: ({ pods }: Size) => 0.25 * pods,
  replicaSet: ({ pods }: Size) => 0.6 * pods,
  fewer: ({ pods }: Size) => 0.1 * pods,
  configuration: ({ pods }: Size) => 0.6 * pods,
  node: ({ nodes }: Size) => nodes,
}

const families: readonly Family[] = [
  // What a recording rule made; its level comes first.
  { prefix: /^(cluster|node|instance):/, each: 'node', series: 2 },
  { prefix: /:/, each: 'container', series: 1 },
  { prefix: /^kube_pod_status_(phase|reason)$/, each: 'pod', series: 5 },
  { prefix: /^kube_pod_status_(ready|scheduled|qos_class)$/, each: 'pod', series: 3 },
  { prefix: /^kube_pod_container_resource_/, each: 'container', series: 2 },
  // These are there only while they are true.
  {
    prefix: /^kube_pod_(init_)?container_status_(waiting|terminated|last_terminated)_(reason|exitcode|timestamp)$/,
    each: 'container',
    series: 0.1,
  },
  { prefix: /^kube_pod_container_/, each: 'container', series: 1 },
  { prefix: /^kube_pod_init_container_/, each: 'initContainer', series: 1 },
  { prefix: /^kube_pod_(labels|annotations|tolerations)$/, each: 'pod', series: 2 },
  { prefix: /^kube_pod_/, each: 'pod', series: 1 },
  { prefix: /^kube_deployment_status_condition$/, each: 'workload', series: 6 },
  { prefix: /^kube_deployment_/, each: 'workload', series: 1 },
  { prefix: /^kube_replicaset_/, each: 'replicaSet', series: 1 },
  { prefix: /^kube_endpointslice_endpoints$/, each: 'pod', series: 1 },
  { prefix: /^kube_node_status_condition$/, each: 'node', series: 15 },
  { prefix: /^kube_node_/, each: 'node', series: 10 },
  { prefix: /^kube_horizontalpodautoscaler_status_condition$/, each: 'fewer', series: 9 },
  { prefix: /^kube_(configmap|secret|service|endpointslice)_/, each: 'configuration', series: 1 },
  { prefix: /^kube_/, each: 'fewer', series: 2 },
  // A proxy has a series for each route and status it has seen; a histogram has one for each bucket of each.
  { prefix: /^(request|response|route|outbound|inbound)_.*_bucket$/, each: 'pod', series: 250 },
  { prefix: /^(request|response|route|outbound|inbound|tcp)_/, each: 'pod', series: 10 },
  // Eight modes of eight processors; devices and mounts; single values of a machine.
  { prefix: /^node_cpu_/, each: 'node', series: 64 },
  { prefix: /^node_(load|memory|boot|filefd|vmstat|procs|time|context|intr|forks|uname)/, each: 'node', series: 1 },
  { prefix: /^node_/, each: 'node', series: 20 },
  // cAdvisor has a series for a pod's own group and its sandbox too, and one for each device.
  { prefix: /^container_(fs|network|blkio)_/, each: 'container', series: 5 },
  { prefix: /^container_/, each: 'container', series: 2 },
  // Some two probes a container, each with its outcomes.
  { prefix: /^prober_/, each: 'container', series: 4 },
  { prefix: /^kubelet_.*_bucket$/, each: 'node', series: 200 },
  { prefix: /^(kubelet|machine)_/, each: 'node', series: 20 },
  { prefix: /^go_gc_duration_seconds$/, each: 'pod', series: 5 },
  { prefix: /^(process|go)_/, each: 'pod', series: 1 },
  { prefix: /_bucket$/, each: 'pod', series: 50 },
  { prefix: /^(up|scrape_)/, each: 'pod', series: 1 },
]

/** A metric of an application: nobody knows how many have it, so every pod may. */
const unknownFamily: Omit<Family, 'prefix'> = { each: 'pod', series: 4 }

/** How many values a label has that is more than a name; `namespace` is worth a third at most, since namespaces differ. */
const valuesOf = (label: string, { namespaces }: Size): number | undefined => {
  const known: Readonly<Record<string, number>> = {
    phase: 5,
    condition: 3,
    status: 3,
    resource: 2,
    reason: 6,
    result: 3,
  }
  if (label === 'namespace') return Math.max(1, namespaces / 3)
  return Object.hasOwn(known, label) ? known[label] : undefined
}

/** How many values a matcher lets through; undefined when that cannot be told. */
const letThrough = ({ op, value }: Matcher): number | undefined => {
  if (op === '=') return 1
  return op === '=~' && /^[\w-]+(\|[\w-]+)*$/.test(value) ? value.split('|').length : undefined
}

const shareOf = (matcher: Matcher, size: Size): number => {
  // Without the groups around them containers are half of what cAdvisor tells of.
  if (matcher.label === 'container' && matcher.op === '!=' && matcher.value === '') return 0.5
  const [some, all] = [letThrough(matcher), valuesOf(matcher.label, size)]
  return some === undefined || all === undefined ? 1 : Math.min(1, some / all)
}

/** About how many series a selector finds in a cluster of that size; rather too many than too few. */
export const seriesEstimate = ({ name, matchers = [] }: Selector, size: Size): number => {
  const { each, series } = families.find(({ prefix }) => prefix.test(name)) ?? unknownFamily
  const share = matchers.reduce((product, matcher) => product * shareOf(matcher, size), 1)
  return Math.ceil(counts[each](size) * series * share)
}
