import * as z from 'zod'
import type { Auth, Labels, Reading, SourceWorld } from './contract.ts'
import { readHttp } from './http.ts'
import { hostAndPort, oneLine } from './http-errors.ts'
import { type Sigv4, signedHeaders } from './sigv4.ts'

/** Where PromQL is answered: everything before `/api/v1`. */
export type PromqlTarget = {
  url: string
  auth?: Auth | { sigv4: Sigv4 } | undefined
  caFile?: string | undefined
  /** Sent with every request, such as a tenant. */
  headers?: Readonly<Record<string, string>> | undefined
}

export type PromqlSeries = { labels: Labels; points: readonly { atMs: number; value: number }[] }

/** `warnings`: the other side says that something is missing, so what is not here may still be there. */
export type PromqlAnswer = { series: PromqlSeries[]; warnings: readonly string[]; bytes: number }

/** An instant (`atMs`, or now as the other side sees it), or a range in steps. */
export type PromqlQuery = {
  query: string
  atMs?: number
  range?: { sinceMs: number; untilMs: number; stepSeconds: number }
}

const bodyLimitBytes = 64 * 1024 * 1024

/** Seconds and a text, since JSON has no NaN and no infinities. */
const point = z.tuple([z.number(), z.string()])
const labels = z.record(z.string(), z.string())
const data = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: labels, value: point })) }),
  z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ metric: labels, values: z.array(point) })) }),
  z.object({ resultType: z.literal('scalar'), result: point }),
])
const answer = z.object({ status: z.literal('success'), data, warnings: z.array(z.string()).nullish() })

const special: Readonly<Record<string, number>> = { '+Inf': Infinity, Inf: Infinity, '-Inf': -Infinity }

const pointOf = ([seconds, text]: z.output<typeof point>) => ({
  atMs: Math.round(seconds * 1000),
  value: special[text] ?? Number(text),
})

const seriesIn = (read: z.output<typeof data>): PromqlSeries[] => {
  switch (read.resultType) {
    case 'vector':
      return read.result.map(({ metric, value }) => ({ labels: metric, points: [pointOf(value)] }))
    case 'matrix':
      return read.result.map(({ metric, values }) => ({ labels: metric, points: values.map(pointOf) }))
    case 'scalar':
      return [{ labels: {}, points: [pointOf(read.result)] }]
    default:
      return read satisfies never
  }
}

const urlOf = (base: string, { query, atMs, range }: PromqlQuery): string => {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/${range ? 'query_range' : 'query'}`
  const parameters = range
    ? { query, start: range.sinceMs / 1000, end: range.untilMs / 1000, step: range.stepSeconds }
    : { query, ...(atMs !== undefined && { time: atMs / 1000 }) }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value))
  return url.href
}

const parseAnswer = (text: string, url: string): Reading<Omit<PromqlAnswer, 'bytes'>> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { status: 'unreadable', why: `${hostAndPort(url)} did not answer with JSON` }
  }
  const parsed = answer.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = issue === undefined ? '' : `: ${issue.path.join('.')} ${issue.message}`
    return { status: 'unreadable', why: `${hostAndPort(url)} did not answer with series${oneLine(where)}` }
  }
  return { status: 'read', value: { series: seriesIn(parsed.data.data), warnings: parsed.data.warnings ?? [] } }
}

const signatureFor = async (url: string, { auth }: PromqlTarget, world: SourceWorld) =>
  auth !== undefined && 'sigv4' in auth
    ? signedHeaders(url, auth.sigv4, world)
    : ({ status: 'read', value: { headers: {}, secrets: [] } } as const)

/** Asks a Prometheus-compatible API (Prometheus' HTTP API, "Expression queries") one question. */
export const askPromqlApi = async (
  target: PromqlTarget,
  world: SourceWorld,
  query: PromqlQuery,
): Promise<Reading<PromqlAnswer>> => {
  const url = urlOf(target.url, query)
  const signature = await signatureFor(url, target, world)
  if (signature.status === 'unreadable') return signature
  const parts: Uint8Array[] = []
  const auth = target.auth !== undefined && !('sigv4' in target.auth) ? target.auth : undefined
  const body = await readHttp({ url, auth, caFile: target.caFile }, world, {
    accept: 'application/json',
    headers: { ...target.headers, ...signature.value.headers },
    secrets: signature.value.secrets,
    bodyLimitBytes,
    begin: () => ({
      status: 'read',
      value: (chunk) => {
        parts.push(chunk)
        return undefined
      },
    }),
  })
  if (body.status === 'unreadable') return body
  // Half an answer is not JSON, and which half is missing nobody knows.
  if (body.value.incomplete !== undefined) return { status: 'unreadable', why: body.value.incomplete }
  const parsed = parseAnswer(Buffer.concat(parts).toString('utf8'), url)
  return parsed.status === 'read' ? { status: 'read', value: { ...parsed.value, bytes: body.value.bytes } } : parsed
}
