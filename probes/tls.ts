import type { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP, type Socket } from 'node:net'
import { connect, createSecureContext, getCACertificates, type SecureContext, type TLSSocket } from 'node:tls'
import type { Certificate } from './contract.ts'
import type { Sockets } from './connection.ts'
import { beforeDeadline, type Deadline } from './deadline.ts'
import { codeOf, type Failure, failed, messageOf, proberFailed, type Result, socketFailure } from './failure.ts'

/** X25519 first: a post-quantum share, which Node offers by default, costs more than the rest of a probe's handshake. */
const ecdhCurve = 'X25519:P-256:P-384:P-521'
const contextsKept = 20
const namesKept = 100
const chainDepth = 10

const contexts = new Map<string, SecureContext>()

/** One context for all probes that trust the same authorities: building one costs more than a handshake. */
const contextFor = (caPem: string): SecureContext => {
  const kept = contexts.get(caPem)
  if (kept) return kept
  const made = createSecureContext({ ecdhCurve, ...(caPem && { ca: [...getCACertificates('default'), caPem] }) })
  const oldest = contexts.keys().next().value
  if (contexts.size >= contextsKept && oldest !== undefined) contexts.delete(oldest)
  contexts.set(caPem, made)
  return made
}

/** Whom to trust: the system's authorities, and those of a PEM bundle besides them when one is named. */
export const trustOf = async (caFile: string | undefined): Promise<Result<SecureContext>> => {
  if (caFile === undefined) return { value: contextFor('') }
  try {
    const pem = await readFile(caFile, 'utf8')
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no PEM certificate')
    return { value: contextFor(pem) }
  } catch (error) {
    return { failure: proberFailed('ca-file-unreadable', `caFile ${caFile}: ${messageOf(error)}`) }
  }
}

/** What a handshake showed. `distrust` is why the chain would not be trusted; looking goes before judging. */
export type TlsLook = { socket: TLSSocket; certificate?: Certificate; distrust?: Failure }

/** As OpenSSL writes it (`CN=a\nO=b`), on one line. */
const oneLine = (name: string | undefined): string => (name ?? '').split('\n').join(', ').slice(0, 500)

