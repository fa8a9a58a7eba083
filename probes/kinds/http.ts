import * as z from 'zod'
import { httpUrl } from '../../config/contract.ts'
import {
  type Attempt,
  type Certificate,
  defineProbe,
  monitorFields,
  type ProbeWorld,
  type Sighting,
} from '../contract.ts'
import { type Course, startCourse, timingsOf } from '../course.ts'
import { TimeUp, timeIsUp, withDeadline } from '../deadline.ts'
import { explain, failed, LookEnded } from '../failure.ts'
import { assertions, findMismatches } from '../http/assertions.ts'
import { type Connection, openConnection } from '../http/connection.ts'
import { answerEvidence, firstToExpire, shownUrl } from '../http/evidence.ts'
import { bodyOf, exchange, type HttpAnswer } from '../http/exchange.ts'
import { type Redact, redacted, redactor } from '../http/redaction.ts'
import { type Hop, nextHop } from '../http/redirect.ts'
import { firstHop, isConfidential, requestHeaders } from '../http/request.ts'
import { distrusted, expiresSoon } from '../tls.ts'

const schema = z.strictObject({
  kind: z.literal('http'),
  ...monitorFields,
  url: httpUrl,
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
  headers: requestHeaders.default({}),
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
      /** The name to ask for and to find in the certificate, in place of the url's; redirects elsewhere have their own. */
      serverName: z
        .string()
        .regex(/^(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$/, 'a host name')
        .optional(),
      caFile: z.string().min(1).optional(),
      /** Neither trust nor expiry of a certificate is judged; both are still recorded. */
      insecureSkipVerify: z.boolean().default(false),
      expiresWithinDays: z.int().min(0).max(3650).default(14),
    })
    .prefault({}),
})
type Spec = z.output<typeof schema>

type Run = {
  spec: Spec
  world: ProbeWorld
  signal: AbortSignal
  course: Course
  redact: Redact
  /** What is being looked at, for sentences; it changes with redirects. */
  host: string
  attempt: Attempt
  /** The answer so far; its body may have broken off. */
  answer?: HttpAnswer | undefined
  /** The certificate to show, and whose it is. */
  shown?: { certificate: Certificate; host: string } | undefined
}

const startRun = (spec: Spec, world: ProbeWorld, signal: AbortSignal): Run => {
  const { host } = new URL(spec.url)
  return { spec, world, signal, course: startCourse(), redact: (text) => text, host, attempt: {} }
}

const connect = (run: Run, { url }: Hop): Promise<Connection> => {
  const { spec, course, signal, attempt } = run
  const { serverName, caFile } = spec.tls
  const isFirstHost = url.hostname === new URL(spec.url).hostname
  const tls = { caFile, serverName: isFirstHost ? serverName : undefined }
  const onAddress = (address: string) => {
    attempt.address = address
  }
  const { allowTargets } = run.world
  return openConnection({ url, family: spec.family, tls }, course, { allowTargets, signal, onAddress })
}

/** Who cannot prove to be the right server is still looked at, for the evidence, but is told nothing confidential. */
const distrustOf = (run: Run, { certificate, checked }: Connection): LookEnded | undefined => {
  if (!certificate) return undefined
  const seen = { certificate, host: checked }
  const { spec, world } = run
  const distrust = spec.tls.insecureSkipVerify ? undefined : distrusted(certificate, checked, world.nowMs())
  run.shown = distrust ? seen : firstToExpire(run.shown, seen)
  return distrust
}

/** One request over one fresh connection. */
const look = async (run: Run, hop: Hop, redirects: number): Promise<HttpAnswer> => {
  const { spec, signal, course } = run
  run.host = hop.url.host.slice(0, 253)
  run.answer = undefined
  run.attempt = { url: shownUrl(hop.url), redirects }
  if (signal.aborted) throw new TimeUp()
  const connection = await connect(run, hop)
  const distrust = distrustOf(run, connection)
  if (distrust && isConfidential(hop)) {
    connection.socket.destroy()
    throw distrust
  }
  const onAnswer = (answer: HttpAnswer) => {
    run.answer = answer
  }
  try {
    const answer = await exchange(connection, hop, { course, signal, bodyLimitBytes: spec.bodyLimitBytes, onAnswer })
    if (!distrust) return answer
  } catch (error) {
    if (!distrust) throw error
  }
  throw distrust
}

