import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import type { Store } from '../stores/contract.ts'
import type { Signer } from './api/links.ts'
import { keys } from './contract.ts'

/**
 * The key that links in pages are signed with. It lies in the store, so that it lives exactly as long as the incidents
 * it opens: it survives a restart and a restored table, and nobody has to make one up. It is never shown.
 */
const linkKey = z.strictObject({ key: z.string().regex(/^[\w-]{43}$/) })

/** HMAC-SHA256's own length, RFC 2104 §3. */
export const linkKeyBytes = 32

/** Half of a SHA-256, the least that RFC 2104 §5 recommends: a link must fit a text message. */
const macBytes = 16

/** Are two secrets the same? Takes equally long whatever they are, their lengths included. */
export const sameSecret = (a: string, b: string): boolean => {
  const [first, second] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return first !== undefined && second !== undefined && timingSafeEqual(first, second)
}

/** Signs with this key. */
export const linkSigner = (key: Uint8Array): Signer => ({
  mac: (text) => createHmac('sha256', key).update(text).digest().subarray(0, macBytes).toString('base64url'),
  same: sameSecret,
})

const signerOf = (value: unknown): Signer | undefined => {
  const { data } = linkKey.safeParse(value)
  return data && linkSigner(Buffer.from(data.key, 'base64url'))
}

/** Signs as this hub does; undefined when it never made a link, or the key is one that only a newer version reads. */
export const knownSigner = async (store: Store): Promise<Signer | undefined> =>
  signerOf((await store.read([keys.linkKey])).get(keys.linkKey)?.value)

/** Signs as this hub does, with a new key if it has none yet: of two that make one at the same time one wins, for both. */
export const hubSigner = async (
  store: Store,
  randomBytes: (length: number) => Uint8Array,
): Promise<Signer | undefined> => {
  const stored = (await store.read([keys.linkKey])).get(keys.linkKey)
  // One that cannot be read is somebody's all the same: a page without links is better than links that die.
  if (stored) return signerOf(stored.value)
  const value = { key: Buffer.from(randomBytes(linkKeyBytes)).toString('base64url') }
  const result = await store.commit([{ key: keys.linkKey, expect: 0, value }])
  return result === 'committed' ? signerOf(value) : knownSigner(store)
}
