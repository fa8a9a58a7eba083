import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** A port of the town was not free. */
export class TownPortTaken extends Error {
  readonly code = 'town-port-taken'
}

export type Served<S extends Server | SecureServer = Server> = {
  server: S
  port: number
  close: () => Promise<void>
}

const loopback = '127.0.0.1'
const limitConnections = 256

const listen = async <S extends Server | SecureServer>(part: string, port: number, server: S): Promise<Served<S>> => {
  // A kept connection is never closed under a caller that is about to use it: that would look like an outage.
  server.keepAliveTimeout = 0
  server.maxConnections = limitConnections
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new TownPortTaken(`port ${port} (${part}) is taken on ${loopback}; does another town run here?`)
          : error,
      ),
    )
    server.listen(port, loopback, resolve)
  })
  return {
    server,
    // A server that listens on TCP has an address of this shape.
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Serves one part of the town on loopback; port 0 takes any free one. */
export const serve = (part: string, port: number, handler: RequestListener): Promise<Served> =>
  listen(part, port, createServer(handler))

export const serveSecurely = (
  part: string,
  port: number,
  { handler, tls }: { handler: RequestListener; tls: ServerOptions },
): Promise<Served<SecureServer>> => listen(part, port, createSecureServer(tls, handler))

export type Answer = { status: number; contentType?: string; body: string; headers?: Readonly<Record<string, string>> }

/** Sends exactly the headers a Go program would: no `Connection`, no `Keep-Alive`. */
export const answer = (request: IncomingMessage, response: ServerResponse, what: Answer): void => {
  response.removeHeader('Connection')
  response.statusCode = what.status
  if (what.contentType !== undefined) response.setHeader('Content-Type', what.contentType)
  for (const [name, value] of Object.entries(what.headers ?? {})) response.setHeader(name, value)
  response.setHeader('Date', new Date().toUTCString())
  response.setHeader('Content-Length', Buffer.byteLength(what.body))
  response.end(request.method === 'HEAD' ? '' : what.body)
}

/** As `answer`, in gzip when the caller takes it. */
export const answerCompressed = (request: IncomingMessage, response: ServerResponse, what: Answer): void => {
  const accepted = String(request.headers['accept-encoding'] ?? '')
  if (!/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accepted)) {
    answer(request, response, what)
    return
  }
  const bytes = gzipSync(what.body, { level: 1 })
  response.statusCode = what.status
  if (what.contentType !== undefined) response.setHeader('Content-Type', what.contentType)
  response.setHeader('Content-Encoding', 'gzip')
  response.setHeader('Vary', 'Accept-Encoding')
  response.setHeader('Content-Length', bytes.length)
  response.end(request.method === 'HEAD' ? '' : bytes)
}

/** Go's answer to an unknown path. */
export const notFound: Answer = {
  status: 404,
  contentType: 'text/plain; charset=utf-8',
  body: '404 page not found\n',
}

/** The path and query of a request; undefined for a target that is none. */
export const targetOf = (request: IncomingMessage): URL | undefined => {
  const target = `http://${loopback}${request.url ?? ''}`
  return URL.canParse(target) ? new URL(target) : undefined
}

/** Reads a body of at most `limitBytes`; undefined when it was longer or broke off. */
export const readBody = async (request: IncomingMessage, limitBytes: number): Promise<string | undefined> => {
  const parts: Buffer[] = []
  let length = 0
  try {
    for await (const part of request) {
      // Streams of requests give buffers unless an encoding was set.
      const bytes = part as Buffer
      length += bytes.length
      if (length > limitBytes) return undefined
      parts.push(bytes)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(parts).toString('utf8')
}
