import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP, type Socket } from 'node:net'
import { connect, createSecureContext, getCACertificates, type SecureContext, type TLSSocket } from 'node:tls'
import type { Certificate } from './contract.ts'
import { blind, failed, type LookEnded } from './failure.ts'

/** X25519 first: the default offers a post-quantum share as well, which costs a quarter of a millisecond a handshake. */
const ecdhCurve = 'X25519:P-256:P-384:P-521'
const trustsKept = 20

/** Whom to trust: a context for handshakes, and the same authorities to look things up in. */
export type Trust = { context: SecureContext; authorities: () => readonly X509Certificate[] }

const kept = new Map<string, Trust>()

/** One context for everybody who trusts the same authorities: making one costs more than a handshake. */
const trustIn = (extraPem: string, extra: readonly X509Certificate[]): Trust => {
  const known = kept.get(extraPem)
  if (known) return known
  const ca = extraPem === '' ? {} : { ca: [...getCACertificates('default'), extraPem] }
  let parsed: readonly X509Certificate[] | undefined
  const authorities = () => {
    parsed ??= [...extra, ...getCACertificates('default').map((pem) => new X509Certificate(pem))]
    return parsed
  }
  const made = { context: createSecureContext({ ecdhCurve, ...ca }), authorities }
  const oldest = [...kept.keys()].find((pem) => pem !== '')
  if (kept.size >= trustsKept && oldest !== undefined) kept.delete(oldest)
  kept.set(extraPem, made)
  return made
}

const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/**
 * The machine's authorities, and those of a PEM file besides them when one is named. A file that cannot be read or holds
 * no certificate is our own trouble: OpenSSL would pass over it in silence and call the target's certificate bad.
 */
export const trustOf = async (caFile: string | undefined): Promise<Trust> => {
  if (caFile === undefined) return trustIn('', [])
  const pem = await readFile(caFile, 'utf8').catch(() => {
    throw blind('ca-file-unreadable', `the CA file ${caFile} cannot be read`)
  })
  try {
    const extra = [...pem.matchAll(pemBlock)].map(([block]) => new X509Certificate(block))
    if (extra.length > 0) return trustIn(pem, extra)
  } catch {
    // Falls through: a block that is no certificate is as bad as none.
  }
  throw blind('ca-file-unreadable', `the CA file ${caFile} holds no readable PEM certificate`)
}

/** The name a certificate must have: without the root's dot, which no certificate carries. */
const unrooted = (host: string): string => host.replace(/\.$/, '')

/** Does the handshake; verification is recorded, not enforced, so that a certificate is seen even when it is bad. */
export const handshake = (socket: Socket, host: string, trust: Trust): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const name = unrooted(host)
    const secured = connect({
      socket,
      host: name,
      // SNI carries names only (RFC 6066 §3).
      ...(isIP(name) ? {} : { servername: name }),
      secureContext: trust.context,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    })
    secured.once('secureConnect', () => resolve(secured))
    // `on`, and for good: an error after the handshake is told by whoever reads, and must never be uncaught.
    secured.on('error', reject)
    secured.once('close', () =>
      reject(failed('tls', 'connection-reset', `the connection was closed during the TLS handshake (${host})`)),
    )
  })

/** From the leaf to its last issuer that was presented; certificates nobody asked for are not in it. */
const chainOf = (leaf: X509Certificate): X509Certificate[] => {
  const presented: X509Certificate[] = []
  for (let next = leaf.issuerCertificate; next && presented.length < 10; next = next.issuerCertificate) {
    presented.push(next)
  }
  const chain = [leaf]
  for (let last: X509Certificate | undefined = leaf; last; ) {
    const issuer = presented.find((one) => !chain.includes(one) && last?.checkIssued(one))
    if (issuer) chain.push(issuer)
    last = issuer
  }
  return chain
}

const endOf = (one: X509Certificate): number => Date.parse(one.validTo)

/**
 * Earliest expiry in the chain. A cross-signed certificate that ends before the authority of the same name and key that
 * we trust anyway does not count: no verifier needs it.
 */
