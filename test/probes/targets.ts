import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { expect } from '@jest/globals'
import type { ProbeWorld, Sighting } from '../../probes/contract.ts'
import { httpProbe } from '../../probes/kinds/http.ts'

/** Something on loopback to look at. */
export type Target = {
  port: number
  /** `127.0.0.1:port` */
  host: string
  url: string
  /** Every request head that came in, as text. */
  heads: string[]
  /** How many connections were ever opened. */
  accepted: () => number
  /** Waits until nobody is connected any more; rejects when that does not come about. */
  allGone: () => Promise<void>
  close: () => Promise<void>
}

const open = new Set<Target>()

/** For `afterEach`: closes whatever a test opened. */
export const closeTargets = async (): Promise<void> => {
  await Promise.all([...open].map((target) => target.close()))
  open.clear()
}

const listening = async (server: Server, scheme: string, address: string, heads: string[]): Promise<Target> => {
  const sockets = new Set<Socket>()
  let accepted = 0
  server.on('connection', (socket: Socket) => {
    accepted += 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, address, resolve)
  })
  // `as`: a server that listens on an address has one.
  const { port } = server.address() as AddressInfo
  const host = `${address.includes(':') ? `[${address}]` : address}:${port}`
  const allGone = async () => {
    for (let turns = 0; sockets.size > 0 && turns < 10_000; turns++) await turn()
    expect(sockets.size).toBe(0)
  }
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy()
      server.close(() => resolve())
    })
  const target = { port, host, url: `${scheme}://${host}/`, heads, accepted: () => accepted, allGone, close }
  open.add(target)
  return target
}

type OnHead = (socket: Socket, head: string) => void

const onHeads = (socket: Socket, heads: string[], onHead: OnHead) => {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    const had = text.includes('\r\n\r\n')
    text += chunk.toString('latin1')
    if (had || !text.includes('\r\n\r\n')) return
    heads.push(text)
    onHead(socket, text)
  })
}

/** Answers with bytes, whatever they are: the text is sent as it stands. */
export const rawTarget = (answer: string | Buffer | OnHead, address = '127.0.0.1'): Promise<Target> => {
  const heads: string[] = []
  const onHead: OnHead = typeof answer === 'function' ? answer : (socket) => socket.end(answer)
  return listening(
    createServer({ allowHalfOpen: false }, (socket) => onHeads(socket, heads, onHead)),
    'http',
    address,
    heads,
  )
}

/** Sees each connection, and reads whatever comes so as to notice its end. */
export const tcpTarget = (onConnection: (socket: Socket) => void): Promise<Target> => {
  const server = createServer({}, (socket) => {
    onConnection(socket)
    socket.resume()
  })
  return listening(server, 'http', '127.0.0.1', [])
}

export const httpTarget = (listener: RequestListener, address = '127.0.0.1'): Promise<Target> => {
  const heads: string[] = []
  const server = createHttpServer((request, response) => {
    heads.push([`${request.method} ${request.url}`, ...headerLines(request.rawHeaders)].join('\n'))
    listener(request, response)
  })
  return listening(server, 'http', address, heads)
}

const headerLines = (raw: readonly string[]): string[] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [`${name.toLowerCase()}: ${raw[index + 1]}`] : []))

export const ok = (body = 'fine', more = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`

export const tlsTarget = (options: TlsOptions, answer = ok()): Promise<Target> => {
  const heads: string[] = []
  const server = createTlsServer(options, (socket) => {
    socket.on('error', () => undefined)
    onHeads(socket, heads, (secured) => secured.end(answer))
  })
  server.on('tlsClientError', () => undefined)
  return listening(server, 'https', '127.0.0.1', heads)
}

export const nowMs = Date.now()

export const world = (changes: Partial<ProbeWorld> = {}): ProbeWorld => ({
  nowMs: () => nowMs,
  secret: (reference) => {
    throw new Error(`no ${reference}`)
  },
  allowTargets: ['loopback', 'private'],
  signal: new AbortController().signal,
  ...changes,
})

/** A monitor as the config has it, through its schema, run once. */
export const look = (
  url: string,
  monitor: Record<string, unknown> = {},
  changes: Partial<ProbeWorld> = {},
): Promise<Sighting> =>
  httpProbe.run(
    httpProbe.schema.parse({ kind: 'http', service: 'shop', url, timeoutSeconds: 5, ...monitor }),
    world(changes),
  )

/** What most tests ask: `fail processing response-invalid`. */
export const saw = ({ verdict, cause }: Sighting): string =>
  cause ? `${verdict} ${cause.phase} ${cause.code}` : verdict
