import * as z from 'zod'
import type { Store } from '../stores/contract.ts'
import { keys } from './contract.ts'

/** Item `pulse/<name>`: when the newest pulse that passed this function began. `watch` reads it. */
export const pulseItem = z.object({ atMs: z.number() })

const tries = 5
/** A pulse noted further ahead than this was dated by a wrong clock, and must not hide the right ones. */
const aheadMs = 60_000

export type PulseWorld = {
  store: Pick<Store, 'read' | 'commit'>
  nowMs: () => number
  /** Hands the pulse to the next function on its way. */
  passOn?: (pulseAtMs: number) => Promise<void>
}

/**
 * Notes that a pulse passed a function, never an older one over a newer, and hands it on unless a newer one went before.
 * Only a pulse that was noted is handed on: a hub that cannot write is no healthy one.
 */
export const passPulse =
  ({ store, nowMs, passOn }: PulseWorld, name: string) =>
  async (atMs: number): Promise<'passed' | 'overtaken' | 'conflict'> => {
    const key = keys.pulse(name)
    for (let attempt = 1; attempt <= tries; attempt++) {
      const stored = (await store.read([key])).get(key)
      const notedMs = pulseItem.safeParse(stored?.value).data?.atMs
      const known = notedMs !== undefined && notedMs <= nowMs() + aheadMs ? notedMs : undefined
      if (known !== undefined && known > atMs) return 'overtaken'
      const change = { key, expect: stored?.version ?? 0, value: { atMs } }
      if (known !== atMs && (await store.commit([change])) === 'conflict') continue
      await passOn?.(atMs)
      return 'passed'
    }
    return 'conflict'
  }
