import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** From when to when a service's endpoints failed, by the clock that `serve` has too. */
export type Fault = { service: string; fromMs: number; toMs: number }

/** So long a fault or a calm lasts: some of the killed processes must live long enough to see it. */
const lastsMs = { from: 8000, to: 14_000 }

/** Endpoints of several services on loopback, `/<service>/<endpoint>`; those of a service fail and recover together. */
export const startStorm = async (services: readonly string[], random: () => number) => {
  const failing = new Set<string>()
  const faults: Fault[] = []
  const server = createServer((request, response) => {
    const [, service = ''] = (request.url ?? '').split('/')
    response.writeHead(failing.has(service) ? 503 : 200, { connection: 'close' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server has one
  const ending = new AbortController()
  const lasts = () => lastsMs.from + random() * (lastsMs.to - lastsMs.from)
  const rage = async (service: string) => {
    await sleep(random() * lastsMs.to, undefined, { signal: ending.signal }).catch(() => undefined)
    while (!ending.signal.aborted) {
      failing.add(service)
      const fromMs = Date.now()
      // A fault lasts its time even when the storm is over, so that somebody can have seen it.
      await sleep(lasts())
      failing.delete(service)
      faults.push({ service, fromMs, toMs: Date.now() })
      await sleep(lasts(), undefined, { signal: ending.signal }).catch(() => undefined)
    }
  }
  const raging = services.map(rage)
  return {
    url: `http://127.0.0.1:${port}`,
    faults,
    /** No new fault begins; resolves when the last one has ended. */
    calmDown: async () => {
      ending.abort()
      await Promise.all(raging)
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
