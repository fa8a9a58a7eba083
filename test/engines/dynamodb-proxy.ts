import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What goes wrong with one request. `reached`: the engine did it all the same, and then `meanwhile` happened. */
export type Fault =
  | { kind: 'refuse'; status: number; type: string; more?: object; reached?: boolean }
  | { kind: 'drop' | 'hang' | 'cut'; reached: boolean; meanwhile?: () => Promise<unknown> }
  /** DynamoDB itself tries an inner failure again, and answers as the second time. */
  | { kind: 'twice' }
  | { kind: 'rewrite'; request?: (asked: Json) => Json; answer?: (answered: Json, asked: Json) => Json }

export type Json = Record<string, unknown>
type Seen = { operation: string; asked: Json }
type Answer = { status: number; headers: Headers; bytes: Buffer }

export type FaultyProxy = {
  endpoint: string
  /** The faults of the next requests of this operation, one each; those after pass. */
  next: (operation: string, ...faults: Fault[]) => void
  /** The fault of every request of this operation that no `next` is for. */
  always: (operation: string, fault: Fault) => void
  /** What was asked since the last call. */
  seen: () => Seen[]
  /** Forgets all faults. */
  clear: () => void
  stop: () => Promise<void>
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

// `as`: every request and answer of this protocol is a JSON object.
const parse = (bytes: Buffer): Json => JSON.parse(bytes.toString()) as Json

const forward = async (engine: string, request: IncomingMessage, body: Buffer | string): Promise<Answer> => {
  const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers
  const answer = await fetch(engine, {
    method: 'POST',
    headers: Object(headers),
    body: new Uint8Array(Buffer.from(body)),
  })
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}

const respond = (response: ServerResponse, status: number, bytes: Buffer | string): void => {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(bytes),
  })
  response.end(bytes)
}

const refuse = (response: ServerResponse, { status, type, more }: Extract<Fault, { kind: 'refuse' }>): void =>
  respond(
    response,
    status,
    JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: `made up: ${type}`, ...more }),
  )

type Exchange = { engine: string; request: IncomingMessage; response: ServerResponse; body: Buffer }

const breakOff = async (exchange: Exchange, fault: Extract<Fault, { reached: boolean }>): Promise<void> => {
  const { engine, request, response, body } = exchange
  const answer = fault.reached ? await forward(engine, request, body) : undefined
  await fault.meanwhile?.()
  if (fault.kind === 'drop') request.socket.destroy()
  if (fault.kind !== 'cut') return
  const bytes = answer?.bytes ?? Buffer.from('{}')
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': bytes.length + 100 })
  response.write(bytes.subarray(0, 1))
}

const serve = async (exchange: Exchange, fault: Fault | undefined): Promise<void> => {
  const { engine, request, response, body } = exchange
  if (fault?.kind === 'refuse') {
    if (fault.reached) await forward(engine, request, body)
    return refuse(response, fault)
  }
  if (fault && 'reached' in fault) return breakOff(exchange, fault)
  if (fault?.kind === 'twice') await forward(engine, request, body)
  const rewrite = fault?.kind === 'rewrite' ? fault : undefined
  const asked = parse(body)
  const passed = rewrite?.request ? JSON.stringify(rewrite.request(asked)) : body
  const answer = await forward(engine, request, passed)
  const told = rewrite?.answer ? JSON.stringify(rewrite.answer(parse(answer.bytes), asked)) : answer.bytes
  respond(response, answer.status, told)
}

/** A loopback proxy before a DynamoDB engine, which passes everything on except for what is planned to go wrong. */
export const startProxy = async (engine: string): Promise<FaultyProxy> => {
  const planned = new Map<string, Fault[]>()
  const lasting = new Map<string, Fault>()
  let seen: Seen[] = []
  const server = createServer(async (request, response) => {
    try {
      const body = await bodyOf(request)
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
      seen.push({ operation, asked: parse(body) })
      const fault = planned.get(operation)?.shift() ?? lasting.get(operation)
      await serve({ engine, request, response, body }, fault)
    } catch {
      request.socket.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // `as`: a server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    next: (operation, ...faults) => {
      planned.set(operation, [...(planned.get(operation) ?? []), ...faults])
    },
    always: (operation, fault) => {
      lasting.set(operation, fault)
    },
    seen: () => {
      const before = seen
      seen = []
      return before
    },
    clear: () => {
      planned.clear()
      lasting.clear()
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
