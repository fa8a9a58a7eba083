import * as z from 'zod'
import { keys } from '../functions/contract.ts'
import { type Store, type Stored, StoreError } from './contract.ts'

const leaseItem = z.strictObject({ holder: z.string(), untilMs: z.number() })

/** Longer than any run we start: the longest scrape interval is an hour. */
export const leaseLimitMs = 2 * 60 * 60 * 1000

/** A lease that was taken. `fence` grows with every take and release, so a later holder's is always greater. */
export type Lease = { name: string; holder: string; untilMs: number; fence: number }

export type LeaseAnswer =
  | { status: 'taken'; reason: 'free' | 'ran-out' | 'renewed' | 'unreadable'; lease: Lease }
  | { status: 'refused'; reason: 'held'; holder: string; untilMs: number }
  | { status: 'refused'; reason: 'lost-race' }

export type ReleaseAnswer = { status: 'released' } | { status: 'not-held'; reason: 'taken-over' }

export type LeaseRequest = {
  name: string
  /** Names one run, not one machine: the same holder again renews. */
  holder: string
  nowMs: number
  /** Longer than the run may take plus how far clocks may be apart. At most {@link leaseLimitMs}. */
  forMs: number
}

type Taken = Extract<LeaseAnswer, { status: 'taken' }>['reason']
type Standing = { taken: Taken } | { holder: string; untilMs: number }

/** What stands in the way, or why nothing does. */
const standing = (stored: Stored | undefined, { holder, nowMs }: LeaseRequest): Standing => {
  if (!stored) return { taken: 'free' }
  const parsed = leaseItem.safeParse(stored.value)
  if (!parsed.success) return { taken: 'unreadable' }
  const { untilMs } = parsed.data
  if (untilMs === 0) return { taken: 'free' }
  // Further ahead than a lease can be: whoever wrote it had a wrong clock, and would block this name for as long.
  if (untilMs <= nowMs || untilMs > nowMs + 2 * leaseLimitMs) return { taken: 'ran-out' }
  return parsed.data.holder === holder ? { taken: 'renewed' } : parsed.data
}

/**
 * Takes, or renews, the lease `name` by one conditional write: of several that try at once, one gets it.
 * A holder that stalls past `untilMs` does not know: what must not happen twice belongs in a commit that itself
 * expects a version.
 */
export const takeLease = async (store: Store, request: LeaseRequest): Promise<LeaseAnswer> => {
  const { name, holder, nowMs, forMs } = request
  if (!(forMs > 0 && forMs <= leaseLimitMs))
    throw new StoreError('misuse', `a lease of ${forMs} ms`, { hint: `More than 0 and at most ${leaseLimitMs}.` })
  const key = keys.lease(name)
  const stored = (await store.read([key])).get(key)
  const found = standing(stored, request)
  if (!('taken' in found)) return { status: 'refused', reason: 'held', ...found }
  const expect = stored?.version ?? 0
  const untilMs = nowMs + forMs
  const result = await store.commit([{ key, expect, value: { holder, untilMs } }])
  if (result === 'conflict') return { status: 'refused', reason: 'lost-race' }
  return { status: 'taken', reason: found.taken, lease: { name, holder, untilMs, fence: expect + 1 } }
}

/** Gives a lease back. One that ran out and was taken by another is left alone. */
export const releaseLease = async (store: Store, { name, holder, fence }: Lease): Promise<ReleaseAnswer> => {
  // Written, not deleted: a deleted item starts again at version 1, and an old fence would fit a new holder's lease.
  const result = await store.commit([{ key: keys.lease(name), expect: fence, value: { holder, untilMs: 0 } }])
  return result === 'committed' ? { status: 'released' } : { status: 'not-held', reason: 'taken-over' }
}
