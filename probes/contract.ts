import * as z from 'zod'
import { id } from '../config/contract.ts'

export const verdict = z.enum(['pass', 'degraded', 'fail', 'unknown'])
/** `unknown`: *we* could not look (our resolver, our network, our load). It is never green and never counts in an SLI. */
export type Verdict = z.infer<typeof verdict>

export const phase = z.enum(['resolve', 'connect', 'tls', 'processing', 'transfer', 'assert', 'prober'])
export const cause = z.strictObject({
  phase,
  /** Stable, for metrics and rules: `connection-refused`, `certificate-expired`, `assert-status`, … */
  code: z.string(),
  /** One sentence for a person, with what was expected and what was seen. */
  detail: z.string(),
})
export type Cause = z.infer<typeof cause>

/** blackbox_exporter's phases, summed over redirects. A phase that was not reached is absent, never 0. */
export const timingsMs = z.strictObject({
  resolve: z.number().optional(),
  connect: z.number().optional(),
  tls: z.number().optional(),
  processing: z.number().optional(),
  transfer: z.number().optional(),
  total: z.number(),
})
export type TimingsMs = z.infer<typeof timingsMs>

export const certificate = z.strictObject({
  subject: z.string(),
  issuer: z.string(),
  names: z.array(z.string()),
  notBeforeMs: z.number(),
  /** Earliest expiry among the presented chain. */
  notAfterMs: z.number(),
  /** What verification would have said; absent when the chain is trusted. */
  distrust: z.string().optional(),
})
export type Certificate = z.infer<typeof certificate>

/** Captured in the attempt itself, so that it is there even when the outage was short. Never holds request headers. */
export const attempt = z.strictObject({
  url: z.string().optional(),
  address: z.string().optional(),
  statusCode: z.number().optional(),
  httpVersion: z.string().optional(),
  redirects: z.number().optional(),
  bodyBytes: z.number().optional(),
  /** At most 1 KB of what came back, only when the run did not pass. */
  bodyStart: z.string().optional(),
  certificate: certificate.optional(),
})
export type Attempt = z.infer<typeof attempt>

/** What a kind's `run` reports; who ran it, where and when is added by the `probe` function. */
export const sighting = z.strictObject({
  verdict,
  cause: cause.optional(),
  timingsMs,
  attempt: attempt.optional(),
})
export type Sighting = z.infer<typeof sighting>

/** What one run of a monitor saw. Keyed by (monitorId, location, scheduledAtMs, look). */
export const probeOutcome = z.strictObject({
  monitorId: z.string(),
  location: z.string(),
  scheduledAtMs: z.number(),
  startedAtMs: z.number(),
  /** `tick`, `recheck`, or the id of the row that asked for a second opinion. */
  look: z.string(),
  ...sighting.shape,
})
export type ProbeOutcome = z.infer<typeof probeOutcome>

/** What every monitor has, whatever its kind. Names are Kubernetes' probe fields. */
export const monitorFields = {
  service: id,
  locations: z.array(id).min(1).optional(),
  periodSeconds: z.int().min(1).max(86_400).default(60),
  timeoutSeconds: z.number().min(0.1).max(60).default(10),
}

/** Everything a probe may touch. Nothing else: no clock, environment or network of its own. */
export type ProbeWorld = {
  nowMs: () => number
  /** Resolves `secret:NAME`; throws when there is no such secret. */
  secret: (reference: string) => string
  /** Target ranges that are refused unless listed here (config `allowTargets`). */
  allowTargets: readonly TargetRange[]
  /** The run is over when this fires, whatever it was doing. */
  signal: AbortSignal
}

export const targetRange = z.enum(['loopback', 'link-local', 'private'])
/** `private` (RFC 1918, fc00::/7) is allowed by default; `loopback` and `link-local` (metadata services) are not. */
export type TargetRange = z.infer<typeof targetRange>

/** One kind of probe: its schema and its behaviour. `run` never throws for what the target does. */
export type ProbeKind<S extends z.ZodType = z.ZodType> = {
  kind: string
  schema: S
  /** What a person calls the target of this monitor: `GET https://…`. */
  target: (spec: z.output<S>) => string
  run: (spec: z.output<S>, world: ProbeWorld) => Promise<Sighting>
}

export const defineProbe = <S extends z.ZodType>(kind: ProbeKind<S>): ProbeKind<S> => kind
