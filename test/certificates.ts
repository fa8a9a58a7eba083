import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate and its private key, PEM; hand it on as `issuer` to sign others with it. */
export type TestCertificate = { certPem: string; keyPem: string }

export type CertificateWish = {
  /** Host names and IP addresses; the first is also the common name. */
  names: readonly string[]
  notBeforeMs: number
  notAfterMs: number
  /** Who signs; left out, it signs itself. */
  issuer?: TestCertificate
  keyType?: 'ec' | 'rsa'
  /** May it sign others? Defaults to no. */
  authority?: boolean
  /** Certifies this key instead of a new one: what cross-signing does. */
  keyPem?: string
}

type Der = Buffer

const lengthOf = (bytes: number): Der => {
  if (bytes < 0x80) return Buffer.from([bytes])
  const digits = Buffer.from(bytes.toString(16).padStart(bytes > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.from([0x80 | digits.length]), digits])
}
const tagged = (tag: number, ...parts: Der[]): Der => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}
const sequence = (...parts: Der[]): Der => tagged(0x30, ...parts)
const set = (...parts: Der[]): Der => tagged(0x31, ...parts)
const octets = (content: Der): Der => tagged(0x04, content)
const bits = (content: Der, unused = 0): Der => tagged(0x03, Buffer.from([unused]), content)
const truth = tagged(0x01, Buffer.from([0xff]))

/** Base-128 arcs, the first two in one byte (X.690, 8.19). */
const oid = (dotted: string): Der => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const arc = (value: number): number[] => {
    const low = value & 0x7f
    return value < 0x80 ? [low] : [...arc(value >> 7).map((byte) => byte | 0x80), low]
  }
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(arc)]))
}

const integer = (bytes: Der): Der => {
  const first = bytes[0] ?? 0
  return tagged(0x02, first >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280, 4.1.2.5). */
const time = (atMs: number): Der => {
  const digits = new Date(atMs).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '')
  return digits < '2050' ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits))
}

const commonName = (name: string): Der => sequence(set(sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(name)))))

const addressBytes = (address: string): Der => {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string | undefined) => (text ? text.split(':') : [])
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0')
  const all = tail === undefined ? groups(head) : [...groups(head), ...zeros, ...groups(tail)]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

const alternativeName = (name: string): Der =>
  isIP(name) === 0 ? tagged(0x82, Buffer.from(name)) : tagged(0x87, addressBytes(name))

const extension = (id: string, critical: boolean, value: Der): Der =>
  sequence(oid(id), ...(critical ? [truth] : []), octets(value))

const algorithm = (keyType: 'ec' | 'rsa'): Der =>
  keyType === 'ec'
    ? sequence(oid('1.2.840.10045.4.3.2'))
    : sequence(oid('1.2.840.113549.1.1.11'), Buffer.from([0x05, 0x00]))

const makeKey = (keyType: 'ec' | 'rsa'): string => {
  const { privateKey } =
    keyType === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

const extensions = ({ names, authority }: CertificateWish, publicKey: Der): Der => {
  const digitalSignature = bits(Buffer.from([0x80]), 7)
  const signsCertificates = bits(Buffer.from([0x06]), 1)
  return tagged(
    0xa3,
    sequence(
      extension('2.5.29.19', true, authority ? sequence(truth) : sequence()),
      extension('2.5.29.15', true, authority ? signsCertificates : digitalSignature),
      extension('2.5.29.14', false, octets(createHash('sha1').update(publicKey).digest())),
      extension('2.5.29.17', false, sequence(...names.map(alternativeName))),
    ),
  )
}

/** No empty line before the end, which OpenSSL would read as the end of a header. */
const pem = (der: Der): string => {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

/**
 * An X.509 v3 certificate (RFC 5280) made here and now, so that no test needs a tool or a key file that expires.
 * Subject and issuer are common names only.
 */
export const makeCertificate = (wish: CertificateWish): TestCertificate => {
  const keyPem = wish.keyPem ?? makeKey(wish.keyType ?? 'ec')
  const publicKey = createPublicKey(keyPem).export({ type: 'spki', format: 'der' })
  const signerKey = wish.issuer?.keyPem ?? keyPem
  const signerType = createPublicKey(signerKey).asymmetricKeyType === 'rsa' ? 'rsa' : 'ec'
  const subject = wish.names[0] ?? ''
  const issuer = wish.issuer ? new X509Certificate(wish.issuer.certPem).subject.replace(/^CN=/, '') : subject
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)])
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm(signerType),
    commonName(issuer),
    sequence(time(wish.notBeforeMs), time(wish.notAfterMs)),
    commonName(subject),
    publicKey,
    extensions(wish, publicKey),
  )
  const signature = bits(sign('sha256', body, signerKey))
  return { certPem: pem(sequence(body, algorithm(signerType), signature)), keyPem }
}
