import type { Reading, SourceWorld } from '../contract.ts'
import type { DiscoverSpec } from './discover-spec.ts'
import { type Discovered, discoverTargets, type ObjectsOf } from './discovery.ts'
import { type Listed, listObjects } from './list.ts'
import { discoveredNode, discoveredPod, discoveredService, discoveredSlice } from './objects.ts'

/** More objects than this of one rule are not looked at; a selector or namespaces make them fewer. */
const objectLimit = 10_000

type Objects = Partial<ObjectsOf> & { incomplete?: string }

const listOne = async (
  spec: DiscoverSpec,
  world: SourceWorld,
  namespace: string | undefined,
): Promise<Reading<Objects>> => {
  const query = { namespace, labelSelector: spec.selector, limit: objectLimit }
  const as = <T>(key: keyof ObjectsOf, listed: Reading<Listed<T>>): Reading<Objects> => {
    if (listed.status === 'unreadable') return listed
    const { items, incomplete } = listed.value
    return { status: 'read', value: { [key]: items, ...(incomplete !== undefined && { incomplete }) } }
  }
  switch (spec.role) {
    case 'pod': {
      const running = { ...query, fieldSelector: 'status.phase=Running' }
      return as('pod', await listObjects({ resource: 'pods', shape: discoveredPod }, world, running))
    }
    case 'service':
      return as('service', await listObjects({ resource: 'services', shape: discoveredService }, world, query))
    case 'endpoints':
      return as('endpoints', await listObjects({ resource: 'endpointslices', shape: discoveredSlice }, world, query))
    case 'node': {
      const nodes = { ...query, namespace: undefined }
      return as('node', await listObjects({ resource: 'nodes', shape: discoveredNode }, world, nodes))
    }
    default:
      return spec.role satisfies never
  }
}

/** What one rule of discovery finds now; one namespace of several that cannot be listed makes it incomplete. */
export const findTargets = async (spec: DiscoverSpec, world: SourceWorld): Promise<Reading<Discovered>> => {
  const { apiServer } = world
  if (apiServer === undefined) return { status: 'unreadable', why: 'the config does not say where the API server is' }
  if (apiServer.status === 'unreadable') return apiServer
  const at = apiServer.value.url
  if (spec.name !== undefined) return { status: 'read', value: discoverTargets(spec, {}, at) }
  const places = spec.role === 'node' ? [undefined] : (spec.namespaces ?? [undefined])
  const lists = await Promise.all(places.map((namespace) => listOne(spec, world, namespace)))
  const read = lists.flatMap((list) => (list.status === 'read' ? [list.value] : []))
  const unread = lists.flatMap((list) => (list.status === 'unreadable' ? [list.why] : []))
  if (read.length === 0) return { status: 'unreadable', why: unread.join('; ') }
  const objects: ObjectsOf = {
    pod: read.flatMap(({ pod }) => pod ?? []),
    service: read.flatMap(({ service }) => service ?? []),
    endpoints: read.flatMap(({ endpoints }) => endpoints ?? []),
    node: read.flatMap(({ node }) => node ?? []),
  }
  const found = discoverTargets(spec, objects, at)
  const incomplete =
    unread[0] ?? read.map((part) => part.incomplete).find((why) => why !== undefined) ?? found.incomplete
  return { status: 'read', value: { targets: found.targets, ...(incomplete !== undefined && { incomplete }) } }
}
