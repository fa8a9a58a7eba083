import type { DiscoverSpec } from './discover-spec.ts'
import { type KubeResource, type KubeSubresource, kubeResources, proxiedName } from './resources.ts'

/** Something we must be allowed to do. No namespaces: in all of them. `names`: with these objects only. */
export type Permission = {
  resource: KubeResource | KubeSubresource
  verb: 'list' | 'get'
  namespaces?: readonly string[] | undefined
  names?: readonly string[] | undefined
}

const listed = { service: 'services', endpoints: 'endpointslices', pod: 'pods', node: 'nodes' } as const
const proxied = { service: 'services/proxy', endpoints: 'pods/proxy', pod: 'pods/proxy', node: 'nodes/proxy' } as const

const ofDiscovery = (spec: DiscoverSpec): Permission[] => {
  const { role, name, port, scheme, through } = spec
  const namespaces = role === 'node' ? undefined : spec.namespaces
  const names = name === undefined ? undefined : [proxiedName({ resource: 'services', name, port, scheme })]
  return [
    ...(name === undefined ? [{ resource: listed[role], verb: 'list' as const, namespaces }] : []),
    ...(through === 'proxy' ? [{ resource: proxied[role], verb: 'get' as const, namespaces, names }] : []),
  ]
}

/** What the `kubernetes` source lists and reads. */
const ofObjects = (namespaces: readonly string[] | undefined): Permission[] => [
  ...(['pods', 'events', 'replicasets', 'controllerrevisions'] as const).map(
    (resource): Permission => ({ resource, verb: 'list', namespaces }),
  ),
  { resource: 'pods/log', verb: 'get', namespaces },
]

export type Asked = {
  discover: readonly DiscoverSpec[]
  sources: readonly { kind: string; namespaces?: readonly string[] | undefined }[]
}

/** Everything a cluster of a config asks of the Kubernetes API. */
export const permissionsOf = ({ discover, sources }: Asked): Permission[] => [
  ...discover.flatMap(ofDiscovery),
  ...sources.flatMap((source) => (source.kind === 'kubernetes' ? ofObjects(source.namespaces) : [])),
]

const isTop = (resource: string): resource is KubeResource => Object.hasOwn(kubeResources, resource)

const groupOf = (resource: Permission['resource']): string => (isTop(resource) ? kubeResources[resource].group : '')

/** A rule of a Role or ClusterRole. */
export type RbacRule = { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }

/** Permissions of one place as rules: one for each API group, verb and set of names. */
const rulesOf = (permissions: readonly Permission[]): RbacRule[] => {
  const key = ({ resource, verb, names }: Permission) => JSON.stringify([groupOf(resource), verb, names ?? null])
  return [...Map.groupBy(permissions, key).values()].map((same) => {
    const [first] = same
    const resources = [...new Set(same.map(({ resource }) => resource))]
    return {
      apiGroups: [first ? groupOf(first.resource) : ''],
      resources,
      verbs: [first?.verb ?? 'get'],
      ...(first?.names && { resourceNames: [...first.names] }),
    }
  })
}

type Grantee =
  | { kind: 'ServiceAccount'; name: string; namespace: string }
  | { kind: 'Group' | 'User'; name: string; apiGroup: string }

const api = 'rbac.authorization.k8s.io/v1'
const name = 'whodunit'

const pair = (rules: RbacRule[], subject: Grantee, namespace: string | undefined): object[] => {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role'
  const metadata = namespace === undefined ? { name } : { name, namespace }
  return [
    { apiVersion: api, kind, metadata, rules },
    {
      apiVersion: api,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
      subjects: [subject],
    },
  ]
}

/** The Kubernetes objects that allow this and nothing else: a ClusterRole for what is not of some namespaces only, Roles for the rest. */
export const rbacObjects = (permissions: readonly Permission[], subject: Grantee): object[] => {
  const everywhere = rulesOf(permissions.filter(({ namespaces }) => namespaces === undefined))
  const places = [...new Set(permissions.flatMap(({ namespaces }) => namespaces ?? []))].sort()
  const inPlace = (place: string) => rulesOf(permissions.filter(({ namespaces }) => namespaces?.includes(place)))
  return [
    ...(everywhere.length > 0 ? pair(everywhere, subject, undefined) : []),
    ...places.flatMap((place) => pair(inPlace(place), subject, place)),
  ]
}
