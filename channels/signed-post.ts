import * as z from 'zod'
import { httpUrl, secretRef } from '../config/contract.ts'
import type { DeliveryOrder } from '../functions/contract.ts'
import type { ChannelWorld, DeliveryResult, Rendered } from './contract.ts'
import { post } from './post.ts'
import { ratePerMinute } from './rate.ts'
import {
  secretValue,
  signingKeys,
  signingSecrets,
  type Unusable,
  webhookHeaders,
  webhookId,
} from './standard-webhooks.ts'
import { timeoutSeconds } from './time-limit.ts'

const ours =
  /^(?:webhook-.*|content-type|content-length|host|connection|transfer-encoding|expect|upgrade|keep-alive|te)$/i

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'a header name')
  .refine((text) => !ours.test(text), 'a header that is set for you')

const headerValue = z
  .string()
  .regex(/^[\x20-\x7e]{0,2000}$/, 'printable ASCII')
  .refine((text) => !text.startsWith('secret:') || secretRef.safeParse(text).success, 'a reference like secret:NAME')

/** What a channel that posts signed messages is told. A header's value may be a `secret:NAME`. */
export const signedPostFields = {
  url: httpUrl,
  secret: signingSecrets,
  headers: z.record(headerName, headerValue).default({}),
  timeoutSeconds,
  ratePerMinute: ratePerMinute.default(60),
}

type SignedPost = {
  url: string
  secret: string | readonly string[]
  headers: Readonly<Record<string, string>>
  timeoutSeconds: number
}

type Headers = { status: 'headers'; values: Record<string, string>; secrets: string[] } | Unusable

const headersOf = ({ headers }: SignedPost, secret: ChannelWorld['secret']): Headers => {
  const values: Record<string, string> = {}
  const secrets: string[] = []
  for (const [header, text] of Object.entries(headers)) {
    const looked = text.startsWith('secret:') ? secretValue(text, secret) : { status: 'found' as const, value: text }
    if (looked.status !== 'found') return looked
    const { value } = looked
    if (!/^[\x20-\x7e]*$/.test(value))
      return { status: 'rejected', cause: `${text} is not printable ASCII, as a header must be` }
    if (value !== text) secrets.push(value)
    values[header] = value
  }
  return { status: 'headers', values, secrets }
}

/** Signs and posts what was rendered: the same id and bytes at every attempt, a new time and so a new signature. */
export const signedPost = async (
  spec: SignedPost,
  order: DeliveryOrder,
  { body, contentType }: Rendered,
  world: ChannelWorld,
): Promise<DeliveryResult> => {
  const signing = signingKeys(spec.secret, world.secret)
  if (signing.status !== 'keys') return signing
  const extra = headersOf(spec, world.secret)
  if (extra.status !== 'headers') return extra
  const signed = { id: webhookId(order.id), atSeconds: Math.floor(world.nowMs() / 1000), body }
  const headers = {
    'user-agent': 'whodunit',
    ...extra.values,
    'content-type': contentType,
    ...webhookHeaders(signing.keys, signed),
  }
  const timeoutMs = spec.timeoutSeconds * 1000
  return post({ url: spec.url, headers, body, timeoutMs, secrets: [...signing.secrets, ...extra.secrets] }, world)
}
