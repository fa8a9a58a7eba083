import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ChannelWorld } from '../../channels/contract.ts'
import { MissingSecretError } from '../../config/contract.ts'

export type Received = { method: string; path: string; headers: IncomingHttpHeaders; body: string }
export type Reply =
  | { status: number; headers?: Record<string, string>; body?: string }
  | 'hang'
  | 'break'
  | 'hang-in-body'

export type Provider = { url: string; received: Received[]; close: () => Promise<void> }

/** A provider on loopback; `reply` decides, attempt by attempt, counted from 0. */
export const provider = async (reply: (request: Received, attempt: number) => Reply): Promise<Provider> => {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      const one = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') }
      received.push(one)
      const answer = reply(one, received.length - 1)
      if (answer === 'hang') return
      if (answer === 'break') return request.socket.destroy()
      if (answer === 'hang-in-body') return response.writeHead(500, { 'content-length': '100' }).write('half a')
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is an object, never a pipe's name.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const signingKey = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
export const otherKey = `whsec_${Buffer.alloc(64, 7).toString('base64')}`
export const token = 'tok-"3f9a\\c1e2b7"'

export const secrets: Readonly<Record<string, string>> = {
  'secret:HOOK': signingKey,
  'secret:NEXT': otherKey,
  'secret:TOKEN': token,
}

/** A world with a clock that stands still and the secrets above. */
export const world = (changes: Partial<ChannelWorld> = {}): ChannelWorld => ({
  nowMs: () => Date.UTC(2026, 10, 23, 3, 13, 5),
  secret: (reference) => {
    const value = secrets[reference]
    if (value === undefined) throw new MissingSecretError(`no ${reference}`)
    return value
  },
  signal: new AbortController().signal,
  print: async () => undefined,
  ...changes,
})
