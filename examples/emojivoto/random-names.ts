import { createHash } from 'node:crypto'
import type { Item, Names, WorkloadNames } from './names.ts'

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Hexadecimal digits that are the same for the same text. */
export const digest = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, length)

// Without h, j, m, t, v and w no default word can appear by chance.
const consonants = 'bdfgklnprsz'
const vowels = 'aeiou'

const wordMaker = (random: () => number): (() => string) => {
  const used = new Set<string>()
  const pick = (letters: string): string => letters.charAt(Math.floor(random() * letters.length))
  return () => {
    for (;;) {
      const word = Array.from({ length: 3 }, () => pick(consonants) + pick(vowels)).join('')
      if (!used.has(word)) {
        used.add(word)
        return word
      }
    }
  }
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

const workloads = (word: () => string): Names['workloads'] => {
  const registry = `${word()}.example/${word()}`
  const called = (): WorkloadNames => ({
    deployment: word(),
    service: word(),
    container: word(),
    image: `${registry}/${word()}`,
  })
  return {
    web: called(),
    voting: called(),
    emoji: called(),
    bot: { deployment: `${word()}-${word()}`, container: word(), image: `${registry}/${word()}` },
  }
}

// The shapes stay (a failure says `error`, a crash says `panic`): a detective may know English, not the town.
const texts = (word: () => string, broken: string): Names['texts'] => ({
  servingError: `Error ${word()} ${word()}`,
  rpcFailure: word().toUpperCase(),
  itemError: `${word()} an error for ${broken}`,
  probability: `${word()} [{chance}] is below ${word()} [{rate}]`,
  voted: `${capital(word())} [{item}], ${word()} is [{total}]`,
  panic: `panic: open /etc/${word()}/${word()}.json: no such file or directory`,
  unknownItem: `${word()} [{item}] is unknown`,
  missingItem: `${word()} is needed`,
  startMetrics: `Starting ${word()} on [8801]`,
  startServer: `Starting ${word()} on [8080]`,
  startVoting: `Using ${word()} [0.000000]`,
  startWeb: `Starting ${word()} on [8080]`,
})

/** Names nobody has ever seen, the same for the same seed. */
export const randomNames = (seed: number): Names => {
  const word = wordMaker(seededRandom(seed))
  const item = (): Item => ({ shortcode: `:${word()}:`, unicode: capital(word()) })
  const broken = item()
  return {
    title: `${capital(word())} ${capital(word())}`,
    namespace: word(),
    metricPrefix: word(),
    workloads: workloads(word),
    rpc: {
      package: `${word()}.v1`,
      votingService: capital(word()),
      emojiService: capital(word()),
      votePrefix: capital(word()),
      results: capital(word()),
      listAll: capital(word()),
      find: capital(word()),
    },
    items: [broken, ...Array.from({ length: 11 }, item)],
    fields: { item: word(), shortcode: word(), unicode: word(), votes: word() },
    paths: { list: `/${word()}/${word()}`, vote: `/${word()}/${word()}`, leaderboard: `/${word()}`, choice: word() },
    tags: { good: `${word()}-1`, bad: `${word()}-2` },
    texts: texts(word, broken.shortcode.replaceAll(':', '')),
    config: {
      cluster: word(),
      monitors: { homepage: word(), list: word(), vote: word(), https: word() },
      teams: { web: word(), voting: word(), platform: word() },
    },
    noise: { namespace: word(), workload: word(), cronJob: word() },
  }
}
