import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { getCACertificates } from 'node:tls'
import { constants, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { Agent, type Dispatcher } from 'undici'
import type { ApiServer, Auth, Reading, SourceWorld } from './contract.ts'
import { connectionSentence, errorCode, hostAndPort, oneLine } from './http-errors.ts'

export type HttpTarget = { url: string; auth?: Auth | undefined; caFile?: string | undefined }

/** Takes decoded pieces as they come. A reason returned stops the read: the body is `incomplete` for that reason. */
export type BodySink = (chunk: Uint8Array) => string | undefined

export type HttpRead = {
  accept: string
  headers?: Readonly<Record<string, string>>
  /** What of `headers` a refusal that echoes them must not show. */
  secrets?: readonly string[]
  /** Decoded bytes; beyond it the body is `incomplete`. */
  bodyLimitBytes?: number
  /** Called once, with a 200's content type, before the body: refuses it or gives the sink. */
  begin: (contentType: string) => Reading<BodySink>
}

/** `bytes` as decoded. `incomplete`: the sink got the start of the body only, for that reason. */
export type HttpBody = { bytes: number; incomplete?: string }

export const defaultBodyLimitBytes = 256 * 1024 * 1024
const errorBodyBytes = 4096

type Unreadable = { status: 'unreadable'; why: string }
type Pass = { header?: string; secrets: string[] }
type Exchange = { target: HttpTarget; world: SourceWorld; read: HttpRead; pass: Pass; startedAtMs: number }
type Response = { headers: Dispatcher.ResponseData['headers']; body: AsyncIterable<Uint8Array>; cut: () => unknown }

const unreadable = (why: string): Unreadable => ({ status: 'unreadable', why })

const isHeaderText = (text: string): boolean => /^[\t\x20-\x7e]*$/.test(text)

/**
 * The cluster's API server when `url` lies on it. A token goes to that address and nowhere else, whatever a config or an
 * object in the cluster says.
 */
const apiServerAt = (url: string, { apiServer }: SourceWorld): ApiServer | undefined => {
  if (apiServer?.status !== 'read') return undefined
  const base = new URL(apiServer.value.url)
  const { origin, pathname } = new URL(url)
  const below = pathname.startsWith(`${base.pathname.replace(/\/+$/, '')}/`)
  return origin === base.origin && below ? apiServer.value : undefined
}

/** The Authorization header. The reference is named when it cannot be used; its value never is. */
const authorize = ({ auth, url }: HttpTarget, world: SourceWorld): Reading<Pass> => {
  const bearer = apiServerAt(url, world)?.bearer
  if (auth === undefined && bearer !== undefined)
    return { status: 'read', value: { header: `Bearer ${bearer}`, secrets: [bearer] } }
  if (auth === undefined) return { status: 'read', value: { secrets: [] } }
  const reference = 'bearer' in auth ? auth.bearer : auth.basic.password
  let secret: string
  try {
    secret = world.secret(reference)
  } catch {
    // The error is not repeated: nobody promises that it does not quote the value.
    return unreadable(`${reference} is not available here`)
  }
  if (secret === '') return unreadable(`${reference} is empty`)
  if ('bearer' in auth) {
    if (!isHeaderText(secret)) {
      return unreadable(`${reference} holds a character no HTTP header may carry: a line break at its end?`)
    }
    return { status: 'read', value: { header: `Bearer ${secret}`, secrets: [secret] } }
  }
  const pair = Buffer.from(`${auth.basic.username}:${secret}`).toString('base64')
  return { status: 'read', value: { header: `Basic ${pair}`, secrets: [pair, secret] } }
}

/** An agent for one read: no connection outlives it. Its own time-outs are only a net below `world.signal`. */
const openAgent = async (target: HttpTarget, world: SourceWorld): Promise<Reading<Agent>> => {
  const limits = { connections: 1, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 }
  const tls = apiServerAt(target.url, world)?.tls
  if (target.caFile === undefined)
    return { status: 'read', value: new Agent(tls === undefined ? limits : { ...limits, connect: { ...tls } }) }
  try {
    const pem = await readFile(target.caFile, { encoding: 'utf8', signal: world.signal })
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
      return unreadable(`caFile ${target.caFile} holds no PEM certificate`)
    }
    return {
      status: 'read',
      value: new Agent({ ...limits, connect: { ...tls, ca: [...getCACertificates('default'), pem] } }),
    }
  } catch (error) {
    return unreadable(`caFile ${target.caFile} cannot be read: ${errorCode(error) || 'unknown error'}`)
  }
}

/**
 * The body up to where it was cut: the pieces that did arrive are decoded and handed on, and the reason is kept for
 * afterwards. (An error sent through the decompressor would drop what is still inside it.)
 */
const upToTheCut = (body: AsyncIterable<Buffer>): { pieces: AsyncIterable<Buffer>; cut: () => unknown } => {
  let cut: unknown
  const pieces = async function* () {
    try {
      yield* body
    } catch (error) {
      cut = error
    }
  }
  return { pieces: pieces(), cut: () => cut }
}

/** A frame may ask its reader for a window of 2 GiB; over HTTP it may not ask for more than 8 MiB (RFC 9659). */
const zstdParams = { [constants.ZSTD_d_windowLogMax]: 23 }

const decoded = (pieces: AsyncIterable<Buffer>, encoding: string): AsyncIterable<Uint8Array> | undefined => {
  const options = { chunkSize: 256 * 1024 }
  switch (encoding) {
    case '':
    case 'identity':
      return pieces
    case 'gzip':
    case 'x-gzip':
      // Errors come out of the iteration as well; the callback has nothing to add.
      return pipeline(pieces, createGunzip(options), () => undefined)
    case 'deflate':
      return pipeline(pieces, createInflate(options), () => undefined)
    case 'zstd':
      return pipeline(pieces, createZstdDecompress({ ...options, params: zstdParams }), () => undefined)
    default:
      return undefined
  }
}

