/** What we ask of the Kubernetes API: everything is here, and the permissions we need are derived from it. */
export const kubeResources = {
  pods: { group: '', version: 'v1', namespaced: true },
  services: { group: '', version: 'v1', namespaced: true },
  nodes: { group: '', version: 'v1', namespaced: false },
  events: { group: '', version: 'v1', namespaced: true },
  endpointslices: { group: 'discovery.k8s.io', version: 'v1', namespaced: true },
  replicasets: { group: 'apps', version: 'v1', namespaced: true },
  controllerrevisions: { group: 'apps', version: 'v1', namespaced: true },
} as const
export type KubeResource = keyof typeof kubeResources

/** What is read below an object rather than listed. */
export type KubeSubresource = 'pods/log' | 'pods/proxy' | 'services/proxy' | 'nodes/proxy'

const base = (resource: KubeResource, namespace: string | undefined): string => {
  const { group, version, namespaced } = kubeResources[resource]
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return namespaced && namespace !== undefined
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}`
    : `${root}/${resource}`
}

/** Where objects are listed: of one namespace, or of all. */
export const listPath = (
  resource: KubeResource,
  query: { namespace?: string | undefined } & Readonly<Record<string, string | undefined>>,
): string => {
  const { namespace, ...rest } = query
  const given = Object.entries(rest).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const search = new URLSearchParams(given).toString()
  return `${base(resource, namespace)}${search === '' ? '' : `?${search}`}`
}

/** The last lines of a container; `previous`: of the run before this one. */
export const logPath = (
  pod: { namespace: string; name: string; container: string },
  { lines, bytes, previous }: { lines: number; bytes: number; previous: boolean },
): string => {
  const query = new URLSearchParams({
    container: pod.container,
    tailLines: String(lines),
    limitBytes: String(bytes),
    ...(previous && { previous: 'true' }),
  })
  return `${base('pods', pod.namespace)}/${encodeURIComponent(pod.name)}/log?${query}`
}

export type Proxied = {
  resource: 'pods' | 'services' | 'nodes'
  namespace?: string | undefined
  name: string
  /** Of a node without one it is the kubelet's. */
  port?: string | number | undefined
  scheme: 'http' | 'https'
}

/** What a proxied object is called in a path, and in a rule's `resourceNames`. */
export const proxiedName = ({ name, port, scheme }: Proxied): string =>
  port === undefined ? name : scheme === 'https' ? `https:${name}:${port}` : `${name}:${port}`

/** A path of something in the cluster, by way of the API server. */
export const proxyPath = (proxied: Proxied, path: string): string =>
  `${base(proxied.resource, proxied.namespace)}/${proxiedName(proxied)}/proxy${path.startsWith('/') ? path : `/${path}`}`
