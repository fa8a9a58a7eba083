import { lookup } from 'node:dns'
import pLimit from 'p-limit'
import { codeOf } from '../failure.ts'

export type Family = 'v4' | 'v6' | 'any'

/** One address of a name: no racing of families, no trying of the next one. */
export type Resolve = (host: string, family: Family) => Promise<string>

const families = { v4: 4, v6: 6, any: 0 } as const

const getaddrinfo: Resolve = (host, family) =>
  new Promise((resolve, reject) => {
    lookup(host, { family: families[family], all: false }, (error, address) =>
      error ? reject(error) : resolve(address),
    )
  })

/** Half of those of libuv's threads that look up names when it has 64, as `serve` and every Lambda function give it. */
const unansweredAtOnce = 16
/** Redirects may lead to any number of names. */
const unansweredKept = 1000

/** Also "there is no such name" is an answer: somebody was there to give it. */
const isAnswer = (error: unknown) => ['ENOTFOUND', 'ENODATA'].includes(codeOf(error))

/**
 * Shares look-ups that nobody can call off, each of which holds a thread until it ends. Who asks for a name that is being
 * looked up waits for the same answer, so a name holds one thread however often it is asked for. Names that had no
 * answer the last time wait for each other, at most `atOnce` being asked for: however many are dead, there are threads
 * left for those that are not.
 */
export const sharedResolve = (resolve: Resolve, atOnce: number): Resolve => {
  const pending = new Map<string, Promise<string>>()
  const unanswered = new Set<string>()
  const limited = pLimit(atOnce)
  const ended = (name: string, isAnswered: boolean) => {
    pending.delete(name)
    unanswered.delete(name)
    if (isAnswered) return
    unanswered.add(name)
    const [oldest] = unanswered
    if (oldest !== undefined && unanswered.size > unansweredKept) unanswered.delete(oldest)
  }
  return (host, family) => {
    const name = `${host} ${family}`
    const known = pending.get(name)
    if (known) return known
    const ask = () => resolve(host, family)
    const answer = unanswered.has(name) ? limited(ask) : ask()
    pending.set(name, answer)
    answer.then(
      () => ended(name, true),
      (error: unknown) => ended(name, isAnswer(error)),
    )
    return answer
  }
}

/** The first address the system's resolver gives (`getaddrinfo`, so that hosts files count). */
export const systemResolve = sharedResolve(getaddrinfo, unansweredAtOnce)
