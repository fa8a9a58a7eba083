import type { TimingsMs } from './contract.ts'

export type TimedPhase = Exclude<keyof TimingsMs, 'total'>

export type Stopwatch = {
  /** Ends the phase that was running and starts this one; entered again, its times add up. */
  enter: (phase: TimedPhase) => void
  /** Ends the phase that was running. */
  leave: () => void
  elapsedMs: () => number
  /** A phase that was never entered is absent. */
  timings: () => TimingsMs
}

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000

/** Times the phases of one run. `monotonicMs` must never jump: a wall clock set back would make a phase negative. */
export const startStopwatch = (monotonicMs: () => number): Stopwatch => {
  const startedAtMs = monotonicMs()
  const spentMs = new Map<TimedPhase, number>()
  let running: { phase: TimedPhase; sinceMs: number } | undefined
  const leave = () => {
    if (!running) return
    spentMs.set(running.phase, (spentMs.get(running.phase) ?? 0) + monotonicMs() - running.sinceMs)
    running = undefined
  }
  return {
    leave,
    enter: (phase) => {
      leave()
      running = { phase, sinceMs: monotonicMs() }
      spentMs.set(phase, spentMs.get(phase) ?? 0)
    },
    elapsedMs: () => monotonicMs() - startedAtMs,
    timings: () => {
      leave()
      const phases = [...spentMs].map(([phase, ms]) => [phase, rounded(ms)])
      return { ...Object.fromEntries(phases), total: rounded(monotonicMs() - startedAtMs) }
    },
  }
}
