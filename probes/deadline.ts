import { type Failure, failed, proberFailed, type Result } from './failure.ts'
import type { Stopwatch, TimedPhase } from './stopwatch.ts'

export type Deadline = {
  /** Fires when the run's time is over or the run is called off. */
  signal: AbortSignal
  /** What it means that it fired during `phase`. */
  failure: (phase: TimedPhase) => Failure
  /** Call it when the run is over: it clears the timer. */
  release: () => void
}

const waitingFor: Readonly<Record<TimedPhase, string>> = {
  resolve: 'the address of the name',
  connect: 'the connection',
  tls: 'the TLS handshake',
  processing: 'the response head',
  transfer: 'the rest of the body',
}

/** A timer this late was held up here: the same hold-up may be all that kept the answer from being seen in time. */
const latenessAllowedMs = (timeoutMs: number): number => Math.max(500, timeoutMs / 4)

/**
 * Ends a run after `timeoutMs`, or when `signal` fires, whichever is first. Being called off before the time was over is
 * `unknown`, and so is a time-out noticed much too late (a blocked event loop, a machine that slept).
 */
export const startDeadline = (options: { timeoutMs: number; signal: AbortSignal; watch: Stopwatch }): Deadline => {
  const { timeoutMs, signal, watch } = options
  const controller = new AbortController()
  let endedAfterMs = 0
  const end = () => {
    if (controller.signal.aborted) return
    endedAfterMs = watch.elapsedMs()
    controller.abort()
  }
  const timer = setTimeout(end, timeoutMs)
  const release = () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })

  const failure = (phase: TimedPhase): Failure => {
    const seconds = `${timeoutMs / 1000} s`
    // The signal is often a timer of the same length that was started a moment earlier.
    if (endedAfterMs < timeoutMs * 0.95) {
      return proberFailed('run-cancelled', `the run was called off after ${Math.round(endedAfterMs)} ms of its ${seconds}`)
    }
    if (endedAfterMs > timeoutMs + latenessAllowedMs(timeoutMs)) {
      const late = Math.round(endedAfterMs - timeoutMs)
      return proberFailed('prober-overloaded', `this prober was held up: it noticed its time-out ${late} ms late`)
    }
    if (phase === 'resolve') return proberFailed('resolver-failed', `the resolver here did not answer within ${seconds}`)
    return failed(phase, 'timed-out', `${waitingFor[phase]} did not come within ${seconds}`)
  }
  return { signal: controller.signal, failure, release }
}

/**
 * One step that reports through callbacks. When the deadline fires first, the answer is the deadline's; whoever opened a
 * socket in it still has to destroy that.
 */
export const beforeDeadline = <T>(
  deadline: Deadline,
  phase: TimedPhase,
  start: (settle: (result: Result<T>) => void) => void,
): Promise<Result<T>> =>
  new Promise((resolve) => {
    const settle = (result: Result<T>) => {
      deadline.signal.removeEventListener('abort', over)
      resolve(result)
    }
    const over = () => settle({ failure: deadline.failure(phase) })
    if (deadline.signal.aborted) return over()
    deadline.signal.addEventListener('abort', over, { once: true })
    start(settle)
  })
