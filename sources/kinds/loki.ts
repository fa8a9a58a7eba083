import * as z from 'zod'
import {
  defineLogSource,
  type LogLine,
  type LogQuery,
  type LogReading,
  type Reading,
  type SourceWorld,
  sourceFields,
} from '../contract.ts'
import { readHttp } from '../http.ts'
import { hostAndPort, oneLine } from '../http-errors.ts'
import { errorLinePattern } from '../log-error-pattern.ts'

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'a Loki label name')
const matcher = '[a-zA-Z_][a-zA-Z0-9_]*\\s*(?:=~|!~|!=|=)\\s*(?:"(?:[^"\\\\\\n]|\\\\.)*"|`[^`]*`)'
const matcherList = new RegExp(`^\\s*${matcher}(?:\\s*,\\s*${matcher})*\\s*$`)

const schema = z.strictObject({
  kind: z.literal('loki'),
  ...sourceFields,
  /** Sent as X-Scope-OrgID; a Loki with several tenants refuses without it. */
  tenant: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'a tenant id without spaces')
    .optional(),
  /** Matchers every query carries besides its own: `cluster="prod", env=~"live|canary"`. */
  selector: z.string().regex(matcherList, 'matchers like app="web", env=~"a|b"').optional(),
  /** What this Loki's agent calls what we ask for. */
  labelNames: z.strictObject({ namespace: labelName.default('namespace') }).prefault({}),
})
export type LokiSpec = z.output<typeof schema>

/** Loki refuses more than `max_entries_limit_per_query`, by default 5,000, and ranges over `max_query_length`, 30d1h. */
const mostLines = 5000
const longestRangeMs = 30 * 24 * 3_600_000
const mostRanges = 12
const lineLimit = 4096
const bodyLimitBytes = 64 * 1024 * 1024

/** Loki's times are strings of nanoseconds: as numbers they would lose their last digits. */
const entry = z.tuple([z.string().regex(/^\d{1,19}$/), z.string()], z.unknown())
const answer = z.object({
  status: z.literal('success'),
  /** Loki says here what it left out. */
  warnings: z.array(z.string()).nullish(),
  data: z.object({
    resultType: z.literal('streams'),
    result: z.array(z.object({ stream: z.record(z.string(), z.string()), values: z.array(entry) })),
  }),
})
const categorized = z.object({ structuredMetadata: z.record(z.string(), z.string()).optional() })

type Line = LogLine & { atNs: bigint }
type Page = { lines: Line[]; warned: boolean }
type Range = { sinceMs: number; untilMs: number; limit: number }

/** A string in LogQL is a string in Go: JSON's escapes are all among them, half a surrogate pair is not. */
const quoted = (text: string): string => JSON.stringify(text.toWellFormed())

/** ` | pod=~"web(?:-.+)?" or app=~…`: a label that a line lacks is "" there, so nobody need know which ones it has. */
const labelFilter = ({ labels, names }: NonNullable<LogQuery['named']>): string => {
  const either = names.map((name) => name.replaceAll(/[^\w-]/g, '\\$&')).join('|')
  const known = labels.filter((label) => labelName.safeParse(label).success)
  return ` | ${known.map((label) => `${label}=~${quoted(`(?:${either})(?:-.+)?`)}`).join(' or ')}`
}

/** `{namespace="shop",app="web"} |~ "…"` */
const logQl = (spec: LokiSpec, query: LogQuery): string => {
  const names = new Map(Object.entries(spec.labelNames))
  const own = Object.entries(query.labels).map(([label, value]) => `${names.get(label) ?? label}=${quoted(value)}`)
  const matchers = [...own, ...(spec.selector === undefined ? [] : [spec.selector.trim()])].join(',')
  const lineFilter = query.errorsOnly ? ` |~ ${quoted(errorLinePattern)}` : ''
  return `{${matchers}}${lineFilter}${query.named ? labelFilter(query.named) : ''}`
}

const nanoseconds = (ms: number): string => String(BigInt(Math.ceil(ms)) * 1_000_000n)

