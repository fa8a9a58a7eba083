import { type ClientRequest, type IncomingMessage, request as startRequest } from 'node:http'
import { type Course, inPhase } from '../course.ts'
import { withSignal } from '../deadline.ts'
import { codeOf, failed } from '../failure.ts'
import { decodersOf, readBody } from './body.ts'
import type { Connection } from './connection.ts'

export type HttpRequest = {
  method: string
  url: URL
  /** Lower-case names. */
  headers: Record<string, string>
  body?: string | undefined
}

/** Filled in as it arrives, so that an answer that breaks off leaves its beginning as evidence. */
export type HttpAnswer = {
  statusCode: number
  /** `1.1`, as the server says. */
  httpVersion: string
  /** Lower-case names; every value a header had. */
  headers: Record<string, readonly string[]>
  /** What arrived, its codings undone. */
  chunks: Buffer[]
  /** The Content-Encoding, when it is one that cannot be undone here: the chunks are as they were sent. */
  undecoded?: string
}

export const bodyOf = ({ chunks }: HttpAnswer): Buffer => Buffer.concat(chunks)

const answerOf = ({ statusCode = 0, httpVersion, rawHeaders }: IncomingMessage): HttpAnswer => {
  const headers = new Map<string, string[]>()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    const key = name.toLowerCase()
    const values = headers.get(key)
    if (values) values.push(value)
    else headers.set(key, [value])
  }
  return { statusCode, httpVersion, headers: Object.fromEntries(headers), chunks: [] }
}

/** Without an agent: one request over a connection that is there, and no timer but the look's own. */
const start = ({ socket }: Connection, { method, url, headers, body }: HttpRequest): ClientRequest => {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const asked = startRequest({
    createConnection: () => socket,
    method,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, ...headers, ...length },
    maxHeaderSize: 64 * 1024,
  })
  asked.end(body)
  return asked
}

/** The final answer's head: answers that only inform come first, asked for or not (RFC 9110 §15.2). */
const headOf = (asked: ClientRequest, host: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    asked.once('response', resolve)
    // `on`, and for good: what comes after the answer is told by its body, and must never be uncaught.
    asked.on('error', reject)
    asked.once('upgrade', (_response, socket) => {
      socket.destroy()
      reject(failed('processing', 'response-invalid', `${host} switched protocols, which nobody asked for`))
    })
  })

/**
 * Node calls every early end ECONNRESET, also the one after its own parser gave up; what came first tells a reset, a
 * close and noise apart.
 */
const endingOf = (error: unknown, host: string, seen: { phase: Course['phase']; first: unknown; bytes: number }) => {
  if (codeOf(error) !== 'ECONNRESET' && codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') return error
  if (seen.first !== undefined) return seen.first
  return seen.bytes === 0
    ? failed('processing', 'empty-answer', `${host} closed the connection without an answer`)
    : failed(seen.phase, 'answer-incomplete', `${host} closed the connection before the answer was complete`)
}

type At = { course: Course; signal: AbortSignal; bodyLimitBytes: number; onAnswer: (answer: HttpAnswer) => void }

const receive = async (asked: ClientRequest, { host }: URL, at: At): Promise<HttpAnswer> => {
  const { course, signal, bodyLimitBytes: limitBytes } = at
  const response = await inPhase(course, 'processing', () => withSignal(signal, headOf(asked, host)))
  const answer = answerOf(response)
  at.onAnswer(answer)
  const encodings = answer.headers['content-encoding'] ?? []
  const decoders = decodersOf(encodings)
  if (!decoders) answer.undecoded = encodings.join(', ').slice(0, 100)
  const to = { limitBytes, onChunk: (chunk: Buffer) => answer.chunks.push(chunk) }
  await inPhase(course, 'transfer', () => withSignal(signal, readBody(response, decoders ?? [], to)))
  return answer
}

/** Where nothing says how long a body is, Node takes any end of the connection for its end. */
const endsWithConnection = ({ statusCode, headers }: HttpAnswer, method: string): boolean => {
  const hasNoBody = method === 'HEAD' || statusCode === 204 || statusCode === 304
  return !hasNoBody && headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
}

/** Sends one request over one connection and reads the answer; the connection is closed afterwards, always. */
export const exchange = async (connection: Connection, asked: HttpRequest, at: At): Promise<HttpAnswer> => {
  const { socket } = connection
  let first: unknown
  socket.prependListener('error', (error) => {
    first ??= error
  })
  const bytesBefore = socket.bytesRead
  try {
    const request = start(connection, asked)
    request.on('error', (error) => {
      if (codeOf(error).startsWith('HPE_')) first ??= error
    })
    const answer = await receive(request, asked.url, at)
    if (first !== undefined && endsWithConnection(answer, asked.method)) throw first
    return answer
  } catch (error) {
    throw endingOf(error, asked.url.host, { phase: at.course.phase, first, bytes: socket.bytesRead - bytesBefore })
  } finally {
    socket.destroy()
  }
}
