import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** From when to when a service's endpoints failed, by the clock that `serve` has too. */
export type Fault = { service: string; fromMs: number; toMs: number }

export type StormOptions = {
  services: readonly string[]
  endpoints: number
  periodMs: number
  /** Failing answers in a row before an alert; passing ones before its end. */
  thresholds: { failing: number; passing: number }
  random: () => number
  /** When the last process was killed: only what the next one was answered is sure to be counted. */
  killedAtMs: () => number
}

type Answer = { atMs: number; failed: boolean }

/** A fault or a calm lasts so long, and then until it is sure that somebody has counted it. */
const lastsMs = { from: 4000, to: 10_000 }
/** A look is written so long after its answer, however busy the machine is. */
const surelyCountedMs = 1000
const patienceMs = 180_000

/**
 * Has the process that runs now been answered so by every endpoint, often enough and a while ago? Only answers of later
 * slots than the one that was running at `sinceMs` count: a look of that slot may be a repeat of one from before.
 */
const isCounted = (
  answers: readonly (readonly Answer[])[],
  { failed, sinceMs }: { failed: boolean; sinceMs: number },
  { periodMs, thresholds, killedAtMs }: StormOptions,
): boolean => {
  const freshMs = Math.max((Math.floor(sinceMs / periodMs) + 2) * periodMs, killedAtMs())
  const needed = failed ? thresholds.failing : thresholds.passing
  return answers.every((own) => {
    const decisive = own.filter((one) => one.failed === failed && one.atMs >= freshMs)[needed - 1]
    return decisive !== undefined && decisive.atMs <= Date.now() - surelyCountedMs
  })
}

/** Endpoints on loopback, `/<service>/<endpoint>`; those of a service fail and recover together. */
const startEndpoints = async ({ services, endpoints }: StormOptions) => {
  const failing = new Set<string>()
  const answers = new Map(services.map((id) => [id, Array.from({ length: endpoints }, (): Answer[] => [])]))
  const server = createServer((request, response) => {
    const [, service = '', index = ''] = (request.url ?? '').split('/')
    const failed = failing.has(service)
    answers.get(service)?.[Number(index)]?.push({ atMs: Date.now(), failed })
    response.writeHead(failed ? 503 : 200, { connection: 'close' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server has one
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${port}`, failing, answers, close }
}

/** Every service fails and recovers again and again, each at times of its own. */
export const startStorm = async (options: StormOptions) => {
  const { services, random } = options
  const { url, failing, answers, close } = await startEndpoints(options)
  const faults: Fault[] = []
  let on = true
  const last = async (service: string, failed: boolean) => {
    const sinceMs = Date.now()
    await sleep(lastsMs.from + random() * (lastsMs.to - lastsMs.from))
    const own = answers.get(service) ?? []
    const isOver = () => isCounted(own, { failed, sinceMs }, options)
    while (!isOver() && Date.now() < sinceMs + patienceMs) await sleep(20)
    for (const endpoint of own) endpoint.length = 0
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