/** Node's text form of the alternative names; a name with a comma or a quote in it comes as a JSON string. */
const namesOf = (leaf: X509Certificate): string[] =>
  [...(leaf.subjectAltName ?? '').matchAll(/(?:^|, )(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g)]
    .slice(0, namesKept)
    .map((match) => (match[1] ?? '').slice(0, 253))

/** The chain as the server presented it, leaf first. */
const chainOf = (leaf: X509Certificate): X509Certificate[] => {
  const chain: X509Certificate[] = []
  for (let next: X509Certificate | undefined = leaf; next && chain.length < chainDepth; next = next.issuerCertificate) {
    chain.push(next)
  }
  return chain
}

const day = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`

type Presented = { chain: X509Certificate[]; leaf: X509Certificate; names: string[]; host: string }

const firstToEnd = (chain: readonly X509Certificate[], leaf: X509Certificate): X509Certificate =>
  chain.reduce((first, next) => (next.validToDate < first.validToDate ? next : first), leaf)

/** OpenSSL's verdict as one of our codes and a sentence. */
const distrustOf = (openSslCode: string, { chain, leaf, names, host }: Presented): Failure => {
  const subject = oneLine(leaf.subject) || names[0] || 'no name'
  if (openSslCode === 'CERT_HAS_EXPIRED') {
    const expired = firstToEnd(chain, leaf)
    const detail = `the certificate of ${oneLine(expired.subject)} expired on ${day(expired.validToDate)}`
    return failed('tls', 'certificate-expired', detail)
  }
  if (openSslCode === 'CERT_NOT_YET_VALID') {
    const last = chain.reduce((late, next) => (next.validFromDate > late.validFromDate ? next : late), leaf)
    const detail = `the certificate of ${oneLine(last.subject)} is not valid before ${day(last.validFromDate)}`
    return failed('tls', 'certificate-not-yet-valid', detail)
  }
  if (openSslCode.startsWith('ERR_TLS_CERT_ALTNAME')) {
    const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
    const detail = `the certificate is for ${names.slice(0, 5).join(', ') || subject}${more}, not for ${host}`
    return failed('tls', 'certificate-wrong-name', detail)
  }
  if (openSslCode === 'DEPTH_ZERO_SELF_SIGNED_CERT') {
    return failed('tls', 'certificate-self-signed', `the certificate of ${subject} is signed by itself`)
  }
  const detail = `no trusted authority vouches for ${subject}, issued by ${oneLine(leaf.issuer)} (${openSslCode})`
  return failed('tls', 'certificate-untrusted', detail)
}

const lookAt = (socket: TLSSocket, host: string): TlsLook => {
  const leaf = socket.getPeerX509Certificate()
  if (!leaf) return { socket, distrust: failed('tls', 'certificate-untrusted', 'the server presented no certificate') }
  const chain = chainOf(leaf)
  const names = namesOf(leaf)
  const error: unknown = socket.authorizationError
  const reason = codeOf(error) || (error ? String(error) : 'not verified')
  const distrust = socket.authorized ? undefined : distrustOf(reason, { chain, leaf, names, host })
  const certificate: Certificate = {
    subject: oneLine(leaf.subject),
    issuer: oneLine(leaf.issuer),
    names,
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: firstToEnd(chain, leaf).validToDate.getTime(),
    ...(distrust && { distrust: distrust.cause.detail }),
  }
  return { socket, certificate, ...(distrust && { distrust }) }
}

const notTls = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST'])

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'reason' in error && typeof error.reason === 'string' ? error.reason : messageOf(error)

/** OpenSSL speaks of the handshake even when an alert only arrives after it (TLS 1.3 client certificates). */
export const isTlsError = (error: unknown): boolean => /^(?:ERR_SSL_|EPROTO$)/.test(codeOf(error))

/** What an error before or inside the TLS layer means. */
export const tlsFailure = (error: unknown, where: string): Failure => {
  if (isTlsError(error)) {
    const hint = notTls.has(codeOf(error)) ? '; does that port speak plain HTTP?' : ''
    return failed('tls', 'tls-handshake-failed', `${where}: ${reasonOf(error)}${hint}`)
  }
  // A reset comes from a system call; an orderly end in the middle of the handshake does not.
  if (codeOf(error) === 'ECONNRESET' && !(error instanceof Error && 'syscall' in error)) {
    const detail = `${where}: the other side closed the connection during the handshake`
    return failed('tls', 'tls-handshake-failed', detail)
  }
  return socketFailure(error, 'tls', where)
}

/**
 * A TLS handshake over a fresh connection that is always carried through: an expired or foreign certificate is recorded
 * with everything else and judged by the caller. `host` is the name the certificate must be for.
 */
export const handshake = (
  raw: Socket,
  options: { host: string; trust: SecureContext; alpn?: readonly string[]; where: string },
  { deadline, sockets }: { deadline: Deadline; sockets: Sockets },
): Promise<Result<TlsLook>> =>
  beforeDeadline(deadline, 'tls', (settle) => {
    const { host, trust, alpn, where } = options
    // Whatever happened to it between the connection and here is not told a second time.
    if (raw.destroyed) return settle({ failure: tlsFailure(raw.errored ?? { code: 'ECONNRESET' }, where) })
    const socket = sockets.keep(
      connect({
        socket: raw,
        host,
        // An address is never sent as server name (RFC 6066, 3).
        ...(isIP(host) === 0 && { servername: host }),
        ...(alpn && { ALPNProtocols: [...alpn] }),
        secureContext: trust,
        rejectUnauthorized: false,
      }),
    )
    socket.once('secureConnect', () => settle({ value: lookAt(socket, host) }))
    socket.once('error', (error) => settle({ failure: tlsFailure(error, where) }))
    socket.once('close', () => settle({ failure: tlsFailure(socket.errored ?? new Error('closed'), where) }))
  })
