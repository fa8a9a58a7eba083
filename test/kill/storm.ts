import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** From when to when a service's endpoints failed, by the clock that `serve` has too. */
export type Fault = { service: string; fromMs: number; toMs: number }

export type StormOptions = {
  services: readonly string[]
  endpoints: number
  random: () => number
  /** How many of a service's alerts fire by what has been committed: from then on their pages, and their ends, are promised. */
  firing: (service: string) => Promise<number>
}

/** A fault or a calm lasts so long, and then until somebody has counted it. */
const lastsMs = { from: 4000, to: 10_000 }
const patienceMs = 180_000

/** Endpoints on loopback, `/<service>/<endpoint>`; those of a service fail and recover together. */
const startEndpoints = async () => {
  const failing = new Set<string>()
  const server = createServer((request, response) => {
    const [, service = ''] = (request.url ?? '').split('/')
    response.writeHead(failing.has(service) ? 503 : 200, { connection: 'close' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server has one
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${port}`, failing, close }
}

/** Every service fails and recovers again and again, each at times of its own. */
export const startStorm = async ({ services, endpoints, random, firing }: StormOptions) => {
  const { url, failing, close } = await startEndpoints()
  const faults: Fault[] = []
  let on = true
  const last = async (service: string, failed: boolean) => {
    const sinceMs = Date.now()
    await sleep(lastsMs.from + random() * (lastsMs.to - lastsMs.from))
    const wanted = failed ? endpoints : 0
    while ((await firing(service)) !== wanted && Date.now() < sinceMs + patienceMs) await sleep(100)
    return sinceMs
  }
  const rage = async (service: string) => {
    await sleep(random() * lastsMs.to)
    while (on) {
      failing.add(service)
      const fromMs = await last(service, true)
      failing.delete(service)
      faults.push({ service, fromMs, toMs: Date.now() })
      await last(service, false)
    }
  }
  const raging = services.map(rage)
  return {
    url,
    faults,
    /** No new fault begins; resolves when the last one has ended and everybody has seen it. */
    calmDown: async () => {
      on = false
      await Promise.all(raging)
    },
    close,
  }
}
