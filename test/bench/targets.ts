// Run in a process of its own, so that answering costs whoever measures nothing. Path `/after/<ms>` answers that late,
// `/never` not at all.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  const [, ms = '0'] = /^\/after\/(\d+)/.exec(request.url ?? '') ?? []
  const answer = () => response.writeHead(200, { connection: 'close', 'content-type': 'text/plain' }).end('fine\n')
  if (request.url?.startsWith('/never')) return
  if (ms === '0') answer()
  else setTimeout(answer, Number(ms))
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address()
  process.send?.(typeof address === 'object' && address ? address.port : 0)
})
process.on('disconnect', () => process.exit())
