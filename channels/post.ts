import { Agent, type Dispatcher } from 'undici'
import type { ChannelWorld, DeliveryResult } from './contract.ts'
import { failureOf, mayFollowTaking } from './failure.ts'
import { oneLine } from './plain-text.ts'

/** One POST. `secrets` are the values that must not come back to us in a cause. */
export type Post = {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
  timeoutMs: number
  secrets: readonly string[]
}

type Answer = { statusCode: number; retryAfter?: string; location?: string; bodyStart: string }

const quoteLimit = 200
const readLimitBytes = 4096
/** Node's own 16 KB would make a failure of a good status whose sender traces much. */
const headerLimitBytes = 256 * 1024
/** Once the status is known the body is only for quoting: nobody waits long for it. */
const bodyWaitMs = 1000
const longestWaitMs = 3_600_000

/**
 * One attempt over a fresh connection, so that a socket a sleeping Lambda kept cannot cost a page. It is over at the
 * time-out or when `world.signal` fires, whichever is first; redirects are not followed. Never throws.
 */
export const post = async (request: Post, world: Pick<ChannelWorld, 'nowMs' | 'signal'>): Promise<DeliveryResult> => {
  const timeout = AbortSignal.timeout(request.timeoutMs)
  const hide = redactor(request)
  const { host } = new URL(request.url)
  const course: Course = { signal: AbortSignal.any([world.signal, timeout]), connected: false }
  try {
    const answer = await exchange(request, course)
    return judge({ ...answer, bodyStart: hide(answer.bodyStart) }, host, world.nowMs())
  } catch (error) {
    const { code, message } = failureOf(error)
    if (code === 'UND_ERR_INVALID_ARG') return { status: 'rejected', cause: `${host}: ${quoted(hide(message))}` }
    const what = timeout.aborted ? `no answer within ${request.timeoutMs / 1000} s` : quoted(hide(message))
    const cause = `${host}: ${world.signal.aborted ? 'the time for this attempt was over' : what}`
    return { status: 'retry', cause, ...(course.connected && { mayHaveArrived: true }) }
  }
}

/** Once `connected` the request is on its way, and an answer that does not come says nothing about it. */
type Course = { signal: AbortSignal; connected: boolean }

const exchange = async (request: Post, course: Course): Promise<Answer> => {
  const { signal } = course
  signal.throwIfAborted()
  const { origin, pathname, search } = new URL(request.url)
  const agent = new Agent({
    allowH2: false,
    connect: { timeout: request.timeoutMs },
    headersTimeout: request.timeoutMs,
    bodyTimeout: bodyWaitMs,
    maxHeaderSize: headerLimitBytes,
  })
  agent.once('connect', () => {
    course.connected = true
  })
  try {
    const { headers, body } = request
    const response = await agent.request({
      origin,
      path: `${pathname}${search}`,
      method: 'POST',
      headers,
      body,
      signal,
    })
    const { statusCode } = response
    const retryAfter = headerOf(response, 'retry-after')
    const location = headerOf(response, 'location')
    const bodyStart = await startOf(response, isDelivered(statusCode) ? 0 : readLimitBytes)
    return { statusCode, bodyStart, ...(retryAfter && { retryAfter }), ...(location && { location }) }
  } finally {
    // Not awaited: closing a connection that is still being made may take as long as making it.
    agent.destroy().catch(() => undefined)
  }
}

const headerOf = (response: Dispatcher.ResponseData, header: string): string | undefined => {
  const value = response.headers[header]
  return Array.isArray(value) ? value[0] : value
}

/** The status counts even when the body never ends or breaks off. */
const startOf = async ({ body }: Dispatcher.ResponseData, limitBytes: number): Promise<string> => {
  const chunks: Buffer[] = []
  let bytes = 0
  body.on('error', () => undefined)
  const tooLong = setTimeout(() => body.destroy(), bodyWaitMs)
  try {
    if (limitBytes === 0) return ''
    for await (const chunk of body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= limitBytes) break
    }
  } catch {
    // What came so far is all there is to quote.
  } finally {
    clearTimeout(tooLong)
    body.destroy()
  }
  return Buffer.concat(chunks).subarray(0, limitBytes).toString('utf8')
}

const isDelivered = (statusCode: number): boolean => statusCode >= 200 && statusCode <= 299

const judge = (
  { statusCode, retryAfter, location, bodyStart }: Answer,
  host: string,
  nowMs: number,
): DeliveryResult => {
  if (isDelivered(statusCode)) return { status: 'delivered' }
  const said = `${host} answered ${statusCode}${bodyStart.trim() === '' ? '' : `: ${quoted(bodyStart)}`}`
  if (statusCode >= 300 && statusCode <= 399) {
    const target = location && URL.canParse(location) ? ` to ${new URL(location).host}` : ''
    return { status: 'rejected', cause: `${host} answered ${statusCode}, a redirect${target}, which is not followed` }
  }
  if (statusCode === 410) return { status: 'rejected', cause: `${said} (the endpoint is gone: remove this channel)` }
  if (statusCode < 500 && ![408, 425, 429].includes(statusCode)) return { status: 'rejected', cause: said }
  const afterMs = retryAfterMs(retryAfter, nowMs)
  return {
    status: 'retry',
    cause: said,
    ...(afterMs !== undefined && { afterMs }),
    ...(mayFollowTaking(statusCode) && { mayHaveArrived: true }),
  }
}

/**
 * `Retry-After` as milliseconds from now: seconds or an HTTP date (RFC 9110, 10.2.3), at most an hour. Undefined when it
 * is absent, unreadable or not in the future: then the sender's own backoff decides.
 */
export const retryAfterMs = (header: string | undefined, nowMs: number): number | undefined => {
  if (header === undefined) return undefined
  const text = header.trim()
  const afterMs = /^\d{1,15}$/.test(text) ? Number(text) * 1000 : httpDateMs(text) - nowMs
  return afterMs > 0 ? Math.min(Math.ceil(afterMs), longestWaitMs) : undefined
}

const httpDateMs = (text: string): number => (/^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN)

const quoted = (text: string): string => oneLine(text, quoteLimit)

/** A secret as it looks plain and inside JSON, an address, a form and base64, whose padding says nothing. */
const looksOf = (secret: string): string[] => {
  const bytes = Buffer.from(secret)
  const encoded = [encodeURIComponent(secret.toWellFormed()), new URLSearchParams([['', secret]]).toString().slice(1)]
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    ...encoded,
    ...encoded.map((text) => text.replace(/%../g, (byte) => byte.toLowerCase())),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ]
}

/** The signatures of the links in a body: whoever has one may see the incident, or take it on. */
const linkSignatures = (body: string): string[] =>
  [...body.matchAll(/(?:\/acknowledge\/[\w-]+\.[\w-]+\.|[?&]token=)([\w-]+)/g)].map(([, mac = '']) => mac)

/**
 * Takes the secrets out, however they are encoded, before anything is cut: half a secret is still a secret. What
 * an address carries in its query or in a long path part may be a token as well.
 */
const redactor = ({ url, body, secrets }: Post): ((text: string) => string) => {
  const { searchParams, pathname, search } = new URL(url)
  const parts = pathname.split('/').filter((part) => part.length >= 16)
  const tokens = [search.slice(1), ...searchParams.values(), ...parts, ...linkSignatures(body)]
  const hidden = [...secrets, ...tokens.filter((token) => token.length >= 8)]
    .flatMap(looksOf)
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length)
  return (text) => hidden.reduce((rest, secret) => rest.replaceAll(secret, '[hidden]'), text)
}
