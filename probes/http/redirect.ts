import { failed } from '../failure.ts'
import type { HttpAnswer, HttpRequest } from './exchange.ts'

/** A request on its way, with the names of the headers that must not leave its origin. */
export type Hop = HttpRequest & { secret: ReadonlySet<string> }

const redirecting = new Set([301, 302, 303, 307, 308])

/** RFC 9110 §15.4: 303 asks with GET; 301 and 302 after a POST do so too, as every browser has it. */
const methodAfter = ({ method }: Hop, statusCode: number): Hop['method'] => {
  if (statusCode === 303 && method !== 'HEAD') return 'GET'
  return (statusCode === 301 || statusCode === 302) && method === 'POST' ? 'GET' : method
}

const without = (headers: Record<string, string>, drop: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !drop(name)))

const targetOf = (hop: Hop, location: string): URL => {
  const invalid = (why: string) => failed('processing', 'redirect-invalid', why)
  if (!URL.canParse(location, hop.url.href)) {
    throw invalid(`the redirect of ${hop.url.host} is not to an address: ${JSON.stringify(location.slice(0, 100))}`)
  }
  const url = new URL(location, hop.url)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`the redirect of ${hop.url.host} leads to ${url.protocol.slice(0, 50)}, which is not HTTP`)
  }
  // Credentials in a redirect would be sent to whoever wrote it and shown as evidence.
  url.username = ''
  url.password = ''
  return url
}

/** Where an answer redirects to; undefined when it does not. What authenticates us stays at its origin. */
export const nextHop = (hop: Hop, answer: HttpAnswer): Hop | undefined => {
  const [location] = answer.headers['location'] ?? []
  if (!redirecting.has(answer.statusCode) || location === undefined) return undefined
  const url = targetOf(hop, location)
  const method = methodAfter(hop, answer.statusCode)
  const keepsBody = method === hop.method
  const leaves = url.origin !== hop.url.origin
  const headers = without(
    hop.headers,
    (name) => (leaves && (hop.secret.has(name) || name === 'host')) || (!keepsBody && name.startsWith('content-')),
  )
  return { url, method, headers, secret: hop.secret, body: keepsBody ? hop.body : undefined }
}
