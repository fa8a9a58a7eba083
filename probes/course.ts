import type { Cause, TimingsMs } from './contract.ts'

type Phase = Cause['phase']

/** The time each phase took so far, and the one a look is in. */
export type Course = { phase: Phase; spentMs: Partial<Record<Phase, number>>; startedMs: number }

/**
 * A monotonic clock: phases are differences of milliseconds, which a wall clock that is being set would falsify.
 * Nothing decides on it but the phases themselves, and whether a deadline came when it should.
 */
const monotonicMs = (): number => performance.now()

export const startCourse = (): Course => ({ phase: 'resolve', spentMs: {}, startedMs: monotonicMs() })

export const elapsedMs = ({ startedMs }: Course): number => monotonicMs() - startedMs

/** Does a phase's work and adds its time, also when it fails: a phase that was reached has a duration. */
export const inPhase = async <T>(course: Course, phase: Phase, work: () => Promise<T>): Promise<T> => {
  course.phase = phase
  const fromMs = monotonicMs()
  try {
    return await work()
  } finally {
    course.spentMs[phase] = (course.spentMs[phase] ?? 0) + monotonicMs() - fromMs
  }
}

const rounded = (ms: number) => Math.round(ms * 1000) / 1000

export const timingsOf = (course: Course): TimingsMs => {
  const spent = Object.entries(course.spentMs).map(([phase, ms]) => [phase, rounded(ms)])
  return { ...Object.fromEntries(spent), total: rounded(elapsedMs(course)) }
}
