import type { Cause, TimingsMs, Verdict } from './contract.ts'

type Phase = Cause['phase']

/** A look ended early. Thrown and caught inside `probes/` only; outside it is a value. */
export class LookEnded extends Error {
  override name = 'LookEnded'
  readonly verdict: Verdict
  readonly found: Cause
  constructor(verdict: Verdict, found: Cause) {
    super(found.detail)
    this.verdict = verdict
    this.found = found
  }
}

export const failed = (phase: Phase, code: string, detail: string) => new LookEnded('fail', { phase, code, detail })
export const blind = (code: string, detail: string) => new LookEnded('unknown', { phase: 'prober', code, detail })

/** Errors that are the prober's own: its resolver, its file descriptors, its ports, its network. */
const ours: Record<string, { code: string; says: string }> = {
  EAI_AGAIN: { code: 'resolver-failed', says: 'our resolver did not answer' },
  ESERVFAIL: { code: 'resolver-failed', says: 'our resolver failed' },
  EAI_SYSTEM: { code: 'resolver-failed', says: 'our resolver failed' },
  EMFILE: { code: 'prober-overloaded', says: 'the prober has no file descriptors left' },
  ENFILE: { code: 'prober-overloaded', says: 'the prober has no file descriptors left' },
  ENOBUFS: { code: 'prober-overloaded', says: 'the prober has no socket buffers left' },
  ENOMEM: { code: 'prober-overloaded', says: 'the prober has no memory left' },
  EADDRNOTAVAIL: { code: 'no-source-address', says: 'the prober has no address or port to connect from' },
  ENETUNREACH: { code: 'no-route', says: 'the prober has no route to this network' },
  ENETDOWN: { code: 'no-route', says: 'the network of the prober is down' },
}

const theirs: Record<string, { code: string; says: string }> = {
  ENOTFOUND: { code: 'name-not-found', says: 'the name does not exist' },
  ENODATA: { code: 'name-not-found', says: 'the name has no address of this family' },
  ECONNREFUSED: { code: 'connection-refused', says: 'the connection was refused' },
  ECONNRESET: { code: 'connection-reset', says: 'the connection was reset' },
  EPIPE: { code: 'connection-reset', says: 'the connection was closed while we were sending' },
  EHOSTUNREACH: { code: 'host-unreachable', says: 'the host cannot be reached' },
  ETIMEDOUT: { code: 'timed-out', says: 'the connection attempt timed out' },
  UND_ERR_SOCKET: { code: 'connection-reset', says: 'the connection was closed before the answer was complete' },
  UND_ERR_HEADERS_OVERFLOW: { code: 'response-invalid', says: 'the headers are too large' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { code: 'response-invalid', says: 'the body is shorter than announced' },
}

const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

const textOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)

/** What an error in a phase means: whose fault it is, a stable code, and a sentence. */
export const explain = (error: unknown, phase: Phase, target: string): LookEnded => {
  if (error instanceof LookEnded) return error
  const code = codeOf(error)
  const own = ours[code]
  if (own) return blind(own.code, `${own.says} (${code} for ${target})`)
  const known = theirs[code]
  if (known) return failed(phase, known.code, `${known.says} (${target})`)
  if (phase === 'tls') return failed('tls', 'tls-handshake-failed', `no TLS handshake with ${target}: ${textOf(error)}`)
  if (code.startsWith('HPE_')) return failed(phase, 'response-invalid', `what came back is not HTTP: ${textOf(error)}`)
  return failed(phase, `${phase}-failed`, `${textOf(error)} (${target})`)
}

/** The time each phase took so far, and the one a look is in. */
export type Course = { phase: Phase; spentMs: Partial<Record<Phase, number>>; startedMs: number }

/**
 * A monotonic clock: phases are differences of milliseconds, which a wall clock that is being set would falsify.
 * Nothing decides on it but the phases themselves.
 */
export const monotonicMs = (): number => performance.now()

export const startCourse = (): Course => ({ phase: 'resolve', spentMs: {}, startedMs: monotonicMs() })

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

export const timingsOf = ({ spentMs, startedMs }: Course): TimingsMs => {
  const spent = Object.entries(spentMs).map(([phase, ms]) => [phase, rounded(ms)])
  return { ...Object.fromEntries(spent), total: rounded(monotonicMs() - startedMs) }
}
