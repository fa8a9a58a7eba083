import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import { configSchema } from '../../../config/schema.ts'
import { kubernetesSource } from '../../../sources/kinds/kubernetes.ts'
import { findTargets } from '../../../sources/kube/find.ts'
import { permissionsOf, type RbacRule, rbacObjects } from '../../../sources/kube/permissions.ts'
import { scrapeSource, sourceSpec } from '../../../sources/registry.ts'
import { world } from '../loopback.ts'
import { kubeAnswers, withApiServer } from './replay.ts'

type Role = {
  kind: string
  metadata: { name: string; namespace?: string }
  rules?: RbacRule[]
  subjects?: { kind: 'ServiceAccount' }[]
}

const guides = ['docs/kubernetes-in-cluster.md', 'docs/kubernetes-service-proxy.md', 'docs/kubernetes-eks.md']
const yamlIn = (path: string) =>
  [...readFileSync(path, 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)

/** The cluster a guide configures, and the objects it tells to apply. */
const guide = (path: string) => {
  const [config = '', manifest = ''] = yamlIn(path)
  const cluster = configSchema.shape.clusters.parse(parse(config).clusters)['main']
  if (!cluster) throw new Error(`${path} configures no cluster main`)
  const documents = parseAllDocuments(manifest)
  // Neither a mistake nor a key that stands twice.
  for (const document of documents) if ('errors' in document) expect(document.errors).toEqual([])
  // What a manifest is made of, as far as it is looked at here.
  return { cluster, objects: documents.map((document) => document.toJS()) as Role[] }
}

const isRbac = ({ kind }: Role) => /^(Cluster)?Role(Binding)?$/.test(kind)

test.each(guides)('%s allows what its config needs, and nothing else', (path) => {
  const { cluster, objects } = guide(path)
  const subject = objects.find(({ subjects }) => subjects)?.subjects?.[0]
  if (!subject) throw new Error(`${path} binds nobody`)
  expect(objects.filter(isRbac)).toEqual(rbacObjects(permissionsOf(cluster), subject as never))
})

type Asked = {
  verb: string
  group: string
  resource: string
  namespace?: string | undefined
  name?: string | undefined
}

/** How the API server itself reads a GET's path (k8s.io/apiserver, RequestInfo). */
const askedOf = (path: string): Asked => {
  const parts = new URL(path, 'https://k').pathname.split('/').slice(1).map(decodeURIComponent)
  const group = parts[0] === 'api' ? '' : (parts[1] ?? '')
  const rest = parts.slice(group === '' ? 2 : 3)
  const namespace = rest[0] === 'namespaces' ? rest[1] : undefined
  const [resource = '', name, below] = namespace === undefined ? rest : rest.slice(2)
  return {
    verb: name === undefined ? 'list' : 'get',
    group,
    resource: below ? `${resource}/${below}` : resource,
    namespace,
    name,
  }
}

const allows = ({ apiGroups, resources, verbs, resourceNames }: RbacRule, asked: Asked) =>
  apiGroups.includes(asked.group) &&
  resources.includes(asked.resource) &&
  verbs.includes(asked.verb) &&
  (resourceNames === undefined || resourceNames.includes(asked.name ?? ''))

const isCovered = (objects: readonly Role[], asked: Asked) =>
  objects.some(
    ({ kind, metadata, rules = [] }) =>
      (kind === 'ClusterRole' || (kind === 'Role' && metadata.namespace === asked.namespace)) &&
      rules.some((rule) => allows(rule, asked)),
  )

const meta = { name: 'x', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'x' } }
const ended = { terminated: { exitCode: 1, finishedAt: '2026-11-23T04:00:00Z' } }
const pod = {
  metadata: { ...meta, annotations: { 'prometheus.io/scrape': 'true' } },
  spec: {
    containers: [
      { name: 'c', ports: ['linkerd-admin', 'metrics'].map((name, at) => ({ name, containerPort: 4191 + at })) },
    ],
  },
  status: { phase: 'Running', podIP: '10.0.0.1', containerStatuses: [{ name: 'c', lastState: ended }] },
}
const lists = {
  pods: [pod],
  services: [{ metadata: meta, spec: { ports: [{ name: 'metrics', port: 80 }] } }],
  endpointslices: [
    {
      metadata: meta,
      addressType: 'IPv4',
      ports: [{ name: 'metrics', port: 80 }],
      endpoints: [{ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name: 'x' } }],
    },
  ],
  nodes: [{ metadata: { name: 'n' }, status: {} }],
  events: [],
  replicasets: [],
  controllerrevisions: [],
}

test.each(guides)('everything the config of %s makes us ask is covered by its manifest', async (path) => {
  const { cluster, objects } = guide(path)
  const answers = kubeAnswers({ lists, logs: { 'x/c': 'bye' }, proxied: () => 'up 1\n' })
  const asked = await withApiServer(answers, async ({ url, ca, requests }) => {
    const kube = world({ apiServer: { status: 'read', value: { url, tls: { ca } } } })
    for (const rule of cluster.discover) {
      const found = await findTargets(rule, kube)
      expect(found.status).toBe('read')
      for (const target of found.status === 'read' ? found.value.targets : [])
        await scrapeSource(sourceSpec.parse({ kind: target.kind, url: target.url }), kube, [])
    }
    for (const source of cluster.sources)
      if (source.kind === 'kubernetes')
        for (const namespace of source.namespaces ?? ['shop'])
          await kubernetesSource.look(source, kube, { namespace, sinceMs: 0 })
    return requests.map((request) => request.url ?? '')
  })
  expect(asked.length).toBeGreaterThan(5)
  expect(asked.filter((one) => !isCovered(objects, askedOf(one)))).toEqual([])
})
