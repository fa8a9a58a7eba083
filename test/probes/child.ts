// A process of its own: only there is nothing but the probe to keep it alive, and nobody else to catch what it loses.
import { createServer } from 'node:net'
import { httpProbe } from '../../probes/kinds/http.ts'

const lost: string[] = []
process.on('uncaughtException', (error) => lost.push(`uncaughtException ${error.message}`))
process.on('unhandledRejection', (reason) => lost.push(`unhandledRejection ${String(reason)}`))

const answers = [
  'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 garbage\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 20\r\ncontent-encoding: gzip\r\n\r\nno',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nframes',
  'garbage',
  '',
]

const signal = new AbortController().signal
const world = { nowMs: Date.now, secret: String, allowTargets: ['loopback' as const], signal }
const look = (answer: string) =>
  new Promise<string>((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end(answer))
    })
    server.listen(0, '127.0.0.1', async () => {
      const address = server.address()
      const port = typeof address === 'object' ? address?.port : 0
      const url = `http://127.0.0.1:${port}/`
      const spec = httpProbe.schema.parse({ kind: 'http', service: 'shop', url, timeoutSeconds: 60 })
      const { verdict } = await httpProbe.run(spec, world)
      server.close(() => resolve(verdict))
    })
  })

const verdicts: string[] = []
for (const answer of answers) verdicts.push(await look(answer))
process.on('exit', () => process.stdout.write(JSON.stringify({ verdicts, lost })))
