import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { makeCertificate } from '../../certificates.ts'

/** Answers of a Kubernetes API server that really ran, recorded; absent on most machines. */
const recorded = fileURLToPath(new URL('../../../../shared/fixtures/kube/real-cluster', import.meta.url))
export const isRecorded = existsSync(recorded)

type Item = { metadata: { namespace?: string; name: string; labels?: Record<string, string> } } & Record<
  string,
  unknown
>
export type Lists = Readonly<Record<string, readonly Item[]>>

/** The lists of one scene at its last scrape, or at the nth. */
export const sceneLists = (scene: string, nth = -1): { lists: Lists; atMs: number } => {
  const times = readdirSync(`${recorded}/${scene}/kubernetes`).sort()
  const time = times.at(nth) ?? ''
  const folder = `${recorded}/${scene}/kubernetes/${time}`
  const lists = readdirSync(folder).map((file) => {
    const { items } = JSON.parse(gunzipSync(readFileSync(`${folder}/${file}`)).toString())
    return [file.replace('.json.gz', ''), items as Item[]] as const
  })
  return { lists: Object.fromEntries(lists), atMs: Number(time) * 1000 }
}

const valueAt = (item: unknown, path: string): string => {
  let at: unknown = item
  for (const key of path.split('.')) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined
  return String(at ?? '')
}

const isSelected = (item: Item, url: URL): boolean => {
  const pairs = (name: string) =>
    (url.searchParams.get(name) ?? '')
      .split(',')
      .filter(Boolean)
      .map((pair) => pair.split('='))
  return (
    pairs('fieldSelector').every(([path = '', value]) => valueAt(item, path) === value) &&
    pairs('labelSelector').every(([label = '', value]) => item.metadata.labels?.[label] === value)
  )
}

export type Replay = {
  lists: Lists
  /** Resources that are forbidden, such as `events` or `pods/log`. */
  forbidden?: readonly string[]
  logs?: Readonly<Record<string, string>>
  /** Path below the proxy → exposition. */
  proxied?: (target: string) => string | undefined
}

const status = (response: ServerResponse, code: number, message: string): void => {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code }))
}

const listPattern = /^\/apis?\/(?:[a-z.0-9]+\/)?v1\/(?:namespaces\/([^/]+)\/)?([a-z]+)$/
const belowPattern = /^\/api\/v1\/(?:namespaces\/([^/]+)\/)?(pods|services|nodes)\/([^/]+)\/(log|proxy)(\/.*)?$/

/** Lists with label and field selectors, pages and refusals; logs; the proxies of pods, services and nodes. */
export const kubeAnswers =
  ({ lists, forbidden = [], logs = {}, proxied }: Replay): RequestListener =>
  (request, response) => {
    const url = new URL(request.url ?? '', 'https://api')
    const [, namespace, resource = ''] = listPattern.exec(url.pathname) ?? []
    const [, , parent = '', name = '', what = '', path = '/'] = belowPattern.exec(url.pathname) ?? []
    const asked = what === '' ? resource : `${parent}/${what}`
    if (forbidden.includes(asked)) return status(response, 403, `${asked} is forbidden: User "whodunit" cannot`)
    if (what === 'log') {
      const text = logs[`${name}/${url.searchParams.get('container')}`]
      if (text === undefined) return status(response, 400, `previous terminated container in pod "${name}" not found`)
      return response.end(text)
    }
    if (what === 'proxy') {
      const text = proxied?.(`${parent}/${name}${path}`)
      if (text === undefined) return status(response, 503, `no endpoints available for service "${name}"`)
      response.setHeader('content-type', 'text/plain; version=0.0.4')
      return response.end(text)
    }
    const known = lists[resource]
    if (known === undefined) return status(response, 404, 'the server could not find the requested resource')
    const fitting = known.filter(
      (item) => (namespace === undefined || item.metadata.namespace === namespace) && isSelected(item, url),
    )
    const from = Number(url.searchParams.get('continue') ?? 0)
    const upTo = from + Number(url.searchParams.get('limit') ?? fitting.length)
    const metadata = upTo < fitting.length ? { continue: String(upTo) } : {}
    response.setHeader('content-type', 'application/json')
    return response.end(JSON.stringify({ metadata, items: fitting.slice(from, upTo) }))
  }

const day = 86_400_000
const authority = () =>
  makeCertificate({
    names: ['test authority'],
    notBeforeMs: Date.now() - day,
    notAfterMs: Date.now() + day,
    authority: true,
  })

export type ApiServerStage = {
  url: string
  ca: string
  client: { certPem: string; keyPem: string }
  requests: IncomingMessage[]
}

/** An HTTPS server on loopback with a CA of its own, which asks for a client certificate and takes none for an answer. */
export const withApiServer = async <T>(
  answer: RequestListener,
  use: (stage: ApiServerStage) => Promise<T>,
): Promise<T> => {
  const issuer = authority()
  const times = { notBeforeMs: Date.now() - day, notAfterMs: Date.now() + day }
  const own = makeCertificate({ names: ['127.0.0.1', 'localhost'], ...times, issuer })
  const client = makeCertificate({ names: ['whodunit'], ...times, issuer })
  const requests: IncomingMessage[] = []
  const server = createServer(
    { cert: own.certPem, key: own.keyPem, ca: issuer.certPem, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      requests.push(request)
      answer(request, response)
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is an object; only pipes have a string.
  const { port } = server.address() as AddressInfo
  try {
    return await use({ url: `https://127.0.0.1:${port}`, ca: issuer.certPem, client, requests })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}
