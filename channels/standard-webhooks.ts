import { createHmac } from 'node:crypto'
import * as z from 'zod'
import { secretRef } from '../config/contract.ts'

/** One secret, or several while a receiver changes from one to the next: each of them signs every message. */
export const signingSecrets = z.union([secretRef, z.array(secretRef).min(1).max(5)])

/** The keys behind the references, or why there are none, in words that never show a key. */
export type SigningKeys = { status: 'keys'; keys: Buffer[]; secrets: string[] } | { status: 'unusable'; cause: string }

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

/** The key in `whsec_` + base64 of 24 to 64 bytes (Standard Webhooks 1.0.0, "Signature scheme"). */
const keyOf = (secret: string): Buffer | undefined => {
  const [, encoded = ''] = /^whsec_(.*)$/s.exec(secret) ?? []
  if (!base64.test(encoded)) return undefined
  const key = Buffer.from(encoded, 'base64')
  return key.length >= 24 && key.length <= 64 ? key : undefined
}

/** Looks the references up; a missing or malformed secret makes all of them unusable, so that it is noticed. */
export const signingKeys = (
  references: string | readonly string[],
  secret: (reference: string) => string,
): SigningKeys => {
  const found: { keys: Buffer[]; secrets: string[] } = { keys: [], secrets: [] }
  for (const reference of typeof references === 'string' ? [references] : references) {
    const value = secretValue(reference, secret)
    if (value === undefined) return { status: 'unusable', cause: `there is no ${reference}` }
    const key = keyOf(value)
    if (!key) {
      return {
        status: 'unusable',
        cause: `${reference} is not a signing key: wanted whsec_ and base64 of 24 to 64 bytes`,
      }
    }
    found.keys.push(key)
    found.secrets.push(value, value.slice('whsec_'.length))
  }
  return { status: 'keys', ...found }
}

/** A secret's value without the line end that files and editors add; undefined when there is none. */
export const secretValue = (reference: string, secret: (reference: string) => string): string | undefined => {
  try {
    return secret(reference).trim()
  } catch {
    return undefined
  }
}

/**
 * An order's id as a `webhook-id`: "." separates the parts of what is signed and must not be in it, and a header takes
 * no more than ASCII. Other ids stay as they are, and two ids never become one.
 */
export const webhookId = (orderId: string): string =>
  orderId.replace(/[^A-Za-z0-9_:-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )

/** What the three headers are made of; `atSeconds` is the time of this attempt. */
export type Signed = { id: string; atSeconds: number; body: string }

/** One `v1` signature: HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks 1.0.0). */
export const sign = (key: Buffer, { id, atSeconds, body }: Signed): string =>
  `v1,${createHmac('sha256', key).update(`${id}.${atSeconds}.${body}`).digest('base64')}`

/** The headers of one attempt, with one signature per key. */
export const webhookHeaders = (keys: readonly Buffer[], signed: Signed): Record<string, string> => ({
  'webhook-id': signed.id,
  'webhook-timestamp': String(signed.atSeconds),
  'webhook-signature': keys.map((key) => sign(key, signed)).join(' '),
})
