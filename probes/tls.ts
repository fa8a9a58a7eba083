import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import {
  connect,
  createSecureContext,
  type DetailedPeerCertificate,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import type { Certificate } from './contract.ts'
import { blind, failed, type LookEnded } from './failure.ts'

/** X25519 first: the default offers a post-quantum share as well, which costs a quarter of a millisecond a handshake. */
const ecdhCurve = 'X25519:P-256:P-384:P-521'

let shared: SecureContext | undefined

/** One context for everybody who trusts the usual roots: making one costs more than a handshake's arithmetic. */
const contextFor = async (caFile: string | undefined): Promise<SecureContext> => {
  if (caFile === undefined) {
    shared ??= createSecureContext({ ecdhCurve })
    return shared
  }
  const ca = await readFile(caFile, 'utf8').catch(() => {
    throw blind('ca-file-unreadable', `the CA file ${caFile} cannot be read`)
  })
  return createSecureContext({ ecdhCurve, ca: [...rootCertificates, ca] })
}

/** Does the handshake; verification is recorded, not enforced, so that a certificate is seen even when it is bad. */
export const handshake = async (
  socket: Socket,
  to: { host: string; serverName: string | undefined; caFile: string | undefined },
): Promise<TLSSocket> => {
  const secureContext = await contextFor(to.caFile)
  return new Promise((resolve, reject) => {
    const secured = connect({
      socket,
      host: to.serverName ?? to.host,
      ...(to.serverName === undefined ? {} : { servername: to.serverName }),
      secureContext,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    })
    secured.once('secureConnect', () => resolve(secured))
    secured.once('error', reject)
    secured.once('close', () =>
      reject(failed('tls', 'connection-reset', 'the connection was closed during the TLS handshake')),
    )
  })
}

const chainOf = (leaf: DetailedPeerCertificate): DetailedPeerCertificate[] => {
  const chain: DetailedPeerCertificate[] = []
  let next: DetailedPeerCertificate | undefined = leaf
  while (next?.raw && !chain.includes(next) && chain.length < 20) {
    chain.push(next)
    next = next.issuerCertificate
  }
  return chain
}

const nameText = (name: DetailedPeerCertificate['subject'] | undefined): string =>
  Object.entries(name ?? {})
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ')

const distrustOf = (socket: TLSSocket): string | undefined => {
  if (socket.authorized) return undefined
  // Node types this as Error; it is the OpenSSL code as a string, or an Error for a wrong name.
  const reason: unknown = socket.authorizationError
  if (typeof reason === 'object' && reason !== null && 'code' in reason) return String(reason.code)
  return String(reason)
}

/** What the server presented; undefined when it presented nothing. */
export const certificateOf = (socket: TLSSocket): Certificate | undefined => {
  const leaf = socket.getPeerCertificate(true)
  if (!leaf?.raw) return undefined
  const distrust = distrustOf(socket)
  return {
    subject: nameText(leaf.subject),
    issuer: nameText(leaf.issuer),
    names: (leaf.subjectaltname ?? '')
      .split(', ')
      .filter(Boolean)
      .map((name) => name.replace(/^(DNS|IP Address):/, '')),
    notBeforeMs: Date.parse(leaf.valid_from),
    notAfterMs: Math.min(...chainOf(leaf).map(({ valid_to }) => Date.parse(valid_to))),
    ...(distrust === undefined ? {} : { distrust }),
  }
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')

const distrustCodes: Record<string, string> = {
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-not-yet-valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-wrong-name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate-self-signed',
}

/** Why nobody should trust this certificate for this host; undefined when they may. */
export const distrusted = (certificate: Certificate, host: string, nowMs: number): LookEnded | undefined => {
  const { distrust, notAfterMs, notBeforeMs, names, subject } = certificate
  if (distrust === undefined) return undefined
  const known = distrustCodes[distrust]
  // A chain we do not trust either way hides its dates from OpenSSL's answer, so they are looked at first.
  const code = notAfterMs <= nowMs ? 'certificate-expired' : (known ?? 'certificate-untrusted')
  const details: Record<string, string> = {
    'certificate-expired': `the certificate of ${host} expired on ${day(notAfterMs)} UTC`,
    'certificate-not-yet-valid': `the certificate of ${host} is not valid before ${day(notBeforeMs)} UTC`,
    'certificate-wrong-name': `the certificate of ${host} is for ${names.join(', ') || subject || 'no name at all'}`,
    'certificate-self-signed': `the certificate of ${host} is signed by itself or by an authority we do not know (${distrust})`,
  }
  return failed('tls', code, details[code] ?? `the certificate of ${host} is not trusted (${distrust})`)
}

const dayMs = 86_400_000

/** The sentence about a certificate that is still good, but not for long; undefined when it is for long enough. */
export const expiresSoon = (certificate: Certificate, days: number, nowMs: number): string | undefined => {
  const leftMs = certificate.notAfterMs - nowMs
  if (leftMs >= days * dayMs) return undefined
  const left = leftMs < dayMs ? 'less than a day' : `${Math.floor(leftMs / dayMs)} days`
  return `the certificate expires on ${day(certificate.notAfterMs)} UTC, in ${left}`
}