const headerText = (value: string | string[] | undefined): string =>
  (Array.isArray(value) ? value.join(', ') : (value ?? '')).trim()

const seconds = (ms: number): string => (ms >= 1 ? ` within ${Number((ms / 1000).toFixed(1))} s` : ' in time')

const failureSentence = ({ target, world, startedAtMs }: Exchange, error: unknown, answered: boolean): string => {
  if (!world.signal.aborted) return connectionSentence(error, target.url)
  const place = hostAndPort(target.url)
  const spent = seconds(world.nowMs() - startedAtMs)
  return answered ? `aborted at the deadline: no whole answer from ${place}${spent}` : `no answer from ${place}${spent}`
}

/** What a refusal said, as one line without anything of ours in it: a server may well echo what it was sent. */
const refusalText = async (response: Response, secrets: readonly string[]): Promise<string> => {
  const parts: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of response.body) {
      parts.push(chunk)
      bytes += chunk.length
      if (bytes >= errorBodyBytes) break
    }
  } catch {
    // What came before is enough to say why.
  }
  let text = Buffer.concat(parts).subarray(0, errorBodyBytes).toString('utf8')
  for (const secret of secrets) text = text.replaceAll(secret, '[secret]')
  return oneLine(messageIn(text) ?? text)
}

/** What a JSON refusal says in words: Kubernetes' Status has a `message`. */
const messageIn = (text: string): string | undefined => {
  try {
    const said: unknown = JSON.parse(text)
    const message: unknown = typeof said === 'object' && said !== null ? Reflect.get(said, 'message') : undefined
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}

const redirectText = (location: string, url: string): string => {
  if (!URL.canParse(location, url)) return ' a redirect, which is not followed'
  const { origin, pathname } = new URL(location, url)
  return ` a redirect to ${oneLine(`${origin}${pathname}`)}, which is not followed: put the final address in the config`
}

const refuse = async (exchange: Exchange, statusCode: number, response: Response): Promise<Unreadable> => {
  const place = hostAndPort(exchange.target.url)
  const location = headerText(response.headers['location'])
  if (statusCode >= 300 && statusCode < 400 && location !== '') {
    return unreadable(`${place} answered ${statusCode}:${redirectText(location, exchange.target.url)}`)
  }
  const said = await refusalText(response, [...exchange.pass.secrets, ...(exchange.read.secrets ?? [])])
  return unreadable(`${place} answered ${statusCode}${said === '' ? '' : `: ${said}`}`)
}

const take = async (exchange: Exchange, response: Response, sink: BodySink): Promise<HttpBody> => {
  const limit = exchange.read.bodyLimitBytes ?? defaultBodyLimitBytes
  let bytes = 0
  try {
    for await (const chunk of response.body) {
      const room = limit - bytes
      bytes += Math.min(chunk.length, room)
      const stopped = sink(chunk.length > room ? chunk.subarray(0, room) : chunk)
      if (stopped !== undefined) return { bytes, incomplete: stopped }
      if (chunk.length > room) return { bytes, incomplete: `the body is larger than ${limit} bytes` }
    }
  } catch (error) {
    return { bytes, incomplete: failureSentence(exchange, response.cut() ?? error, true) }
  }
  const cut = response.cut()
  return cut === undefined ? { bytes } : { bytes, incomplete: failureSentence(exchange, cut, true) }
}

const exchangeWith = async (agent: Agent, exchange: Exchange): Promise<Reading<HttpBody>> => {
  const { target, world, read, pass } = exchange
  const url = new URL(target.url)
  const { statusCode, headers, body } = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'GET',
    headers: {
      accept: read.accept,
      'accept-encoding': 'gzip, zstd',
      'user-agent': 'whodunit',
      ...read.headers,
      ...(pass.header === undefined ? {} : { authorization: pass.header }),
    },
    signal: world.signal,
  })
  const { pieces, cut } = upToTheCut(body)
  const encoding = headerText(headers['content-encoding']).toLowerCase()
  const plain = decoded(pieces, encoding)
  const place = hostAndPort(target.url)
  if (plain === undefined) return unreadable(`${place} answered in ${oneLine(encoding, 40)}, which was not asked for`)
  const response = { headers, body: plain, cut }
  if (statusCode !== 200) return refuse(exchange, statusCode, response)
  const begun = read.begin(headerText(headers['content-type']))
  return begun.status === 'read' ? { status: 'read', value: await take(exchange, response, begun.value) } : begun
}

/**
 * One authenticated GET, decoded (gzip, zstd, deflate) piece by piece into a sink; over when `world.signal` fires. Whatever
 * the target does is an answer, never an exception. Redirects are not followed: what we are told to read, and whom we
 * give credentials to, stands in the config, and a source that moves is a change somebody should see.
 */
export const readHttp = async (target: HttpTarget, world: SourceWorld, read: HttpRead): Promise<Reading<HttpBody>> => {
  const pass = authorize(target, world)
  if (pass.status === 'unreadable') return pass
  const agent = await openAgent(target, world)
  if (agent.status === 'unreadable') return agent
  const exchange = { target, world, read, pass: pass.value, startedAtMs: world.nowMs() }
  try {
    return await exchangeWith(agent.value, exchange)
  } catch (error) {
    return unreadable(failureSentence(exchange, error, false))
  } finally {
    // Not waited for: a socket that will not close must not hold a read that is over.
    agent.value.destroy().catch(() => undefined)
  }
}
