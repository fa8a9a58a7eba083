import * as z from 'zod'
import { secretRef } from '../../config/contract.ts'
import type { ProbeWorld } from '../contract.ts'
import { blind } from '../failure.ts'
import type { Hop } from './redirect.ts'

const isValue = (text: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(text)

/** How a message is framed is not the config's to say: a wrong word there would look like a failing target. */
const framing = new Set(['connection', 'content-length', 'expect', 'keep-alive', 'te', 'transfer-encoding', 'upgrade'])

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header name')
  .refine((name) => !framing.has(name.toLowerCase()), 'a header other than Connection, Content-Length and their like')

const headerValue = z.union([
  secretRef,
  z.string().refine((text) => isValue(text) && !text.startsWith('secret:'), 'a header value on one line'),
])

export const requestHeaders = z.record(headerName, headerValue).refine((headers) => {
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  return new Set(names).size === names.length
}, 'each header once, since Accept and accept are the same')

type Asked = {
  url: string
  method: Hop['method']
  headers: z.output<typeof requestHeaders>
  body?: string | undefined
}

const secretValue = (reference: string, name: string, world: Pick<ProbeWorld, 'secret'>): string => {
  let value: string
  try {
    value = world.secret(reference)
  } catch {
    throw blind('secret-missing', `${reference}, for the header ${name}, cannot be resolved here`)
  }
  if (value !== '' && isValue(value)) return value
  const why = value === '' ? 'is empty' : 'holds a line break or a character that no header may have'
  throw blind('secret-invalid', `the value of ${reference}, for the header ${name}, ${why}`)
}

/** Names that authenticate whoever sends them, even where their values stand in the config. */
const authenticating = ['authorization', 'cookie', 'proxy-authorization']

/** A shorter text that stands in the config anyway is too common to be hidden wherever it appears. */
const literalLength = 8

/** The first request, its secrets resolved; `hidden` is what may never be shown, by what to show instead. */
export const firstHop = (
  asked: Asked,
  world: Pick<ProbeWorld, 'secret'>,
): { hop: Hop; hidden: Map<string, string> } => {
  const headers: Record<string, string> = { 'user-agent': 'whodunit/1', accept: '*/*', 'accept-encoding': 'identity' }
  const secret = new Set(authenticating)
  const hidden = new Map<string, string>()
  for (const [name, given] of Object.entries(asked.headers)) {
    const key = name.toLowerCase()
    const isReference = given.startsWith('secret:')
    const value = isReference ? secretValue(given, name, world) : given
    headers[key] = value
    if (isReference) secret.add(key)
    if (isReference || (secret.has(key) && value.length >= literalLength)) {
      hidden.set(value, isReference ? given : `header ${name}`)
    }
  }
  return { hop: { url: new URL(asked.url), method: asked.method, headers, secret, body: asked.body }, hidden }
}

/** Whether a request carries what only the right server may see. */
export const isConfidential = ({ headers, secret, body }: Hop): boolean =>
  body !== undefined || Object.keys(headers).some((name) => secret.has(name))
