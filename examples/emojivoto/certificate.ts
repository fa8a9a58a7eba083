// X.509 certificates for the town's HTTPS endpoint, written by hand in DER (RFC 5280, X.690), since Node can read
// certificates but not make them.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

const tag = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  text: 0x0c,
  utcTime: 0x17,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
}

const der = (type: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  if (body.length < 0x80) return Buffer.concat([Buffer.from([type, body.length]), body])
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.from([type, 0x80 | length.length]), length, body])
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(tag.sequence, ...parts)
const text = (value: string): Buffer => der(tag.text, Buffer.from(value))
const explicit = (number: number, part: Uint8Array): Buffer => der(0xa0 | number, part)
const bits = (body: Uint8Array, unused = 0): Buffer => der(tag.bits, Buffer.from([unused]), body)

const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const base128 = (number: number): number[] => {
    const low = [number & 0x7f]
    for (let left = number >> 7; left > 0; left >>= 7) low.unshift(0x80 | (left & 0x7f))
    return low
  }
  return der(tag.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
const time = (atMs: number): Buffer => {
  const stamp = `${new Date(atMs).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  const isLate = Number(stamp.slice(0, 4)) >= 2050
  return der(isLate ? tag.time : tag.utcTime, Buffer.from(isLate ? stamp : stamp.slice(2)))
}

const name = (commonName: string): Buffer => sequence(der(tag.set, sequence(oid('2.5.4.3'), text(commonName))))
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
  sequence(oid(id), ...(critical ? [der(tag.boolean, Buffer.from([0xff]))] : []), der(tag.octets, value))

type Identity = { commonName: string; publicKey: KeyObject; privateKey: KeyObject }
const newIdentity = (commonName: string): Identity => ({
  commonName,
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }),
})
const spki = ({ publicKey }: Identity): Buffer => publicKey.export({ type: 'spki', format: 'der' })
const keyId = (identity: Identity): Buffer => createHash('sha1').update(spki(identity)).digest()

type Validity = { notBeforeMs: number; notAfterMs: number }
const issue = (subject: Identity, issuer: Identity, validity: Validity, extensions: readonly Buffer[]): string => {
  const serial = randomBytes(16)
  // A positive integer: the first bit is 0 and the first byte is not.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const body = sequence(
    explicit(0, der(tag.integer, Buffer.from([2]))),
    der(tag.integer, serial),
    ecdsaWithSha256,
    name(issuer.commonName),
    sequence(time(validity.notBeforeMs), time(validity.notAfterMs)),
    name(subject.commonName),
    spki(subject),
    explicit(3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, issuer.privateKey)
  const base64 = sequence(body, ecdsaWithSha256, bits(signature)).toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${base64.trimEnd()}\n-----END CERTIFICATE-----\n`
}

export type ServerCertificate = { cert: string; key: string }
export type Authority = {
  /** What a client must trust. */
  caPem: string
  /** A certificate for `localhost` and 127.0.0.1, always with the same key. */
  serverCertificate: (validity: Validity) => ServerCertificate
}

const dayMs = 86_400_000

/** A new certificate authority that lives as long as the town. */
export const createAuthority = (commonName: string, nowMs: number): Authority => {
  const authority = newIdentity(`${commonName} CA`)
  const server = newIdentity('localhost')
  const validity = { notBeforeMs: nowMs - 365 * dayMs, notAfterMs: nowMs + 365 * dayMs }
  const subjectKey = (identity: Identity): Buffer => extension('2.5.29.14', false, der(tag.octets, keyId(identity)))
  const issuerKey = extension('2.5.29.35', false, sequence(der(0x80, keyId(authority))))
  const isCa = extension('2.5.29.19', true, sequence(der(tag.boolean, Buffer.from([0xff]))))
  const mayIssue = extension('2.5.29.15', true, bits(Buffer.from([0b0000_0110]), 1))
  const caPem = issue(authority, authority, validity, [isCa, mayIssue, subjectKey(authority)])
  const notCa = extension('2.5.29.19', true, sequence())
  const maySign = extension('2.5.29.15', true, bits(Buffer.from([0b1000_0000]), 7))
  const forServers = extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1')))
  const dnsName = der(0x82, Buffer.from('localhost'))
  const ipAddress = der(0x87, Buffer.from([127, 0, 0, 1]))
  const names = extension('2.5.29.17', false, sequence(dnsName, ipAddress))
  const key = server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return {
    caPem,
    serverCertificate: (period) => ({
      cert: issue(server, authority, period, [notCa, maySign, forServers, names, subjectKey(server), issuerKey]),
      key,
    }),
  }
}
