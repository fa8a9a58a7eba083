import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SourceWorld } from '../../sources/contract.ts'

export type Loopback = { url: string; port: number; requests: IncomingMessage[]; close: () => Promise<void> }

/** A real server on a free loopback port that remembers what it was asked. */
export const serve = async (answer: RequestListener): Promise<Loopback> => {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is an object; only pipes have a string.
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${port}`, port, requests, close }
}

/** Serves for as long as `use` runs. */
export const withServer = async <T>(answer: RequestListener, use: (loopback: Loopback) => Promise<T>): Promise<T> => {
  const loopback = await serve(answer)
  try {
    return await use(loopback)
  } finally {
    await loopback.close()
  }
}

export const nowMs = 1_795_406_393_000

export const world = (changes: Partial<SourceWorld> = {}): SourceWorld => ({
  nowMs: () => nowMs,
  secret: (reference) => {
    throw new Error(`no such secret ${reference}`)
  },
  signal: AbortSignal.timeout(10_000),
  ...changes,
})

/** Announces a body of `lengthBytes`, sends less and drops the connection. */
export const cutShort = (response: ServerResponse, body: string | Buffer, lengthBytes: number): void => {
  response.writeHead(200, {
    ...Object.fromEntries(Object.entries(response.getHeaders())),
    'content-length': lengthBytes,
  })
  response.write(body, () => response.socket?.destroy())
}
