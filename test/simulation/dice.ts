import { seededRandom } from '../../examples/emojivoto/random-names.ts'

/** All chance of one seed, in the order it is asked for. */
export type Dice = {
  /** In [0, 1). */
  random: () => number
  oneIn: (n: number) => boolean
  /** A whole number from `from` up to, not including, `to`. */
  between: (from: number, to: number) => number
  pick: <T>(all: readonly [T, ...T[]]) => T
  /** So many of them, each once, in their order. */
  some: <T>(all: readonly T[], count: number) => T[]
}

export const diceOf = (seed: number): Dice => {
  const random = seededRandom(seed)
  const between = (from: number, to: number) => Math.floor(from + random() * (to - from))
  return {
    random,
    oneIn: (n) => random() * n < 1,
    between,
    pick: (all) => all[between(0, all.length)] ?? all[0],
    some: (all, count) => {
      let wanted = Math.min(count, all.length)
      return all.filter((_, index) => {
        const taken = random() * (all.length - index) < wanted
        if (taken) wanted--
        return taken
      })
    },
  }
}
