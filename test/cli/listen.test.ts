import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from '@jest/globals'
import { listen } from '../../cli/listen.ts'

test.concurrent.each([
  { given: 'nothing open', sent: undefined },
  { given: 'a connection that sent nothing', sent: '' },
  { given: 'half a request', sent: 'GET / HTTP/1.1\r\nHost: x\r\n' },
  { given: 'a request whose answer never comes', sent: 'GET /never HTTP/1.1\r\nHost: x\r\n\r\n' },
])('closing ends with $given', async ({ sent }) => {
  const asked = Promise.withResolvers<void>()
  const server = await listen({ host: '127.0.0.1', port: 0 }, () => {
    asked.resolve()
    return Promise.withResolvers<Response>().promise
  })
  const socket = sent === undefined ? undefined : connect(Number(new URL(server.url).port), '127.0.0.1')
  if (socket) {
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(sent ?? '')
    if (sent?.includes('/never')) await asked.promise
  }
  await server.close()
  socket?.destroy()
  expect(await fetch(server.url).catch((error: Error) => error.message)).toBe('fetch failed')
})

test('what is being answered when closing begins is answered', async () => {
  const begun = Promise.withResolvers<void>()
  const server = await listen({ host: '127.0.0.1', port: 0 }, async () => {
    begun.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    return new Response('whole')
  })
  const answer = fetch(server.url).then((response) => response.text())
  await begun.promise
  await server.close()
  expect(await answer).toBe('whole')
})
