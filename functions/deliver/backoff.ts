import type { DeliveryEvent } from '../contract.ts'
import { isPage } from '../page-event.ts'

/** Attempts before a channel counts as refusing and the next one is tried. */
export const attemptsPerOrder = 5
/** A page is not tried again later than this after its first attempt, however slowly its channel fails. */
export const pagePatienceMs = 30_000
/**
 * How long a page waits at its provider's word, or for a free slot, before the next channel is asked; and what a page
 * may come to wait behind, before it is given up.
 */
export const pageHoldLimitMs = 300_000
/** The longest wait a provider can ask for. */
export const longestHoldMs = 3_600_000

const firstMs = 1000
const capMs = 60_000

/** A page may come to wait behind such a message of its incident, so that it must not wait for ever itself. */
export const isOfIncident = (event: DeliveryEvent): boolean =>
  event !== 'component-changed' && event !== 'silence-ended'

/** A wait that a provider asked for, as far as it is taken at its word. */
export const askedWaitMs = (askedMs: number): number => Math.min(Math.max(askedMs, firstMs), longestHoldMs)

/**
 * How long to wait before the next attempt: exponential with full jitter over the upper half, or what the provider
 * asked for. `random` is 0..1.
 */
export const retryAfterMs = (attempt: number, options: { random: number; askedMs?: number }): number => {
  if (options.askedMs !== undefined) return askedWaitMs(options.askedMs)
  const ceiling = Math.min(capMs, firstMs * 2 ** (attempt - 1))
  return Math.round(ceiling / 2 + (ceiling / 2) * options.random)
}

type Tried = { event: DeliveryEvent; attempts: number; startedAtMs: number }
type Retry = { status: 'again'; afterMs: number } | { status: 'give-up'; why: string }

/** After a failed attempt: when the next one is, or why this channel gets none. */
export const decideRetry = (tried: Tried, at: { nowMs: number; random: number; askedMs?: number }): Retry => {
  const { attempts } = tried
  const afterMs = retryAfterMs(attempts, at)
  const failed = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} failed`
  if (attempts >= attemptsPerOrder) return { status: 'give-up', why: failed }
  const waitedMs = at.nowMs + afterMs - tried.startedAtMs
  const [patienceMs, isBounded] =
    at.askedMs === undefined ? [pagePatienceMs, isPage(tried.event)] : [pageHoldLimitMs, isOfIncident(tried.event)]
  if (!isBounded || waitedMs <= patienceMs) return { status: 'again', afterMs }
  const asked = at.askedMs === undefined ? '' : `, and ${Math.ceil(afterMs / 1000)} s are asked for`
  return { status: 'give-up', why: `${failed}${asked}, longer than a page can wait` }
}
