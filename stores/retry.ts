import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { StoreError } from './contract.ts'
import type { AwsFault } from './failures.ts'

/** How long a call over the network may take: one request, and all attempts together. */
export type Patience = { requestTimeoutMs: number; deadlineMs: number }

const firstPauseMs = 25
const longestPauseMs = 1000

/** What is left of a call's time, by a clock that nobody sets. */
export type Deadline = Patience & { leftMs: () => number }

export const startDeadline = (patience: Patience): Deadline => {
  const endsAtMs = performance.now() + patience.deadlineMs
  return { ...patience, leftMs: () => endsAtMs - performance.now() }
}

/**
 * Waits before the next attempt: a random time (so that those who failed together do not come back together), longer
 * after every attempt. Throws `because` when what is left then would be less than a request may take.
 */
export const pause = async (deadline: Deadline, attempt: number, because: StoreError): Promise<void> => {
  const pauseMs = randomInt(1, Math.min(longestPauseMs, firstPauseMs * 2 ** attempt) + 1)
  if (deadline.leftMs() < pauseMs + deadline.requestTimeoutMs) throw because
  await wait(pauseMs)
}

/** Ends when the time is up, even if the work (a body that stops half-way) does not listen to it. */
const within = async <T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error(`no answer within ${timeoutMs} ms`), { name: 'TimeoutError' }))
      controller.abort()
    }, timeoutMs)
  })
  try {
    return await Promise.race([work(controller.signal), timeUp])
  } finally {
    clearTimeout(timer)
  }
}

/** Tries until it works, `judge` says that another try is no use, or the time is up; then throws its StoreError. */
export const persist = async <T>(
  deadline: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
  judge: (error: unknown) => AwsFault,
): Promise<T> => {
  for (let attempt = 0; ; attempt++) {
    try {
      return await within(deadline.requestTimeoutMs, work)
    } catch (error) {
      const fault = judge(error)
      if (!fault.again) throw fault.error
      await pause(deadline, attempt, fault.error)
    }
  }
}

/** All answers, or the first failure once nothing is under way any more. */
export const together = async <T>(work: readonly Promise<T>[]): Promise<T[]> => {
  await Promise.allSettled(work)
  return Promise.all(work)
}
