import { createServer } from 'node:http'
import { createServer as createSilent } from 'node:net'
import { expect, test } from '@jest/globals'
import { hubProbes } from '../../../cli/hub/probes.ts'
import { normalise } from '../../../config/normalise.ts'
import { configSchema } from '../../../config/schema.ts'
import type { Observation } from '../../../functions/contract.ts'
import { secondOpinionRowId } from '../../../functions/row-ids.ts'

const shop = async () => {
  const server = createServer((_, response) => response.writeHead(500).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { server, port: typeof address === 'object' && address ? address.port : 0 }
}

const configFor = (port: number) =>
  normalise(
    configSchema.parse({
      services: { shop: {} },
      monitors: { front: { kind: 'http', service: 'shop', url: `http://127.0.0.1:${port}/` } },
      channels: { screen: { kind: 'console' } },
      routes: [{ channels: ['screen'] }],
      locations: ['here', 'there'],
      allowTargets: ['loopback'],
    }),
  )

test('a second opinion is looked for from the location that was asked, unless the process stops', async () => {
  const { server, port } = await shop()
  const sent: Observation[] = []
  const stopping = new AbortController()
  const { secondOpinion } = hubProbes({
    config: configFor(port),
    nowMs: () => Date.now(),
    secret: () => '',
    send: async (observation) => {
      sent.push(observation)
    },
    stopped: stopping.signal,
    failed: () => undefined,
  })
  const asked = { shard: '0/1', monitorId: 'front', location: 'there', askedAtMs: Date.now() }
  await secondOpinion(secondOpinionRowId(asked))
  await secondOpinion(secondOpinionRowId({ ...asked, location: 'elsewhere' }))
  const scheduledAtMs = asked.askedAtMs
  expect(sent).toMatchObject(
    [secondOpinionRowId(asked), 'recheck', 'recheck-2'].map((look) => ({
      outcomes: [{ location: 'there', verdict: 'fail', look, scheduledAtMs }],
    })),
  )
  stopping.abort()
  await secondOpinion(secondOpinionRowId(asked))
  expect(sent).toHaveLength(3)
  server.close()
})

test('a target that hangs for longer than a period holds up no other monitor', async () => {
  const twice = Promise.withResolvers<void>()
  let hits = 0
  const quick = createServer((_, response) => {
    if (++hits === 2) twice.resolve()
    response.end('fine')
  })
  const silent = createSilent((socket) => socket.on('error', () => undefined))
  const ports = await Promise.all(
    [quick, silent].map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      return typeof address === 'object' && address ? address.port : 0
    }),
  )
  const monitor = (port = 0) => ({
    kind: 'http',
    service: 'shop',
    url: `http://127.0.0.1:${port}/`,
    periodSeconds: 1,
    timeoutSeconds: 1,
  })
  const sent: Observation[] = []
  const stopping = new AbortController()
  const probes = hubProbes({
    config: normalise(
      configSchema.parse({
        services: { shop: {} },
        monitors: { quick: monitor(ports[0]), hangs: monitor(ports[1]) },
        channels: { screen: { kind: 'console' } },
        routes: [{ channels: ['screen'] }],
        allowTargets: ['loopback'],
      }),
    ),
    nowMs: () => Date.now(),
    secret: () => '',
    send: async (observation) => {
      sent.push(observation)
    },
    stopped: stopping.signal,
    failed: () => undefined,
  })
  const tickers = probes.start()
  await twice.promise
  const looks = sent.flatMap((one) => (one.kind === 'outcomes' ? one.outcomes.map(({ look }) => look) : []))
  expect(looks).not.toContain('recheck')
  stopping.abort()
  await Promise.all(tickers.map(({ stop }) => stop()))
  quick.close()
  silent.close()
})
