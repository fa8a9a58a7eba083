import { createHmac } from 'node:crypto'
import * as z from 'zod'
import { MissingSecretError, secretRef } from '../config/contract.ts'
import { failureOf } from './failure.ts'
import { oneLine } from './plain-text.ts'

/** One secret, or several while a receiver changes from one to the next: each of them signs every message. */
export const signingSecrets = z.union([secretRef, z.array(secretRef).min(1).max(5)])

/** Why a secret cannot be used, in words that never show it: for good, or as things stand. */
export type Unusable = { status: 'rejected' | 'retry'; cause: string }

/** The keys behind the references, or why there are none. */
export type SigningKeys = { status: 'keys'; keys: Buffer[]; secrets: string[] } | Unusable

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
    const looked = secretValue(reference, secret)
    if (looked.status !== 'found') return looked
    const { value } = looked
    const key = keyOf(value)
    if (!key) {
      return {
        status: 'rejected',
        cause: `${reference} is not a signing key: wanted whsec_ and base64 of 24 to 64 bytes`,
      }
    }
    found.keys.push(key)
    found.secrets.push(value, value.slice('whsec_'.length))
  }
  return { status: 'keys', ...found }
}

/** A secret's value without the line end that files and editors add. */
export const secretValue = (
  reference: string,
  secret: (reference: string) => string,
): { status: 'found'; value: string } | Unusable => {
  try {
    return { status: 'found', value: secret(reference).trim() }
  } catch (error) {
    if (error instanceof MissingSecretError) return { status: 'rejected', cause: `there is no ${reference}` }
    return { status: 'retry', cause: oneLine(failureOf(error).message, 300) }
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
