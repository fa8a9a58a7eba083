import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { Client, type Dispatcher } from 'undici'
import { type Course, failed, inPhase } from '../failure.ts'
import { type Connection, withSignal } from './connection.ts'

export type HttpRequest = {
  method: Dispatcher.HttpMethod
  url: URL
  headers: Record<string, string>
  body?: string | undefined
}

export type HttpAnswer = {
  statusCode: number
  /** Lower-case names; every value a header had. */
  headers: Record<string, readonly string[]>
  body: Buffer
}

const listOf = (value: string | string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value

const decoders: Record<string, (() => NodeJS.ReadWriteStream) | undefined> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** Reads a body to its end; beyond the limit, compressed or not, the connection is cut. */
const readBody = async (body: Readable, encoding: string, limitBytes: number): Promise<Buffer> => {
  const decoder = decoders[encoding]?.()
  const stream = decoder ? body.pipe(decoder) : body
  if (decoder) body.once('error', (error) => decoder.emit('error', error))
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    const part = Buffer.from(chunk)
    bytes += part.length
    if (bytes > limitBytes) {
      body.destroy()
      throw failed('transfer', 'body-too-large', `the body is larger than ${limitBytes} bytes`)
    }
    chunks.push(part)
  }
  return Buffer.concat(chunks)
}

/** Sends one request over one connection and reads the answer; the connection is closed afterwards, always. */
export const exchange = async (
  connection: Connection,
  request: HttpRequest,
  at: { course: Course; signal: AbortSignal; bodyLimitBytes: number },
): Promise<HttpAnswer> => {
  const { course, signal } = at
  const { method, url, headers, body } = request
  const client = new Client(url.origin, {
    // Not in the same turn: undici ignores a connector that answers while it is still asking.
    connect: (_options, callback) => queueMicrotask(() => callback(null, connection.socket)),
    pipelining: 1,
    // The look's own signal ends everything; undici's timers would only say it with other words.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 64 * 1024,
  })
  try {
    const asked = {
      method,
      path: `${url.pathname}${url.search}`,
      headers,
      signal,
      ...(body === undefined ? {} : { body }),
    }
    const answer = await inPhase(course, 'processing', () => withSignal(signal, client.request(asked)))
    const encoding = listOf(answer.headers['content-encoding'])[0]?.trim().toLowerCase() ?? ''
    const read = () => withSignal(signal, readBody(answer.body, encoding, at.bodyLimitBytes))
    const received = await inPhase(course, 'transfer', read)
    const named = Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), listOf(value)])
    return { statusCode: answer.statusCode, headers: Object.fromEntries(named), body: received }
  } finally {
    void client.destroy().catch(() => undefined)
    connection.socket.destroy()
  }
}
