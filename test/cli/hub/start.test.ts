import { createServer } from 'node:net'
import { expect, test } from '@jest/globals'
import { startHub } from '../../../cli/hub/start.ts'
import { normalise } from '../../../config/normalise.ts'
import { configSchema } from '../../../config/schema.ts'
import { memoryBlobs, memoryStore } from '../../../stores/memory.ts'

test('a target that never answers does not hold up Ctrl-C', async () => {
  const asked = Promise.withResolvers<void>()
  const silent = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => asked.resolve())
  })
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const config = normalise(
    configSchema.parse({
      monitors: {
        front: {
          kind: 'http',
          service: 'shop',
          url: `http://127.0.0.1:${port}/`,
          periodSeconds: 60,
          timeoutSeconds: 30,
        },
      },
      services: { shop: {} },
      channels: { screen: { kind: 'console' } },
      routes: [{ channels: ['screen'] }],
      allowTargets: ['private', 'loopback'],
    }),
  )
  const warnings: string[] = []
  const nowMs = () => Date.now()
  const hub = startHub({
    config,
    store: memoryStore({ nowMs }),
    blobs: memoryBlobs(),
    nowMs,
    random: () => 0,
    secret: () => '',
    print: async () => undefined,
    warn: (text) => warnings.push(text),
    baseUrl: undefined,
    holder: 'test',
  })
  await asked.promise
  const startedMs = Date.now()
  await hub.stop()
  expect(Date.now() - startedMs).toBeLessThan(2500)
  expect(warnings).toEqual([])
  silent.close()
}, 20_000)
