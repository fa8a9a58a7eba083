import type { Cause, Verdict } from './contract.ts'

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

type Known = Readonly<Record<string, { code: string; says: string } | undefined>>

const overloaded = (what: string) => ({ code: 'prober-overloaded', says: `the prober has no ${what} left` })
const noSource = { code: 'no-source-address', says: 'the prober has no address or port to connect from' }
const notPermitted = { code: 'not-permitted', says: 'the machine of the prober does not let it connect there' }

/**
 * Errors that are the prober's own: its file descriptors, its ports, its network. ENETUNREACH is here because Linux
 * raises it when the routing table here has no way out (no IPv6, an interface that is down); EHOSTUNREACH is not: it is
 * how the last router says that the host does not answer.
 */
const ours: Known = {
  EMFILE: overloaded('file descriptors'),
  ENFILE: overloaded('file descriptors'),
  ENOBUFS: overloaded('socket buffers'),
  ENOMEM: overloaded('memory'),
  EADDRNOTAVAIL: noSource,
  EADDRINUSE: noSource,
  EACCES: notPermitted,
  EPERM: notPermitted,
  ENETUNREACH: { code: 'no-route', says: 'the prober has no route to this network' },
  ENETDOWN: { code: 'no-route', says: 'the network of the prober is down' },
  EAFNOSUPPORT: { code: 'no-route', says: 'the machine of the prober does not speak this address family' },
  EINVAL: { code: 'no-route', says: 'the machine of the prober cannot use this address' },
}

const reset = { code: 'connection-reset', says: 'the connection was reset' }
const unreachable = { code: 'host-unreachable', says: 'the host cannot be reached' }

const theirs: Known = {
  ECONNREFUSED: { code: 'connection-refused', says: 'the connection was refused' },
  ECONNRESET: reset,
  ECONNABORTED: reset,
  ENETRESET: reset,
  EPIPE: { code: 'connection-reset', says: 'the connection was closed while we were sending' },
  EHOSTUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  ETIMEDOUT: { code: 'timed-out', says: 'the other side stopped answering packets' },
  HPE_HEADER_OVERFLOW: { code: 'response-invalid', says: 'the headers are too large' },
}

/** Only a name that is not there is the target's fault; all else a look-up says is that our resolver did not work. */
const lookupFailed = (code: string, text: string, target: string): LookEnded =>
  code === 'ENOTFOUND' || code === 'ENODATA'
    ? failed('resolve', 'name-not-found', `the name does not exist, or has no address of the wanted family (${target})`)
    : blind('resolver-failed', `our resolver did not answer (${code || text} for ${target})`)

/** Node's, OpenSSL's and undici's error codes; empty for anything else that was thrown. */
export const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

/** The message as one line that a page can carry, without the thread and the source line that OpenSSL puts around its. */
export const textOf = (error: unknown): string => {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error
  const text = String(message)
    .replace(/^[0-9A-F]+:error:[0-9A-F]+:/, '')
    .replace(/:[\w./-]+\.c:\d+:.*$/s, '')
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 200)
}

const isTls = (code: string) => /^(ERR_SSL_|ERR_OSSL_|ERR_TLS_|EPROTO$)/.test(code)

/**
 * What an error in a phase means: whose fault it is, a stable code, and a sentence. What is not known is ours: better an
 * `unknown` that says what it saw than an outage that is not one.
 */
export const explain = (error: unknown, phase: Phase, target: string): LookEnded => {
  if (error instanceof LookEnded) return error
  const code = codeOf(error)
  const text = textOf(error)
  const own = ours[code]
  if (own) return blind(own.code, `${own.says} (${code} for ${target})`)
  if (phase === 'resolve') return lookupFailed(code, text, target)
  const known = theirs[code]
  if (known) return failed(phase, known.code, `${known.says} (${target})`)
  if (code.startsWith('HPE_'))
    return failed(phase, 'response-invalid', `${text || 'what came back is not HTTP'} (${target})`)
  if (phase === 'tls' && isTls(code)) {
    return failed('tls', 'tls-handshake-failed', `no TLS handshake with ${target}: ${text}`)
  }
  if (isTls(code)) return failed(phase, 'tls-failed', `the TLS connection to ${target} broke: ${text}`)
  return blind('prober-failed', `${text} (while in phase ${phase}, looking at ${target})`)
}
