import type { DeliveryResult } from '../../channels/contract.ts'
import type { Store } from '../../stores/contract.ts'
import { StoreError } from '../../stores/contract.ts'

export type Chance = {
  random: () => number
  oneIn: (n: number) => boolean
  between: (from: number, to: number) => number
}

export const chance = (random: () => number): Chance => ({
  random,
  oneIn: (n) => random() * n < 1,
  between: (from, to) => Math.floor(from + random() * (to - from)),
})

/** One incarnation of a process: what it awaits when it dies never comes back. */
export type Process = { alive: boolean; die: () => void }

const never = () => new Promise<never>(() => undefined)

export type Faults = { on: () => boolean; chance: Chance; sleep: (ms: number) => Promise<void> }

/** A call of a process that may die before or after it took effect, and gets its answer only while it lives. */
export const mortal =
  (process: Process, faults: Faults) =>
  async <T>(call: () => Promise<T>): Promise<T> => {
    const { on, chance, sleep } = faults
    await sleep(chance.between(0, on() ? 40 : 3))
    if (process.alive && on() && chance.oneIn(400)) process.die()
    if (!process.alive) return never()
    const answer = await call()
    if (on() && chance.oneIn(400)) process.die()
    return process.alive ? answer : never()
  }

const locked = () => new StoreError('locked', 'locked by another process', { hint: 'wait' })

/** The real store behind a process that may die at every await, with conflicts, locks and lost answers. */
export const faultyStore = (store: Store, process: Process, faults: Faults): Store => {
  const { on, chance } = faults
  const call = mortal(process, faults)
  const orLocked = async <T>(work: () => Promise<T>): Promise<T> => {
    if (on() && chance.oneIn(60)) throw locked()
    return work()
  }
  return {
    read: (keys) => call(() => orLocked(() => store.read(keys))),
    row: (id) => call(() => orLocked(() => store.row(id))),
    due: (nowMs, limit) => call(() => orLocked(() => store.due(nowMs, limit))),
    list: (prefix, page) => call(() => store.list(prefix, page)),
    commit: (changes, rows) =>
      call(async () => {
        if (on() && chance.oneIn(30)) return 'conflict'
        const result = await orLocked(() => store.commit(changes, rows))
        if (on() && chance.oneIn(80)) throw locked()
        return result
      }),
    close: () => store.close(),
  }
}

export type Mood = 'works' | 'slow' | 'busy' | 'fails' | 'hangs' | 'refuses' | 'throws'
const moods: readonly Mood[] = ['works', 'works', 'slow', 'busy', 'fails', 'hangs', 'refuses', 'throws']

/** How a channel behaves at a time: one mood for half a minute, then another. */
export const moodOf = (seed: number, channel: string, atMs: number): Mood => {
  const slot = Math.floor(atMs / 30_000)
  const mixed = [...`${seed} ${channel} ${slot}`].reduce((so, one) => (so * 31 + one.charCodeAt(0)) % 999_983, 7)
  return moods[mixed % moods.length] ?? 'works'
}

/** One attempt at a provider in that mood; `arrived` is called when it took the message. */
export const attempt = async (mood: Mood, arrived: () => void, faults: Faults): Promise<DeliveryResult> => {
  const { sleep, chance } = faults
  await sleep(mood === 'hangs' ? 10_000 : mood === 'slow' ? 4000 : chance.between(5, 200))
  if (mood === 'throws') throw new Error('secret:TOKEN is not set')
  if (mood === 'fails' || mood === 'hangs') return { status: 'retry', cause: mood }
  if (mood === 'busy') {
    return { status: 'retry', cause: '429', afterMs: chance.oneIn(4) ? 900_000 : chance.between(500, 90_000) }
  }
  if (mood === 'refuses') return { status: 'rejected', cause: '403' }
  arrived()
  return { status: 'delivered' }
}