const queryUrl = (spec: LokiSpec, query: LogQuery, range: Range): string => {
  const url = new URL(spec.url)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/loki/api/v1/query_range`
  url.searchParams.set('query', logQl(spec, query))
  url.searchParams.set('start', nanoseconds(range.sinceMs))
  url.searchParams.set('end', nanoseconds(range.untilMs))
  url.searchParams.set('limit', String(range.limit))
  url.searchParams.set('direction', 'backward')
  return url.href
}

const capped = (line: string): string =>
  line.length > lineLimit ? `${line.slice(0, lineLimit - 1).toWellFormed()}…` : line

const parsePage = (text: string, spec: LokiSpec): Reading<Page> => {
  const place = hostAndPort(spec.url)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { status: 'unreadable', why: `${place} answered 200 without JSON: ${oneLine(text)}` }
  }
  const parsed = answer.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue === undefined ? '' : `: ${issue.path.join('.')}: ${issue.message}`
    return { status: 'unreadable', why: `${place} did not answer with log streams${oneLine(where)}` }
  }
  const { data, warnings } = parsed.data
  const lines = data.result.flatMap(({ stream, values }) =>
    values.map(([time, line, extra]): Line => {
      const atNs = BigInt(time)
      const labels = { ...spec.labels, ...stream, ...categorized.safeParse(extra).data?.structuredMetadata }
      return { atNs, atMs: Number(atNs / 1_000_000n), line: capped(line), labels }
    }),
  )
  return { status: 'read', value: { lines, warned: (warnings?.length ?? 0) > 0 } }
}

const readPage = async (spec: LokiSpec, world: SourceWorld, url: string): Promise<Reading<Page>> => {
  const parts: Uint8Array[] = []
  const sink = (chunk: Uint8Array): undefined => {
    parts.push(chunk)
  }
  const body = await readHttp({ url, auth: spec.auth, caFile: spec.caFile }, world, {
    accept: 'application/json',
    headers: spec.tenant === undefined ? {} : { 'x-scope-orgid': spec.tenant },
    bodyLimitBytes,
    begin: () => ({ status: 'read', value: sink }),
  })
  if (body.status === 'unreadable') return body
  // Half an answer is not JSON, and which half is missing nobody knows.
  if (body.value.incomplete !== undefined) return { status: 'unreadable', why: body.value.incomplete }
  return parsePage(Buffer.concat(parts).toString('utf8'), spec)
}

const newestFirst = (a: Line, b: Line): number => (a.atNs < b.atNs ? 1 : a.atNs > b.atNs ? -1 : 0)

/** The span in pieces Loki accepts, the newest first. */
const rangesOf = (query: LogQuery): { sinceMs: number; untilMs: number }[] => {
  const ranges: { sinceMs: number; untilMs: number }[] = []
  for (let untilMs = query.untilMs; untilMs > query.sinceMs; untilMs -= longestRangeMs) {
    if (ranges.length === mostRanges) break
    ranges.push({ sinceMs: Math.max(query.sinceMs, untilMs - longestRangeMs), untilMs })
  }
  return ranges
}

/**
 * Log lines of `[sinceMs, untilMs)`, the newest first. `truncated` when as many came as were asked for, when Loki warns
 * that it left something out, or when the span is longer than a year and its oldest part was not asked about.
 */
const logs = async (spec: LokiSpec, world: SourceWorld, query: LogQuery): Promise<Reading<LogReading>> => {
  const invalid = Object.keys(query.labels).find((label) => !labelName.safeParse(label).success)
  if (invalid !== undefined)
    return { status: 'unreadable', why: `${oneLine(quoted(invalid))} is not a Loki label name` }
  const ranges = rangesOf(query)
  if (ranges.length === 0)
    return { status: 'unreadable', why: 'the time range asked for is empty: it ends before it starts' }
  const most = Math.max(1, Math.min(mostLines, Math.floor(query.limit)))
  const lines: Line[] = []
  let warned = false
  for (const range of ranges) {
    const page = await readPage(spec, world, queryUrl(spec, query, { ...range, limit: most - lines.length }))
    if (page.status === 'unreadable') return page
    lines.push(...page.value.lines.sort(newestFirst))
    warned ||= page.value.warned
    if (lines.length >= most) break
  }
  const beyond = query.untilMs - query.sinceMs > mostRanges * longestRangeMs
  return {
    status: 'read',
    value: {
      lines: lines.slice(0, most).map(({ atMs, line, labels }) => ({ atMs, line, labels })),
      truncated: lines.length >= most || warned || beyond,
    },
  }
}

/** Grafana Loki, asked through its query API. */
export const lokiSource = defineLogSource({ kind: 'loki', reads: 'logs', schema, logs })
