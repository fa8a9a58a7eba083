import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import * as z from 'zod'

const consumed = z.looseObject({ CapacityUnits: z.number().default(0) })
const answer = z.looseObject({ ConsumedCapacity: z.union([consumed, z.array(consumed)]).optional() })

const bodyOf = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** Bytes of an item as DynamoDB counts them: names and values. */
const itemBytes = (item: unknown): number =>
  Object.entries(z.record(z.string(), z.record(z.string(), z.unknown())).parse(item)).reduce((sum, [name, value]) => {
    const [[kind = '', held] = []] = Object.entries(value)
    const text = typeof held === 'string' ? held : JSON.stringify(held)
    return sum + Buffer.byteLength(name) + (kind === 'B' ? Buffer.from(text, 'base64').length : Buffer.byteLength(text))
  }, 0)

const itemsIn = (value: unknown): unknown[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => (name === 'Item' ? [inner] : itemsIn(inner)))
}

export type Meter = {
  url: string
  writeUnits: () => number
  readUnits: () => number
  largestItem: () => { bytes: number; key: string }
  close: () => Promise<void>
}

/** Stands in front of a DynamoDB engine, asks it what every request consumed, and adds it up. */
export const startMeter = async (engineUrl: string): Promise<Meter> => {
  const { hostname, port } = new URL(engineUrl)
  let [writes, reads] = [0, 0]
  let largest = { bytes: 0, key: '' }
  const count = (operation: string, text: string) => {
    const parsed = answer.safeParse(JSON.parse(text || '{}'))
    const units = [parsed.data?.ConsumedCapacity ?? []]
      .flat()
      .reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0)
    if (/Put|Update|Delete|Write/.test(operation)) writes += units
    else reads += units
  }
  const server = createServer(async (incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target'] ?? '').replace(/^.*\./, '')
    const asked: unknown = JSON.parse((await bodyOf(incoming)).toString() || '{}')
    for (const item of itemsIn(asked)) {
      const bytes = itemBytes(item)
      if (bytes > largest.bytes)
        largest = { bytes, key: JSON.stringify(z.looseObject({ sk: z.unknown() }).parse(item).sk) }
    }
    const metered = /Item|Query|Scan/.test(operation) ? { ...Object(asked), ReturnConsumedCapacity: 'TOTAL' } : asked
    const body = JSON.stringify(metered)
    const headers = {
      ...incoming.headers,
      'content-length': String(Buffer.byteLength(body)),
      host: `${hostname}:${port}`,
    }
    const forwarded = request({ hostname, port, method: 'POST', path: '/', headers }, async (response) => {
      const text = (await bodyOf(response)).toString()
      if (response.statusCode === 200) count(operation, text)
      // The engine's checksum is of an answer that nothing was added to.
      const { 'x-amz-crc32': _, ...kept } = response.headers
      outgoing.writeHead(response.statusCode ?? 500, { ...kept, 'content-length': String(Buffer.byteLength(text)) })
      outgoing.end(text)
    })
    forwarded.on('error', () => outgoing.destroy())
    forwarded.end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    writeUnits: () => writes,
    readUnits: () => reads,
    largestItem: () => largest,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
