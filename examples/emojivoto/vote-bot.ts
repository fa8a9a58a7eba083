import { Agent, request } from 'node:http'
import { seededRandom } from './random-names.ts'
import { webRoute } from './web.ts'
import type { World } from './world.ts'

export type VoteBot = {
  /** No new requests; resolves when those under way have ended. */
  pause: () => Promise<void>
  resume: () => void
  /** Requests it has made since it began. */
  sent: () => number
  close: () => Promise<void>
}

const limitUnderWay = 20
const deadlineMs = 5_000
/** The share of votes that go to the first emoji of the list. */
const favouriteShare = 0.15
/** Every so many requests it reads the list instead of voting. */
const listEvery = 10

const hex = (random: () => number, length: number): string =>
  Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('')

/** Votes as real users would, over real HTTP; which votes and in which order is decided by the seed. */
export const voteBot = (
  world: World,
  { webPort, requestsPerSecond, seed }: { webPort: () => number; requestsPerSecond: number; seed: number },
): VoteBot => {
  const { names } = world
  const random = seededRandom(seed)
  const agent = new Agent({ keepAlive: true, maxSockets: limitUnderWay })
  const underWay = new Set<Promise<void>>()
  let sent = 0
  let timer: NodeJS.Timeout | undefined

  const nextPath = (): string => {
    if (sent % listEvery === 0) return names.paths.list
    const [favourite, ...others] = names.items
    const other = others[Math.floor(random() * others.length)] ?? favourite
    const { shortcode } = random() < favouriteShare ? favourite : other
    return `${names.paths.vote}?${names.paths.choice}=${shortcode}`
  }
  const get = (path: string): Promise<number> =>
    new Promise((resolve) => {
      const headers = {
        'User-Agent': 'Go-http-client/1.1',
        'X-B3-Sampled': '1',
        'X-B3-Spanid': hex(random, 16),
        'X-B3-Traceid': hex(random, 32),
        'Accept-Encoding': 'gzip',
        'l5d-client-id': world.mesh.identity('bot'),
      }
      const signal = AbortSignal.timeout(deadlineMs)
      const asked = request({ agent, host: '127.0.0.1', port: webPort(), path, headers, signal }, (response) => {
        response.on('error', () => resolve(502))
        response.on('end', () => resolve(response.statusCode ?? 502))
        response.resume()
      })
      // What Linkerd answers for a program that cannot be reached.
      asked.on('error', () => resolve(502))
      asked.end()
    })
  const visit = async (): Promise<void> => {
    const path = nextPath()
    sent += 1
    const route = webRoute(names, path.split('?')[0] ?? '')
    const startedAtMs = performance.now()
    const count = world.mesh.outbound({ from: 'bot', to: 'web', ...(route === undefined ? {} : { route }) })
    const statusCode = await get(path)
    count({ statusCode, latencyMs: performance.now() - startedAtMs })
  }
  const tick = (): void => {
    if (underWay.size >= limitUnderWay) return
    const visiting = visit().finally(() => underWay.delete(visiting))
    underWay.add(visiting)
  }
  const resume = (): void => {
    if (timer === undefined && requestsPerSecond > 0) timer = setInterval(tick, 1000 / requestsPerSecond)
  }
  const pause = async (): Promise<void> => {
    clearInterval(timer)
    timer = undefined
    await Promise.all(underWay)
  }
  resume()
  return {
    pause,
    resume,
    sent: () => sent,
    close: async () => {
      await pause()
      agent.destroy()
    },
  }
}
