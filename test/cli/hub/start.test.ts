import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { startHub } from '../../../cli/hub/start.ts'
import { normalise } from '../../../config/normalise.ts'
import { configSchema } from '../../../config/schema.ts'
import { memoryBlobs, memoryStore } from '../../../stores/memory.ts'
import { change } from '../../functions/builders.ts'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A hub on a clock of its own that looks at a server once a minute. */
const hubOver = async (server: Server, nowMs: () => number = () => Date.now()) => {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
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
  const store = memoryStore({ nowMs })
  const hub = startHub({
    config,
    store,
    blobs: memoryBlobs(),
    nowMs,
    random: () => 0,
    secret: () => '',
    print: async () => undefined,
    warn: (text) => warnings.push(text),
    baseUrl: undefined,
    holder: 'test',
  })
  return { hub, store, warnings }
}

test('a target that never answers does not hold up Ctrl-C', async () => {
  const asked = Promise.withResolvers<void>()
  const silent = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => asked.resolve())
  })
  const { hub, warnings } = await hubOver(silent)
  await asked.promise
  const startedMs = Date.now()
  await hub.stop()
  expect(Date.now() - startedMs).toBeLessThan(2500)
  expect(warnings).toEqual([])
}, 20_000)

test('who wakes after an hour looks at once, and calls nobody for the silence of that hour', async () => {
  let sleptMs = 0
  const looks = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let answered = 0
  const target = createHttpServer((_, response) => response.end('ok', () => looks[answered++]?.resolve()))
  const { hub, store, warnings } = await hubOver(target, () => Date.now() + sleptMs)
  await looks[0]?.promise
  const counted = async () => (await store.read(['shard/0/1/at/local'])).size > 0
  while (!(await counted())) await new Promise(setImmediate)
  sleptMs = 3_600_000
  await looks[1]?.promise
  await hub.stop()
  const incidents = await store.list('incident/', { limit: 10 })
  expect([answered, [...incidents.keys()], warnings]).toEqual([2, [], []])
}, 20_000)

test('an end that was due while the hub was off is put off, since nobody could repeat the alert to it', async () => {
  const { hub, store } = await hubOver(createHttpServer((_, response) => response.end('ok')))
  const offAtMs = Date.now() - 3_600_000
  const changes = [change({ from: 'firing', to: 'inactive', reason: 'not-repeated', atMs: offAtMs })]
  const [id, body] = ['received-end:1', { kind: 'alert-changes' as const, changes }]
  await store.commit([], [{ id, expect: 0, row: { id, to: 'correlate', dueAtMs: offAtMs, nudges: 0, body } }])
  const dueAtMs = async () => (await store.row(id))?.row.dueAtMs
  while ((await dueAtMs()) === offAtMs) await new Promise(setImmediate)
  await hub.stop()
  expect(await dueAtMs()).toBeGreaterThan(Date.now() + 4 * 60_000)
}, 20_000)