const earliestEnd = (chain: readonly X509Certificate[], trust: Trust): number => {
  const [leafEnd = 0] = chain.map(endOf)
  const needed = chain.filter((one, depth) => {
    if (depth === 0 || endOf(one) >= leafEnd) return true
    const twin = trust.authorities().find(({ subject }) => subject === one.subject)
    return !twin || endOf(twin) <= endOf(one) || !twin.publicKey.equals(one.publicKey)
  })
  return Math.min(...needed.map(endOf))
}

const nameLimit = 253
const namesLimit = 50
const oneLine = (name: string | undefined): string => (name ?? '').replaceAll('\n', ', ').slice(0, nameLimit)

/** Node writes alternative names as one text, in which a name with a comma or a quote is a JSON string. */
const namesOf = ({ subjectAltName }: X509Certificate): string[] =>
  [...(subjectAltName ?? '').matchAll(/(?:^|, )(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g)]
    .slice(0, namesLimit)
    .map(([, name = '']) => name.slice(0, nameLimit))

const distrustOf = (socket: TLSSocket): string | undefined => {
  if (socket.authorized) return undefined
  // Node types this as Error; it is the OpenSSL code as a string, or an Error for a wrong name.
  const reason: unknown = socket.authorizationError
  if (typeof reason === 'object' && reason !== null && 'code' in reason) return String(reason.code)
  return String(reason)
}

/** What the server presented; undefined when it presented nothing. */
export const certificateOf = (socket: TLSSocket, trust: Trust): Certificate | undefined => {
  const leaf = socket.getPeerX509Certificate()
  if (!leaf) return undefined
  const distrust = distrustOf(socket)
  const chain = chainOf(leaf)
  return {
    subject: oneLine(leaf.subject),
    issuer: oneLine(leaf.issuer),
    names: namesOf(leaf),
    notBeforeMs: Date.parse(leaf.validFrom),
    notAfterMs: distrust === undefined ? earliestEnd(chain, trust) : Math.min(...chain.map(endOf)),
    ...(distrust === undefined ? {} : { distrust }),
  }
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')

const distrustCodes: Readonly<Record<string, string | undefined>> = {
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-not-yet-valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-wrong-name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-self-signed',
}

/** Why nobody should trust this certificate for this host; undefined when they may. */
export const distrusted = (certificate: Certificate, host: string, nowMs: number): LookEnded | undefined => {
  const { distrust, notAfterMs, notBeforeMs, names, subject, issuer } = certificate
  if (distrust === undefined) return undefined
  // A chain we do not trust either way hides its dates from OpenSSL's answer, so they are looked at first.
  const code = notAfterMs <= nowMs ? 'certificate-expired' : (distrustCodes[distrust] ?? 'certificate-untrusted')
  const missing = distrust === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' ? '; an intermediate certificate may be missing' : ''
  const listed = names.length > 5 ? `${names.slice(0, 5).join(', ')} and others` : names.join(', ')
  const details: Record<string, string> = {
    'certificate-expired': `the certificate of ${host}, or one it rests on, expired on ${day(notAfterMs)} UTC`,
    'certificate-not-yet-valid': `the certificate of ${host} is not valid before ${day(notBeforeMs)} UTC`,
    'certificate-wrong-name': `the certificate is not for ${host}, but for ${listed || subject || 'no name at all'}`,
    'certificate-self-signed': `the certificate of ${host} is signed by itself`,
  }
  const untrusted = `the certificate of ${host} was issued by ${issuer}, who is not trusted here${missing} (${distrust})`
  return failed('tls', code, details[code] ?? untrusted)
}

const dayMs = 86_400_000

/** The sentence about a certificate that is still good, but not for long; undefined when it is for long enough. */
export const expiresSoon = (certificate: Certificate, days: number, nowMs: number): string | undefined => {
  const { notAfterMs } = certificate
  const leftMs = notAfterMs - nowMs
  if (leftMs >= days * dayMs) return undefined
  const left = leftMs < dayMs ? 'in less than a day' : `in ${Math.floor(leftMs / dayMs)} days`
  return `expires on ${day(notAfterMs)} UTC, ${left}`
}
