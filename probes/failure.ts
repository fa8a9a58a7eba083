import type { Cause } from './contract.ts'

/** Why a run ended early: the target's fault (`fail`), or ours (`unknown`). */
export type Failure = { verdict: 'fail' | 'unknown'; cause: Cause }

/** What one step of a run came to. Steps never throw for what the target or the network does. */
export type Result<T> = { value: T; failure?: undefined } | { value?: undefined; failure: Failure }

export const failed = (phase: Cause['phase'], code: string, detail: string): Failure => ({
  verdict: 'fail',
  cause: { phase, code, detail },
})

/** Our own trouble: it says nothing about the target. */
export const proberFailed = (code: string, detail: string): Failure => ({
  verdict: 'unknown',
  cause: { phase: 'prober', code, detail },
})

/** Node's and OpenSSL's error codes; empty for anything else that was thrown. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

type Known = readonly [code: string, detail: string]

/**
 * Errors that arise in this machine before anything reached the target. ENETUNREACH is here because Linux raises it when
 * the routing table has no way out (no IPv6 egress, an interface that is down); EHOSTUNREACH is not, as it is how the
 * last router says that the host does not answer.
 */
const ours: Readonly<Record<string, Known>> = {
  EMFILE: ['too-many-open-files', 'this prober has no file descriptor left'],
  ENFILE: ['too-many-open-files', 'this machine has no file descriptor left'],
  ENOBUFS: ['out-of-memory', 'this machine has no socket buffers left'],
  ENOMEM: ['out-of-memory', 'this machine has no memory left'],
  EADDRNOTAVAIL: ['no-local-address', 'this machine has no free local port or no address of that family'],
  EADDRINUSE: ['no-local-address', 'this machine has no free local port'],
  ENETUNREACH: ['no-route', 'there is no route from here to that network'],
  ENETDOWN: ['no-route', 'the network interface here is down'],
  EAFNOSUPPORT: ['no-route', 'this machine does not speak that address family'],
  EACCES: ['not-permitted', 'this machine does not let the prober connect there'],
  EPERM: ['not-permitted', 'this machine does not let the prober connect there'],
}

const theirs: Readonly<Record<string, Known>> = {
  ECONNREFUSED: ['connection-refused', 'nothing listens on that port'],
  ECONNRESET: ['connection-reset', 'the connection was reset by the other side'],
  ECONNABORTED: ['connection-reset', 'the connection was aborted'],
  EPIPE: ['connection-reset', 'the other side closed the connection while the request was sent'],
  ETIMEDOUT: ['timed-out', 'the other side stopped answering packets'],
  EHOSTUNREACH: ['host-unreachable', 'the last router on the way cannot reach the host'],
  EHOSTDOWN: ['host-unreachable', 'the host does not answer on its own network'],
}

/**
 * Whose fault a socket's error is, by errno. What is not known is ours: better an `unknown` that says what it saw than
 * an outage that is not one.
 */
export const socketFailure = (error: unknown, phase: Cause['phase'], where: string): Failure => {
  const code = codeOf(error)
  const ourOwn = ours[code]
  if (ourOwn) return proberFailed(ourOwn[0], `${where}: ${ourOwn[1]} (${code})`)
  const target = theirs[code]
  if (target) return failed(phase, target[0], `${where}: ${target[1]}`)
  return proberFailed('prober-failed', `${where}: ${messageOf(error)}`)
}
