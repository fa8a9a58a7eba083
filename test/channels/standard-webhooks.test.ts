import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { sign, signingKeys, webhookHeaders, webhookId } from '../../channels/standard-webhooks.ts'
import { MissingSecretError } from '../../config/contract.ts'
import { otherKey, secrets, signingKey } from './providers.ts'

type Vectors = {
  sign: { secret: string; id: string; timestamp: number; payload: string; expected: string }
  verify: { name: string; secret: string; payload: string; headers: Record<string, string>; valid: boolean }[]
}

const vectorsUrl = new URL('../../../shared/fixtures/notify/standard-webhooks/vectors.json', import.meta.url)
const sharedTest = existsSync(vectorsUrl) ? test : test.skip
const vectors = (): Vectors => JSON.parse(readFileSync(vectorsUrl, 'utf8'))

const lookUp = (reference: string): string => secrets[reference] ?? reference.replace('secret:', '')
const keys = (...references: string[]): Buffer[] => {
  const found = signingKeys(references, lookUp)
  if (found.status !== 'keys') throw new Error(found.cause)
  return found.keys
}
const keyOf = (secret: string): Buffer => keys(`secret:whsec_${secret.replace('whsec_', '')}`)[0] ?? Buffer.alloc(0)

test('the known answer of the specification comes out', () => {
  const signed = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', atSeconds: 1_614_265_330, body: '{"test": 2432232314}' }
  expect(sign(keyOf(signingKey), signed)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

sharedTest('the published signing vector comes out', () => {
  const { secret, id, timestamp, payload, expected } = vectors().sign
  expect(sign(keyOf(secret), { id, atSeconds: timestamp, body: payload })).toBe(expected)
})

sharedTest(
  'our signature is among those of a published message exactly when the message was signed with the key',
  () => {
    const complete = vectors().verify.flatMap(({ name, secret, payload, headers, valid }) => {
      const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = headers
      if (!id || !signatures || !at || !/^\d+$/.test(at)) return []
      const ours = sign(keyOf(secret), { id, atSeconds: Number(at), body: payload })
      return [{ name, valid, found: signatures.split(' ').includes(ours), aged: /timestamp/.test(name) }]
    })
    expect(complete.length).toBeGreaterThan(2)
    expect(complete.filter(({ valid, found, aged }) => found !== (valid || aged))).toEqual([])
  },
)

const bodies = ['', '{}', '{"a":"ä 漢字 🔥 \\u001b \u2028"}', 'x'.repeat(100_000), 'a.b.c', '{"id":"1.2"}\n']
const ids = ['checkout-1vabc:oncall:1', 'a', 'x:y:999999', webhookId('a.b/ü')]
const cases = ids.flatMap((id) => bodies.map((body, at) => ({ id, body, at })))

test.each(cases)('an independent implementation agrees: $id, body $at', ({ id, body }) => {
  const at = new Date()
  const atSeconds = Math.floor(at.getTime() / 1000)
  const headers = webhookHeaders(keys('secret:HOOK', 'secret:NEXT'), { id, atSeconds, body })
  const [first, second] = (headers['webhook-signature'] ?? '').split(' ')
  expect(first).toBe(new Webhook(signingKey).sign(id, at, body))
  expect(second).toBe(new Webhook(otherKey).sign(id, at, body))
  const verify = (secret: string, text: string): unknown =>
    new Webhook(secret).verify(text, headers, { jsonParse: false })
  expect(verify(signingKey, body)).toBeUndefined()
  expect(verify(otherKey, body)).toBeUndefined()
  expect(() => verify(signingKey, `${body} `)).toThrow('No matching signature')
  expect(() => verify(`whsec_${Buffer.alloc(32, 1).toString('base64')}`, body)).toThrow('No matching signature')
})

test.each([
  { given: 'no prefix', secret: signingKey.slice(6) },
  { given: 'another prefix', secret: `whsk_${signingKey.slice(6)}` },
  { given: '23 bytes', secret: `whsec_${Buffer.alloc(23, 1).toString('base64')}` },
  { given: '65 bytes', secret: `whsec_${Buffer.alloc(65, 1).toString('base64')}` },
  { given: 'no base64', secret: `${signingKey.slice(0, -2)}!!` },
  { given: 'a length base64 cannot have', secret: `${signingKey}a` },
  { given: 'nothing', secret: '' },
])('a malformed key is told without showing it: $given', ({ secret }) => {
  const found = signingKeys(['secret:HOOK', 'secret:BAD'], (reference) =>
    reference === 'secret:BAD' ? secret : signingKey,
  )
  expect(found).toEqual({
    status: 'rejected',
    cause: 'secret:BAD is not a signing key: wanted whsec_ and base64 of 24 to 64 bytes',
  })
})

test.each([24, 25, 26, 32, 64])('a key of %s bytes is one, with padding, without and with a line end', (bytes) => {
  const key = Buffer.alloc(bytes, 9)
  const encoded = `whsec_${key.toString('base64')}`
  for (const secret of [encoded, encoded.replace(/=+$/, ''), `${encoded}\n`]) {
    expect(signingKeys('secret:K', () => secret)).toMatchObject({ status: 'keys', keys: [key] })
  }
})

test('a secret that is not there is told by its name', () => {
  const missing = signingKeys('secret:GONE', () => {
    throw new MissingSecretError('the environment holds other things')
  })
  expect(missing).toEqual({ status: 'rejected', cause: 'there is no secret:GONE' })
})

test('a secret that nobody can say anything of is asked for again', () => {
  const away = signingKeys('secret:HOOK', () => {
    throw new Error('secret:HOOK is not known: SSM could not be asked:\nThrottlingException')
  })
  const cause = 'secret:HOOK is not known: SSM could not be asked: ThrottlingException'
  expect(away).toEqual({ status: 'retry', cause })
})

test('a webhook id keeps ordinary ids, has no full stop and is never shared', () => {
  expect(webhookId('checkout-1vabc:oncall:1')).toBe('checkout-1vabc:oncall:1')
  const strange = ['a.b', 'a%2Eb', 'a b', 'ü', 'a\r\nx: y', 'a..b']
  const made = strange.map(webhookId)
  expect(new Set(made).size).toBe(strange.length)
  expect(made.filter((id) => !/^[A-Za-z0-9_:%-]+$/.test(id))).toEqual([])
})