const follow = async (run: Run, first: Hop): Promise<HttpAnswer> => {
  const { followRedirects, maxRedirects } = run.spec
  for (let hop = first, redirects = 0; ; redirects++) {
    const answer = await look(run, hop, redirects)
    const next = followRedirects ? nextHop(hop, answer) : undefined
    if (!next) return answer
    if (redirects >= maxRedirects) {
      const last = `the last from ${run.host} to ${shownUrl(next.url)}`
      throw failed('processing', 'too-many-redirects', `more than ${maxRedirects} redirects, ${last}`)
    }
    hop = next
  }
}

const degradedBecause = ({ spec, world, shown }: Run, latencyMs: number): Sighting['cause'] => {
  const { insecureSkipVerify, expiresWithinDays } = spec.tls
  const soon = shown && !insecureSkipVerify && expiresSoon(shown.certificate, expiresWithinDays, world.nowMs())
  const expiry = soon ? [`the certificate of ${shown.host} ${soon}`] : []
  if (spec.degraded && latencyMs > spec.degraded.latencyMs) {
    const slow = `took ${Math.round(latencyMs)} ms, more than ${spec.degraded.latencyMs} ms`
    return { phase: 'assert', code: 'slow', detail: [slow, ...expiry].join('; ') }
  }
  const [detail] = expiry
  return detail === undefined ? undefined : { phase: 'tls', code: 'certificate-expires-soon', detail }
}

/** The look's result with all evidence, and no secret in it. */
const sighting = (run: Run, found: Pick<Sighting, 'verdict' | 'cause' | 'timingsMs'>): Sighting => {
  const { answer, shown, redact } = run
  const isBad = found.verdict === 'fail' || found.verdict === 'unknown'
  const evidence = answerEvidence(answer, isBad, redact)
  const attempt = { ...run.attempt, ...evidence, ...(shown && { certificate: shown.certificate }) }
  const { cause } = found
  return {
    ...found,
    ...(cause && { cause: { ...cause, detail: redact(cause.detail) } }),
    attempt: redacted(attempt, redact),
  }
}

const judge = (run: Run, answer: HttpAnswer): Sighting => {
  const { spec, course, redact } = run
  const timingsMs = timingsOf(course)
  const { statusCode, headers, undecoded } = answer
  const answered = { statusCode, headers, undecoded, body: bodyOf(answer), latencyMs: timingsMs.total, redact }
  const mismatches = findMismatches(spec.assert, answered)
  const [first] = mismatches
  if (first) {
    const details = mismatches.slice(0, 3).map(({ detail }) => detail)
    return sighting(run, { verdict: 'fail', cause: { ...first, detail: details.join('; ') }, timingsMs })
  }
  const cause = degradedBecause(run, timingsMs.total)
  return sighting(run, cause ? { verdict: 'degraded', cause, timingsMs } : { verdict: 'pass', timingsMs })
}

const ended = (run: Run, error: unknown): Sighting => {
  const { spec, world, signal, course, host } = run
  const isLate = error instanceof TimeUp || (signal.aborted && !(error instanceof LookEnded))
  const at = { timeoutSeconds: spec.timeoutSeconds, target: host, signal: world.signal }
  const { verdict, found } = isLate ? timeIsUp(course, at) : explain(error, course.phase, host)
  return sighting(run, { verdict, cause: found, timingsMs: timingsOf(course) })
}

/**
 * One HTTP(S) attempt: a fresh connection, one address, no hidden retries; phases as blackbox_exporter names them,
 * summed over redirects. TLS verification is recorded and judged after looking, but nothing confidential is sent to a
 * server that failed it. Regular expressions of the config see at most `bodyLimitBytes` of a body.
 */
export const httpProbe = defineProbe({
  kind: 'http',
  schema,
  target: ({ method, url }) => `${method} ${url}`,
  run: (spec, world) =>
    withDeadline(world.signal, Math.ceil(spec.timeoutSeconds * 1000), async (signal) => {
      const run = startRun(spec, world, signal)
      try {
        const { hop, hidden } = firstHop(spec, world)
        run.redact = redactor(hidden)
        return judge(run, await follow(run, hop))
      } catch (error) {
        return ended(run, error)
      }
    }),
})
