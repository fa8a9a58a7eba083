import { type Course, elapsedMs } from './course.ts'
import { blind, failed, type LookEnded } from './failure.ts'

/** The look's time is over, or whoever asked for it called it off. */
export class TimeUp extends Error {
  override name = 'TimeUp'
}

/** Rejects when the signal fires, whatever the work is doing; the work's own late failure is nobody's business. */
export const withSignal = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new TimeUp())
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  work.catch(() => undefined)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Does the work with a signal that fires after `timeoutMs` or with `outer`; leaves no timer and no listener behind. */
export const withDeadline = async <T>(
  outer: AbortSignal,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const controller = new AbortController()
  const end = () => controller.abort(new TimeUp())
  const timer = setTimeout(end, timeoutMs)
  if (outer.aborted) end()
  else outer.addEventListener('abort', end, { once: true })
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    outer.removeEventListener('abort', end)
  }
}

/** Timers count from the start of the event loop's turn, so they may come a little before their time. */
const earlyMs = 20
/** A deadline later than this was not the target's doing: this process was too busy, or frozen, to notice an answer. */
const lateMs = 500

/**
 * What an end by signal means. At the deadline the target was too slow. Well before it somebody here called the look
 * off, and well after it the prober itself had stalled: neither says anything about the target. Nor does a name that
 * nobody answered for: of a name whose own servers are dead we know no more than of one that our resolver hides from us.
 */
export const timeIsUp = (
  course: Course,
  at: { timeoutSeconds: number; target: string; signal: AbortSignal },
): LookEnded => {
  const { phase } = course
  const tookMs = elapsedMs(course)
  const timeoutMs = at.timeoutSeconds * 1000
  // Whoever asks may set the same deadline a moment before we do: half the time and a time-out's name is that.
  const { reason }: { reason?: unknown } = at.signal
  const timedOut = typeof reason === 'object' && reason !== null && 'name' in reason && reason.name === 'TimeoutError'
  if (tookMs < timeoutMs - earlyMs && !(timedOut && tookMs > timeoutMs / 2)) {
    return blind(
      'called-off',
      `the look at ${at.target} was called off after ${Math.round(tookMs)} ms, while in phase ${phase}`,
    )
  }
  if (tookMs > timeoutMs + lateMs) {
    const late = `the deadline of ${at.timeoutSeconds} s came after ${Math.round(tookMs)} ms`
    return blind('prober-overloaded', `the prober stalled while looking at ${at.target}: ${late}`)
  }
  if (phase === 'resolve') {
    return blind('resolver-failed', `our resolver did not answer within ${at.timeoutSeconds} s (for ${at.target})`)
  }
  return failed(
    phase,
    'timed-out',
    `no answer from ${at.target} within ${at.timeoutSeconds} s, while in phase ${phase}`,
  )
}
