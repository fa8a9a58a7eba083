import * as z from 'zod'
import { httpUrl, secretRef } from '../../config/contract.ts'
import { type Attempt, defineProbe, monitorFields, type ProbeWorld, type Sighting } from '../contract.ts'
import { blind, type Course, explain, failed, startCourse, timingsOf } from '../failure.ts'
import { assertions, findMismatches } from '../http/assertions.ts'
import { hostOf, openConnection, TimeUp } from '../http/connection.ts'
import { exchange, type HttpAnswer } from '../http/exchange.ts'
import { type Hop, nextHop } from '../http/redirect.ts'
import { distrusted, expiresSoon } from '../tls.ts'

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header name')
const headerValue = z.union([secretRef, z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'a header value on one line')])

const schema = z.strictObject({
  kind: z.literal('http'),
  ...monitorFields,
  url: httpUrl,
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
  headers: z.record(headerName, headerValue).default({}),
  body: z.string().optional(),
  followRedirects: z.boolean().default(true),
  maxRedirects: z.int().min(0).max(20).default(10),
  family: z.enum(['any', 'v4', 'v6']).default('any'),
  bodyLimitBytes: z
    .int()
    .min(1)
    .max(16 * 1024 * 1024)
    .default(1024 * 1024),
  assert: assertions.prefault({}),
  /** Slower than this is degraded. */
  degraded: z.strictObject({ latencyMs: z.number().positive() }).optional(),
  tls: z
    .strictObject({
      serverName: z.string().min(1).optional(),
      caFile: z.string().min(1).optional(),
      insecureSkipVerify: z.boolean().default(false),
      expiresWithinDays: z.int().min(0).max(3650).default(14),
    })
    .prefault({}),
})
type Spec = z.output<typeof schema>

/** How much of a body is kept as evidence. */
const bodyStartBytes = 1024

type Run = { spec: Spec; world: ProbeWorld; signal: AbortSignal; course: Course; attempt: Attempt }

const firstHop = (spec: Spec, world: ProbeWorld): Hop => {
  const headers: Record<string, string> = { 'user-agent': 'whodunit/1', accept: '*/*', 'accept-encoding': 'identity' }
  const secret = new Set(['authorization', 'cookie', 'proxy-authorization'])
  for (const [name, value] of Object.entries(spec.headers)) {
    const key = name.toLowerCase()
    if (!value.startsWith('secret:')) {
      headers[key] = value
      continue
    }
    secret.add(key)
    try {
      headers[key] = world.secret(value)
    } catch {
      throw blind('secret-missing', `${value}, for the header ${name}, cannot be resolved here`)
    }
  }
  return { url: new URL(spec.url), method: spec.method, headers, secret, body: spec.body }
}

/** One request over one fresh connection. */
const look = async ({ spec, world, signal, course, attempt }: Run, hop: Hop): Promise<HttpAnswer> => {
  const { family, tls, bodyLimitBytes } = spec
  const connection = await openConnection({ url: hop.url, family, tls }, course, { ...world, signal })
  attempt.url = `${hop.url.origin}${hop.url.pathname}`
  attempt.address = connection.address
  if (connection.certificate) attempt.certificate = connection.certificate
  else delete attempt.certificate
  const answer = await exchange(connection, hop, { course, signal, bodyLimitBytes })
  attempt.statusCode = answer.statusCode
  attempt.bodyBytes = answer.body.length
  return answer
}

const follow = async (run: Run): Promise<{ answer: HttpAnswer; host: string }> => {
  const { spec, world, attempt } = run
  let hop = firstHop(spec, world)
  for (let redirects = 0; ; redirects++) {
    attempt.redirects = redirects
    const answer = await look(run, hop)
    const trust = attempt.certificate && !spec.tls.insecureSkipVerify
    const distrust =
      trust && attempt.certificate ? distrusted(attempt.certificate, hostOf(hop.url), world.nowMs()) : undefined
    if (distrust) throw withBody(run, answer, distrust)
    const next = spec.followRedirects ? nextHop(hop, answer) : undefined
    if (!next) return { answer, host: hostOf(hop.url) }
    if (redirects >= spec.maxRedirects) {
      throw failed(
        'processing',
        'too-many-redirects',
        `more than ${spec.maxRedirects} redirects, the last to ${next.url.host}`,
      )
    }
    hop = next
  }
}

/** Whole characters only: a cut in the middle of one would not be what was sent. */
const bodyStart = (body: Buffer): string =>
  new TextDecoder('utf-8').decode(body.subarray(0, bodyStartBytes), { stream: body.length > bodyStartBytes })

const withBody = <T>({ attempt }: Run, answer: HttpAnswer, result: T): T => {
  if (answer.body.length > 0) attempt.bodyStart = bodyStart(answer.body)
  return result
}

const degradedBecause = ({ spec, world, attempt }: Run, latencyMs: number): Sighting['cause'] => {
  const { certificate } = attempt
  const soon = certificate && expiresSoon(certificate, spec.tls.expiresWithinDays, world.nowMs())
  if (soon) return { phase: 'tls', code: 'certificate-expires-soon', detail: soon }
  if (spec.degraded && latencyMs > spec.degraded.latencyMs) {
    const detail = `took ${Math.round(latencyMs)} ms, more than ${spec.degraded.latencyMs} ms`
    return { phase: 'assert', code: 'slow', detail }
  }
  return undefined
}

const judge = (run: Run, answer: HttpAnswer): Sighting => {
  const { spec, course, attempt } = run
  const timingsMs = timingsOf(course)
  const [first, ...others] = findMismatches(spec.assert, { ...answer, latencyMs: timingsMs.total })
  if (first) {
    const more = others.map(({ detail }) => detail)
    const cause = { ...first, detail: [first.detail, ...more].slice(0, 3).join('; ') }
    return withBody(run, answer, { verdict: 'fail', cause, timingsMs, attempt })
  }
  const cause = degradedBecause(run, timingsMs.total)
  return cause ? { verdict: 'degraded', cause, timingsMs, attempt } : { verdict: 'pass', timingsMs, attempt }
}

const ended = ({ spec, course, attempt }: Run, error: unknown): Sighting => {
  const { host } = new URL(spec.url)
  const late = error instanceof TimeUp
  const { verdict, found } = late
    ? failed(
        course.phase,
        'timed-out',
        `no answer from ${host} within ${spec.timeoutSeconds} s, while in phase ${course.phase}`,
      )
    : explain(error, course.phase, host)
  return { verdict, cause: found, timingsMs: timingsOf(course), attempt }
}

/**
 * One HTTP(S) attempt: a fresh connection, one address, no hidden retries; phases as blackbox_exporter names them,
 * summed over redirects. TLS verification is recorded and judged after looking. Regular expressions of the config see
 * at most `bodyLimitBytes` of a body.
 */
export const httpProbe = defineProbe({
  kind: 'http',
  schema,
  target: ({ method, url }) => `${method} ${url}`,
  run: async (spec, world) => {
    const signal = AbortSignal.any([world.signal, AbortSignal.timeout(Math.ceil(spec.timeoutSeconds * 1000))])
    const run: Run = { spec, world, signal, course: startCourse(), attempt: {} }
    try {
      const { answer } = await follow(run)
      return judge(run, answer)
    } catch (error) {
      return ended(run, error)
    }
  },
})
