import { createHmac, randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { keys } from '../../functions/contract.ts'
import { hubSigner, knownSigner, linkSigner, sameSecret } from '../../functions/link-key.ts'
import { memoryStore } from '../../stores/memory.ts'
import { start } from './builders.ts'

const store = () => memoryStore({ nowMs: () => start })

test('two that need the first key at the same time agree on one', async () => {
  const one = store()
  const signers = await Promise.all(Array.from({ length: 5 }, () => hubSigner(one, randomBytes)))
  expect(new Set(signers.map((signer) => signer?.mac('x'))).size).toBe(1)
  expect((await knownSigner(one))?.mac('x')).toBe(signers[0]?.mac('x'))
})

test('a hub that never made a link knows no key, and asking makes none', async () => {
  const one = store()
  expect(await knownSigner(one)).toBeUndefined()
  expect((await one.read([keys.linkKey])).size).toBe(0)
})

test('the key is 32 bytes from the source it was given, kept for good', async () => {
  const one = store()
  const lengths: number[] = []
  await hubSigner(one, (length) => {
    lengths.push(length)
    return new Uint8Array(length).fill(1)
  })
  expect(lengths).toEqual([32])
  const kept = (await one.read([keys.linkKey])).get(keys.linkKey)
  expect(kept).toEqual({ value: { key: Buffer.alloc(32, 1).toString('base64url') }, version: 1 })
})

test('a key that only a newer version reads is left alone', async () => {
  const one = store()
  await one.commit([{ key: keys.linkKey, expect: 0, value: { keys: ['new'] } }])
  expect(await hubSigner(one, randomBytes)).toBeUndefined()
  expect((await one.read([keys.linkKey])).get(keys.linkKey)?.value).toEqual({ keys: ['new'] })
})

test('a signature is the first half of HMAC-SHA256', () => {
  const key = Buffer.alloc(32, 3)
  const whole = createHmac('sha256', key).update('text').digest()
  expect(linkSigner(key).mac('text')).toBe(whole.subarray(0, 16).toString('base64url'))
})

test.each([
  { a: 'secret', b: 'secret', same: true },
  { a: 'secret', b: 'secreT', same: false },
  { a: 'secret', b: 'secret2', same: false },
  { a: '', b: 'secret', same: false },
])('"$a" and "$b" are the same: $same', ({ a, b, same }) => expect(sameSecret(a, b)).toBe(same))
