// The town's Kubernetes API, as a service account outside the cluster sees it: lists, the logs of containers, and the
// proxy to what runs inside. Nobody is let in without the token.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, RequestListener } from 'node:http'
import { eventsOf } from './kube-events.ts'
import { type KubeObject, objectsOf } from './kube-objects.ts'
import { kubelet } from './kubelet.ts'
import { metricsPort } from './kubernetes.ts'
import { nodeExporter } from './node-exporter.ts'
import { type Answer, answerCompressed, targetOf } from './serving.ts'
import type { SourceMode, SourceName } from './sources.ts'
import type { World } from './world.ts'

/** What the proxy leads to besides nodes, and how the sources behave now. */
export type Inside = {
  token: string
  kubeStateMetrics: RequestListener
  metricsOf: Readonly<Record<'voting' | 'emoji', RequestListener>>
  modeOf: (name: SourceName) => SourceMode
}

const groups: Readonly<Record<string, readonly string[]>> = {
  '/api/v1': ['namespaces', 'nodes', 'pods', 'services', 'events'],
  '/apis/apps/v1': ['replicasets', 'controllerrevisions'],
  '/apis/discovery.k8s.io/v1': ['endpointslices'],
}

const json = (status: number, body: unknown): Answer => ({
  status,
  contentType: 'application/json',
  body: `${JSON.stringify(body)}\n`,
})
const text = (body: string): Answer => ({ status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body })

/** How the API server says no. */
const refusal = (code: number, reason: string, message: string): Answer =>
  json(code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code })
const notFound = refusal(404, 'NotFound', 'the server could not find the requested resource')
const unauthorized = refusal(401, 'Unauthorized', 'Unauthorized')
const unreachable = (place: string) =>
  refusal(503, 'ServiceUnavailable', `error trying to reach service: dial tcp ${place}: connect: connection refused`)

const isLetIn = ({ headers }: IncomingMessage, token: string): boolean => {
  const [shown, wanted] = [Buffer.from(headers.authorization ?? ''), Buffer.from(`Bearer ${token}`)]
  return shown.length === wanted.length && timingSafeEqual(shown, wanted)
}

const fieldOf = (object: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), object)

/** `a=b,c!=d`, over labels or fields; undefined for what is no such list. */
const selectorOf = (given: string | null, of: (object: KubeObject, key: string) => unknown) => {
  const parts = (given ?? '').split(',').filter((part) => part !== '')
  const read = parts.map((part) => /^([\w./-]+?)(==|!=|=)([\w.:/-]*)$/.exec(part))
  if (read.some((part) => part === null)) return undefined
  return (object: KubeObject): boolean =>
    read.every((part) => ((of(object, part?.[1] ?? '') ?? '') === part?.[3]) === (part?.[2] !== '!='))
}

/** One page of a list; `continue` is how many came before it. */
const list = (all: readonly KubeObject[], query: URLSearchParams): Answer => {
  const byLabels = selectorOf(query.get('labelSelector'), ({ metadata }, key) => metadata.labels?.[key])
  const byFields = selectorOf(query.get('fieldSelector'), fieldOf)
  if (!byLabels || !byFields) return refusal(400, 'BadRequest', 'unable to parse the selector')
  const found = all.filter((object) => byLabels(object) && byFields(object))
  const from = Number(query.get('continue') ?? 0)
  const limit = Number(query.get('limit') ?? 0) || found.length
  if (!Number.isInteger(from)) return refusal(410, 'Expired', 'The provided continue parameter is too old')
  const more = from + limit < found.length ? { continue: String(from + limit) } : {}
  return json(200, { kind: 'List', apiVersion: 'v1', metadata: more, items: found.slice(from, from + limit) })
}

/** The lines of a container's life now, or of the one before it. */
const logs = (world: World, path: { namespace: string; name: string }, query: URLSearchParams): Answer => {
  const pods = world.cluster().deployments.flatMap(({ pods }) => pods)
  const pod = pods.find(({ namespace, name }) => namespace === path.namespace && name === path.name)
  const container = pod?.containers.find(({ name }) => name === (query.get('container') ?? pod.containers[0]?.name))
  if (!pod || !container) return refusal(404, 'NotFound', `pods "${path.name}" not found`)
  const { now, last } = container.state
  const life = query.get('previous') === 'true' ? last : now.kind === 'terminated' ? now.termination : undefined
  if (query.get('previous') === 'true' && !last) {
    const message = `previous terminated container "${container.name}" in pod "${pod.name}" not found`
    return refusal(400, 'BadRequest', message)
  }
  world.catchUp()
  const ns = (ms: number) => BigInt(Math.floor(ms)) * 1_000_000n
  const fromMs = life?.startedAtMs ?? (now.kind === 'running' ? now.sinceMs : world.nowMs())
  const untilMs = (life?.finishedAtMs ?? world.nowMs()) + 1
  const lines = world.logs
    .between(ns(fromMs), ns(untilMs))
    .filter(({ labels }) => labels['pod'] === pod.name && labels['container'] === container.name)
    .map(({ line }) => `${line}\n`)
  const tail = Number(query.get('tailLines') ?? lines.length)
  const bytes = Buffer.from(lines.slice(Math.max(0, lines.length - tail)).join(''))
  return text(bytes.subarray(0, Number(query.get('limitBytes') ?? bytes.length)).toString('utf8'))
}

