import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'

export type S3Fault =
  | { kind: 'refuse'; status: number; code: string }
  | { kind: 'drop' | 'hang'; reached: boolean }
  /** Half of the object, and then nothing. */
  | { kind: 'cut' }
  /** An object that says it is this large. */
  | { kind: 'claim'; bytes: number }

export type Held = { bytes: Buffer; headers: IncomingMessage['headers'] }

export type LoopbackS3 = {
  endpoint: string
  /** Objects by `bucket/key`. */
  objects: Map<string, Held>
  /** The faults of the next requests, one each. */
  next: (...faults: S3Fault[]) => void
  always: (fault: S3Fault | undefined) => void
  requests: () => number
  stop: () => Promise<void>
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const refuse = (response: ServerResponse, status: number, code: string): void => {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made up</Message></Error>`)
}

const give = (response: ServerResponse, held: Held | undefined, fault: S3Fault | undefined): void => {
  if (!held) {
    refuse(response, 404, 'NoSuchKey')
    return
  }
  const bytes = fault?.kind === 'claim' ? fault.bytes : held.bytes.byteLength
  response.writeHead(200, { 'content-length': bytes })
  if (fault?.kind === 'cut' || fault?.kind === 'claim') response.write(held.bytes.subarray(0, 1))
  else response.end(held.bytes)
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** ListObjectsV2: keys by their bytes, behind `start-after`. */
const listed = (objects: ReadonlyMap<string, Held>, bucket: string, query: URLSearchParams): string => {
  const [prefix, after] = [query.get('prefix') ?? '', query.get('start-after') ?? '']
  const keys = [...objects.keys()]
    .filter((name) => name.startsWith(`${bucket}/`))
    .map((name) => name.slice(bucket.length + 1))
    .filter((key) => key.startsWith(prefix) && key > after)
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, Number(query.get('max-keys') ?? 1000))
  const contents = keys.map((key) => `<Contents><Key>${escaped(key)}</Key></Contents>`).join('')
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>${contents}</ListBucketResult>`
}

/** DeleteObjects: a body of keys. */
const deleted = (objects: Map<string, Held>, bucket: string, body: Buffer): string => {
  for (const [, key = ''] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)) {
    objects.delete(`${bucket}/${key.replaceAll('&lt;', '<').replaceAll('&amp;', '&')}`)
  }
  return '<?xml version="1.0" encoding="UTF-8"?><DeleteResult></DeleteResult>'
}

/** Bytes by PUT and GET, lists and deletes, as S3 keeps them; and what a network and S3 may do instead. */
export const startLoopbackS3 = async (): Promise<LoopbackS3> => {
  const objects = new Map<string, Held>()
  const planned: S3Fault[] = []
  let lasting: S3Fault | undefined
  let requests = 0
  const server = createServer(async (request, response) => {
    requests++
    const fault = planned.shift() ?? lasting
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://s3')
    const name = decodeURIComponent(pathname).slice(1)
    const bucket = name.replace(/\/$/, '')
    const bytes = await bodyOf(request).catch(() => undefined)
    if (!bytes) return
    if (fault?.kind === 'refuse') return refuse(response, fault.status, fault.code)
    const broken = fault?.kind === 'drop' || fault?.kind === 'hang' ? fault : undefined
    if (request.method === 'PUT' && (!broken || broken.reached)) objects.set(name, { bytes, headers: request.headers })
    if (broken?.kind === 'drop') request.socket.destroy()
    if (broken) return
    if (request.method === 'PUT') response.end()
    else if (request.method === 'POST') response.end(deleted(objects, bucket, bytes))
    else if (searchParams.has('list-type')) response.end(listed(objects, bucket, searchParams))
    else give(response, objects.get(name), fault)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // `as`: a server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    objects,
    next: (...faults) => planned.push(...faults),
    always: (fault) => {
      lasting = fault
    },
    requests: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** A client that shows every attempt to its caller. */
export const s3Client = (endpoint: string): S3Client =>
  new S3Client({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
    maxAttempts: 1,
  })