/** What a request comes to: an answer, another program's, or none at all. */
type Outcome = Answer | RequestListener | 'hang'
type Call = { world: World; inside: Inside; request: IncomingMessage }
type Proxied = { resource: string; namespace: string; name: string; port: string; path: string }

const sourceBehind = ({ resource, port }: Proxied): SourceName => {
  if (resource === 'nodes') return port === '9100' ? 'node' : 'kubelet'
  return resource === 'pods' ? 'app' : 'kube-state-metrics'
}

const behindNode = (world: World, { name, port, path }: Proxied): Outcome => {
  const node = world.cluster().nodes.find((one) => one.name === name)
  const body = node && (port === '9100' ? nodeExporter(world, node) : kubelet(world, name, path))
  return body === undefined ? notFound : text(body)
}

const behindPod = ({ world, inside }: Call, { namespace, name, port }: Proxied): Outcome => {
  const pods = world.cluster().deployments.flatMap(({ pods }) => pods)
  const pod = pods.find((one) => one.namespace === namespace && one.name === name)
  const component = pod?.component
  if (pod === undefined) return refusal(404, 'NotFound', `pods "${name}" not found`)
  const serves = (component === 'voting' || component === 'emoji') && Number(port) === metricsPort
  return serves && world.serving(component) ? inside.metricsOf[component] : unreachable(`${pod.ip}:${port}`)
}

/** Hands a request on to what is behind the proxy, under the path it has there. */
const proxy = (call: Call, to: Proxied): Outcome => {
  const { world, inside, request } = call
  const mode = inside.modeOf(sourceBehind(to))
  if (mode === 'hang') return 'hang'
  if (mode === 'unavailable') return refusal(503, 'ServiceUnavailable', 'Service Unavailable')
  request.url = to.path
  if (to.resource === 'nodes') return behindNode(world, to)
  if (to.resource === 'pods') return behindPod(call, to)
  const isThere = to.name === 'kube-state-metrics' && to.port === '8080' && to.namespace === 'kube-system'
  const none = `no endpoints available for service "${to.name}:${to.port}"`
  return isThere ? inside.kubeStateMetrics : refusal(503, 'ServiceUnavailable', none)
}

/** What is asked under a path; the parts of a path are those of Kubernetes' API. */
const route = (call: Call, target: URL): Outcome => {
  const { world } = call
  const parts = /^(\/api\/v1|\/apis\/[\w.]+\/v1)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+)\/(proxy|log)(\/.*)?)?$/
  const [, group = '', namespace, resource = '', whole, below, rest = '/'] = parts.exec(target.pathname) ?? []
  if (!groups[group]?.includes(resource)) return notFound
  if (below === 'proxy' && whole !== undefined) {
    const [name = '', port = ''] = decodeURIComponent(whole).split(':')
    return proxy(call, { resource, namespace: namespace ?? '', name, port, path: `${rest}${target.search}` })
  }
  if (below === 'log') {
    const isPod = resource === 'pods' && namespace !== undefined && whole !== undefined
    return isPod ? logs(world, { namespace, name: whole }, target.searchParams) : notFound
  }
  const all: readonly KubeObject[] = resource === 'events' ? eventsOf(world) : (objectsOf(world)[resource] ?? [])
  const own = namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace)
  return list(own, target.searchParams)
}

const outcomeOf = (call: Call): Outcome => {
  const { inside, request } = call
  const mode = inside.modeOf('kubernetes')
  if (mode === 'hang') return 'hang'
  if (mode === 'unavailable') return refusal(503, 'ServiceUnavailable', 'apiserver is shutting down')
  if (!isLetIn(request, inside.token)) return unauthorized
  const target = targetOf(request)
  return target === undefined || request.method !== 'GET' ? notFound : route(call, target)
}

export const kubeApiHandler =
  (world: World, inside: Inside): RequestListener =>
  (request, response) => {
    const outcome = outcomeOf({ world, inside, request })
    if (outcome === 'hang') return
    if (typeof outcome === 'function') outcome(request, response)
    else answerCompressed(request, response, outcome)
  }
